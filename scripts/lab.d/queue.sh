# shellcheck shell=bash disable=SC2034,SC2154
# A delay in the sender's queueing discipline counts as time between scheduler and driver, not as one-way delay.

on_a() {
    tc qdisc replace dev link root netem delay 10ms limit 10000
    probe run --interface link --peer "$peer" --rate 100 --count 300 --log log.csv --output json >packets.json
    announce finished
}

on_b() {
    in_background probe reflect --interface link --quiet --output json >reflect.json
    await finished
}

check() {
    expect_within "median from scheduler to driver, probes, ns" \
        "$(summary a/packets.json forward.sched_to_driver.p50_ns)" 10000000 11000000
    expect_within "median from scheduler to driver, replies, ns" \
        "$(summary a/packets.json reverse.sched_to_driver.p50_ns)" 0 1000000
    # From driver to kernel and back, so without the queue's delay.
    expect_within "round trip without the peer's residence, min, ns" "$(summary a/packets.json rtt.min_ns)" 0 5000000
}
