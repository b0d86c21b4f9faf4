#!/usr/bin/env bash
# Starts a throw-away PostgreSQL server, runs a command beside it and removes the server.
#   scripts/postgres.sh COMMAND…    TEST_POSTGRES is the URL of a superuser there
# Installs PostgreSQL's programs if they are missing. The server forgets all in a crash: it is for suites, not for data.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/lib.sh

[ $# -gt 0 ] || die "what is to be run beside the server?"
need_postgres
python_environment
PYTHONPATH=tests/clients exec .venv/bin/python tests/cluster/postgres.py "$@"
