//! Tags and policies of a stream or a consumer by its ARN.

use super::{ARGUMENT, Foretold, IN_USE, NOT_FOUND, Oracle};
use std::collections::BTreeMap;

type Place<'a> = (&'a str, Option<&'a str>);

/// The tags and the policy of a resource, and true if the resource may have a new policy.
type Marks<'a> = (
    &'a mut BTreeMap<String, String>,
    &'a mut Option<String>,
    bool,
);

impl Oracle {
    /// The tags and the policy of a resource, and true if it may have a new policy.
    fn resource(&mut self, (name, consumer): Place<'_>) -> Result<Marks<'_>, &'static str> {
        let state = self.state(name);
        let Some(stream) = self.streams.get_mut(name) else {
            return Err("ResourceNotFoundException");
        };
        if consumer.is_some_and(|consumer| !stream.consumers.contains_key(consumer)) {
            return Err("ResourceNotFoundException");
        }
        if matches!(state, Some("CREATING" | "DELETING")) {
            return Err("ResourceInUseException");
        }
        Ok(match consumer {
            None => (&mut stream.tags, &mut stream.policy, true),
            Some(consumer) => {
                let consumer = stream.consumers.get_mut(consumer).unwrap();
                let active = consumer.state() == "ACTIVE";
                (&mut consumer.tags, &mut consumer.policy, active)
            }
        })
    }

    pub(in crate::simulation) fn tag_resource(
        &mut self,
        place: Place<'_>,
        key: &str,
        value: Option<&str>,
    ) -> Foretold {
        let (tags, _, _) = self.resource(place)?;
        match value {
            Some(value) => tags.insert(key.to_owned(), value.to_owned()),
            None => tags.remove(key),
        };
        Ok(())
    }

    pub(in crate::simulation) fn set_policy(
        &mut self,
        place: Place<'_>,
        policy: Option<&str>,
    ) -> Foretold {
        let (_, present, may) = self.resource(place)?;
        match policy {
            None if present.take().is_none() => return NOT_FOUND,
            None => {}
            Some(_) if !may => return IN_USE,
            Some("{}") => return ARGUMENT,
            Some(policy) => *present = Some(policy.to_owned()),
        }
        Ok(())
    }
}
