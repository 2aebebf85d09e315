# shellcheck shell=bash
# Defaults of the settings that a scenario may override. The host and the machines read them before the scenario's file.
# shellcheck disable=SC2034

machines="a b"    # or "a bridge b"
limit=120         # seconds from boot until all machines have ended
boot_limit=60     # seconds until the machines are up
reboots=          # "yes" if a machine reboots in it
memory=256        # MiB of each machine
kernel_arguments= # more arguments on the kernel's command line

# Runs on the host before the machines boot, when the probe is in $scratch/given. lib/give.sh has helpers.
prepare() { :; }
