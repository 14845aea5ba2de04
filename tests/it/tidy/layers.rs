//! The order of the modules. A module uses only modules before it in the list.

use super::{Source, check, sources};

/// The layers, the lowest first. Modules of the same layer do not use each other.
const LAYERS: &[&[&str]] = &[
    &["lock"],
    &["limits", "world"],
    &["wire"],
    &["model"],
    &["store"],
    &["admission"],
    &["engine"],
    &["error"],
    &["operation"],
    &["options"],
    &["setup", "outbound"],
    &["http"],
    &["emulator"],
    &["command"],
    &["guide", "main"],
];

/// Permitted uses of a higher layer, with the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// The top-level module of a file.
fn module(path: &str) -> &str {
    let first = path.split('/').next().unwrap();
    first.strip_suffix(".rs").unwrap_or(first)
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The modules that a file names in `crate::…`, also in braces.
fn used(source: &Source) -> Vec<String> {
    let mut used = Vec::new();
    for (at, _) in source.production().match_indices("crate::") {
        let rest = &source.production()[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => used.extend(heads(list)),
            None => used.push(word(rest).to_owned()),
        }
    }
    used
}

fn word(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    &text[..end.unwrap_or(text.len())]
}

/// The first words of the items in a list in braces.
fn heads(list: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let mut depth = 0;
    let mut fresh = true;
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if fresh && letter.is_alphabetic() => {
                heads.push(word(&list[at..]).to_owned());
                fresh = false;
            }
            _ => {}
        }
    }
    heads
}

#[test]
fn lists_in_braces_are_taken_apart() {
    assert_eq!(heads("a::b, c::{d, e::f},\n g}; h"), ["a", "c", "g"]);
}

#[test]
fn a_module_uses_only_what_stands_before_it() {
    let mut problems = Vec::new();
    let mut unused: Vec<_> = EXCEPTIONS.iter().collect();
    for source in sources() {
        let own = module(&source.path);
        if own == "lib" {
            continue;
        }
        let Some(height) = layer(own) else {
            problems.push(format!("src/{} is in no layer", source.path));
            continue;
        };
        for used in used(&source) {
            let up = used != own && layer(&used).is_some_and(|layer| layer >= height);
            let permits =
                |(path, upper, _): &(&str, &str, &str)| *path == source.path && *upper == used;
            if up && EXCEPTIONS.iter().any(permits) {
                unused.retain(|exception| !permits(exception));
            } else if up {
                problems.push(format!("src/{} uses crate::{used}", source.path));
            }
        }
    }
    problems.dedup();
    problems.extend(
        unused
            .iter()
            .map(|(path, ..)| format!("src/{path} needs no exception")),
    );
    check(problems);
}

#[test]
fn the_map_in_the_crate_names_the_layers_in_this_order() {
    let library = sources()
        .into_iter()
        .find(|source| source.path == "lib.rs")
        .unwrap();
    let mut last = 0;
    for name in [
        "model",
        "store",
        "engine",
        "error",
        "operation",
        "options",
        "outbound",
        "http",
        "emulator",
    ] {
        let map = library
            .text
            .find("A module uses only the modules before it in this order")
            .unwrap();
        let at = library.text[map..].find(&format!("`{name}`")).unwrap();
        assert!(at > last, "{name}");
        last = at;
    }
}
