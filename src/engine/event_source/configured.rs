//! Mappings that the command line, the configuration file or a setup file defines. The UUID of such
//! a mapping is a hash of its account, region, source and function. Therefore the emulator
//! recognizes the mapping again at every start.

use super::checks::{FindStream, source_of};
use super::mapping::{Mapping, Origin, Plan};
use super::registry::EventSources;
use crate::model::AccountRegion;
use crate::model::event_source::{CreateRequest, FunctionArn, Refusal, Settings};
use md5::{Digest as _, Md5};
use std::sync::Arc;
use uuid::Uuid;

/// A mapping that an option or a setup file defines.
#[derive(Debug, Clone)]
pub struct ConfiguredMapping {
    /// Account and region of the mapping.
    pub scope: AccountRegion,
    /// The definition of the mapping, in the form of a CreateEventSourceMapping request.
    pub request: CreateRequest,
    /// True if a mapping from an earlier run keeps its settings. False if the settings of `request`
    /// replace the settings of such a mapping.
    pub keeps_existing: bool,
}

/// The effect of the definition of a mapping.
enum Configured {
    Created(Arc<Mapping>),
    Redefined(NewDefinition),
    Unchanged,
}

/// New settings for a mapping that the data directory contains from an earlier run.
struct NewDefinition {
    mapping: Arc<Mapping>,
    plan: Arc<Plan>,
    enabled: bool,
}

impl EventSources {
    /// Creates the mappings of `wanted`. A mapping that exists from an earlier run, or that the API
    /// has created for the same source and function, gets the settings in `wanted`, unless
    /// `keeps_existing` is true. Disables every mapping that an option or a setup file defined in an
    /// earlier run and no longer defines.
    ///
    /// # Errors
    /// Returns the index in `wanted` of a refused mapping, and the refusal. In this case no mapping
    /// was changed.
    pub fn configure(
        &self,
        wanted: &[ConfiguredMapping],
        find: FindStream<'_>,
    ) -> Result<(), (usize, Refusal)> {
        let mut named = Vec::new();
        for (at, wanted) in wanted.iter().enumerate() {
            let uuid = uuid_of(wanted).map_err(|refusal| (at, refusal))?;
            if named.contains(&uuid) {
                let text = "The mapping of this stream to this function is named twice.";
                return Err((at, Refusal::invalid(text)));
            }
            named.push(uuid);
        }
        let (mut made, mut redefined) = (Vec::new(), Vec::new());
        for (at, (wanted, uuid)) in wanted.iter().zip(&named).enumerate() {
            match self.configure_one(wanted, *uuid, find) {
                Ok(Configured::Created(mapping)) => made.push(mapping),
                Ok(Configured::Redefined(definition)) => redefined.push(definition),
                Ok(Configured::Unchanged) => {}
                Err(refusal) => {
                    self.remove_all(&made);
                    return Err((at, refusal));
                }
            }
        }
        redefined.into_iter().for_each(apply);
        for mapping in self.all() {
            if mapping.origin == Origin::Options && !named.contains(&mapping.uuid) {
                self.disable(&mapping);
            }
        }
        Ok(())
    }

    /// Creates the mapping of `wanted` with the UUID `uuid`, or prepares the new settings of the
    /// existing mapping.
    fn configure_one(
        &self,
        wanted: &ConfiguredMapping,
        uuid: Uuid,
        find: FindStream<'_>,
    ) -> Result<Configured, Refusal> {
        if let Some(existing) = self.find(&uuid).or_else(|| self.twin_of(wanted)) {
            return self.keep_or_redefine(existing, wanted);
        }
        let origin = (Origin::Options, Some(uuid));
        let created = self.create_by_request(&wanted.scope, &wanted.request, origin, find);
        let mapping = match created {
            Ok(created) => created.mapping,
            // During a reset, a client may create the mapping after the first check.
            Err(refusal) => {
                let twin = self.twin_of(wanted).ok_or(refusal)?;
                return self.keep_or_redefine(twin, wanted);
            }
        };
        if mapping.stream().is_none() {
            tracing::warn!(
                mapping = %mapping.uuid, source = %mapping.source,
                "the stream of this event source mapping does not exist: the mapping waits for it"
            );
        }
        Ok(Configured::Created(mapping))
    }

