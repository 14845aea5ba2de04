//! Rules of the project that the compiler does not check. These tests check them on the sources.

mod circles;
mod documents;
mod language;
mod layers;

use minikin::Profile;
use minikin::internals::limits::Limits;
use std::path::Path;

/// A source file, and its code without comments, string literals and unit tests.
#[derive(Debug)]
struct Source {
    /// Path under `src`.
    path: String,
    text: String,
    code: String,
}

/// Every source file.
fn sources() -> Vec<Source> {
    let files = rust_files("src").into_iter();
    files.map(|(path, text)| Source::new(path, text)).collect()
}

/// The paths under `folder` and the texts of the Rust files in it, in the order of the paths.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(path) = paths.pop() {
        if path.is_dir() && !path.ends_with("target") {
            let entries = std::fs::read_dir(&path).unwrap();
            paths.extend(entries.map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let relative = path.strip_prefix(&root).unwrap();
            let relative = relative.to_str().unwrap().to_owned();
            files.push((relative, std::fs::read_to_string(&path).unwrap()));
        }
    }
    files.sort();
    assert!(files.len() > 50, "only {} files in {folder}", files.len());
    files
}

impl Source {
    fn new(path: String, text: String) -> Self {
        Self {
            path,
            code: without_words(&text),
            text,
        }
    }

    /// True if the file holds only unit tests.
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// The code up to the unit tests at the bottom of the file.
    fn production(&self) -> &str {
        match self.code.find("#[cfg(test)]\nmod tests") {
            _ if self.is_test() => "",
            Some(at) => &self.code[..at],
            None => &self.code,
        }
    }

    /// True if the code names `word`, as a whole word.
    fn names(&self, word: &str) -> bool {
        let part = |letter: char| letter.is_alphanumeric() || letter == '_';
        self.production().match_indices(word).any(|(at, _)| {
            let before = self.production()[..at].chars().next_back();
            let after = self.production()[at + word.len()..].chars().next();
            !before.is_some_and(part) && !after.is_some_and(part)
        })
    }
}

/// The code without comments and without the contents of string literals. The lines stay in their
/// places.
fn without_words(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let end = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(end) = raw_text(rest).filter(|_| !in_word(&code)) {
            code.push_str("\"\"");
            end
        } else if next == '"' {
            code.push_str("\"\"");
            end_of_text(rest)
        } else if let Some(end) = letter(rest) {
            code.push_str("' '");
            end
        } else {
            code.push(next);
            next.len_utf8()
        };
        // Keep the line breaks, so that code on a line of its own stays on a line of its own.
        if end > next.len_utf8() {
            code.extend(rest[..end].chars().filter(|letter| *letter == '\n'));
        }
        rest = &rest[end..];
    }
    code
}

fn in_word(code: &str) -> bool {
    code.chars()
        .next_back()
        .is_some_and(|last| last.is_alphanumeric() || last == '_')
}

/// The length of a raw string literal that starts here. None if no such literal starts here.
fn raw_text(rest: &str) -> Option<usize> {
    let start = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = start.len() - start.trim_start_matches('#').len();
    let body = start[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).expect("a raw text ends");
    Some(rest.len() - body.len() + length + end.len())
}

/// The length of the string literal that starts here.
fn end_of_text(rest: &str) -> usize {
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '"' => return at + 1,
            _ => {}
        }
    }
    panic!("a text ends: {}", &rest[..rest.len().min(60)]);
}

/// The length of a character literal that starts here. None for a lifetime.
fn letter(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    if let Some(escaped) = body.strip_prefix('\\') {
        let skipped = escaped.chars().next()?.len_utf8();
        return Some(2 + skipped + escaped[skipped..].find('\'')? + 1);
    }
    let first = body.chars().next()?.len_utf8();
    body[first..].starts_with('\'').then_some(1 + first + 1)
}

#[test]
fn comments_and_texts_are_removed_from_code() {
    let text =
        "let a = \"// no // sled\"; // sled\nlet b = '\"'; let c: &'a str = r#\"x\"y\"#;\n'\\''";
    assert_eq!(
        without_words(text),
        "let a = \"\"; \nlet b = ' '; let c: &'a str = \"\";\n' '"
    );
}

fn check(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// Fails if a file names one of `words` and is not allowed to name it.
fn only(words: &[&str], allowed: impl Fn(&str) -> bool) {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| !allowed(&source.path)) {
        for word in words.iter().filter(|word| source.names(word)) {
            problems.push(format!("src/{} names {word}", source.path));
        }
    }
    check(problems);
}

