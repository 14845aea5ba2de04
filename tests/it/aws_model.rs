//! Compares the table of operations with the service's own model.

mod answers;
mod inputs;

use minikin::internals::operation::OPERATIONS;
use serde_json::Value;
use std::collections::BTreeSet;

/// The model: operations with the names of their shapes, and the shapes.
#[derive(Debug)]
struct Model(Value);

impl Model {
    fn read() -> Self {
        let text = include_str!("../fixtures/kinesis-2013-12-02.shapes.json");
        Self(serde_json::from_str(text).unwrap())
    }

    fn operations(&self) -> BTreeSet<&str> {
        self.0["operations"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect()
    }

    /// The shape of an operation's `input` or `output`. None if the operation has none.
    fn of(&self, operation: &str, side: &str) -> Option<&str> {
        self.0["operations"][operation][side]["shape"].as_str()
    }

    fn shape(&self, name: &str) -> &Value {
        let shape = &self.0["shapes"][name];
        assert!(shape.is_object(), "the model has no shape {name}");
        shape
    }

    /// The members of a structure.
    fn members(&self, name: &str) -> BTreeSet<&str> {
        let members = self.shape(name)["members"].as_object();
        members
            .into_iter()
            .flat_map(|members| members.keys().map(String::as_str))
            .collect()
    }

    /// The required members of a structure.
    fn required(&self, name: &str) -> BTreeSet<&str> {
        let required = self.shape(name)["required"].as_array();
        required
            .into_iter()
            .flatten()
            .map(|name| name.as_str().unwrap())
            .collect()
    }

    /// The name of a member's shape.
    fn member(&self, name: &str, member: &str) -> &str {
        self.shape(name)["members"][member]["shape"]
            .as_str()
            .unwrap()
    }
}

#[test]
fn every_operation_of_the_model_is_built() {
    let model = Model::read();
    let built: BTreeSet<_> = OPERATIONS.iter().map(|entry| entry.name).collect();
    assert_eq!(built, model.operations());
    assert_eq!(built.len(), 57);
}

#[test]
fn a_kms_fault_hits_the_operations_that_list_kms_errors() {
    let model = Model::read();
    let has_kms_errors = |name: &&str| {
        let errors = model.0["operations"][name]["errors"].as_array();
        let mut shapes = errors.into_iter().flatten().map(|error| &error["shape"]);
        shapes.any(|shape| shape.as_str().unwrap().starts_with("KMS"))
    };
    let mut expected: BTreeSet<_> = model
        .operations()
        .into_iter()
        .filter(has_kms_errors)
        .collect();
    // The events of a subscription contain these errors.
    expected.insert("SubscribeToShard");
    let hit = minikin::FaultKind::Kms.operations().unwrap();
    assert_eq!(hit.iter().copied().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn answers_have_members_of_the_model_only_and_all_that_are_required() {
    let model = Model::read();
    for entry in OPERATIONS {
        let given: BTreeSet<_> = entry.output.iter().copied().collect();
        assert_eq!(
            given.len(),
            entry.output.len(),
            "{} names a member twice",
            entry.name
        );
        match model.of(entry.name, "output") {
            None => assert!(given.is_empty(), "{} answers nothing", entry.name),
            Some(shape) => {
                let known = model.members(shape);
                assert!(given.is_subset(&known), "{}: {given:?}", entry.name);
                let required = model.required(shape);
                assert!(required.is_subset(&given), "{}: {required:?}", entry.name);
            }
        }
    }
}
