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
    # A packet socket of the frames' own ethertype.
    until_true 30 "the reflector to be up" grep -q ' 88f7 ' /proc/net/packet
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
    # The first frame of all is one of those that open the session.
    expect_within "held: with the card's stamp of their arrival" "$(rows a/held.csv 'c["rx_hw_ns"]')" 0 2
    expect "freed: with the card's stamp of their arrival" "$(rows a/freed.csv 'c["rx_hw_ns"]')" $((2 * probes))
}
