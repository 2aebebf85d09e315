# shellcheck shell=bash disable=SC2154
# What a scenario's on_a, on_b and on_bridge can use inside their machines. Sourced; `machine`, `nic` and `boot` are set.
#
# Interfaces: a and b have `link`, which is measured; with a bridge between them, that has `left` (towards a) and
# `right` (towards b), and a and b have `clean` as well: a second, direct link that no scenario spoils.

# The addresses are the Vagrantfile's.
# shellcheck disable=SC2034 # read by scenarios
case $machine in
a) own=192.168.56.101 own6=fd00:862::101 peer=192.168.56.102 peer6=fd00:862::102 peer_mac=52:54:00:86:21:02 ;;
b) own=192.168.56.102 own6=fd00:862::102 peer=192.168.56.101 peer6=fd00:862::101 peer_mac=52:54:00:86:21:01 ;;
esac

# No function: what runs in the background is to be the program, which can be signalled.
PATH+=:/vagrant/.build/release

# Interfaces are known by the second byte from the right of their MAC addresses.
make_network() {
    local address interface name
    ip link set lo up
    for address in /sys/class/net/*/address; do
        interface=${address%/address}
        interface=${interface##*/}
        case $(<"$address") in
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
    ip address add "$own/24" dev link
    ip link set dev link up
    # As Vagrant's machines.
    /vagrant/scripts/provision.sh link "$own6/64" "$peer" "$peer6" "$peer_mac" >provision.txt
    if [[ -e /sys/class/net/clean ]]; then
        ip address add "10.0.0.${own##*.}/24" dev clean
        ip link set dev clean up
    fi
}

# in_background COMMAND...: until this machine's part is over, which it ends.
in_background() {
    "$@" &
    trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
}

# watch_latch: from now on the emulated igb stamps every PTP frame that it receives. The scenario gives rx-latch, and starts
# its kernels with iomem=relaxed.
watch_latch() {
    in_background rx-latch link >rx-latch.txt
    until_true 10 "rx-latch to watch the card" grep -q watching rx-latch.txt
}

# run_tests FILTER: those of the package's tests that a pattern of swift-testing's finds. The scenario gives them.
run_tests() {
    # In memory: pages of programs come one by one over 9p.
    cp -R /vagrant/tests /tmp/tests
    PROBE_LAB=$nic NO_COLOR=1 /tmp/tests/ld-linux-x86-64.so.2 --library-path /tmp/tests /tmp/tests/bundle \
        --testing-library swift-testing --no-parallel --filter "$1" 2>&1
}

# synchronise: B's clock follows A's over the clean link until their parts are over. Returns when chrony itself tells that
# it is less than a millisecond off, and sure of its rate. Emulated machines are often late, which chrony sees by the round
# trip and leaves out; ptp4l would follow.
synchronise() {
    local source="server 10.0.0.101 iburst minpoll -4 maxpoll -4 xleave"
    [[ $machine == b ]] || source="local stratum 1"
    printf '%s\n' "$source" 'allow 10.0.0.0/24' 'makestep 0.0005 4' 'cmdport 0' \
        'pidfile /run/chrony/chronyd.pid' rtcsync >/run/chrony.conf
    in_background chronyd -d -u root -f /run/chrony.conf >chronyd.txt 2>&1
    if [[ $machine == b ]]; then
        until_true 60 "chrony to follow A's clock" chronyc waitsync 1 0.0005 500
        chronyc tracking >tracking.txt
        tell synchronised
    else
        await synchronised 60
    fi
}

# tell EVENT: to the other machines, which can await it.
tell() { touch "/lab/sync/$1"; }

# await EVENT [SECONDS|never]: until another machine has told of it, and not when one has failed.
await() { until_true "${2-$limit}" "the event $1" test -e "/lab/sync/$1"; }

# together EVENT [SECONDS]: until every machine of the scenario is here.
together() {
    local other
    tell "$1.$machine"
    for other in $machines; do await "$1.$other" "${2-$limit}"; done
}

# until_true SECONDS WHAT COMMAND...: waits until the command succeeds. Says what it waited for if that takes too long.
until_true() {
    local seconds=$1 what=$2 start=$SECONDS
    shift 2
    until "$@" >/tmp/waited.txt 2>&1; do
        if [[ -e /lab/sync/failed ]]; then
            echo "lab: another machine has failed while $machine waited for $what"
            return 1
        elif [[ $seconds != never ]] && ((SECONDS - start > seconds)); then
            echo "lab: $machine has waited $seconds s for $what, in vain"
            cat /tmp/waited.txt
            return 1
        fi
        sleep 0.05
    done
}

# measure_across WHAT RUN: measures, and tells RUN.running when packets come back, RUN.went-on when a second's probes have had
# no answer, and ends after RUN.over and a second's answers more. WHAT is for the message.
measure_across() {
    local what=$1 run=$2 job answered sent
    probe run --interface link --peer "$peer" --rate 50 --timeout 500ms --log "$run.csv" --output json >"$run.json" &
    job=$!
    until_true 30 "replies before the $what" has_answers "$run" 50
    tell "$run.running"
    until_true 30 "losses in the $what" has_losses "$run" 50
    tell "$run.went-on"
    await "$run.over"
    answered=$(answers "$run")
    until_true 30 "replies after the $what" has_answers "$run" $((answered + 50))
    kill -TERM "$job"
    wait "$job"
}

answers() { grep -c '"status":"ok".*"rx_app_ns":[0-9]' "$1.json" || true; }
has_answers() { (($(answers "$1") >= $2)); }
has_losses() { (($(grep -cE '"status":"(lost|unknown)"' "$1.json") >= $2)); }
