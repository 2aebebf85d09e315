# shellcheck shell=bash disable=SC2034,SC2154
# The peer's clock is set a second ahead in mid-run: what the report says of that is recorded.

on_a() {
    probe run --interface link --peer "$peer" --rate 50 --count 500 --log packets.csv --output json >packets.json &
    local job=$!
    until_true 30 "replies to come" has_answers packets 200
    tell running
    wait "$job"
    tell finished
}

on_b() {
    in_background probe reflect --interface link --quiet --output json >reflect.json
    await running
    phc_ctl CLOCK_REALTIME adj 1 >step.txt
    await finished
}

check() {
    local way
    expect "steps of the clock by a second" "$(grep -c 'adjusted clock by 1.000000' b/step.txt)" 1
    expect_within "later of the probes' delays less the earlier ones, ns" "$(stepped_by probe)" 900000000 1100000000
    expect_within "later of the replies' delays less the earlier ones, ns" "$(stepped_by reply)" -1100000000 -900000000
    for way in forward reverse; do
        told "$way: delays from $(summary a/packets.json $way.delay.min_ns) to $(summary a/packets.json $way.delay.max_ns) ns," \
            "median $(summary a/packets.json $way.delay.p50_ns)"
    done
    told "the report on the clocks: $(summary a/packets.json clock_note)"
    expect_within "round trip, best, ns: no matter of clocks" "$(summary a/packets.json rtt.min_ns)" 0 5000000
}

# The last delay of the run less the first: what the packets themselves say of the step.
stepped_by() {
    sort -t, -k3,3n a/packets.csv | awk -F, -v packet="$1" '
        $2 == packet && $15 != "" { if (!seen++) first = $15; last = $15 }
        END { printf "%d", last - first }'
}
