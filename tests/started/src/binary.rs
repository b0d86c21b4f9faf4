//! Which binary is tested.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The binary, built if nobody names one. The workspace is built as its tests are, so that nothing is compiled twice.
pub(crate) fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| env::var_os("CLIENT_TESTS_BINARY").map_or_else(built, PathBuf::from))
}

const OWN: [&str; 4] = ["CARGO_MANIFEST", "CARGO_PKG_", "CARGO_CRATE_", "CARGO_PRIMARY_PACKAGE"];

fn built() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--workspace", "--bin", "doorward"]).current_dir(&root);
    // What cargo tells this process about its own package would make crates look changed that ask for such things.
    for (name, _) in env::vars_os() {
        if OWN.iter().any(|own| name.to_string_lossy().starts_with(own)) {
            build.env_remove(name);
        }
    }
    assert!(build.status().unwrap().success(), "the server cannot be built");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    root.join(target).join("debug/doorward")
}
