# shellcheck shell=bash disable=SC2034,SC2154
# Two probes measure each other: every packet has its software stamps, and the card's, or the reason why not.

readonly probes=500

on_a() { measure; }
on_b() { measure; }

measure() {
    probe run --interface link --peer "$peer" --rate 100 --count "$probes" --log log.csv --histogram histogram.csv \
        --output json >packets.json
    ethtool -S link >counters.txt || true # virtio has no such counters
}

check() {
    local side sent skipped rows
    for side in a b; do
        sent=$(summary "$side"/packets.json stamps.sent)
        # A busy host stops a machine for longer than the time between two probes, now and then.
        skipped=$(summary "$side"/packets.json counters.skipped_deadlines)
        expect "$side: probes sent, and $skipped skipped" \
            $(($(summary "$side"/packets.json forward.packets.sent) + skipped)) "$probes"
        rows=$((2 * (probes - skipped)))
        expect "$side: probes and replies that came" "$(rows "$side"/log.csv 'c["status"] == "ok"')" "$rows"
        expect "$side: the ledger closes" "$(summary "$side"/packets.json stamps.balanced)" true
        expect "$side: packets stamped by the scheduler" "$(summary "$side"/packets.json stamps.sched.stamped)" "$sent"
        expect "$side: packets stamped by the driver" "$(summary "$side"/packets.json stamps.software.stamped)" "$sent"
        check_card "$rows"
        expect "$side: rows with a software stamp of their arrival, and a delay" \
            "$(rows "$side"/log.csv 'c["rx_sw_ns"] && c["delay_ns"]')" "$rows"
        expect "$side: probes with all software stamps" \
            "$(rows "$side"/log.csv 'c["packet"] == "probe" && c["tx_sched_ns"] && c["tx_sw_ns"]')" $((rows / 2))
        expect "$side: replies with all software stamps" \
            "$(rows "$side"/log.csv 'c["packet"] == "reply" && c["tx_sched_ns"] && c["tx_sw_ns"]')" $((rows / 2))
        expect "$side: descriptions of the run" "$(grep -c '"session"' "$side"/log.csv.json)" 1
    done
}

# check_card ROWS: what the card did not stamp has its reason, in the ledger of probes and replies and on the rows.
check_card() {
    local sent stamped
    sent=$(($(summary "$side"/packets.json stamps.sent) + $(summary "$side"/packets.json reply_stamps.sent)))
    stamped=$(hardware stamped)
    expect "$side: the ledger of replies closes" "$(summary "$side"/packets.json reply_stamps.balanced)" true
    case $nic in
    virtio)
        expect "$side: packets that the card stamps" "$(($(hardware unsupported) - sent)), $stamped" "0, 0"
        expect "$side: rows with a hardware stamp, or a reason" \
            "$(rows "$side"/log.csv 'c["tx_hw_ns"] || c["rx_hw_ns"] || c["tx_missing"] || c["rx_missing"]')" 0
        return
        ;;
    igb)
        # Those of the closing probes may still be awaited when a run ends.
        expect "$side: packets stamped by the card, met while it was busy, or awaited at the end" \
            $((stamped + $(hardware in-flight) + $(hardware pending))) "$sent"
        expect_within "$side: those, as the card itself counts them" "$(counter tx_hwtstamp_skipped)" \
            "$(hardware in-flight)" $(($(hardware in-flight) + $(hardware pending)))
        check_share $((stamped * 1000 / sent))
        expect "$side: rows whose hardware stamp was converted" "$(rows "$side"/log.csv 'c["tx_hw_realtime_ns"]')" \
            "$(rows "$side"/log.csv 'c["tx_hw_ns"]')"
        expect_within "$side: from driver to card, at least, ns" \
            "$(summary "$side"/packets.json forward.driver_to_card.min_ns)" -5000 1000000
        expect_within "$side: its error at most, ns" "$(summary "$side"/packets.json forward.card_error_max_ns)" 1 500000
        expect "$side: rows that say that the card stamps PTP frames only" \
            "$(rows "$side"/log.csv 'c["rx_missing"] == "ptp-only"')" "$1"
        ;;
    e1000e)
        expect "$side: packets stamped by the card" "$stamped" 0
        expect "$side: packets whose stamp never came, or was awaited at the end" \
            $(($(hardware never) + $(hardware pending))) "$sent"
        expect "$side: rows that say so" \
            "$(rows "$side"/log.csv 'c["tx_missing"] == "never" && c["rx_missing"] == "never"')" "$1"
        ;;
    esac
    expect "$side: rows without a hardware stamp and a reason" \
        "$(rows "$side"/log.csv '!c["tx_hw_ns"] && !c["tx_missing"] || !c["rx_hw_ns"] && !c["rx_missing"]')" 0
    expect_within "$side: sentences about it" "$(summary "$side"/packets.json stamp_notes | tr -cd . | wc -c)" 2 9
}

# check_share THOUSANDTHS: probes and replies that leave a millisecond apart find the card busy. Two hosts that are not
# held up keep them apart; where packets leave late by more than that, they can't.
check_share() {
    local late
    late=$(summary "$side"/packets.json send_lateness.p50_ns)
    if ((late > 1500000)); then
        told "$side: packets stamped by the card: $1 of a thousand; NOT CHECKED, since this host is busy: half of the" \
            "probes left more than $late ns late"
    else
        expect_within "$side: packets stamped by the card, of a thousand" "$1" 950 1000
    fi
}

# hardware COLUMN: of the ledger, for probes and replies.
hardware() {
    echo $(($(summary "$side"/packets.json "stamps.hardware.$1") + $(summary "$side"/packets.json "reply_stamps.hardware.$1")))
}
counter() { sed -n "s/^ *$1: //p" "$side"/counters.txt; }
