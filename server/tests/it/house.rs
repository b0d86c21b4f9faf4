//! The rules of the house that the compiler does not check: who may name whom.

use std::fs;
use std::path::{Path, PathBuf};

use doorward::core::Refusal;
use doorward::core::audit::{Actor, Event};
use doorward::core::model::MailKind;
use doorward::locale::{Catalogues, Language};

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // Documentation may speak of anything.
            let code: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            found.push((path, code.join("\n")));
        }
    }
    found
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Files below `folder` that hold one of the words.
#[track_caller]
fn nobody_names(folder: &str, words: &[&str], but: &[&str]) {
    let files = sources(&source().join(folder));
    assert!(!files.is_empty(), "{folder} has no files");
    for (path, code) in files {
        let name = path.display().to_string();
        if but.iter().any(|exception| name.contains(exception)) {
            continue;
        }
        for word in words {
            assert!(!code.contains(word), "{name} names {word}");
        }
    }
}

#[test]
fn core_knows_no_http_no_configuration_no_dialect() {
    let words = [
        "axum",
        "hyper",
        "http::",
        "tower",
        "crate::config",
        "crate::dialect",
        "crate::http",
        "crate::pages",
        "crate::work",
        "crate::app",
        "crate::cli",
        "crate::templates",
        "clap",
    ];
    nobody_names("core", &words, &[]);
}

/// What is written for an administrator goes through `Authority::write`, which reads again that they still are one.
#[test]
fn no_flow_writes_past_its_authority() {
    for (path, code) in sources(&source().join("core/flows")) {
        for function in code.split("async fn ").skip(1) {
            let (signature, body) = function.split_once(" {\n").unwrap();
            assert!(!signature.contains(": Authority") || !body.contains("store.write"), "{}: {signature}", path.display());
        }
    }
}

#[test]
fn only_the_engine_names_a_database_driver() {
    nobody_names("", &["rusqlite", "tokio_postgres", "deadpool"], &["core/store/engine/"]);
}

#[test]
fn http_knows_no_flow_and_no_dialect() {
    nobody_names("http", &["core::flows", "crate::dialect", "crate::pages", "crate::work"], &[]);
}

#[test]
fn work_knows_core_and_nothing_that_serves() {
    let words =
        ["axum", "hyper", "tower", "crate::http", "crate::dialect", "crate::pages", "crate::config", "crate::app", "crate::cli"];
    nobody_names("work", &words, &[]);
}

#[test]
fn no_dialect_names_another() {
    let dialects = ["native", "kalshi", "kraken", "kestra", "kotak"];
    for dialect in dialects {
        let others: Vec<_> =
            dialects.iter().filter(|other| **other != dialect).map(|other| format!("dialect::{other}")).collect();
        let others: Vec<_> = others.iter().map(String::as_str).collect();
        nobody_names(&format!("dialect/{dialect}"), &others, &[]);
    }
    let all = dialects.map(|dialect| format!("dialect::{dialect}"));
    nobody_names("pages", &all.each_ref().map(String::as_str), &[]);
}

#[test]
fn dialects_and_pages_build_nothing() {
    nobody_names("dialect", &["crate::app", "crate::cli", "crate::work", "crate::pages"], &[]);
    nobody_names("pages", &["crate::app", "crate::cli", "crate::work"], &[]);
}

#[test]
fn every_refusal_has_words_in_every_dialect() {
    for dialect in ["native", "kalshi", "kraken", "kestra", "kotak"] {
        let path = source().join("dialect").join(dialect).join("error.rs");
        let code = fs::read_to_string(&path).unwrap();
        assert!(code.contains("Refusal::"), "{} has no words for refusals", path.display());
        let wildcard = code.lines().any(|line| line.trim_start().starts_with("_ =>"));
        assert!(!wildcard, "{} has a wildcard: a new refusal would go unnoticed", path.display());
    }
}

#[test]
fn every_dialect_has_its_readme() {
    for dialect in ["native", "kalshi", "kraken", "kestra", "kotak"] {
        assert!(source().join("dialect").join(dialect).join("README.md").exists(), "{dialect}");
    }
}

/// The README's example of the Rust client is one that its documentation compiles.
#[test]
fn the_readme_has_the_example_of_the_client() {
    let root = source().join("../..");
    let [readme, client] = ["README.md", "client/src/lib.rs"].map(|file| fs::read_to_string(root.join(file)).unwrap());
    let shown = readme.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    let compiled = client.split("//! ```no_run\n").nth(1).unwrap().split("//! ```").next().unwrap();
    let lines = compiled.lines().map(|line| line.trim_start_matches("//!").trim()).filter(|line| !line.starts_with("# "));
    assert_eq!(lines.collect::<Vec<_>>(), shown.lines().collect::<Vec<_>>());
}

/// What `routes!` mounts is in the published document, and what is mounted without it is not. HEAD alone may be: it is turned away.
#[test]
fn dialects_mount_only_what_is_published() {
    // The one file that mounts, by what annotations say.
    let mounts = source().join("dialect/urls.rs");
    for (path, code) in sources(&source().join("dialect")).into_iter().filter(|(path, _)| *path != mounts) {
        for mount in code.split(".route(").skip(1) {
            assert!(mount.contains(", head("), "{} mounts {mount}", path.display());
        }
        for word in ["route_service", "nest_service", "fallback_service", "routing::get", "routing::post", "routing::any"] {
            assert!(!code.contains(word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn what_is_published_knows_no_flow() {
    nobody_names("openapi", &["core::", "crate::app", "crate::cli", "crate::work", "crate::pages"], &[]);
}

#[test]
fn the_mailbox_reads_a_folder_and_knows_nothing_else() {
    let words =
        ["axum", "core::flows", "core::store", "crate::http", "crate::config", "crate::pages", "crate::work", "crate::app"];
    nobody_names("mailbox", &words, &[]);
}

#[test]
fn no_file_outgrows_its_reader() {
    for (path, _) in sources(&source()) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 450, "{} has {lines} lines", path.display());
    }
}

/// The names that a `match` of a source gives, in its order.
fn named(file: &str, function: &str) -> Vec<String> {
    let text = fs::read_to_string(source().join(file)).unwrap();
    let body = text.split(function).nth(1).unwrap().split("\n    }\n").next().unwrap();
    body.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn every_name_at_rest_has_its_words_in_every_language() {
    let events = named("core/audit.rs", "const fn as_str");
    assert_eq!(events, Event::ALL.map(Event::as_str));
    let refusals = named("core/refusal.rs", "const fn name");
    assert_eq!(refusals, Refusal::NAMES);
    let kinds = named("core/model/mail.rs", "const fn as_str");
    assert_eq!(kinds, MailKind::ALL.map(MailKind::as_str));
    let outcomes = [vec!["ok".to_owned()], refusals].concat();
    let actors = [Actor::Operator, Actor::Server, Actor::Anonymous].map(|actor| actor.to_string()).to_vec();
    let catalogues = Catalogues::load(None).unwrap();
    for (section, names) in [("event", events), ("outcome", outcomes), ("kind", kinds), ("actor", actors)] {
        for (language, name) in Language::ALL.into_iter().flat_map(|language| names.iter().map(move |name| (language, name))) {
            let words = catalogues.say(language, &format!("{section}.{name}"), &[]);
            assert!(words.is_some_and(|words| !words.trim().is_empty() && words != *name), "{language} {section}.{name}");
        }
    }
}
