#!/bin/bash
# Runs on probe-101: measures towards probe-102 and answers its probes. Options of `probe run` may follow.
set -euo pipefail
exec sudo "$(dirname "${BASH_SOURCE[0]}")/../.build/release/probe" run --interface eth1 --peer 192.168.56.102 "$@"
