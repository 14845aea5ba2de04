//! One emulator, from its start to its stop. The program and the tests start it in the same way.

mod channels;
mod event_sources;
mod snapshot;

use crate::engine::channel::{ChannelBehaviour, Destinations};
use crate::engine::event_source::{EventSources, Function, Mapping, Origin, Outbound};
use crate::engine::snapshot::SnapshotError;
use crate::engine::tasks::Tasks;
use crate::engine::{Behaviour, Engine, RestoreError, StoreError, saved_time};
use crate::http::admin::{self, Admin};
use crate::http::listen::{self, BindError, Connections};
use crate::http::metrics::Metrics;
use crate::http::tls::{self, TlsIdentity};
use crate::http::{AccessSettings, Body, Incoming, NoAnswer, Request, Response, Server};
use crate::limits;
use crate::model::event_source::{CreateRequest, Refusal};
use crate::model::{AccountId, AccountRegion, Region, StreamArn};
use crate::operation::fault_rule::{self, FaultRuleError};
use crate::options::{
    Authentication, ClockChoice, FunctionSetting, Options, OptionsError, Problem,
};
use crate::setup::Definitions;
use crate::store::{self, OpenError, SimulatedDisk, Store};
use crate::world::{
    Clock, FaultRule, Faults, ListedRule, Random, VirtualClock, World, descriptor_limit,
};
use event_sources::OwnPuts;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot, watch};

/// A running emulator. Dropping this value stops the emulator in the background. [`Emulator::stop`]
/// also waits until the emulator has stopped.
#[derive(Debug)]
pub struct Emulator {
    engine: Arc<Engine>,
    /// The account and region of requests whose credential names no account or region.
    home: AccountRegion,
    server: Arc<Server>,
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<Result<(), StoreError>>,
}

/// The parts of the environment that a test may replace. The default is the real environment of the
/// machine.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The source of random numbers. None: the machine's random numbers.
    pub random: Option<Random>,
    /// The fault rules that apply as soon as the emulator starts.
    pub faults: Faults,
    /// A simulated disk that holds the data directory. None: the machine's disk. With a simulated
    /// disk, all work runs on the runtime that starts the emulator. If this runtime has one thread,
    /// the order of the work is the same every time.
    pub disk: Option<SimulatedDisk>,
    /// True if the emulator listens on no address. All requests then come through
    /// [`Emulator::answer`].
    pub has_no_listeners: bool,
    /// Number of bytes of records after which the store begins a new generation. None: the default.
    pub generation_bytes: Option<u64>,
    /// Maximum size of a segment of a log, in bytes.
    pub segment_bytes: usize,
    /// Functions of this process that event source mappings can invoke, by name. The function `*`
    /// stands for every name that no other function has.
    pub functions: BTreeMap<String, Function>,
    /// The destinations of channels. None: the destinations that the options define.
    #[doc(hidden)]
    pub destinations: Option<Arc<dyn Destinations>>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            random: None,
            faults: Faults::default(),
            disk: None,
            has_no_listeners: false,
            generation_bytes: None,
            segment_bytes: limits::SEGMENT_BYTES,
            functions: BTreeMap::new(),
            destinations: None,
        }
    }
}

