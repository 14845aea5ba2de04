//! Files must not depend on each other in a circle. A change of one file in a circle can affect all
//! of them, and a reader cannot understand one of them first.
//!
//! A file needs the files that define the names it uses. If the name is a re-export, the file needs
//! the file with the definition. A file also needs the files that it declares with `mod`. Therefore
//! a parent module that defines a type is in a circle with the children that use the type.

use super::{Source, check, sources};
use std::collections::{BTreeMap, BTreeSet};

/// The modules of the crate, by their paths, such as `["store", "log"]`.
struct Crate {
    modules: BTreeMap<Vec<String>, Module>,
}

/// A file: the names that it defines and uses.
#[derive(Default)]
struct Module {
    file: String,
    /// The code without comments, texts and unit tests.
    code: String,
    children: BTreeSet<String>,
    /// Names that a `use` imports, with their paths in the `use`.
    imports: BTreeMap<String, Vec<String>>,
    /// Paths whose names a `use` imports all (`*`).
    globs: Vec<Vec<String>>,
    defined: BTreeSet<String>,
}

impl Crate {
    fn read(sources: &[Source]) -> Self {
        let mut modules = BTreeMap::new();
        for source in sources.iter().filter(|source| !source.is_test()) {
            let module = Module::read(source.path.clone(), without_test_items(source.production()));
            modules.insert(path_of(&source.path), module);
        }
        let declared: BTreeSet<Vec<String>> = modules
            .iter()
            .flat_map(|(path, module)| {
                let child = |name: &String| [path.clone(), vec![name.clone()]].concat();
                module.children.iter().map(child).collect::<Vec<_>>()
            })
            .collect();
        // A module that only tests declare is also a test.
        modules.retain(|path, _| path.len() < 2 || declared.contains(path));
        Self { modules }
    }

    /// For each file the files that it needs, each with a name for which it is needed.
    fn needs(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let mut needs: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (path, module) in &self.modules {
            let needed = needs.entry(module.file.clone()).or_default();
            for child in &module.children {
                let child = [path.clone(), vec![child.clone()]].concat();
                if let Some(module) = self.modules.get(&child) {
                    needed.insert(module.file.clone(), "mod".to_owned());
                }
            }
            for used in module.paths() {
                if let Some(file) = self.file_defining(path, &used)
                    && file != module.file
                {
                    needed.entry(file).or_insert_with(|| used.join("::"));
                }
            }
        }
        needs
    }

    /// The file that defines the item at the end of the path `used`. The path is written in the
    /// module `at`.
    fn file_defining(&self, at: &[String], used: &[String]) -> Option<String> {
        let mut seen = BTreeSet::new();
        self.resolve(at, used, &mut seen)
    }

    fn resolve(
        &self,
        at: &[String],
        used: &[String],
        seen: &mut BTreeSet<(Vec<String>, Vec<String>)>,
    ) -> Option<String> {
        if !seen.insert((at.to_vec(), used.to_vec())) {
            return None;
        }
        let module = self.modules.get(at)?;
        // A path that ends at a module names no item. The uses of the module's items are other
        // paths.
        let (first, rest) = used.split_first()?;
        match first.as_str() {
            "crate" | "$crate" => return self.resolve(&[], rest, seen),
            "self" => return self.resolve(at, rest, seen),
            "super" => return self.resolve(at.split_last()?.1, rest, seen),
            _ => {}
        }
        if module.children.contains(first) {
            let child = [at, std::slice::from_ref(first)].concat();
            return self.resolve(&child, rest, seen);
        }
        if let Some(path) = module.imports.get(first) {
            let is_ours = module.is_local(&path[0])
                || module.defined.contains(&path[0])
                || path[0] != *first && module.imports.contains_key(&path[0]);
            // Otherwise the path leads to another crate.
            return is_ours
                .then(|| self.resolve(at, &[path, rest].concat(), seen))
                .flatten();
        }
        if module.defined.contains(first) {
            return Some(module.file.clone());
        }
        let in_globs = module
            .globs
            .iter()
            .find_map(|glob| self.resolve(at, &[glob, used].concat(), seen));
        // The definitions inside macros are not searched.
        in_globs.or_else(|| (!at.is_empty()).then(|| module.file.clone()))
    }
}