    fn keep_or_redefine(
        &self,
        existing: Arc<Mapping>,
        wanted: &ConfiguredMapping,
    ) -> Result<Configured, Refusal> {
        if wanted.keeps_existing {
            log_differences(&existing, &wanted.request)?;
            return Ok(Configured::Unchanged);
        }
        let definition = self.prepare(existing, &wanted.request)?;
        Ok(Configured::Redefined(definition))
    }

    /// Finds the mapping with the source and the function of `wanted`. A client may have created it
    /// with another UUID.
    fn twin_of(&self, wanted: &ConfiguredMapping) -> Option<Arc<Mapping>> {
        let ConfiguredMapping { scope, request, .. } = wanted;
        let source = source_of(request.source.as_deref().unwrap_or_default()).ok()?;
        let function = request.changes.function.as_deref().unwrap_or_default();
        let function = FunctionArn::resolve(function, scope).ok()?;
        self.mappings().find_twin(scope, &source, &function)
    }

    /// Checks the definition that an option contains for an existing mapping, and prepares the
    /// mapping's new settings. The new settings and function replace the values that requests to
    /// the API set before the restart.
    fn prepare(
        &self,
        mapping: Arc<Mapping>,
        request: &CreateRequest,
    ) -> Result<NewDefinition, Refusal> {
        let function = request.changes.function.as_deref().unwrap_or_default();
        let function = self.function(function, &mapping.scope)?;
        let settings = request.changes.applied_to(&Settings::default())?;
        let (source, origin) = (&mapping.source, mapping.origin);
        self.check_destination(&request.changes, &settings, source, origin)?;
        let old = mapping.state.lock().plan.clone();
        let plan = match old.settings == settings && old.function == function {
            true => old,
            false => {
                self.mappings().refuse_twin_of(&mapping, &function)?;
                Plan::new(settings, function)?
            }
        };
        Ok(NewDefinition {
            mapping,
            plan,
            enabled: request.changes.enabled.unwrap_or(true),
        })
    }

    fn disable(&self, mapping: &Arc<Mapping>) {
        tracing::warn!(
            mapping = %mapping.uuid, source = %mapping.source,
            "no option names this event source mapping any longer: it is disabled"
        );
        let mut state = mapping.state.lock();
        state.enabled = false;
        state.is_unsaved = true;
        drop(state);
        mapping.wake();
    }
}

fn apply(definition: NewDefinition) {
    let NewDefinition {
        mapping,
        plan,
        enabled,
    } = definition;
    {
        let mut state = mapping.state.lock();
        state.plan = plan;
        state.enabled = enabled;
        state.is_unsaved = true;
    }
    mapping.wake();
}

/// Logs the differences between an existing mapping and its definition in the setup file.
fn log_differences(mapping: &Mapping, request: &CreateRequest) -> Result<(), Refusal> {
    let settings = request.changes.applied_to(&Settings::default())?;
    let enabled = request.changes.enabled.unwrap_or(true);
    let function = request.changes.function.as_deref().unwrap_or_default();
    let function = FunctionArn::resolve(function, &mapping.scope)?;
    let (plan, is_enabled) = {
        let state = mapping.state.lock();
        (state.plan.clone(), state.enabled)
    };
    let mut differences = Vec::new();
    if plan.function != function {
        differences.push("has another function");
    }
    if plan.settings != settings {
        differences.push("has other settings");
    }
    if is_enabled != enabled {
        differences.push(if is_enabled {
            "is enabled"
        } else {
            "is disabled"
        });
    }
    if !differences.is_empty() {
        tracing::warn!(
            mapping = %mapping.uuid, source = %mapping.source,
            "the event source mapping exists and is left as it is, but it differs from the setup: \
             it {}",
            differences.join(" and ")
        );
    }
    Ok(())
}

/// The UUID of a mapping that an option or a setup file defines: a hash of its account, region,
/// source and function.
fn uuid_of(wanted: &ConfiguredMapping) -> Result<Uuid, Refusal> {
    let ConfiguredMapping { scope, request, .. } = wanted;
    let function = request.changes.function.as_deref().unwrap_or_default();
    let function = FunctionArn::resolve(function, scope)?;
    let source = request.source.as_deref().unwrap_or_default();
    let digest = Md5::digest(format!("{scope} {source} {function}").as_bytes());
    Ok(uuid::Builder::from_md5_bytes(digest.into()).into_uuid())
}
