# Shared by the scripts of this folder and by .ci/run; sourced, never run.
# shellcheck shell=bash

# say TEXT: a heading in the output.
say() { printf '\n== %s\n' "$*"; }

# die TEXT: ends the script with a message.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# need_rust: the two things that nobody but the owner of the machine should install.
need_rust() {
  command -v cargo >/dev/null || die "cargo is missing: install Rust, see https://rustup.rs"
  command -v cc >/dev/null || as_root "a C compiler" apt-get install -y --no-install-recommends gcc libc6-dev
}

# as_root WHAT COMMAND…: runs a Debian package command, or says what to install by hand.
as_root() {
  local what=$1 sudo=()
  shift
  command -v apt-get >/dev/null || die "$what is missing: install it with this system's package manager"
  if [ "$(id -u)" != 0 ]; then
    { command -v sudo && sudo -n true; } >/dev/null 2>&1 || die "$what is missing: run as root: $*"
    sudo=(sudo -n)
  fi
  say "Installing $what"
  "${sudo[@]}" apt-get update -qq && DEBIAN_FRONTEND=noninteractive "${sudo[@]}" "$@" || die "$what could not be installed by: $*"
}

# need_cargo_tool NAME ARGUMENT…: builds a cargo subcommand unless there is one. A debug build is enough and much sooner done.
need_cargo_tool() {
  local name=$1
  shift
  cargo "${name#cargo-}" --version >/dev/null 2>&1 && return
  say "Installing $name"
  cargo install "$name" --locked --debug "$@" || die "$name could not be installed"
}

# target_directory: where cargo puts what it builds.
target_directory() {
  cargo metadata --no-deps --format-version 1 --offline 2>/dev/null | sed -E 's/.*"target_directory":"([^"]*)".*/\1/'
}
