#!/usr/bin/env bash
# Writes pictures of every page, in light, in dark and on a phone, into docs/screens.
# CLIENT_TESTS_BINARY=… takes that server instead of building one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec scripts/test.sh screens
