# shellcheck shell=bash disable=SC2034,SC2154
# The peer's probe is killed and started again: the run continues with the new one.

on_a() {
    measure_across "restart" packets
    announce finished
}

on_b() {
    probe reflect --interface link --quiet --output json >reflect-1.json &
    await packets.running
    kill -KILL $!
    await packets.lossy
    in_background probe reflect --interface link --quiet --output json >reflect-2.json
    announce packets.over
    await finished
}

check() { check_outage a/packets; }
