//! Mappings that options name: the same UUID at every start, and the settings of the options.

use super::checks::FindStream;
use super::mapping::{Mapping, Origin, Plan};
use super::registry::EventSources;
use crate::model::AccountRegion;
use crate::model::event_source::{CreateRequest, FunctionArn, Refusal, Settings};
use md5::{Digest as _, Md5};
use std::sync::Arc;
use uuid::Uuid;

impl EventSources {
    /// Creates the mappings of `requests`, or gives those of an earlier run these settings. A
    /// mapping that options named earlier and name no longer is disabled.
    ///
    /// # Errors
    /// The first request that is refused.
    pub fn configure(
        &self,
        scope: &AccountRegion,
        requests: Vec<CreateRequest>,
        find: FindStream<'_>,
    ) -> Result<(), Refusal> {
        let mut named = Vec::new();
        for request in requests {
            let uuid = uuid_of(scope, &request)?;
            named.push(uuid);
            match self.find(&uuid) {
                Some(mapping) => self.adopt(&mapping, &request)?,
                None => {
                    let origin = (Origin::Options, Some(uuid));
                    let created = self.create_by_request(scope, request, origin, find)?;
                    drop(created.ticket);
                }
            }
        }
        for mapping in self.all() {
            if mapping.origin == Origin::Options && !named.contains(&mapping.uuid) {
                self.disable(&mapping);
            }
        }
        Ok(())
    }

    /// The settings of options win over what the API changed before the restart.
    fn adopt(&self, mapping: &Arc<Mapping>, request: &CreateRequest) -> Result<(), Refusal> {
        let settings = request.changes.applied_to(&Settings::default())?;
        {
            let mut state = mapping.state.lock();
            if state.plan.settings != settings {
                state.plan = Plan::new(settings, state.plan.function.clone())?;
            }
            state.enabled = request.changes.enabled.unwrap_or(true);
            state.is_unsaved = true;
        }
        mapping.wake();
        Ok(())
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

/// The UUID that belongs to account, region, stream and function.
fn uuid_of(scope: &AccountRegion, request: &CreateRequest) -> Result<Uuid, Refusal> {
    let function = request.changes.function.as_deref().unwrap_or_default();
    let function = FunctionArn::resolve(function, scope)?;
    let source = request.source.as_deref().unwrap_or_default();
    let digest = Md5::digest(format!("{scope} {source} {function}").as_bytes());
    Ok(uuid::Builder::from_md5_bytes(digest.into()).into_uuid())
}
