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
            expect_within "$way: delays of stretch $epoch" "$(of_stretch $way $epoch count)" 150 450
            # Far less than a step, however busy the host is.
            expect_within "$way: largest less least delay of stretch $epoch, ns" \
                $(($(of_stretch $way $epoch max_ns) - $(of_stretch $way $epoch min_ns))) 0 400000000
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
    expect_within "round trip, largest, ns: no step in it" "$(summary a/packets.json rtt.max_ns)" 0 800000000
    expect_within "IPDV forward, largest, ns: no step in it" "$(summary a/packets.json forward.ipdv.max_ns)" 0 400000000
    for machine in a b; do
        expect "$machine: rows of no stretch that have a delay" \
            "$(rows $machine/packets.csv 'c["clock_epoch"] == "" && c["delay_ns"] != ""')" 0
        expect "$machine: rows of which stretch, by the delays' seconds" "$(seconds_of_stretches $machine)" \
            "probe 0:0 1:1 2:3 reply 0:0 1:-1 2:-3"
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

# The whole seconds that the delays of each stretch are apart from the first ones: one for each, where nothing is mixed.
seconds_of_stretches() {
    python3 -c '
import csv, sys
found = {}
for row in csv.DictReader(open(sys.argv[1])):
    if row["delay_ns"] and row["status"] in ("ok", "reordered"):
        found.setdefault(row["packet"], {}).setdefault(row["clock_epoch"], []).append(int(row["delay_ns"]))
words = []
for packet in sorted(found):
    words.append(packet)
    base = min(found[packet]["0"])
    for epoch in sorted(found[packet]):
        seconds = {round((delay - base) / 1e9) for delay in found[packet][epoch]}
        words.append(epoch + ":" + "/".join(map(str, sorted(seconds))))
print(*words)' "$1/packets.csv"
}
