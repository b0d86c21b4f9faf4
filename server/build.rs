//! Lays the functions of the program out as `often.ld` says, and has the loader's list of addresses written in short. Without either the
//! program is the same, and idle it takes more memory.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=often.ld");
    println!("cargo::rerun-if-env-changed=PROGRAM_LAYOUT");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|found| found == value);
    // Linkers of other systems have no such scripts, and neither has mold.
    let understood = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && !is("PROGRAM_LAYOUT", "any");
    let Some(root) = env::var_os("CARGO_MANIFEST_DIR").filter(|_| understood && is("PROFILE", "release")) else { return };
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", Path::new(&root).join("often.ld").display());
    let at_home = env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    if at_home && reads_short_lists() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether this system's loader reads relative relocations in their short form (DT_RELR): glibc's since 2.36.
fn reads_short_lists() -> bool {
    let asked = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let version = asked.ok().and_then(|answer| String::from_utf8(answer.stdout).ok());
    let minor = version.as_deref().and_then(|text| text.trim().strip_prefix("glibc 2.")?.parse::<u32>().ok());
    minor.is_some_and(|minor| minor >= 36)
}
