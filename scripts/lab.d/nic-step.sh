# shellcheck shell=bash disable=SC2034,SC2154
# In mid-run an igb's PHC steps five seconds forward: the step is reported, and no converted timestamp is off by it.

kernel_arguments=iomem=relaxed

prepare() {
    [[ $nic == igb ]] || die "this scenario needs a PHC and hardware timestamps: use --nic igb"
    give_c rx-latch
}

on_a() {
    watch_latch
    await reflecting
    probe run --interface link --transport l2 --frame ptp --stamps hardware --peer "$peer_mac" --rate 50 --count 300 \
        --log packets.csv --output json >packets.json 2>messages.txt &
    local job=$!
    until_true 30 "replies to come" has_replies packets 100
    phc_ctl link -- adj 5 >step.txt
    wait "$job"
    announce finished
}

on_b() {
    watch_latch
    in_background probe reflect --interface link --transport l2 --frame ptp --stamps hardware --quiet --output json \
        >reflect.json
    until_true 30 "the reflector to be up" grep -q ' 0003 ' /proc/net/packet
    announce reflecting
    await finished
}

check() {
    local way
    expect "steps of the PHC" "$(grep -c 'adjusted clock by 5.000000' a/step.txt)" 1
    expect "messages about it" "$(grep -c "The PHC's offset from the system clock changed by" a/messages.txt)" 1
    for way in forward reverse; do
        expect_within "$way: delays from NIC to NIC" "$(summary a/packets.json $way.delay.count)" 250 300
        expect_within "$way: maximum less minimum delay, ns" \
            $(($(summary a/packets.json $way.delay.max_ns) - $(summary a/packets.json $way.delay.min_ns))) 0 200000000
        expect_within "$way: from driver to NIC, max, ns" \
            "$(summary a/packets.json $way.driver_to_card.max_ns)" 0 200000000
    done
    expect_within "rows whose hardware timestamp could not be converted meanwhile" \
        "$(rows a/packets.csv 'c["tx_hw_ns"] && !c["tx_hw_realtime_ns"] || c["rx_hw_ns"] && !c["rx_hw_realtime_ns"]')" 1 40
    expect "rows outside of the first clock epoch" "$(rows a/packets.csv 'c["clock_epoch"] != "0"')" 0
}
