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

probe() { /vagrant/.build/release/probe "$@"; }

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

# tell EVENT: to the other machines, which can await it.
tell() { touch "/lab/sync/$1"; }

# await EVENT [SECONDS|never]: until another machine has told of it, and not when one has failed.
await() { until_true "${2-60}" "the event $1" test -e "/lab/sync/$1"; }

# together EVENT [SECONDS]: until every machine of the scenario is here.
together() {
    local other
    tell "$1.$machine"
    for other in $machines; do await "$1.$other" "${2-60}"; done
}

# until_true SECONDS WHAT COMMAND...: waits until the command succeeds. Says what it waited for if that takes too long.
until_true() {
    local seconds=$1 what=$2 start=$SECONDS
    shift 2
    until "$@"; do
        if [[ -e /lab/sync/failed ]]; then
            echo "lab: another machine has failed while $machine waited for $what"
            return 1
        elif [[ $seconds != never ]] && ((SECONDS - start > seconds)); then
            echo "lab: $machine has waited $seconds s for $what, in vain"
            return 1
        fi
        sleep 0.05
    done
}
