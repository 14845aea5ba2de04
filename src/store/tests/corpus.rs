//! The inputs that fuzzers have found worth keeping, of the stored forms.

use super::super::fuzzing::stored;

#[test]
fn what_was_found_of_stored_forms_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus/stored");
    let mut inputs = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let input = std::fs::read(&path).unwrap();
        let run = std::panic::catch_unwind(|| stored(&input));
        assert!(run.is_ok(), "{} breaks a rule", path.display());
        inputs += 1;
    }
    stored(b"");
    assert!(inputs > 3, "the inputs are there");
}
