#!/usr/bin/env bash
# Checks the files of deploy/ with the programs that are to read them; a program that is not installed is said to be missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh
PATH=$PATH:/usr/sbin:/usr/local/sbin

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# with PROGRAM COMMAND…: runs the command if the program is there.
with() {
  local program=$1
  shift
  if command -v "$program" >/dev/null; then "$@"; else echo "SKIPPED: $program is not installed"; fi
}

# What the file takes from its machine is made here: a certificate and an account.
haproxy_file() {
  command -v openssl >/dev/null || { echo "SKIPPED: openssl is not installed"; return; }
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout "$folder/key" -out "$folder/crt" 2>/dev/null
  cat "$folder/crt" "$folder/key" >"$folder/doorward.pem"
  sed -e "s#/etc/haproxy/doorward.pem#$folder/doorward.pem#" -e '/^ *\(user\|group\) haproxy$/d' deploy/haproxy.cfg >"$folder/haproxy.cfg"
  haproxy -c -f "$folder/haproxy.cfg"
}

unit_file() {
  mkdir -p "$folder/unit"
  # The account and the binary need not be there to judge the rest.
  sed -e 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' deploy/doorward.service >"$folder/unit/doorward.service"
  systemd-analyze verify --man=no "$folder/unit/doorward.service"
  # 0 is safest; above 2 something was left open.
  systemd-analyze security --offline=yes --threshold=20 "$folder/unit/doorward.service" | tail -n 1
}

# postgres_file FILE…: every name and value, as the server itself reads them. It does not run as root.
postgres_files() {
  local program as=() file
  program=$(ls /usr/lib/postgresql/*/bin/postgres 2>/dev/null | tail -n 1)
  [ -n "$program" ] || { echo "SKIPPED: PostgreSQL is not installed"; return; }
  if [ "$(id -u)" = 0 ]; then as=(runuser -u postgres --); fi
  chmod 755 "$folder"
  for file in deploy/postgresql-primary.conf deploy/postgresql-standby.conf; do
    mkdir -p "$folder/data"
    cp "$file" "$folder/data/postgresql.conf"
    echo 15 >"$folder/data/PG_VERSION"
    chmod -R a+rX "$folder/data"
    "${as[@]}" "$program" -D "$folder/data" -C synchronous_standby_names >/dev/null
    echo "$file: read"
  done
}

say "HAProxy"
with haproxy haproxy_file
say "systemd"
with systemd-analyze unit_file
say "PostgreSQL"
postgres_files
