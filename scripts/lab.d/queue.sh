# shellcheck shell=bash disable=SC2034,SC2154
# A delay in the sender's own queueing discipline is time between scheduler and driver, and none on the way.

on_a() {
    tc qdisc replace dev link root netem delay 10ms limit 10000
    probe run --interface link --peer "$peer" --rate 100 --count 300 --log log.csv --output json >packets.json
    tell finished
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
    # From driver to kernel and back: what the queue adds is not in it.
    expect_within "round trip less the peer's time, best, ns" "$(summary a/packets.json rtt.min_ns)" 0 5000000
}
