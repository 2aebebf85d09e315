# shellcheck shell=bash disable=SC2034,SC2154
# The peer's link goes down and comes up: what was sent meanwhile is lost, what came before and after is not.

on_a() {
    measure_across outage packets
    tell finished
}

on_b() {
    in_background probe reflect --interface link --quiet --output json >reflect.json
    await packets.running
    ip link set dev link down
    await packets.went-on
    ip link set dev link up
    # The kernel has forgotten what provisioning had told it; so it is told again when an interface comes up.
    IFACE="link" /etc/network/if-up.d/probe-lab
    tell packets.over
    await finished
}

check() { check_outage a/packets; }
