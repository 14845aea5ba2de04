//! One emulator, from its start to its stop: the same door for the program and for tests.

use crate::engine::tasks::Tasks;
use crate::engine::{Behaviour, Engine, RestoreError, StoreError, kept_time};
use crate::http::admin::Admin;
use crate::http::listen::{self, BindError, Connections};
use crate::http::metrics::Metrics;
use crate::http::tls::{self, TlsIdentity};
use crate::http::{AccessSettings, Body, Incoming, Request, Response, Server};
use crate::limits;
use crate::model::{AccountId, AccountRegion, Region};
use crate::options::{Authentication, ClockChoice, Durability, Options};
use crate::store::{self, OpenError, SimulatedDisk, Store};
use crate::world::{Clock, Faults, Random, VirtualClock, World};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// A running emulator. Dropping it stops it without waiting; [`Emulator::stop`] waits.
#[derive(Debug)]
pub struct Emulator {
    engine: Arc<Engine>,
    server: Arc<Server>,
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<Result<(), StoreError>>,
}

/// What a test may hold of an emulator's surroundings. As it is by default it is the machine's.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Where numbers that nobody is to guess come from, in the place of the machine.
    pub random: Option<Random>,
    /// What goes wrong.
    pub faults: Faults,
    /// Where the data directory is, in the place of the machine's disk. Everything then happens on
    /// the runtime that the emulator is started on; with one thread, in the same order every time.
    pub disk: Option<SimulatedDisk>,
    /// No address is listened on: requests come by [`Emulator::answer`] only.
    pub is_deaf: bool,
    /// Bytes of records after which a new database is begun, in the place of those that suit where
    /// records are kept.
    pub generation_bytes: Option<u64>,
    /// Bytes of records that are kept in one piece.
    pub segment_bytes: usize,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            random: None,
            faults: Faults::default(),
            disk: None,
            is_deaf: false,
            generation_bytes: None,
            segment_bytes: limits::SEGMENT_BYTES,
        }
    }
}

