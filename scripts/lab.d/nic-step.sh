# shellcheck shell=bash disable=SC2034,SC2154
# A card's clock is set five seconds ahead in mid-run, on igbs: no stamp of it is off by that, and the step is told.

kernel_arguments=iomem=relaxed

prepare() {
    [[ $nic == igb ]] || die "only igb has a clock and stamps: --nic igb"
    give_c rx-latch
}

on_a() {
    watch_latch
    await reflecting
    probe run --interface link --transport l2 --frame ptp --stamps hardware --peer "$peer_mac" --rate 50 --count 300 \
        --log packets.csv --output json >packets.json 2>messages.txt &
    local job=$!
    until_true 30 "replies to come" has_answers packets 100
    phc_ctl link -- adj 5 >step.txt
    wait "$job"
    tell finished
}

on_b() {
    watch_latch
    in_background probe reflect --interface link --transport l2 --frame ptp --stamps hardware --quiet --output json \
        >reflect.json
    until_true 30 "the reflector to be up" grep -q ' 0003 ' /proc/net/packet
    tell reflecting
    await finished
}

check() {
    local way
    expect "steps of the card's clock" "$(grep -c 'adjusted clock by 5.000000' a/step.txt)" 1
    expect "messages of it" "$(grep -c "The card's clock and the system's were set against one another" a/messages.txt)" 1
    for way in forward reverse; do
        expect_within "$way: delays from card to card" "$(summary a/packets.json $way.delay.count)" 250 300
        expect_within "$way: the greatest delay less the least, ns" \
            $(($(summary a/packets.json $way.delay.max_ns) - $(summary a/packets.json $way.delay.min_ns))) 0 200000000
        expect_within "$way: from driver to card, at most, ns" \
            "$(summary a/packets.json $way.driver_to_card.max_ns)" 0 200000000
    done
    expect_within "rows whose card stamp could not be told in the host's time meanwhile" \
        "$(rows a/packets.csv 'c["tx_hw_ns"] && !c["tx_hw_realtime_ns"] || c["rx_hw_ns"] && !c["rx_hw_realtime_ns"]')" 1 40
    expect "steps of the hosts' clocks" "$(rows a/packets.csv 'c["clock_epoch"] != "0"')" 0
}
