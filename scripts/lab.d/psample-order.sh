# shellcheck shell=bash disable=SC2034,SC2154
# Samples out of order: from a sampler elsewhere that passes for the interface's, and from a clock step in mid-run.

limit=120

on_a() {
    # A sample has the lower 16 bits of its interface's index, so samples of `late` pass for samples of `link`. Packets
    # reach `late` only after link's driver.
    local number
    number=$((65536 + $(</sys/class/net/link/ifindex)))
    modprobe -a psample act_sample act_mirred sch_netem
    ip link add name late index "$number" type dummy
    ip link add name detour type veth peer name return
    ip link set late up
    ip link set detour up
    ip link set return up
    tc qdisc add dev detour root netem delay 5ms limit 10000
    tc qdisc add dev link clsact
    tc filter add dev link egress matchall action mirred egress mirror dev detour
    tc qdisc add dev return clsact
    tc filter add dev return ingress matchall action mirred egress mirror dev late
    tc qdisc add dev late clsact
    tc filter add dev late egress matchall action sample rate 1 group 5
    probe run --interface link --peer "$peer" --rate 50 --count 100 --psample 5 --log late.csv >late.txt 2>late-messages.txt
    probe run --interface link --peer "$peer" --rate 50 --count 100 --psample 5 --quiet --output json >late.json
    tc qdisc del dev link clsact

    # Packets in this queue when the clock steps back were sampled before, and reach the driver after.
    /vagrant/scripts/psample-setup --interface link
    tc qdisc replace dev link root netem delay 40ms limit 10000
    probe run --interface link --peer "$peer" --rate 50 --count 500 --psample 5 --log step.csv --output json >step.json \
        2>step-messages.txt &
    local job=$!
    until_true 30 "replies" has_replies step 50
    phc_ctl CLOCK_REALTIME -- adj -1 >step.txt
    wait "$job"
    announce finished
}

on_b() {
    in_background probe reflect --interface link --quiet --output json >reflect.json
    await finished
}

check() {
    expect_within "late: packets sampled" "$(of late egress.sampled)" 95 100
    expect "late: packets out of order" "$(of late egress.violated)" "$(of late egress.sampled)"
    expect "late: the order that is violated" "$(violation late first) after $(violation late second)" "sample after driver"
    expect_within "late: by how much, ns" $(($(violation late first_ns) - $(violation late second_ns))) 4000000 200000000
    expect_within "late: rows out of order" "$(rows a/late.csv 'c["sample_order"] == "violated"')" 95 100
    expect "late: messages" "$(grep -cE 'A clock or a timestamp is wrong: outgoing probe [0-9]+ was passed to the driver at' a/late-messages.txt)" 3
    expect_within "late: lines in the text summary" "$(grep -cE '^    outgoing probe [0-9]+ was passed to the driver at' a/late.txt)" 8 8

    expect "step: steps of the clock" "$(grep -c 'adjusted clock by -1.000000' a/step.txt)" 1
    expect_within "step: samples whose order the step explains" "$(of step egress.clock_set)" 1 40
    expect "step: rows which say so" "$(rows a/step.csv 'c["sample_order"] == "clock-set"')" "$(of step egress.clock_set)"
    expect "step: violations" "$(of step egress.violated) $(of step ingress.violated)" "0 0"
    expect_within "step: packets in order" "$(of step egress.in_order)" 460 499
    expect_within "step: from sampler to driver, min, ns" "$(of step sample_to_driver.min_ns)" 35000000 60000000
}

of() { summary "a/$1.json" "samples.$2"; }

# violation RUN KEY: a value of the first violation.
violation() {
    tail -n 1 "a/$1.json" | python3 -c '
import json, sys
print(json.load(sys.stdin)["samples"]["violations"][0][sys.argv[1]])' "$2"
}
