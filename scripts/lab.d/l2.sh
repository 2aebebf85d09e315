# shellcheck shell=bash disable=SC2034,SC2154
# PTP-shaped frames without IP, on igbs: the card stamps the first that it receives and no more; with its latch freed, all.

readonly probes=100
kernel_arguments=iomem=relaxed

prepare() {
    [[ $nic == igb ]] || die "only igb stamps PTP-shaped frames: --nic igb"
    give_c rx-latch
}

on_a() {
    await reflecting
    measure held
    tell measured
    watch_latch
    together watching
    measure freed
    tell finished
}

on_b() {
    in_background probe reflect --interface link --transport l2 --frame ptp --stamps hardware --quiet --output json \
        >reflect.json
    # A packet socket for all ethertypes, as the kernel names them.
    until_true 30 "the reflector to be up" grep -q ' 0003 ' /proc/net/packet
    tell reflecting
    await measured
    watch_latch
    together watching
    await finished
}

# Two hundredths of a second apart: whatever frees the latch has time to.
measure() {
    probe run --interface link --transport l2 --frame ptp --stamps hardware --peer "$peer_mac" --rate 50 --count "$probes" \
        --log "$1.csv" --output json >"$1.json"
}

check() {
    local run
    for run in held freed; do
        expect "$run: probes and replies that came" "$(rows a/$run.csv 'c["status"] == "ok"')" $((2 * probes))
        expect "$run: without the card's stamp of their departure, or a reason" \
            "$(rows a/$run.csv '!c["tx_hw_ns"] && !c["tx_missing"]')" 0
        expect "$run: without the card's stamp of their arrival, or a reason" \
            "$(rows a/$run.csv '!c["rx_hw_ns"] && !c["rx_missing"]')" 0
    done
    # The first frame of all, one of those that open the session, has it.
    expect_within "held: with the card's stamp of their arrival" "$(rows a/held.csv 'c["rx_hw_ns"]')" 0 2
    expect "held: a sentence about it" "$(summary a/held.json stamp_notes | grep -c "[0-9]* of [0-9]* received packets")" 1
    expect "held: delays, which take two stamps of cards" "$(rows a/held.csv 'c["delay_ns"]')" \
        "$(rows a/held.csv 'c["rx_hw_ns"]')"
    expect "freed: without the card's stamp of their arrival, though none was close before" \
        "$(($(unstamped probe) + $(unstamped reply)))" 0
    expect_within "freed: delays from card to card" "$(rows a/freed.csv 'c["delay_clock"] == "hardware"')" \
        $((probes * 19 / 10)) $((probes * 2))
    expect "freed: delays by other clocks" "$(rows a/freed.csv 'c["delay_ns"] && c["delay_clock"] != "hardware"')" 0
    expect_within "freed: round trip from card to card, least, ns" "$(summary a/freed.json rtt.min_ns)" 1 5000000
    expect_within "freed: from card to kernel, least, ns" "$(summary a/freed.json forward.card_to_software.min_ns)" 1 5000000
}

# unstamped PACKET: how many arrived more than 10 ms after the one before, and have no stamp of the card's.
unstamped() {
    awk -F, -v packet="$1" 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
        $c["packet"] == packet { print $c["rx_sw_ns"], $c["rx_hw_ns"] }' a/freed.csv | sort -n |
        awk 'NR > 1 && $2 == "" && $1 - last > 1e7 { n++ } { last = $1 } END { print n + 0 }'
}
