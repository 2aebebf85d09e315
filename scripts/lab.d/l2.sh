# shellcheck shell=bash disable=SC2034,SC2154
# PTP-shaped frames without IP, on igbs: a NIC timestamps only the first received frame; with its latch freed, all.

readonly probes=100
kernel_arguments=iomem=relaxed

prepare() {
    [[ $nic == igb ]] || die "only igb timestamps PTP-shaped frames: use --nic igb"
    give_c rx-latch
}

on_a() {
    await reflecting
    measure held
    announce measured
    watch_latch
    together watching
    measure freed
    announce finished
}

on_b() {
    in_background probe reflect --interface link --transport l2 --frame ptp --stamps hardware --quiet --output json \
        >reflect.json
    # A packet socket for all ethertypes, as /proc shows it.
    until_true 30 "the reflector to be up" grep -q ' 0003 ' /proc/net/packet
    announce reflecting
    await measured
    watch_latch
    together watching
    await finished
}

# The rate leaves time between two frames to free the latch.
measure() {
    probe run --interface link --transport l2 --frame ptp --stamps hardware --peer "$peer_mac" --rate 50 --count "$probes" \
        --log "$1.csv" --output json >"$1.json"
}

check() {
    local run
    for run in held freed; do
        expect "$run: probes and replies received" "$(rows a/$run.csv 'c["status"] == "ok"')" $((2 * probes))
        expect "$run: without a hardware transmit timestamp, or a reason" \
            "$(rows a/$run.csv '!c["tx_hw_ns"] && !c["tx_missing"]')" 0
        expect "$run: without a hardware receive timestamp, or a reason" \
            "$(rows a/$run.csv '!c["rx_hw_ns"] && !c["rx_missing"]')" 0
    done
    # The very first frame, which opens the session, has one.
    expect_within "held: with a hardware receive timestamp" "$(rows a/held.csv 'c["rx_hw_ns"]')" 0 2
    expect "held: sentences about it" "$(summary a/held.json stamp_notes | grep -c "[0-9]* of [0-9]* received packets")" 1
    expect "held: delays, which need the timestamps of both NICs" "$(rows a/held.csv 'c["delay_ns"]')" \
        "$(rows a/held.csv 'c["rx_hw_ns"]')"
    expect "freed: without a hardware receive timestamp, although the previous frame was not close" \
        "$(($(count_missing probe) + $(count_missing reply)))" 0
    expect_within "freed: delays from NIC to NIC" "$(rows a/freed.csv 'c["delay_clock"] == "hardware"')" \
        $((probes * 19 / 10)) $((probes * 2))
    expect "freed: delays by other clocks" "$(rows a/freed.csv 'c["delay_ns"] && c["delay_clock"] != "hardware"')" 0
    expect_within "freed: round trip from NIC to NIC, min, ns" "$(summary a/freed.json rtt.min_ns)" 1 5000000
    expect_within "freed: from NIC to kernel, min, ns" "$(summary a/freed.json forward.card_to_software.min_ns)" 1 5000000
}

# count_missing PACKET: the number that arrived more than 10 ms after the previous one and have no hardware timestamp.
count_missing() {
    awk -F, -v packet="$1" 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
        $c["packet"] == packet { print $c["rx_sw_ns"], $c["rx_hw_ns"] }' a/freed.csv | sort -n |
        awk 'NR > 1 && $2 == "" && $1 - last > 1e7 { n++ } { last = $1 } END { print n + 0 }'
}
