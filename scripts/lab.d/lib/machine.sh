# shellcheck shell=bash disable=SC2154
# Functions for a scenario's on_a, on_b and on_bridge in their machines. Sourced; `machine`, `nic` and `boot` are set.
#
# Interfaces: a and b have `link`, which is measured. A bridge between them has `left` (towards a) and `right` (towards
# b); a and b then also have `clean`, a second, direct link that no scenario impairs.

# The Vagrantfile has the same addresses.
# shellcheck disable=SC2034 # read by scenarios
case $machine in
a) address=192.168.56.101 address6=fd00:862::101 peer=192.168.56.102 peer6=fd00:862::102 peer_mac=52:54:00:86:21:02 ;;
b) address=192.168.56.102 address6=fd00:862::102 peer=192.168.56.101 peer6=fd00:862::101 peer_mac=52:54:00:86:21:01 ;;
esac

# Through PATH and not through a function, so that a background job is the program itself and gets the signals.
PATH+=:/vagrant/.build/release

# Names the interfaces, by the second byte from the right of their MAC addresses, and configures them.
make_network() {
    local file interface name
    ip link set lo up
    for file in /sys/class/net/*/address; do
        interface=${file%/address}
        interface=${interface##*/}
        case $(<"$file") in
        52:54:00:86:21:*) name="link" ;;
        52:54:00:86:22:*) name=clean ;;
        52:54:00:86:23:*) name=left ;;
        52:54:00:86:24:*) name=right ;;
        *) continue ;;
        esac
        ip link set dev "$interface" name "$name"
    done
    if [[ $machine == bridge ]]; then
        ip link add bridge type bridge mcast_snooping 0
        ip link set dev left master bridge
        ip link set dev right master bridge
        ip link set dev left up
        ip link set dev right up
        ip link set dev bridge addrgenmode none
        ip link set dev bridge up
        return
    fi
    ip link set dev link addrgenmode none
    ip address add "$address/24" dev link
    ip link set dev link up
    # As in Vagrant's machines.
    /vagrant/scripts/provision.sh link "$address6/64" "$peer" "$peer6" "$peer_mac" >provision.txt
    if [[ -e /sys/class/net/clean ]]; then
        ip address add "10.0.0.${address##*.}/24" dev clean
        ip link set dev clean up
    fi
}

# in_background COMMAND...: starts the command, and ends it at the end of this machine's part.
in_background() {
    "$@" &
    trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
}

# watch_latch: makes the emulated igb timestamp every PTP frame that it receives. The scenario must give rx-latch, and
# boot its kernels with iomem=relaxed.
watch_latch() {
    in_background rx-latch link >rx-latch.txt
    until_true 10 "rx-latch" grep -q watching rx-latch.txt
}

# run_tests FILTER: runs the package's tests that match a pattern of swift-testing's. The scenario must give them.
run_tests() {
    # From memory, since 9p loads a program's pages one by one.
    cp -R /vagrant/tests /tmp/tests
    PROBE_LAB=$nic NO_COLOR=1 /tmp/tests/ld-linux-x86-64.so.2 --library-path /tmp/tests /tmp/tests/bundle \
        --testing-library swift-testing --no-parallel --filter "$1" 2>&1
}

# synchronise: B's clock follows A's over the clean link until their parts end. Returns when chrony estimates that B is
# less than a millisecond off and that its rate is settled. Emulated machines are often late; chrony rejects such
# measurements by their round trip, ptp4l would not.
synchronise() {
    local source="server 10.0.0.101 iburst minpoll -4 maxpoll -4 xleave"
    [[ $machine == b ]] || source="local stratum 1"
    printf '%s\n' "$source" 'allow 10.0.0.0/24' 'makestep 0.0005 4' 'cmdport 0' \
        'pidfile /run/chrony/chronyd.pid' rtcsync >/run/chrony.conf
    in_background chronyd -d -u root -f /run/chrony.conf >chronyd.txt 2>&1
    if [[ $machine == b ]]; then
        until_true 60 "chrony to follow A's clock" chronyc waitsync 1 0.0005 500
        chronyc tracking >tracking.txt
        announce synchronised
    else
        await synchronised 60
    fi
}

# announce EVENT: to the other machines, which can await it.
announce() { touch "/lab/sync/$1"; }

# await EVENT [SECONDS|never]: waits until another machine has announced the event. Fails when another machine has
# failed.
await() { until_true "${2-$limit}" "the event $1" test -e "/lab/sync/$1"; }

# together EVENT [SECONDS]: waits until every machine of the scenario has reached this event.
together() {
    local other
    announce "$1.$machine"
    for other in $machines; do await "$1.$other" "${2-$limit}"; done
}

# until_true SECONDS WHAT COMMAND...: waits until the command succeeds. Fails after SECONDS, naming WHAT it waited for.
until_true() {
    local seconds=$1 what=$2 start=$SECONDS
    shift 2
    until "$@" >/tmp/waited.txt 2>&1; do
        if [[ -e /lab/sync/failed ]]; then
            echo "lab: another machine failed while $machine waited for $what"
            return 1
        elif [[ $seconds != never ]] && ((SECONDS - start > seconds)); then
            echo "lab: $machine waited $seconds s for $what, and the last attempt printed:"
            cat /tmp/waited.txt
            return 1
        fi
        sleep 0.05
    done
}

# measure_across WHAT RUN: measures across an outage. Announces RUN.running when replies arrive, and RUN.lossy when a
# second's probes have had no reply; ends after RUN.over and another second's replies. WHAT names the outage in
# messages.
measure_across() {
    local what=$1 run=$2 job replied sent
    probe run --interface link --peer "$peer" --rate 50 --timeout 500ms --log "$run.csv" --output json >"$run.json" &
    job=$!
    until_true 30 "replies before the $what" has_replies "$run" 50
    announce "$run.running"
    until_true 30 "losses in the $what" has_losses "$run" 50
    announce "$run.lossy"
    await "$run.over"
    replied=$(replies "$run")
    until_true 30 "replies after the $what" has_replies "$run" $((replied + 50))
    kill -TERM "$job"
    wait "$job"
}

replies() { grep -c '"status":"ok".*"rx_app_ns":[0-9]' "$1.json" || true; }
has_replies() { (($(replies "$1") >= $2)); }
has_losses() { (($(grep -cE '"status":"(lost|unknown)"' "$1.json") >= $2)); }