#[test]
fn no_file_has_more_than_600_lines() {
    let mut problems = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > 600 {
            problems.push(format!("src/{} has {lines} lines", source.path));
        }
    }
    check(problems);
}

#[test]
fn refusals_name_limits_that_can_be_set() {
    let mut names = Vec::new();
    for source in sources() {
        let after = |mark: &'static str| source.text.split(mark).skip(1);
        let lists = after(".by([").map(|rest| rest.split(']').next().unwrap_or_default());
        names.extend(lists.flat_map(|list| list.split('"').skip(1).step_by(2).map(str::to_owned)));
        let daily = after("DailyLimit {\n").filter_map(|rest| rest.split('"').nth(1));
        names.extend(
            daily
                .filter(|name| name.ends_with("-per-day"))
                .map(str::to_owned),
        );
    }
    assert!(names.len() >= 12, "{names:?}");
    let mut limits = Limits::for_profile(Profile::Standard);
    let unknown = |name: &String| limits.set(name, "1").err();
    check(names.iter().filter_map(unknown).collect());
}

#[test]
fn every_file_says_first_what_it_is() {
    let silent = |source: &Source| {
        (!source.text.starts_with("//! ")).then(|| format!("src/{}", source.path))
    };
    check(sources().iter().filter_map(silent).collect());
}

#[test]
fn nothing_is_left_for_later() {
    let mut problems = Vec::new();
    for source in sources() {
        for word in [
            "FIXME",
            "TODO",
            "XXX",
            "todo!(",
            "unimplemented!(",
            "#[ignore",
        ] {
            if source.text.contains(word) {
                problems.push(format!("src/{} has {word}", source.path));
            }
        }
    }
    check(problems);
}

#[test]
fn only_the_store_names_sled() {
    let mut problems = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| source.path != "store/disk/sled/database.rs")
    {
        // The store has a module with the same name, which it declares and uses.
        let code = source
            .production()
            .replace("super::sled", "")
            .replace("disk::sled::", "")
            .replace("mod sled;", "");
        if code.contains("sled::") || code.contains("use sled") || code.contains("mod sled") {
            problems.push(format!("src/{} names sled", source.path));
        }
    }
    check(problems);
}

#[test]
fn only_http_and_outbound_name_axum_and_hyper() {
    let words = [
        "axum",
        "hyper",
        "hyper_util",
        "http_body_util",
        "tower",
        "tokio_rustls",
    ];
    only(&words, |path| {
        path == "http.rs" || path.starts_with("http/") || path.starts_with("outbound/")
    });
}

#[test]
fn only_outbound_tables_names_iceberg_arrow_and_parquet() {
    let words = [
        "iceberg",
        "iceberg_catalog_rest",
        "arrow_array",
        "arrow_buffer",
        "arrow_schema",
        "parquet",
    ];
    only(&words, |path| {
        path == "outbound/tables.rs" || path.starts_with("outbound/tables/")
    });
}

#[test]
fn only_world_reads_the_clock_and_draws_lots() {
    let words = [
        "SystemTime",
        "Instant",
        "Uuid::new_v4",
        "getrandom",
        "tokio::time",
    ];
    only(&words, |path| path.starts_with("world/"));
}

#[test]
fn only_engine_tasks_spawns() {
    let words = ["tokio::spawn", "task::spawn"];
    only(&words, |path| path == "engine/tasks.rs");
}

#[test]
fn pure_layers_stay_pure() {
    let words = [
        "async", "Lock", "tracing", "tokio", "spawn", "Mutex", "Clock",
    ];
    only(&words, |path| {
        !path.starts_with("wire/") && !path.starts_with("model/")
    });
}

#[test]
fn every_file_belongs_to_a_module() {
    let sources = sources();
    let problems = sources.iter().filter_map(|source| {
        let path = source.path.strip_suffix(".rs")?;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("lib", path));
        let parent = format!("{folder}.rs");
        let is_named = |of: &Source| {
            let text = &of.text;
            text.contains(&format!("mod {name};")) || text.contains(&format!("/{name}.rs\""))
        };
        let is_root = matches!(path, "lib" | "main");
        let is_child = sources.iter().any(|of| of.path == parent && is_named(of));
        (!is_root && !is_child).then(|| format!("src/{path}.rs: {parent} has no module for it"))
    });
    check(problems.collect());
}
