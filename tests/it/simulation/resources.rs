//! Steps about a stream or a consumer by its ARN: tags and policies.

use super::Simulation;
use super::subscribe::CONSUMERS;
use crate::lab::arn_of;
use serde_json::json;

impl Simulation {
    /// The ARN of a stream, or of a consumer that exists or existed.
    fn some_resource(&self) -> (&'static str, Option<&'static str>, String) {
        let name = self.name();
        if self.chance.below(3) > 0 {
            return (name, None, arn_of(name));
        }
        let consumer = *self.chance.one_of(&CONSUMERS);
        (name, Some(consumer), self.consumer_arn(name, consumer))
    }

    pub(super) async fn tag_resource(&mut self) {
        let (name, consumer, arn) = self.some_resource();
        let (key, value) = (
            format!("key {}", self.chance.below(4)),
            self.chance.below(9).to_string(),
        );
        let (operation, body, value) = match self.chance.below(3) {
            0 => (
                "UntagResource",
                json!({"ResourceARN": arn, "TagKeys": [key]}),
                None,
            ),
            _ => (
                "TagResource",
                json!({"ResourceARN": arn, "Tags": {&key: value}}),
                Some(value.as_str()),
            ),
        };
        let foretold = self.oracle.tag_resource((name, consumer), &key, value);
        self.call(operation, body, foretold).await;
    }

    pub(super) async fn set_policy(&mut self) {
        let (name, consumer, arn) = self.some_resource();
        let policy = match self.chance.below(4) {
            0 => None,
            1 => Some("{}".to_owned()),
            _ => Some(format!(
                r#"{{"Statement":[{{"Sid":"{}","Principal":"*"}}]}}"#,
                self.chance.below(9)
            )),
        };
        let foretold = self.oracle.set_policy((name, consumer), policy.as_deref());
        let (operation, body) = match policy {
            None => ("DeleteResourcePolicy", json!({"ResourceARN": arn})),
            Some(policy) => (
                "PutResourcePolicy",
                json!({"ResourceARN": arn, "Policy": policy}),
            ),
        };
        self.call(operation, body, foretold).await;
    }
}
