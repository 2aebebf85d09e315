# shellcheck shell=bash disable=SC2034,SC2154
# A bridge delays one direction by 10 ms and the other by 2 ms, then the other way round: the report tells which.

machines="a bridge b"
limit=120

readonly runs="both-1 forward-10 forward-2"

on_a() {
    local run
    synchronise
    for run in $runs; do
        tell "$run.wanted"
        await "$run.set"
        probe run --interface link --peer "$peer" --rate 20 --count 100 --quiet --log "$run.csv" --output json >"$run.json"
    done
    tell finished
}

on_b() {
    synchronise
    in_background probe reflect --interface link --quiet --output json >reflect.json
    await finished
    chronyc tracking >tracking-after.txt
}

# Packets leave through the bridge's port towards their target: right is forward, left is reverse.
on_bridge() {
    for run in $runs; do
        await "$run.wanted"
        case $run in
        both-1) delay 1ms 1ms ;;
        forward-10) delay 10ms 2ms ;;
        forward-2) delay 2ms 10ms ;;
        esac
        tell "$run.set"
    done
    await finished
    tc -s qdisc show >qdisc.txt
}

delay() {
    tc qdisc replace dev right root netem delay "$1" limit 10000
    tc qdisc replace dev left root netem delay "$2" limit 10000
}

# The way through three emulated machines takes time, and a late one takes more: netem's timers are late by some tenths of a
# millisecond. The run with 1 ms each way has all of that, so the sums are held against its sum. A busy host makes most
# packets late, but not the best ones: medians are checked where that run shows that the host is not.
check() {
    local run way kind wanted reference late=0
    expect_within "chrony's offset between the clocks at the end, ns" \
        "$(awk '/^Last offset/ { printf "%d", $4 * 1e9 }' b/tracking-after.txt)" -1000000 1000000
    for way in forward reverse; do
        ((late += $(delay_of both-1 $way p50) - $(delay_of both-1 $way min)))
    done
    for kind in min p50; do
        if [[ $kind == p50 ]] && ((late > 500000)); then
            told "medians are not checked: this host is busy, they are $late ns above the minima"
            continue
        fi
        reference=$(sum_of both-1 $kind)
        for run in forward-10 forward-2; do
            for way in forward reverse; do
                wanted=2000000
                [[ $run-$way != forward-10-forward && $run-$way != forward-2-reverse ]] || wanted=10000000
                expect_within "$run: $way, $kind, ns" "$(delay_of $run $way $kind)" \
                    $((wanted - 1000000)) $((wanted + 1000000))
            done
            expect_within "$run: sum, $kind, ns" $(($(sum_of $run $kind) - reference + 2000000)) 11700000 12300000
        done
    done
}

delay_of() { summary "a/$1.json" "$2.delay.$3_ns"; }
sum_of() { echo $(($(delay_of "$1" forward "$2") + $(delay_of "$1" reverse "$2"))); }
