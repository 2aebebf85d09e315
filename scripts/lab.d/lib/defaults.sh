# shellcheck shell=bash
# What a scenario may say of itself, read on the host and in the machines before the scenario's own file.
# shellcheck disable=SC2034

machines="a b" # or "a bridge b"
limit=60       # seconds from boot to results
reboots=       # "yes" if a machine reboots in it
