//! Runs the fuzz targets on the inputs that fuzzers have found and that are kept in the folder
//! `tests/fuzz/corpus`.

use super::super::fuzzing::stored;
use super::super::snapshot::fuzzing::snapshot;
use std::path::Path;

/// Runs the fuzz target `target` on all inputs in the folder `name` of the corpus, and on an empty
/// input.
fn run(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut inputs = 0;
    for entry in std::fs::read_dir(folder.join(name)).unwrap() {
        let path = entry.unwrap().path();
        let input = std::fs::read(&path).unwrap();
        let run = std::panic::catch_unwind(|| target(&input));
        assert!(run.is_ok(), "{} breaks a rule", path.display());
        inputs += 1;
    }
    target(b"");
    assert!(inputs > 3, "the inputs are there");
}

#[test]
fn what_was_found_of_stored_forms_holds() {
    run("stored", stored);
}

#[test]
fn what_was_found_of_snapshots_holds() {
    run("snapshot", snapshot);
}