/// Why an emulator does not start.
#[derive(Debug)]
pub enum StartError {
    /// An option cannot be as it is.
    Options(String),
    /// The data directory cannot be used.
    Open(OpenError),
    /// What was kept cannot be read.
    Restore(RestoreError),
    /// An address cannot be listened on.
    Bind(BindError),
    /// A certificate or key cannot be read.
    Tls(std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options(problem) => f.write_str(problem),
            Self::Open(error) => error.fmt(f),
            Self::Restore(error) => error.fmt(f),
            Self::Bind(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

impl Emulator {
    /// Starts an emulator; when this returns it answers on [`Self::addresses`].
    ///
    /// # Errors
    /// Why it does not start.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        Self::start_in(options, Surroundings::default()).await
    }

    /// Starts an emulator in surroundings that a test holds.
    ///
    /// # Errors
    /// Why it does not start.
    pub async fn start_in(options: Options, around: Surroundings) -> Result<Self, StartError> {
        options.check().map_err(StartError::Options)?;
        let limits = options.limits().map_err(StartError::Options)?;
        let access = access_settings(&options).map_err(StartError::Options)?;
        let (store, recovered) = open_store(store_settings(&options, &around), &around)
            .await
            .map_err(StartError::Open)?;
        let world = world(&options, &around, &recovered);
        let tls = Arc::new(identity(&options, &world.clock)?);
        let (stop, stopped) = watch::channel(false);
        let behaviour = behaviour(&options);
        let engine = Engine::start(world, limits, behaviour, store, &recovered, stopped.clone());
        let engine = engine.map_err(StartError::Restore)?;
        drop(recovered);
        let listeners = if around.is_deaf {
            Vec::new()
        } else {
            listen::bind(&options.addresses()).map_err(StartError::Bind)?
        };
        let addresses = listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok());
        let addresses: Vec<SocketAddr> = addresses.collect();
        warn_of_strangers(&addresses, options.auth);
        let metrics = Metrics::new();
        let own = Admin {
            engine: engine.clone(),
            tls: tls.clone(),
            metrics: metrics.clone(),
            token: options.admin_token.clone(),
        }
        .router();
        let server = Arc::new(Server::new(engine.clone(), access, own, metrics.clone()));
        let settings = listen::Settings {
            connections: Connections::of(&engine.limits),
            tls,
            metrics,
            stop: stopped,
        };
        let (done, ended) = oneshot::channel();
        let (closing, answering) = (engine.clone(), server.clone());
        // Ends by itself when it is told to stop, or when the emulator is dropped.
        Tasks::spawn_part("serve", async move {
            let service = move |request, client| answering.clone().answer(request, client);
            listen::serve(listeners, settings, service, &Tasks::new()).await;
            let _ = done.send(closing.close().await);
        });
        Ok(Self {
            engine,
            server,
            addresses,
            stop,
            ended,
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The URL to point a client at.
    pub fn endpoint(&self) -> String {
        let address = self.addresses.first();
        address
            .map(|address| format!("http://{address}"))
            .unwrap_or_default()
    }

    /// Answers a request as if it had come over a connection from this machine.
    ///
    /// # Errors
    /// When the request's body ends before its end.
    pub async fn answer<B: Incoming>(
        &self,
        request: Request<B>,
    ) -> Result<Response<Body>, B::Error> {
        self.server.clone().answer_here(request).await
    }

    /// What goes wrong in it, as a test wants.
    pub fn faults(&self) -> &Faults {
        &self.engine.world.faults
    }

    /// Its clock.
    pub fn clock(&self) -> &Clock {
        &self.engine.world.clock
    }

    /// How many subscriptions to shards there are.
    pub fn subscriptions(&self) -> usize {
        self.engine.subscriptions()
    }

    /// Stops it: requests in flight are finished, records are committed.
    ///
    /// # Errors
    /// When what was not yet on disk could not be written.
    pub async fn stop(self) -> Result<(), StoreError> {
        self.stop.send_replace(true);
        self.ended.await.unwrap_or(Ok(()))
    }
}

/// Says so where others than this machine can reach the emulator and need no credential for it.
fn warn_of_strangers(addresses: &[SocketAddr], auth: Authentication) {
    let mut open = addresses
        .iter()
        .filter(|address| !address.ip().is_loopback());
    if let (Some(address), true) = (open.next(), auth != Authentication::Verify) {
        tracing::warn!(
            %address,
            "whoever reaches this address may read and change everything: signatures are not \
             verified. Listen on this machine only, or add --auth verify and --credential"
        );
    }
}

/// Who may come in, and as whom. The file of policies is read here and nowhere else.
fn access_settings(options: &Options) -> Result<AccessSettings, String> {
    let account = AccountId::parse(&options.account);
    let account =
        account.ok_or_else(|| format!("{} is not an account: twelve digits", options.account))?;
    let identities = options.identities()?;
    if let Some(identities) = &identities {
        let keys = identities.keys().count();
        tracing::info!(
            keys,
            "policies are enforced; other access keys are their accounts'"
        );
    }
    Ok(AccessSettings {
        authentication: options.auth,
        credentials: options.credentials()?,
        identities,
        default_scope: AccountRegion {
            account,
            region: Region::new(&options.region),
        },
    })
}

fn behaviour(options: &Options) -> Behaviour {
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
    }
}

async fn open_store(
    settings: store::Settings,
    around: &Surroundings,
) -> Result<(Store, store::Recovered), OpenError> {
    if let Some(disk) = &around.disk {
        return Store::open_simulated(settings, disk);
    }
    // Opening a data directory is the only slow part of a start.
    let opened = tokio::task::spawn_blocking(|| Store::open(settings)).await;
    opened.expect("opening the store does not panic")
}

fn store_settings(options: &Options, around: &Surroundings) -> store::Settings {
    let usual = match options.data_dir {
        Some(_) => limits::GENERATION_BYTES,
        None => limits::SCRATCH_GENERATION_BYTES,
    };
    store::Settings {
        directory: options.data_dir.clone(),
        durability: match options.durability() {
            Durability::Always => store::Durability::Always,
            Durability::Interval { ms } => store::Durability::Interval(Duration::from_millis(ms)),
            Durability::None => store::Durability::None,
        },
        memory_bytes: options.memory,
        generation_bytes: around.generation_bytes.unwrap_or(usual),
        segment_bytes: around.segment_bytes,
        unflushed_bytes: limits::UNFLUSHED_BYTES,
        on_runtime: around.disk.is_some(),
        faults: around.faults.clone(),
    }
}

/// A virtual clock goes on from where it stood, or from a start that lies after that.
fn world(options: &Options, around: &Surroundings, recovered: &store::Recovered) -> World {
    let clock = match options.clock {
        ClockChoice::System => Clock::System,
        ClockChoice::Virtual { start } => {
            let start = start.unwrap_or_else(|| Clock::System.now());
            let kept = kept_time(recovered).unwrap_or(start);
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
