//! Runs the inputs of the fuzz corpus through the targets. The store's formats are private, so
//! tests in `src/store/tests/` read their inputs.

use minikin::internals::operation::OPERATIONS;
use minikin::internals::wire::Format;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[path = "../fuzz/src/lib.rs"]
mod targets;

/// A function that accepts any input, and panics if a rule is violated.
type Target = fn(&[u8]);

/// The targets that can be called from here, by the names of their files in `tests/fuzz/targets`.
const TARGETS: &[(&str, Target)] = &[
    ("arns", targets::arns),
    ("authorization", targets::authorization),
    ("cbor_request", targets::cbor_request),
    ("event_stream", targets::event_stream),
    ("json_request", targets::json_request),
    ("restored", targets::restored),
    ("rpc_v2_request", targets::rpc_v2_request),
    ("tokens", targets::tokens),
];
/// The targets that run in the unit tests of the store.
const INSIDE: &[&str] = &["snapshot", "stored"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

/// Runs a target with each of its inputs, and with an empty input.
fn run(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let inputs = files(&root().join("corpus").join(name));
    assert!(inputs.len() > 3, "the inputs of {name} are there");
    for input in inputs {
        let bytes = std::fs::read(&input).unwrap();
        let run = std::panic::catch_unwind(|| target(&bytes));
        assert!(run.is_ok(), "{} breaks a rule", input.display());
    }
    target(b"");
}

#[test]
fn inputs_of_the_fuzz_corpus_keep_the_rules_of_arns() {
    run("arns");
}

#[test]
fn inputs_of_the_fuzz_corpus_keep_the_rules_of_signatures() {
    run("authorization");
}

#[test]
fn inputs_of_the_fuzz_corpus_keep_the_rules_of_cbor() {
    run("cbor_request");
}

#[test]
fn inputs_of_the_fuzz_corpus_keep_the_rules_of_frames() {
    run("event_stream");
}

#[test]
fn inputs_of_the_fuzz_corpus_keep_the_rules_of_json() {
    run("json_request");
}

#[test]
fn inputs_of_the_fuzz_corpus_keep_the_rules_of_restored_streams() {
    run("restored");
}

#[test]
fn inputs_of_the_fuzz_corpus_keep_the_rules_of_rpc_v2() {
    run("rpc_v2_request");
}

#[test]
fn inputs_of_the_fuzz_corpus_keep_the_rules_of_tokens() {
    run("tokens");
}

#[test]
fn fuzzers_begin_with_a_good_request_of_each_operation_in_both_formats() {
    for (target, format) in [
        ("json_request", Format::Json),
        ("cbor_request", Format::Cbor),
    ] {
        for entry in OPERATIONS {
            let path = root().join("corpus").join(target).join(entry.name);
            let input = std::fs::read(path).unwrap();
            let status = targets::story(&input, format);
            assert_eq!(status, Some(200), "{target} {}", entry.name);
        }
    }
}

#[test]
fn every_target_is_run_here_too() {
    let names = |folder: &str| {
        let files = files(&root().join(folder));
        let names = files
            .iter()
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
        names.collect::<BTreeSet<_>>()
    };
    let run = TARGETS
        .iter()
        .map(|(name, _)| *name)
        .chain(INSIDE.iter().copied());
    let run: BTreeSet<_> = run.map(str::to_owned).collect();
    assert_eq!(names("targets"), run);
    assert_eq!(names("corpus"), run);
}
