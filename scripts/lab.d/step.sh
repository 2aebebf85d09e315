# shellcheck shell=bash disable=SC2034,SC2154
# In mid-run the peer's clock is set a second forward, then the own one two seconds back: no figure mixes the delays.

on_a() {
    probe run --interface link --peer "$peer" --rate 50 --count 750 --log packets.csv --histogram histogram.csv \
        --output json >packets.json 2>messages.txt &
    local job=$!
    until_true 30 "replies to come" has_answers packets 200
    tell running
    await stepped
    until_true 30 "replies after the first step" has_answers packets 450
    phc_ctl CLOCK_REALTIME -- adj -2 >step.txt
    wait "$job"
    tell finished
}

on_b() {
    probe reflect --interface link --quiet --output json --log packets.csv >reflect.json 2>messages.txt &
    local job=$!
    await running
    phc_ctl CLOCK_REALTIME adj 1 >step.txt
    tell stepped
    await finished
    kill -TERM "$job"
    wait "$job"
}

check() {
    local way epoch
    expect "steps of the peer's clock by a second" "$(grep -c 'adjusted clock by 1.000000' b/step.txt)" 1
    expect "steps of the own clock by two seconds back" "$(grep -c 'adjusted clock by -2.000000' a/step.txt)" 1
    expect "steps that the report names" "$(step_values packets.json clock)" "peer own"
    # What the packets show of the peer's is as good as the round trip, and an emulated machine's is long.
    expect_within "the first, ns" "$(step_values packets.json by_ns | cut -d' ' -f1)" 900000000 1100000000
    expect_within "the second, ns" "$(step_values packets.json by_ns | cut -d' ' -f2)" -2001000000 -1999000000
    expect "messages of them on A" "$(grep -c 'clock was set' a/messages.txt)" 2
    expect "messages of its own on B" "$(grep -c 'This host.s clock was set forward by 1.000 s' b/messages.txt)" 1
    expect "steps that the reflector names" "$(step_values reflect.json clock b)" own

    for way in forward reverse; do
        for epoch in 0 1 2; do
            expect_within "$way: delays of stretch $epoch" "$(of_stretch $way $epoch count)" 50 700
            # A busy host stops a machine for half a second, now and then, so the largest one tells nothing.
            expect_within "$way: median less least delay of stretch $epoch, ns" \
                $(($(of_stretch $way $epoch p50_ns) - $(of_stretch $way $epoch min_ns))) 0 50000000
        done
        expect_within "$way: packets without a delay" "$(summary a/packets.json $way.crossing)" 1 20
    done
    expect_within "forward: median after the first step less the one before, ns" \
        "$(moved_by forward 0 1)" 900000000 1100000000
    expect_within "forward: median after the second less the one before, ns" "$(moved_by forward 1 2)" 1900000000 2100000000
    expect_within "reverse: median after the first step less the one before, ns" \
        "$(moved_by reverse 0 1)" -1100000000 -900000000
    expect_within "reverse: median after the second less the one before, ns" "$(moved_by reverse 1 2)" -2100000000 -1900000000
    expect_within "round trip, least, ns" "$(summary a/packets.json rtt.min_ns)" 0 10000000
    expect_within "round trip, 90 of 100, ns" "$(summary a/packets.json rtt.p90_ns)" 0 100000000
    for machine in a b; do
        expect "$machine: rows of no stretch that have a delay" \
            "$(rows $machine/packets.csv 'c["clock_epoch"] == "" && c["delay_ns"] != ""')" 0
        # What belongs to another stretch is too small in one of the two directions.
        expect "$machine: seconds that the least delay of each stretch is off" "$(seconds_of_stretches $machine min)" \
            "probe 0:0 1:1 2:3 reply 0:0 1:-1 2:-3"
        expect "$machine: seconds that the last and the first three of each stretch are off" \
            "$(seconds_of_stretches $machine ends)" "probe 0:0 1:1 2:3 reply 0:0 1:-1 2:-3"
    done
    expect "histograms of delays" "$(cut -d, -f2 a/histogram.csv | grep -x 'delay.*' | sort -u | xargs)" "delay delay#1 delay#2"
    told "the report on the clocks: $(summary a/packets.json clock_note)"
}

# step_values FILE KEY [MACHINE]: of all steps that the summary lists.
step_values() {
    tail -n 1 "${3-a}/$1" | python3 -c '
import json, sys
print(*[step[sys.argv[1]] for step in json.load(sys.stdin).get("clock_steps", [])])' "$2"
}

# of_stretch WAY EPOCH KEY: a figure of one stretch's delays.
of_stretch() {
    tail -n 1 a/packets.json | python3 -c '
import json, sys
way, epoch, key = sys.argv[1:]
for stretch in json.load(sys.stdin)[way].get("delays", []):
    if stretch["clock_epoch"] == int(epoch):
        print(stretch["delay"][key])' "$@"
}

moved_by() { echo $(($(of_stretch "$1" "$3" p50_ns) - $(of_stretch "$1" "$2" p50_ns))); }

# seconds_of_stretches MACHINE min|ends: the whole seconds by which delays of each stretch differ from the least of the first.
seconds_of_stretches() {
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
