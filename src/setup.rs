//! Creates the streams, records, queues, channels, event source mappings and fault rules that the
//! options and the setup file define. The emulator creates them at its start, before it accepts
//! requests, and after a reset.

use crate::engine::channel::Channel;
use crate::engine::event_source::ConfiguredMapping;
use crate::engine::queue::Queue;
use crate::engine::{Engine, PreparedStreams, Stream};
use crate::limits;
use crate::model::event_source::{CreateRequest, Refusal};
use crate::model::{AccountRegion, StreamArn};
use crate::operation::fault_rule::{self, FaultRuleError};
use crate::operation::{self, Context, StartItem};
use crate::options::{
    AccountRegionSetting, FaultSetup, MappingSetup, Problem, ReaderSetup, Setup, StreamSetup,
};
use crate::world::{FaultRule, Timestamp};
use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Maximum number of the setup's records in one put.
const BATCH: usize = 1_000;

/// The definitions of everything that the emulator creates at the start and after a reset.
#[derive(Debug)]
pub(crate) struct Definitions {
    /// The definitions in the setup file.
    pub setup: Setup,
    /// The event source mappings that the options define.
    pub mappings: Vec<CreateRequest>,
    /// The fault rules that the options define. They are already checked.
    pub fault_rules: Vec<FaultRule>,
    /// The account and region of each definition that names no account or region.
    pub home: AccountRegion,
    /// The one permit to replace the contents of the emulator: see [`Definitions::replacement`].
    pub replacements: Semaphore,
}

/// The streams, queues and channels that one call of `Definitions::create` has created so far. The
/// call removes them again if it fails.
#[derive(Debug, Default)]
struct CreatedItems {
    streams: Vec<Arc<Stream>>,
    queues: Vec<Arc<Queue>>,
    channels: Vec<Arc<Channel>>,
}

