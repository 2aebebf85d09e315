# shellcheck shell=bash disable=SC2034,SC2154
# The peer's link goes down and up: packets of that time are lost, those before and after are not.

on_a() {
    measure_across outage packets
    announce finished
}

on_b() {
    in_background probe reflect --interface link --quiet --output json >reflect.json
    await packets.running
    ip link set dev link down
    await packets.lossy
    ip link set dev link up
    # The kernel dropped the addresses and neighbours that provisioning had added, so its hook adds them again, as
    # ifupdown would.
    IFACE="link" /etc/network/if-up.d/probe-lab
    announce packets.over
    await finished
}

check() { check_outage a/packets; }
