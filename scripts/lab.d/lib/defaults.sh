# shellcheck shell=bash
# What a scenario may say of itself, read on the host and in the machines before the scenario's own file.
# shellcheck disable=SC2034

machines="a b"   # or "a bridge b"
limit=120        # seconds from boot to results
boot_limit=60    # seconds until the machines are up
reboots=         # "yes" if a machine reboots in it
memory=256       # of each machine, in MiB
kernel_arguments=

# What the host does before the machines boot, after the probe is in $scratch/given: lib/give.sh has helpers.
prepare() { :; }