impl Definitions {
    /// Waits for the permit to replace the contents of the emulator. A reset and the end of the
    /// load of a snapshot hold the permit. Otherwise one of them could start while the other has
    /// replaced only a part of the contents.
    pub(crate) async fn replacement(&self) -> SemaphorePermit<'_> {
        let permit = self.replacements.acquire().await;
        permit.expect("the semaphore is never closed")
    }

    /// Creates everything that the definitions name. A stream, queue, channel or mapping of the
    /// setup file may exist already. It then stays unchanged, and the function logs the differences
    /// between it and its definition. An existing mapping of the options gets the settings of the
    /// options.
    ///
    /// # Errors
    /// The first definition that cannot be carried out, with its position in the options or in the
    /// setup file, and the reason. Everything that the call has created is removed again.
    pub(crate) async fn create(&self, engine: &Arc<Engine>) -> Result<(), Problem> {
        let mut created_items = CreatedItems::default();
        if let Err(problem) = self.create_in(engine, &mut created_items).await {
            engine
                .remove(
                    &created_items.streams,
                    &created_items.queues,
                    &created_items.channels,
                )
                .await;
            return Err(problem);
        }
        self.add_fault_rules(engine)
    }

    /// Refuses too many fault rules, and a rule whose time `until` has passed before the start. The
    /// second kind of rule could never fire.
    ///
    /// # Errors
    /// The error contains the reason. The error about a rule also contains the rule's position in
    /// the options or in the setup file.
    pub(crate) fn check_faults(&self, now: Timestamp) -> Result<(), Problem> {
        if self.fault_rules.len() + self.setup.faults.len() > limits::FAULT_RULES {
            return Err(too_many_rules());
        }
        for rule in &self.fault_rules {
            fault_rule::check(rule.clone(), now)
                .map_err(|error| Problem::new(format!("--fault: {error}")))?;
        }
        for FaultSetup { place, rule } in &self.setup.faults {
            fault_rule::check(rule.clone(), now).map_err(|error| {
                let text = error.to_string();
                let (member, reason) = text.split_once(": ").unwrap_or(("", &text));
                place.refused_at(member, reason)
            })?;
        }
        Ok(())
    }

    fn add_fault_rules(&self, engine: &Engine) -> Result<(), Problem> {
        let of_setup = self.setup.faults.iter().map(|fault| fault.rule.clone());
        let rules: Vec<FaultRule> = self.fault_rules.iter().cloned().chain(of_setup).collect();
        if rules.is_empty() {
            return Ok(());
        }
        tracing::info!(rules = rules.len(), "fault rules are in force");
        let added = engine.world.faults.add(rules, limits::FAULT_RULES);
        added.map(drop).ok_or_else(too_many_rules)
    }

    async fn create_in(
        &self,
        engine: &Arc<Engine>,
        created_items: &mut CreatedItems,
    ) -> Result<(), Problem> {
        self.create_streams(engine, created_items).await?;
        for described in &self.setup.queues {
            self.create_queue(engine, described, created_items).await?;
        }
        for described in &self.setup.channels {
            self.create_channel(engine, described, created_items)
                .await?;
        }
        self.create_mappings(engine)
    }

    /// Creates the event source mappings of the options and of the setup file. A mapping of the
    /// options that already exists gets the settings of the options.
    ///
    /// # Errors
    /// The first mapping that is refused, and the reason.
    pub(crate) fn create_mappings(&self, engine: &Arc<Engine>) -> Result<(), Problem> {
        let of_options = self.mappings.iter().map(|request| ConfiguredMapping {
            scope: self.home.clone(),
            request: request.clone(),
            keeps_existing: false,
        });
        let of_setup = self.setup.event_sources.iter();
        let of_setup = of_setup.map(|described| ConfiguredMapping {
            scope: described.scope.clone(),
            request: described.request.clone(),
            keeps_existing: true,
        });
        let wanted: Vec<ConfiguredMapping> = of_options.chain(of_setup).collect();
        let find = |arn: &StreamArn| engine.find(&arn.scope, &arn.name);
        let configured = engine.event_sources.configure(&wanted, &find);
        configured.map_err(|(at, refusal)| {
            let index = at.checked_sub(self.mappings.len());
            let described: Option<&MappingSetup> =
                index.and_then(|at| self.setup.event_sources.get(at));
            match described {
                Some(described) => described.place.refused(&refusal.to_string()),
                None => Problem::new(option_refused(&self.mappings[at], &refusal)),
            }
        })
    }

    /// Creates the streams of the setup, with their consumers and records. All of them become durable
    /// in one commit. Therefore a crash leaves no stream without some of its records.
    async fn create_streams(
        &self,
        engine: &Arc<Engine>,
        created_items: &mut CreatedItems,
    ) -> Result<(), Problem> {
        let mut prepared = PreparedStreams::new(engine.clone());
        let mut definitions: Vec<(Arc<Stream>, &StreamSetup)> = Vec::new();
        let mut names = HashSet::new();
        for described in &self.setup.streams {
            let context = self.context(engine, &described.account_region);
            if !names.insert(StreamArn::new(context.caller.clone(), &described.name)) {
                return Err(described.place.refused("this stream is named twice"));
            }
            if let Some(stream) = prepare_stream(&context, described, &mut prepared).await? {
                definitions.push((stream, described));
            }
        }
        let added = operation::add_at_start(&mut prepared).await;
        created_items.streams = added.map_err(|(refused, error)| {
            let mut definitions = definitions.iter();
            let found = definitions.find(|(stream, _)| Arc::ptr_eq(stream, &refused));
            let (_, described) = found.expect("every prepared stream has a definition");
            described.place.refused(&error.to_string())
        })?;
        let added = created_items.streams.iter();
        let added: HashSet<u64> = added.map(|stream| stream.incarnation).collect();
        for (stream, described) in definitions {
            if !added.contains(&stream.incarnation) {
                // During a reset, a client created the stream after the first check.
                exists(&self.context(engine, &described.account_region), described);
            }
        }
        Ok(())
    }

    async fn create_queue(
        &self,
        engine: &Arc<Engine>,
        described: &ReaderSetup,
        created_items: &mut CreatedItems,
    ) -> Result<(), Problem> {
        let context = self.context(engine, &described.account_region);
        let members = with_arns(described, &context.caller);
        let create =
            || operation::create_queue_at_start(&context, &described.name, members.clone());
        let created = match create().await {
            // The first call fails if, during a reset, a client creates the queue at the same time.
            // The second call then finds the client's queue.
            Err(_) => create().await,
            created => created,
        };
        note_created("queue", described, created, &mut created_items.queues).map(drop)
    }

    /// Creates a channel of the setup file. Fails if the channel cannot deliver to its destination.
    async fn create_channel(
        &self,
        engine: &Arc<Engine>,
        described: &ReaderSetup,
        created_items: &mut CreatedItems,
    ) -> Result<(), Problem> {
        let context = self.context(engine, &described.account_region);
        let members = with_arns(described, &context.caller);
        let create =
            || operation::create_channel_at_start(&context, &described.name, members.clone());
        let created = match create().await {
            // The first call fails if, during a reset, a client creates the channel at the same
            // time. The second call then finds the client's channel.
            Err(_) => create().await,
            created => created,
        };
        let channel = note_created("channel", described, created, &mut created_items.channels)?;
        let reason = channel.and_then(|channel| channel.describe().reason);
        reason.map_or(Ok(()), |reason| Err(described.place.refused(&reason)))
    }

    fn context(&self, engine: &Arc<Engine>, account_region: &AccountRegionSetting) -> Context {
        Context::new(engine.clone(), account_region.within(&self.home), None)
    }
}

