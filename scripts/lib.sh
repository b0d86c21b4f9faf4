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

# need_programs PROGRAM…: programs by the names of their Debian packages. The services that come along are not used.
need_programs() {
  local program missing=()
  for program in "$@"; do
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$program" >/dev/null || missing+=("$program")
  done
  [ ${#missing[@]} -eq 0 ] || as_root "${missing[*]}" apt-get install -y --no-install-recommends "${missing[@]}"
}

# need_machines: what tests/cluster/machines.py makes machines of. Only root can, so nobody else is asked for it.
need_machines() {
  local missing=()
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
  PATH="$PATH:/usr/sbin:/sbin" command -v ip >/dev/null || missing+=(iproute2)
  command -v curl >/dev/null || missing+=(curl)
  [ ${#missing[@]} -eq 0 ] || as_root "${missing[*]}" apt-get install -y --no-install-recommends "${missing[@]}"
}

# need_postgres [PROGRAM…]: PostgreSQL's programs, and others.
need_postgres() {
  local folder
  for folder in /usr/lib/postgresql/*/bin; do [ -x "$folder/initdb" ] && break; done
  [ -x "$folder/initdb" ] || command -v pg_config >/dev/null || as_root postgresql apt-get install -y --no-install-recommends postgresql
  need_programs "$@"
}

# need_guides: the proxies that the guides have configurations for, what they call with, and what runs a page's script.
need_guides() {
  need_programs nginx caddy curl
  command -v node >/dev/null || as_root "Node.js" apt-get install -y --no-install-recommends nodejs
}

# python_environment [FOLDER]: the virtual environment of the tests in a folder of tests/, made once, and again when the pins change.
python_environment() {
  local folder=${1:-clients} venv=.venv oldest="3, 10" pins stamp
  [ "$folder" = clients ] || venv=.venv-$folder
  # What schemathesis needs.
  [ "$folder" != contracts ] || oldest="3, 11"
  pins=tests/$folder/requirements.txt stamp=$venv/.installed
  cmp -s "$pins" "$stamp" && return
  say "Python packages"
  command -v python3 >/dev/null || as_root "Python 3" apt-get install -y --no-install-recommends python3 python3-venv
  python3 -c "import sys; sys.exit(sys.version_info < ($oldest))" ||
    die "the tests in tests/$folder need Python ${oldest/, /.} or newer, this is $(python3 -V)"
  python3 -c 'import ensurepip, venv' 2>/dev/null || as_root "the venv module of Python" apt-get install -y --no-install-recommends python3-venv
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$pins"
  cp "$pins" "$stamp"
}

# need_node: Node.js and npm. Debian's own may be too old.
need_node() {
  { command -v node && command -v npm; } >/dev/null || as_root "Node.js" apt-get install -y --no-install-recommends nodejs npm
  node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || die "these tests need Node.js 18 or newer, this is $(node --version)"
}

# need_browser: Chromium, a font for it, and Node.js.
need_browser() {
  need_node
  command -v chromium >/dev/null || as_root "Chromium" apt-get install -y --no-install-recommends chromium fonts-dejavu-core
}