impl Module {
    fn read(file: String, code: String) -> Self {
        let mut module = Self {
            file,
            ..Self::default()
        };
        let words = words(&code);
        for (at, word) in words.iter().enumerate() {
            let next = words.get(at + 1).map_or("", String::as_str);
            match word.as_str() {
                "mod" if words.get(at + 2).is_some_and(|end| end == ";") => {
                    module.children.insert(next.to_owned());
                }
                "use" => module.import(&words[at + 1..]),
                "struct" | "enum" | "trait" | "fn" | "const" | "static" | "type" | "union" => {
                    let name = if next == "fn" { "" } else { next };
                    module.defined.insert(name.to_owned());
                }
                "macro_rules" => {
                    let name = words.get(at + 2).cloned();
                    module.defined.extend(name);
                }
                _ => {}
            }
        }
        module.code = code;
        module
    }

    /// Adds the names of a `use`. `words` are the words after `use`.
    fn import(&mut self, words: &[String]) {
        let end = words.iter().position(|word| word == ";");
        let words = &words[..end.unwrap_or(words.len())];
        for (path, name) in branches(words, &[]) {
            if name == "*" {
                self.globs.push(path);
            } else if path.first().is_some_and(|first| self.is_path(first, &path)) {
                self.imports.insert(name, path);
            }
        }
    }

    /// False if the path is only a name of the same file.
    fn is_path(&self, first: &str, path: &[String]) -> bool {
        path.len() > 1 || first == "crate" || first == "super"
    }

    fn is_local(&self, name: &str) -> bool {
        ["crate", "$crate", "self", "super"].contains(&name) || self.children.contains(name)
    }

    /// The paths in the code and in `use` that can lead to another file.
    fn paths(&self) -> Vec<Vec<String>> {
        let mut paths: Vec<Vec<String>> = self.imports.values().cloned().collect();
        let words = words(&self.code);
        let mut at = 0;
        while at < words.len() {
            if words[at] == "use" {
                while at < words.len() && words[at] != ";" {
                    at += 1;
                }
                continue;
            }
            let mut path = vec![words[at].clone()];
            while words.get(at + 1).is_some_and(|word| word == "::")
                && words.get(at + 2).is_some_and(|word| is_name(word))
            {
                path.push(words[at + 2].clone());
                at += 2;
            }
            let begins = self.is_local(&path[0]) || self.imports.contains_key(&path[0]);
            if path.len() > 1 && begins {
                paths.push(path);
            }
            at += 1;
        }
        paths.retain(|path| self.is_local(&path[0]) || self.imports.contains_key(&path[0]));
        paths
    }
}

/// The paths of a tree such as `a::{b, c::{self, d as e}}`, each with the name that it imports.
fn branches(words: &[String], before: &[String]) -> Vec<(Vec<String>, String)> {
    let mut path = before.to_vec();
    let mut at = 0;
    while at < words.len() {
        match words[at].as_str() {
            "::" => {}
            "{" => {
                let end = matching_brace(words, at);
                let inside = split_at_commas(&words[at + 1..end]);
                return inside
                    .into_iter()
                    .flat_map(|part| branches(part, &path))
                    .collect();
            }
            "*" => return vec![(path, "*".to_owned())],
            "as" => return vec![(path, words[at + 1].clone())],
            "self" if !path.is_empty() => {}
            word => path.push(word.to_owned()),
        }
        at += 1;
    }
    let name = path.last().cloned().unwrap_or_default();
    vec![(path, name)]
}

fn matching_brace(words: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (at, word) in words.iter().enumerate().skip(open) {
        match word.as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => return at,
            "}" => depth -= 1,
            _ => {}
        }
    }
    words.len()
}