fn too_many_rules() -> Problem {
    Problem::new(FaultRuleError::TooMany(limits::FAULT_RULES).to_string())
}

/// Prepares the stream of a definition, with its consumers and records. Returns `None` if the stream
/// exists already.
async fn prepare_stream(
    context: &Context,
    described: &StreamSetup,
    prepared: &mut PreparedStreams,
) -> Result<Option<Arc<Stream>>, Problem> {
    let place = &described.place;
    if exists(context, described) {
        return Ok(None);
    }
    let stream = operation::prepare_at_start(
        context,
        prepared,
        serde_json::Value::Object(described.create.clone()).to_string(),
        described.retention_hours,
        described.key_id.as_deref(),
    );
    let stream = match stream {
        Ok(stream) => stream,
        // During a reset, a client may create the stream after the first check.
        Err(_) if exists(context, described) => return Ok(None),
        Err(("", error)) => return Err(place.refused(&error.to_string())),
        Err((member, error)) => return Err(place.refused_at(member, &error.to_string())),
    };
    fill(context, &stream, described).await?;
    Ok(Some(stream))
}

/// True if the stream of a definition exists already. Then logs the differences between the stream
/// and its definition.
fn exists(context: &Context, described: &StreamSetup) -> bool {
    let found = context.engine.find(&context.caller, &described.name);
    if let Some(stream) = &found {
        log_differences(context, stream, described);
    }
    found.is_some()
}

/// Makes the JSON members of the CreateQueue or CreateChannel request for the definition
/// `described`. In the request, the name of a stream is replaced by the stream's ARN.
fn with_arns(described: &ReaderSetup, scope: &AccountRegion) -> String {
    let mut create = described.create.clone();
    let streams = create.get_mut("StreamConfigurationList");
    let streams = streams.and_then(|streams| streams.as_array_mut());
    for stream in streams.into_iter().flatten() {
        if let Some(arn) = stream.get_mut("StreamARN")
            && let Some(name) = arn.as_str().filter(|text| !text.starts_with("arn:"))
        {
            *arn = StreamArn::new(scope.clone(), name).to_string().into();
        }
    }
    serde_json::Value::Object(create).to_string()
}

