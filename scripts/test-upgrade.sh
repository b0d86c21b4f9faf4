#!/usr/bin/env bash
# An upgrade without downtime, tried: the binary of the previous release goes on beside this one on a database that this one has migrated.
#   scripts/test-upgrade.sh [REF]      REF: what to take for the previous release, in the place of the newest tag before this commit
# On SQLite, and on PostgreSQL if TEST_POSTGRES is the URL of somebody who may create databases (needs psql).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

previous_tag() {
  local tag
  while read -r tag; do
    [ "$(git rev-list -n 1 "$tag")" = "$(git rev-parse HEAD)" ] || { echo "$tag"; return; }
  done < <(git tag --merged HEAD --sort=-version:refname)
}

ref=${1:-$(previous_tag)}
if [ -z "$ref" ]; then
  echo "SKIPPED: there is no release before this one (no tag); scripts/test-upgrade.sh REF takes any commit for it"
  exit 0
fi
command -v python3 >/dev/null || die "Python 3 is missing"

folder=$(mktemp -d)
database=
pids=()
clean_up() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
  git worktree remove --force "$folder/source" 2>/dev/null || true
  [ -z "$database" ] || psql -q "$TEST_POSTGRES" -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" || true
  rm -rf "$folder"
}
trap clean_up EXIT

say "Binaries: $ref and this commit"
git worktree add --quiet --detach "$folder/source" "$ref"
target=$(target_directory)
# In one folder, since they share most crates; the one that is built last has the name.
old=$folder/old new=$target/debug/doorward
(cd "$folder/source" && CARGO_TARGET_DIR="$target" cargo build --quiet --locked --bin doorward)
cp "$new" "$old"
cargo build --quiet --bin doorward

export DOORWARD_PASSWORDS__MEMORY_KIB=8192 DOORWARD_LIMITS__ENABLED=false
password='correct horse battery 9!'

# start BINARY NAME DATABASE-URL: a server on a port of its own; its address goes into `address`.
start() {
  mkdir -p "$folder/$2"
  "$1" serve --listen 127.0.0.1:0 --data-dir "$folder/$2" --database-url "$3" --json >"$folder/$2/greeting" 2>"$folder/$2/log" &
  local pid=$! tries
  pids+=("$pid")
  for tries in $(seq 600); do
    address=$(sed -n 's/.*"listen":"\([^"]*\)".*/\1/p' "$folder/$2/greeting")
    [ -z "$address" ] || return 0
    kill -0 "$pid" 2>/dev/null || die "the $2 release does not start on $3: $(cat "$folder/$2/log")"
    sleep 0.1
  done
  die "the $2 release does not start on $3 within a minute"
}

# Signs in at each address, and uses each session at both.
sign_in_at_both() {
  python3 - "$password" "$@" <<'PYTHON'
import json, sys, urllib.request
password, *addresses = sys.argv[1:]
def call(url, body=None, token=None):
    request = urllib.request.Request(url, data=body and json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", "Bearer " + token)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        return json.load(answer)
for address in addresses:
    token = call(address + "/auth/v1/sign-in/password", {"identifier": "ann", "password": password})["token"]
    for other in addresses:
        call(other + "/auth/v1/session", token=token)
PYTHON
}

# upgrade DATABASE-URL: a database that the previous release has made, under both.
upgrade() {
  printf '%s\n' "$password" | "$old" user create --email ann@example.org --username ann --password-stdin --database-url "$1" >/dev/null
  start "$old" running "$1"
  local running=$address
  "$new" migrate --plan --database-url "$1"
  "$new" migrate --database-url "$1"
  start "$new" new "$1"
  # One that was running all the time, and one that is started again after the migration.
  start "$old" previous "$1"
  sign_in_at_both "$address" "$running" "$(sed -n 's/.*"listen":"\([^"]*\)".*/\1/p' "$folder/new/greeting")" ||
    die "sign-in fails with $ref beside this commit on $1"
}

say "SQLite"
upgrade "sqlite://$folder/doorward.db"
if [ -z "${TEST_POSTGRES:-}" ]; then
  echo "SKIPPED: PostgreSQL, as TEST_POSTGRES is not set"
else
  say "PostgreSQL"
  command -v psql >/dev/null || die "psql is missing"
  database=doorward_upgrade_$$
  psql -q "$TEST_POSTGRES" -c "CREATE DATABASE $database TEMPLATE template0"
  upgrade "$(python3 -c 'import sys, urllib.parse as u; p = u.urlsplit(sys.argv[1]); print(u.urlunsplit(p._replace(path="/" + sys.argv[2])))' \
    "$TEST_POSTGRES" "$database")"
fi
say "$ref runs beside this commit"