fn split_at_commas(words: &[String]) -> Vec<&[String]> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, word) in words.iter().enumerate() {
        match word.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 0 => {
                parts.push(&words[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&words[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

fn is_name(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_' || letter == '$')
}

/// Splits the code into names, `::`, and single other characters.
fn words(code: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let part = |letter: char| letter.is_alphanumeric() || letter == '_';
        let length = if part(first) || first == '$' {
            let tail = &rest[first.len_utf8()..];
            first.len_utf8() + tail.find(|letter| !part(letter)).unwrap_or(tail.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        words.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    words
}

/// The code without test items: without `#[cfg(test)]` and the item after it.
fn without_test_items(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut parts = code.split(MARK);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end_of_line = part.find(';').map(|at| at + 1);
        let block = part.find('{');
        let end = match (end_of_line, block) {
            (Some(line), Some(open)) if line < open || is_use(part) => line,
            (_, Some(open)) => open + end_of_block(&part[open..]),
            (Some(line), None) => line,
            (None, None) => part.len(),
        };
        kept.push_str(&part[end..]);
    }
    kept
}

fn is_use(code: &str) -> bool {
    let code = code.trim_start();
    code.starts_with("use ") || code.starts_with("pub use ") || code.starts_with("pub(")
}

fn end_of_block(code: &str) -> usize {
    let mut depth = 0;
    for (at, letter) in code.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// The path of a module: `["store", "log"]` for `store/log.rs`, and empty for the root of the
/// crate.
fn path_of(file: &str) -> Vec<String> {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    match path {
        "lib" => Vec::new(),
        _ => path.split('/').map(str::to_owned).collect(),
    }
}

/// Groups of files that need each other, directly or through other files of the group.
fn circles(needs: &BTreeMap<String, BTreeMap<String, String>>) -> Vec<BTreeSet<&str>> {
    let reach = |from: &str| {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = needs[from].keys().map(String::as_str).collect();
        while let Some(file) = open.pop() {
            if reached.insert(file) {
                open.extend(
                    needs
                        .get(file)
                        .into_iter()
                        .flat_map(BTreeMap::keys)
                        .map(String::as_str),
                );
            }
        }
        reached
    };
    let all: BTreeMap<&str, BTreeSet<&str>> = needs
        .keys()
        .map(|file| (file.as_str(), reach(file)))
        .collect();
    let mut circles: Vec<BTreeSet<&str>> = Vec::new();
    for (file, reached) in &all {
        if !reached.contains(file) || circles.iter().any(|circle| circle.contains(file)) {
            continue;
        }
        let back = |other: &&&str| {
            all.get(**other)
                .is_some_and(|reached| reached.contains(file))
        };
        circles.push(reached.iter().filter(back).copied().collect());
    }
    circles
}

#[test]
fn no_file_needs_itself_through_others() {
    let sources = sources();
    let needs = Crate::read(&sources).needs();
    let mut problems = Vec::new();
    for circle in circles(&needs) {
        problems.push(format!("{} files need each other:", circle.len()));
        for file in &circle {
            for (other, name) in &needs[*file] {
                if circle.contains(other.as_str()) {
                    problems.push(format!("    src/{file} needs src/{other} ({name})"));
                }
            }
        }
    }
    check(problems);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, code: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: code.to_owned(),
            code: code.to_owned(),
        }
    }

    fn needed(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> = files
            .iter()
            .map(|(path, code)| source(path, code))
            .collect();
        let needs = Crate::read(&sources).needs();
        let one = |(file, needed): (&String, &BTreeMap<String, String>)| {
            let others: Vec<String> = needed
                .keys()
                .map(|other| format!("{file}>{other}"))
                .collect();
            others
        };
        needs.iter().flat_map(one).collect()
    }

    #[test]
    fn names_are_followed_through_faces() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                "mod x; mod y; pub use x::{X, self as ex}; pub use y::*;",
            ),
            ("a/x.rs", "use super::Y; pub struct X;"),
            ("a/y.rs", "pub struct Y;"),
            (
                "b.rs",
                "use crate::a::{X, ex}; fn f() { crate::a::Y; ex::X; }",
            ),
        ];
        let expected = [
            "a.rs>a/x.rs",
            "a.rs>a/y.rs",
            "a/x.rs>a/y.rs",
            "b.rs>a/x.rs",
            "b.rs>a/y.rs",
            "lib.rs>a.rs",
            "lib.rs>b.rs",
        ];
        assert_eq!(needed(&files), expected);
    }

    #[test]
    fn a_type_in_a_face_makes_a_circle() {
        let files = [
            ("lib.rs", "mod a;"),
            ("a.rs", "mod x; pub struct A;"),
            ("a/x.rs", "fn f(a: super::A) {}"),
        ];
        let sources: Vec<Source> = files
            .iter()
            .map(|(path, code)| source(path, code))
            .collect();
        let needs = Crate::read(&sources).needs();
        assert_eq!(circles(&needs), [BTreeSet::from(["a.rs", "a/x.rs"])]);
    }

    #[test]
    fn imported_modules_count_by_what_is_used_of_them() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b; fn f() { b::g(); }"),
            ("b.rs", "pub fn g() {}"),
            (
                "c.rs",
                "use crate::b; #[cfg(test)] use crate::a::f; #[cfg(test)] fn h() { b::g(); }",
            ),
        ];
        assert_eq!(
            needed(&files),
            ["a.rs>b.rs", "lib.rs>a.rs", "lib.rs>b.rs", "lib.rs>c.rs"]
        );
    }
}