/// The reason why an emulator does not start.
#[derive(Debug)]
pub enum StartError {
    /// An option has a value that cannot be used.
    Options(OptionsError),
    /// The data directory cannot be opened.
    Open(OpenError),
    /// The catalog in the data directory cannot be read.
    Restore(RestoreError),
    /// The emulator cannot listen on one of its addresses.
    Bind(BindError),
    /// A TLS certificate or key cannot be read.
    Tls(std::io::Error),
    /// A definition in the options or in the setup file cannot be carried out. The start has
    /// removed everything that it created from other definitions.
    Setup(Problem),
    /// The snapshot in this file cannot be loaded.
    Snapshot(PathBuf, SnapshotError),
    /// The start failed, and then the data directory could not be closed.
    Close(StoreError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options(error) => error.fmt(f),
            Self::Open(error) => error.fmt(f),
            Self::Restore(error) => error.fmt(f),
            Self::Bind(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
            Self::Setup(problem) => problem.fmt(f),
            Self::Snapshot(path, error) => write!(f, "--load {}: {error}", path.display()),
            Self::Close(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

impl From<OptionsError> for StartError {
    fn from(error: OptionsError) -> Self {
        Self::Options(error)
    }
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<RestoreError> for StartError {
    fn from(error: RestoreError) -> Self {
        Self::Restore(error)
    }
}

impl From<BindError> for StartError {
    fn from(error: BindError) -> Self {
        Self::Bind(error)
    }
}

impl From<Problem> for StartError {
    fn from(problem: Problem) -> Self {
        Self::Setup(problem)
    }
}

impl Emulator {
    /// Starts an emulator that accepts requests on [`Self::addresses`].
    ///
    /// # Errors
    /// The emulator cannot start: see [`StartError`] for the reasons.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        Self::start_in(options, Surroundings::default()).await
    }

    /// Starts an emulator in which `around` replaces parts of the environment.
    ///
    /// # Errors
    /// The emulator cannot start: see [`StartError`] for the reasons.
    pub async fn start_in(options: Options, around: Surroundings) -> Result<Self, StartError> {
        options.check()?;
        let access = access_settings(&options)?;
        let (mappings, functions) = options.mappings()?;
        let definitions = Arc::new(Definitions {
            setup: options.setup()?,
            mappings,
            fault_rules: options.faults()?,
            home: access.default_scope.clone(),
            replacements: Semaphore::new(1),
        });
        let clock = clock_choice(options.clock, definitions.setup.clock);
        let (stop, stopped) = watch::channel(false);
        let engine = start_engine(&options, &around, clock, &functions, stopped.clone()).await?;
        let (tls, listeners) = match prepare(&options, &around, &definitions, &engine).await {
            Ok(prepared) => prepared,
            Err(error) => {
                engine.close().await.map_err(StartError::Close)?;
                return Err(error);
            }
        };
        let addresses = addresses(&listeners);
        warn_of_open_access(&addresses, options.auth);
        let metrics = Metrics::new();
        let home = access.default_scope.clone();
        let own = admin::router(Admin {
            engine: engine.clone(),
            tls: tls.clone(),
            metrics: metrics.clone(),
            token: options.admin_token.clone(),
            home: home.clone(),
            definitions,
        });
        let server = Arc::new(Server::new(engine.clone(), access, own, metrics.clone()));
        let settings = listen::Settings {
            connections: Connections::of(&engine.limits, store_descriptors(&options)),
            tls,
            metrics,
            stop: stopped,
        };
        Ok(Self {
            ended: serve(listeners, settings, engine.clone(), server.clone()),
            engine,
            home,
            server,
            addresses,
            stop,
        })
    }

    /// The addresses that the emulator listens on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The HTTP URL of the emulator for clients. Empty if the emulator listens on no address.
    pub fn endpoint(&self) -> String {
        let address = self.addresses.first();
        address
            .map(|address| format!("http://{address}"))
            .unwrap_or_default()
    }

    /// Answers a request as if the request had come over a connection from this machine.
    ///
    /// # Errors
    /// The request gets no answer, because its body ends early or because a fault rule drops the
    /// answer.
    pub async fn answer<B: Incoming>(
        &self,
        request: Request<B>,
    ) -> Result<Response<Body>, NoAnswer<B::Error>> {
        self.server.clone().answer_here(request).await
    }

    /// Adds fault rules after the existing ones. Returns the added rules with their ids.
    ///
    /// # Errors
    /// A rule is invalid, or there would be too many rules. In this case no rule is added.
    pub fn add_fault_rules(
        &self,
        rules: Vec<FaultRule>,
    ) -> Result<Vec<ListedRule>, FaultRuleError> {
        fault_rule::add(&self.engine.world, rules)
    }

    /// The fault rules of the emulator. Each rule comes with the number of calls in which it has
    /// injected its fault.
    pub fn fault_rules(&self) -> Vec<ListedRule> {
        self.engine.world.faults.list()
    }

    /// Removes the fault rule with this id. Returns false if no rule has this id.
    pub fn remove_fault_rule(&self, id: u64) -> bool {
        self.engine.world.faults.remove(id)
    }

    /// Removes all fault rules, including the rules that the options define.
    pub fn clear_fault_rules(&self) {
        self.engine.world.faults.clear();
    }

    /// The fault rules of the emulator, including the rules at injection points.
    pub fn faults(&self) -> &Faults {
        &self.engine.world.faults
    }

    /// Writes a compressed snapshot of all contents of the emulator to `out`, and returns `out`
    /// afterwards. Every emulator of this version or of a newer version can load the snapshot. The
    /// emulator answers requests during the save. Writing to `out` may block, because a thread for
    /// blocking work writes to it.
    ///
    /// # Errors
    /// The store fails to read records, or `out` cannot be written. The save also fails if contents
    /// are deleted before the save has written them.
    pub async fn save_snapshot<W>(&self, out: W) -> Result<W, SnapshotError>
    where
        W: Write + Send + 'static,
    {
        snapshot::save(&self.engine, out).await
    }

    /// Replaces all contents of the emulator by the snapshot in `from`. Every request sees either
    /// all of the old contents or all of the snapshot. A virtual clock is set to the snapshot's
    /// time. Reading from `from` may block, because a thread for blocking work reads it.
    ///
    /// # Errors
    /// `from` cannot be read or is not a valid snapshot. In this case nothing has changed.
    pub async fn load_snapshot<R>(&self, from: R) -> Result<(), SnapshotError>
    where
        R: Read + Send + 'static,
    {
        snapshot::load(&self.engine, from).await
    }

    /// The clock of the emulator.
    pub fn clock(&self) -> &Clock {
        &self.engine.world.clock
    }

    /// The event source mappings of the emulator.
    pub fn event_sources(&self) -> Arc<EventSources> {
        self.engine.event_sources.clone()
    }

    /// Creates an event source mapping in the configured account and region. `request` has the
    /// members of a CreateEventSourceMapping request.
    ///
    /// # Errors
    /// A check of the request fails. The error is the refusal of the first check that fails.
    pub fn map_function(&self, request: &serde_json::Value) -> Result<Arc<Mapping>, Refusal> {
        let request = CreateRequest::read(request)?;
        let find = |arn: &StreamArn| self.engine.find(&arn.scope, &arn.name);
        let origin = (Origin::Api, None);
        let sources = &self.engine.event_sources;
        let found = sources.create_by_request(&self.home, &request, origin, &find)?;
        Ok(found.mapping)
    }

    /// Number of subscriptions (SubscribeToShard) in progress.
    pub fn subscriptions(&self) -> usize {
        self.engine.subscriptions()
    }

    /// Number of ReceiveQueueRecords requests that wait for records.
    pub fn waiting_receives(&self) -> usize {
        self.engine.waiting_receives()
    }

    /// Stops the emulator: finishes the requests in flight, and commits all records.
    ///
    /// # Errors
    /// Some records that were not yet on disk could not be written.
    pub async fn stop(self) -> Result<(), StoreError> {
        self.stop.send_replace(true);
        self.ended.await.unwrap_or(Ok(()))
    }
}

/// Number of file descriptors that the store needs. The limit of connections leaves these
/// descriptors free. Logs a warning if the system permits too few open files.
fn store_descriptors(options: &Options) -> u64 {
    if options.data_dir.is_none() {
        return limits::TEMP_FILE_DESCRIPTORS;
    }
    let (limit, needed) = (descriptor_limit(), limits::LEAST_DESCRIPTORS);
    if limit.is_some_and(|limit| limit < needed) {
        tracing::warn!(
            limit,
            needed,
            "the limit of open files is too low to read old records while others are written: \
             raise it with ulimit -n"
        );
    } else if let Some(databases) = store::databases_within(limit) {
        tracing::info!(
            limit,
            wanted = limits::LEAST_STORE_DESCRIPTORS,
            databases,
            "the limit of open files permits few open databases, so old records are read more \
             slowly: raise it with ulimit -n"
        );
    }
    limits::STORE_DESCRIPTORS
}

/// Opens listening sockets on the addresses that the options name. Opens none if `has_no_listeners`
/// is set.
fn listeners(options: &Options, around: &Surroundings) -> Result<Vec<TcpListener>, BindError> {
    if around.has_no_listeners {
        return Ok(Vec::new());
    }
    listen::bind(&options.addresses())
}

fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    let addresses = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok());
    addresses.collect()
}

/// Serves requests until the emulator is stopped or dropped, and then closes the engine.
fn serve(
    listeners: Vec<TcpListener>,
    settings: listen::Settings,
    engine: Arc<Engine>,
    server: Arc<Server>,
) -> oneshot::Receiver<Result<(), StoreError>> {
    let (done, ended) = oneshot::channel();
    Tasks::spawn_part("serve", async move {
        let service = move |request, client| server.clone().answer(request, client);
        listen::serve(listeners, settings, service, &Tasks::new()).await;
        let _ = done.send(engine.close().await);
    });
    ended
}

/// Logs a warning if clients on other machines can reach the emulator without a credential.
fn warn_of_open_access(addresses: &[SocketAddr], auth: Authentication) {
    let mut open = addresses
        .iter()
        .filter(|address| !address.ip().is_loopback());
    if let (Some(address), true) = (open.next(), auth != Authentication::Verify) {
        tracing::warn!(
            %address,
            "every client that reaches this address may read and change everything: signatures \
             are not verified. Listen on this machine only, or add --auth verify and --credential"
        );
    }
}

/// The settings for the authentication of requests and for the policies. This function is the only
/// one that reads the file of policies, because the file may be a pipe, which can be read only
/// once.
fn access_settings(options: &Options) -> Result<AccessSettings, OptionsError> {
    let account = AccountId::parse(&options.account);
    let account = account.ok_or_else(|| OptionsError::Account(options.account.clone()))?;
    let identities = options.identities()?;
    if let Some(identities) = &identities {
        let keys = identities.keys().count();
        tracing::info!(
            keys,
            "policies are enforced; access keys that the file does not name act as the root of their account"
        );
    }
    Ok(AccessSettings {
        authentication: options.auth,
        allowed_origins: options.allow_origin.clone(),
        credentials: options.credentials()?,
        identities,
        default_scope: AccountRegion {
            account,
            region: Region::new(&options.region),
        },
    })
}

fn behaviour(options: &Options, outbound: Outbound, channels: ChannelBehaviour) -> Behaviour {
    let strict = options.profile == limits::Profile::Strict;
    let delay = if strict {
        limits::STRICT_TRANSITION_MS
    } else {
        0
    };
    Behaviour {
        transition_ms: options.transition_ms.unwrap_or(delay),
        on_demand_scaling: options.on_demand_scaling.map_or(strict, |switch| switch.0),
        keys: options.keys(),
        outbound,
        own_stream_destinations: !strict,
        channels,
    }
}

async fn open_store(
    settings: store::Settings,
    around: &Surroundings,
) -> Result<(Store, store::Recovered), OpenError> {
    if let Some(disk) = &around.disk {
        let opened = Store::open_simulated(settings, disk)?;
        // The task of the committer ends when the store is dropped.
        Tasks::spawn_part("committer", opened.committer.run_as_task());
        return Ok((opened.store, opened.recovered));
    }
    // Opening a data directory blocks on disk reads and may take long, so it runs on a blocking
    // thread.
    let opened = tokio::task::spawn_blocking(|| Store::open(settings)?.on_thread()).await;
    opened.expect("opening the store does not panic")
}

fn store_settings(options: &Options, around: &Surroundings) -> store::Settings {
    let default = match options.data_dir {
        Some(_) => limits::GENERATION_BYTES,
        None => limits::TEMP_FILE_GENERATION_BYTES,
    };
    store::Settings {
        directory: options.data_dir.clone(),
        durability: options.durability(),
        memory_bytes: options.memory,
        generation_bytes: around.generation_bytes.unwrap_or(default),
        segment_bytes: around.segment_bytes,
        unflushed_bytes: limits::UNFLUSHED_BYTES,
        databases: store::databases_within(descriptor_limit()),
        faults: around.faults.clone(),
    }
}

/// Opens the store, and starts an engine with the contents of the store.
async fn start_engine(
    options: &Options,
    around: &Surroundings,
    clock: ClockChoice,
    functions: &[FunctionSetting],
    stopped: watch::Receiver<bool>,
) -> Result<Arc<Engine>, StartError> {
    let (store, recovered) = open_store(store_settings(options, around), around).await?;
    let world = world(clock, around, &recovered);
    let own_puts = Arc::new(OwnPuts::default());
    let outbound = event_sources::outbound(
        options,
        functions,
        around.functions.clone(),
        &world.clock,
        own_puts.clone(),
    )?;
    let channels = channels::behaviour(options, &world, around.destinations.clone())?;
    let (limits, behaviour) = (options.limits()?, behaviour(options, outbound, channels));
    let engine = Engine::start(world, limits, behaviour, store, &recovered, stopped)?;
    own_puts.set(&engine);
    Ok(engine)
}

/// Prepares a started engine for requests: reads the TLS certificate, listens on the addresses,
/// loads the snapshot of `--load`, and creates everything that the options and the setup file
/// define.
async fn prepare(
    options: &Options,
    around: &Surroundings,
    definitions: &Definitions,
    engine: &Arc<Engine>,
) -> Result<(Arc<TlsIdentity>, Vec<TcpListener>), StartError> {
    let tls = identity(options, &engine.world.clock)?;
    let listeners = listeners(options, around)?;
    if let Some(path) = &options.load {
        let loaded = snapshot::load_at_start(engine, path).await;
        loaded.map_err(|error| StartError::Snapshot(path.clone(), error))?;
    }
    definitions.check_faults(engine.world.clock.now())?;
    definitions.create(engine).await?;
    Ok((Arc::new(tls), listeners))
}

/// The clock that the option `--clock` selects. If the option has its default value, the clock of
/// the setup file takes precedence.
fn clock_choice(options: ClockChoice, setup: Option<ClockChoice>) -> ClockChoice {
    match (options, setup) {
        (ClockChoice::System, Some(choice)) => choice,
        (choice, _) => choice,
    }
}

/// Makes the world of the emulator: its clock, its random numbers and its faults. A virtual clock
/// continues at the time of the emulator's last stop, or begins at its configured start time if the
/// start time is later.
fn world(choice: ClockChoice, around: &Surroundings, recovered: &store::Recovered) -> World {
    let clock = match choice {
        ClockChoice::System => Clock::System,
        ClockChoice::Virtual { start } => {
            let start = start.unwrap_or_else(|| Clock::System.now());
            let kept = saved_time(recovered).unwrap_or(start);
            Clock::Virtual(VirtualClock::starting_at(start.max(kept)))
        }
    };
    World {
        clock,
        random: around.random.clone().unwrap_or_else(Random::system),
        faults: around.faults.clone(),
    }
}

fn identity(options: &Options, clock: &Clock) -> Result<TlsIdentity, StartError> {
    match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => {
            TlsIdentity::from_files(certificate, key).map_err(StartError::Tls)
        }
        _ => {
            let names = tls::names(&options.region, &options.tls_name);
            Ok(TlsIdentity::generated(
                options.data_dir.as_deref(),
                names,
                clock.clone(),
            ))
        }
    }
}