/// Handles the result of the creation of a queue or channel. Adds a new queue or channel to `known`
/// and returns it. For an existing queue or channel, logs the settings that differ from its
/// definition in the setup file, and returns `None`.
fn note_created<T>(
    kind: &str,
    described: &ReaderSetup,
    created: Result<StartItem<T>, impl Display>,
    known: &mut Vec<Arc<T>>,
) -> Result<Option<Arc<T>>, Problem> {
    let place = &described.place;
    match created.map_err(|error| place.refused(&error.to_string()))? {
        StartItem::Created(item) => {
            known.push(item.clone());
            return Ok(Some(item));
        }
        StartItem::Existing(item, _) if known.iter().any(|other| Arc::ptr_eq(other, &item)) => {
            return Err(place.refused(&format!("the setup names this {kind} twice")));
        }
        StartItem::Existing(_, differences) if !differences.is_empty() => tracing::warn!(
            name = described.name.as_str(),
            "the {kind} exists and is left as it is, but it differs from the setup in its {}",
            differences.join(", ")
        ),
        StartItem::Existing(..) => {}
    }
    Ok(None)
}

/// Registers the consumers of a prepared stream and puts its records. `described` is the definition
/// of the stream in the setup file.
async fn fill(context: &Context, stream: &Stream, described: &StreamSetup) -> Result<(), Problem> {
    for (at, name) in described.consumers.iter().enumerate() {
        let registered = operation::register_at_start(context, stream, name);
        registered.map_err(|error| {
            let member = format!("Consumers[{at}]");
            described.place.refused_at(&member, &error.to_string())
        })?;
    }
    for (batch, first) in described.records.chunks(BATCH).zip((0..).step_by(BATCH)) {
        let put = operation::put_at_start(context, stream, batch.to_vec()).await;
        put.map_err(|(at, error)| described.refused_record(first + at, &error.to_string()))?;
    }
    Ok(())
}

/// Logs the settings in which an existing stream differs from its definition in the setup file.
fn log_differences(context: &Context, stream: &Stream, described: &StreamSetup) {
    let differences = differences(context, stream, described);
    if !differences.is_empty() {
        tracing::warn!(
            stream = %stream.arn.name,
            "the stream exists and is left as it is, but it differs from the setup: it has {}",
            differences.join(", ")
        );
    }
}

/// The settings in which an existing stream differs from its definition in the setup file.
fn differences(context: &Context, stream: &Stream, described: &StreamSetup) -> Vec<String> {
    let properties = stream.properties();
    let members = serde_json::Value::Object(described.create.clone()).to_string();
    let others = operation::stream_differences(context, stream, members);
    let mut differences: Vec<String> = others.into_iter().map(str::to_owned).collect();
    if let Some(shards) = described.create.get("ShardCount").and_then(|n| n.as_u64())
        && shards != properties.open_shards as u64
    {
        differences.push(format!(
            "{} open shards, not {shards}",
            properties.open_shards
        ));
    }
    if let Some(hours) = described.retention_hours
        && hours != properties.retention_hours
    {
        let has = properties.retention_hours;
        differences.push(format!("a retention period of {has} hours, not {hours}"));
    }
    if described.key_id != properties.key_id {
        differences.push("another encryption".to_owned());
    }
    let missing = described
        .consumers
        .iter()
        .filter(|name| stream.look(|state| !state.consumers.contains_key(*name)));
    differences.extend(missing.map(|name| format!("no consumer {name}")));
    differences
}

/// The message about a refused option `--event-source`.
fn option_refused(request: &CreateRequest, refusal: &Refusal) -> String {
    let stream = request.source.as_deref().unwrap_or_default();
    let function = request.changes.function.as_deref().unwrap_or_default();
    format!("--event-source: {stream} to the function {function}: {refusal}")
}
