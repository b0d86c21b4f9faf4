//! Lays the functions of the program out as `often.ld` says. Without it the program is the same, and idle it takes more memory.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=often.ld");
    println!("cargo::rerun-if-env-changed=DOORWARD_LAYOUT");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|found| found == value);
    // Linkers of other systems have no such scripts, and neither has mold.
    let understood = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && !is("DOORWARD_LAYOUT", "any");
    if let Some(root) = env::var_os("CARGO_MANIFEST_DIR").filter(|_| understood && is("PROFILE", "release")) {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", Path::new(&root).join("often.ld").display());
    }
}
