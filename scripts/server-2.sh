#!/bin/bash
# On probe-102: measures towards probe-101 and answers it. Options of `probe run` may follow.
set -euo pipefail
exec sudo "$(dirname "${BASH_SOURCE[0]}")/../.build/release/probe" run --interface eth1 --peer 192.168.56.101 "$@"
