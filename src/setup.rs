//! Making the streams, records, event source mappings and fault rules of the options, before the
//! emulator answers and after a reset.

use crate::engine::{Engine, Stream};
use crate::model::event_source::CreateRequest;
use crate::model::{AccountRegion, StreamArn};
use crate::operation::{self, Context};
use crate::options::{Problem, Setup, StreamSetup};
use crate::world::FaultRule;
use std::sync::Arc;

/// Records that are put together.
const BATCH: usize = 1_000;

/// Everything that a start makes.
#[derive(Debug)]
pub(crate) struct Maker {
    /// The streams and their records.
    pub setup: Setup,
    /// The event source mappings.
    pub mappings: Vec<CreateRequest>,
    /// The fault rules, checked.
    pub fault_rules: Vec<FaultRule>,
    /// The account and region of everything that names none.
    pub home: AccountRegion,
}

impl Maker {
    /// Makes everything. A stream that exists already, from an earlier run, is left as it is; the log
    /// says where it differs. A mapping that exists gets the settings of the options.
    ///
    /// # Errors
    /// The place in the options or the setup and the reason. Then no stream that this made is left.
    pub(crate) async fn make(&self, engine: &Arc<Engine>) -> Result<(), Problem> {
        self.make_mappings(engine)?;
        self.make_streams(engine).await?;
        if !self.fault_rules.is_empty() {
            let rules = self.fault_rules.len();
            tracing::info!(rules, "fault rules are in force");
            engine.world.faults.add(self.fault_rules.clone());
        }
        Ok(())
    }

    fn make_mappings(&self, engine: &Arc<Engine>) -> Result<(), Problem> {
        let find = |arn: &StreamArn| engine.find(&arn.scope, &arn.name);
        let sources = &engine.event_sources;
        let configured = sources.configure(&self.home, self.mappings.clone(), &find);
        configured.map_err(|refusal| Problem::new(format!("event source: {refusal}")))
    }

    async fn make_streams(&self, engine: &Arc<Engine>) -> Result<(), Problem> {
        let mut made = Vec::new();
        for described in &self.setup.streams {
            match self.make_stream(engine, described, &made).await {
                Ok(stream) => made.extend(stream),
                Err((problem, begun)) => {
                    made.extend(begun);
                    engine.remove(&made).await;
                    return Err(problem);
                }
            }
        }
        Ok(())
    }

    /// Makes a stream, unless it exists. On an error the second part is the stream, if it was begun.
    async fn make_stream(
        &self,
        engine: &Arc<Engine>,
        described: &StreamSetup,
        made: &[Arc<Stream>],
    ) -> Result<Option<Arc<Stream>>, (Problem, Option<Arc<Stream>>)> {
        let origin = &described.origin;
        let context = self.context(engine, described);
        if let Some(stream) = engine.find(&context.caller, &described.name) {
            if made.iter().any(|made| Arc::ptr_eq(made, &stream)) {
                return Err((origin.refused("the setup names this stream twice"), None));
            }
            log_differences(&stream, described);
            return Ok(None);
        }
        let members = serde_json::Value::Object(described.create.clone()).to_string();
        let created = operation::create_at_start(
            &context,
            members,
            described.retention_hours,
            described.key_id.as_deref(),
        );
        let stream = created
            .await
            .map_err(|error| (origin.refused(&error.to_string()), None))?;
        match fill(&context, &stream, described).await {
            Ok(()) => Ok(Some(stream)),
            Err(problem) => Err((problem, Some(stream))),
        }
    }

    fn context(&self, engine: &Arc<Engine>, described: &StreamSetup) -> Context {
        let (account, region) = (described.account, described.region.clone());
        let caller = AccountRegion {
            account: account.unwrap_or(self.home.account),
            region: region.unwrap_or_else(|| self.home.region.clone()),
        };
        Context::new(engine.clone(), caller, None)
    }
}

/// Registers the consumers of a new stream, and puts its records.
async fn fill(
    context: &Context,
    stream: &Arc<Stream>,
    described: &StreamSetup,
) -> Result<(), Problem> {
    let origin = &described.origin;
    for name in &described.consumers {
        let registered = operation::register_at_start(context, stream, name).await;
        registered.map_err(|error| origin.refused(&format!("consumer {name}: {error}")))?;
    }
    for (batch, first) in described.records.chunks(BATCH).zip((0..).step_by(BATCH)) {
        let put = operation::put_at_start(context, stream, batch.to_vec()).await;
        put.map_err(|(at, error)| origin.refused(&format!("record {}: {error}", first + at + 1)))?;
    }
    Ok(())
}

/// Logs the settings of an existing stream that differ from the setup.
fn log_differences(stream: &Stream, described: &StreamSetup) {
    let snapshot = stream.snapshot();
    let mut differences = Vec::new();
    if let Some(shards) = described.create.get("ShardCount").and_then(|n| n.as_u64())
        && shards != snapshot.open_shards as u64
    {
        differences.push(format!(
            "{} open shards, not {shards}",
            snapshot.open_shards
        ));
    }
    if let Some(hours) = described.retention_hours
        && hours != snapshot.retention_hours
    {
        let has = snapshot.retention_hours;
        differences.push(format!("a retention period of {has} hours, not {hours}"));
    }
    if described.key_id != snapshot.key_id {
        differences.push("another encryption".to_owned());
    }
    let missing = described
        .consumers
        .iter()
        .filter(|name| stream.look(|state| !state.consumers.contains_key(*name)));
    differences.extend(missing.map(|name| format!("no consumer {name}")));
    if differences.is_empty() {
        return;
    }
    tracing::warn!(
        stream = %stream.arn.name,
        "the stream exists and is left as it is, but it differs from the setup: it has {}",
        differences.join(", ")
    );
}
