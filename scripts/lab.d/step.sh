# shellcheck shell=bash disable=SC2034,SC2154
# In mid-run the peer's clock steps a second forward, then the local one two seconds back: no figure mixes clock epochs.

on_a() {
    probe run --interface link --peer "$peer" --rate 50 --count 750 --log packets.csv --histogram histogram.csv \
        --output json >packets.json 2>messages.txt &
    local job=$!
    until_true 30 "replies to come" has_replies packets 200
    announce running
    await stepped
    until_true 30 "replies after the first step" has_replies packets 450
    phc_ctl CLOCK_REALTIME -- adj -2 >step.txt
    wait "$job"
    announce finished
}

on_b() {
    probe reflect --interface link --quiet --output json --log packets.csv >reflect.json 2>messages.txt &
    local job=$!
    await running
    phc_ctl CLOCK_REALTIME adj 1 >step.txt
    announce stepped
    await finished
    kill -TERM "$job"
    wait "$job"
}

check() {
    local way epoch
    expect "steps of the peer's clock by a second" "$(grep -c 'adjusted clock by 1.000000' b/step.txt)" 1
    expect "steps of the local clock by two seconds back" "$(grep -c 'adjusted clock by -2.000000' a/step.txt)" 1
    expect "steps in the report" "$(step_values packets.json clock)" "peer own"
    # Packets show the peer's step to within the round trip, which is long between emulated machines.
    expect_within "the first, ns" "$(step_values packets.json by_ns | cut -d' ' -f1)" 900000000 1100000000
    expect_within "the second, ns" "$(step_values packets.json by_ns | cut -d' ' -f2)" -2001000000 -1999000000
    expect "messages about them on A" "$(grep -c 'clock was set' a/messages.txt)" 2
    expect "messages on B about its clock" "$(grep -c 'This host.s clock was set forward by 1.000 s' b/messages.txt)" 1
    expect "steps in the reflector's report" "$(step_values reflect.json clock b)" own

    for way in forward reverse; do
        for epoch in 0 1 2; do
            expect_within "$way: delays of clock epoch $epoch" "$(of_epoch $way $epoch count)" 50 700
            # A busy host sometimes stops a machine for half a second, so the maximum says nothing.
            expect_within "$way: median less minimum delay of clock epoch $epoch, ns" \
                $(($(of_epoch $way $epoch p50_ns) - $(of_epoch $way $epoch min_ns))) 0 50000000
        done
        expect_within "$way: packets without a delay" "$(summary a/packets.json $way.crossing)" 1 20
    done
    expect_within "forward: median after the first step less the one before, ns" \
        "$(moved_by forward 0 1)" 900000000 1100000000
    expect_within "forward: median after the second less the one before, ns" "$(moved_by forward 1 2)" 1900000000 2100000000
    expect_within "reverse: median after the first step less the one before, ns" \
        "$(moved_by reverse 0 1)" -1100000000 -900000000
    expect_within "reverse: median after the second less the one before, ns" "$(moved_by reverse 1 2)" -2100000000 -1900000000
    expect_within "round trip, min, ns" "$(summary a/packets.json rtt.min_ns)" 0 10000000
    expect_within "round trip, p90, ns" "$(summary a/packets.json rtt.p90_ns)" 0 100000000
    for machine in a b; do
        expect "$machine: rows without a clock epoch that have a delay" \
            "$(rows $machine/packets.csv 'c["clock_epoch"] == "" && c["delay_ns"] != ""')" 0
        # A delay of another clock epoch is too small in one of the two directions.
        expect "$machine: seconds by which the minimum delay of each clock epoch is off" "$(seconds_of_epochs $machine min)" \
            "probe 0:0 1:1 2:3 reply 0:0 1:-1 2:-3"
        expect "$machine: seconds by which the first and last three delays of each clock epoch are off" \
            "$(seconds_of_epochs $machine ends)" "probe 0:0 1:1 2:3 reply 0:0 1:-1 2:-3"
    done
    expect "histograms of delays" "$(cut -d, -f2 a/histogram.csv | grep -x 'delay.*' | sort -u | xargs)" "delay delay#1 delay#2"
    report "clock note: $(summary a/packets.json clock_note)"
}

# step_values FILE KEY [MACHINE]: the values of all steps in the summary.
step_values() {
    tail -n 1 "${3-a}/$1" | python3 -c '
import json, sys
print(*[step[sys.argv[1]] for step in json.load(sys.stdin).get("clock_steps", [])])' "$2"
}

# of_epoch WAY EPOCH KEY: a figure of one clock epoch's delays.
of_epoch() {
    tail -n 1 a/packets.json | python3 -c '
import json, sys
way, epoch, key = sys.argv[1:]
for delays in json.load(sys.stdin)[way].get("delays", []):
    if delays["clock_epoch"] == int(epoch):
        print(delays["delay"][key])' "$@"
}

moved_by() { echo $(($(of_epoch "$1" "$3" p50_ns) - $(of_epoch "$1" "$2" p50_ns))); }

# seconds_of_epochs MACHINE min|ends: the whole seconds by which delays of each clock epoch differ from the minimum of
# the first.
seconds_of_epochs() {
    python3 -c '
import csv, sys
found = {}
for row in csv.DictReader(open(sys.argv[1])):
    if row["delay_ns"] and row["status"] in ("ok", "reordered"):
        rows = found.setdefault(row["packet"], {}).setdefault(row["clock_epoch"], [])
        rows.append((int(row["seq"]), int(row["delay_ns"])))
words = []
for packet in sorted(found):
    words.append(packet)
    base = min(delay for _, delay in found[packet]["0"])
    for epoch in sorted(found[packet]):
        delays = [delay for _, delay in sorted(found[packet][epoch])]
        chosen = [min(delays)] if sys.argv[2] == "min" else delays[:3] + delays[-3:]
        seconds = {round((delay - base) / 1e9) for delay in chosen}
        words.append(epoch + ":" + "/".join(map(str, sorted(seconds))))
print(*words)' "$1/packets.csv" "$2"
}
