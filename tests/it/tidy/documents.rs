//! Programs in the documentation must be equal to files that `conformance/run` runs.

use super::check;
use std::fs::read_to_string;
use std::path::Path;

#[test]
fn marked_programs_in_documents_are_their_files() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = home.join("src/guide").read_dir().unwrap();
    let pages = pages.map(|page| page.unwrap().path());
    let mut programs = 0;
    let mut problems = Vec::new();
    for page in pages.chain([home.join("README.md")]) {
        let text = read_to_string(&page).unwrap();
        for marked in text.split("<!-- ").skip(1) {
            let (file, rest) = marked.split_once(" -->\n```").unwrap();
            let (_language, rest) = rest.split_once('\n').unwrap();
            let (program, _) = rest.split_once("```\n").unwrap();
            programs += 1;
            if read_to_string(home.join(file)).unwrap() != program {
                problems.push(format!(
                    "{}: the program differs from {file}",
                    page.display()
                ));
            }
        }
    }
    assert!(programs >= 4, "{programs} programs");
    check(problems);
}

#[test]
fn the_readme_is_short_and_its_links_lead_somewhere() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = read_to_string(home.join("README.md")).unwrap();
    let lines = readme.lines().count();
    assert!(
        lines <= 220,
        "README.md has {lines} lines: the details belong in src/guide"
    );
    let mut problems = Vec::new();
    for link in readme.split("](").skip(1) {
        let (target, _) = link.split_once(')').unwrap();
        if !target.starts_with("https://") && !home.join(target).exists() {
            problems.push(format!("README.md links to {target}, which does not exist"));
        }
    }
    check(problems);
}
