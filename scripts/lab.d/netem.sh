# shellcheck shell=bash disable=SC2034,SC2154
# A bridge delays one direction by 10 ms and the other by 2 ms, then vice versa: the report shows each delay.

machines="a bridge b"
limit=120

readonly runs="both-1 forward-10 forward-2"

on_a() {
    local run
    synchronise
    for run in $runs; do
        announce "$run.wanted"
        await "$run.set"
        probe run --interface link --peer "$peer" --rate 50 --count 300 --quiet --log "$run.csv" --output json >"$run.json"
    done
    announce finished
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
        announce "$run.set"
    done
    await finished
    tc -s qdisc show >qdisc.txt
}

delay() {
    tc qdisc replace dev right root netem delay "$1" limit 10000
    tc qdisc replace dev left root netem delay "$2" limit 10000
}

# The path through three emulated machines takes at least half a millisecond, for most packets more. The run with 1 ms
# in each direction measures that time; the other runs exceed it by the bridge's delay. Medians of two runs also differ
# by the host's load, so their bounds are wider than the minima's, and on a busy host they are not checked.
check() {
    local way late=0
    expect_within "chrony's offset between the clocks at the end, ns" \
        "$(awk '/^Last offset/ { printf "%d", $4 * 1e9 }' b/tracking-after.txt)" -1000000 1000000
    check_delays min 300000
    for way in forward reverse; do
        ((late += $(delay_of both-1 $way p50) - $(delay_of both-1 $way min)))
    done
    if ((late > 2500000)); then
        report "medians: NOT CHECKED: this host is busy, their sum is $late ns above that of the minima"
    else
        check_delays p50 1000000
    fi
}

# check_delays FIGURE BOUND: each direction within a millisecond, and the sum, which no clock affects, within the bound.
check_delays() {
    local run way wanted
    for run in forward-10 forward-2; do
        for way in forward reverse; do
            wanted=$(wanted_of $run $way)
            expect_within "$run: $way, $1, ns" $(($(delay_of $run $way "$1") - $(delay_of both-1 $way "$1") + 1000000)) \
                $((wanted - 1000000)) $((wanted + 1000000))
        done
        expect_within "$run: sum, $1, ns" $(($(sum_of $run "$1") - $(sum_of both-1 "$1") + 2000000)) \
            $((12000000 - $2)) $((12000000 + $2))
    done
}

wanted_of() {
    case $1-$2 in
    forward-10-forward | forward-2-reverse) echo 10000000 ;;
    *) echo 2000000 ;;
    esac
}
delay_of() { summary "a/$1.json" "$2.delay.$3_ns"; }
sum_of() { echo $(($(delay_of "$1" forward "$2") + $(delay_of "$1" reverse "$2"))); }
