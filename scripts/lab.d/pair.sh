# shellcheck shell=bash disable=SC2034,SC2154
# Two probes measure each other: every packet has its software timestamps, and hardware timestamps or a reason.

readonly probes=500

on_a() { measure; }
on_b() { measure; }

measure() {
    probe run --interface link --peer "$peer" --rate 100 --count "$probes" --log log.csv --histogram histogram.csv \
        --output json >packets.json
    ethtool -S link >counters.txt || true # a virtio NIC has no counters
}

check() {
    local side sent skipped rows
    for side in a b; do
        sent=$(summary "$side"/packets.json stamps.sent)
        # A busy host sometimes stops a machine for longer than the interval between two probes.
        skipped=$(summary "$side"/packets.json counters.skipped_deadlines)
        expect "$side: probes sent, and $skipped skipped" \
            $(($(summary "$side"/packets.json forward.packets.sent) + skipped)) "$probes"
        rows=$((2 * (probes - skipped)))
        expect "$side: probes and replies received" "$(rows "$side"/log.csv 'c["status"] == "ok"')" "$rows"
        expect "$side: the ledger is balanced" "$(summary "$side"/packets.json stamps.balanced)" true
        expect "$side: packets with a SCHED timestamp" "$(summary "$side"/packets.json stamps.sched.stamped)" "$sent"
        expect "$side: packets with a driver timestamp" "$(summary "$side"/packets.json stamps.software.stamped)" "$sent"
        check_hardware "$rows"
        expect "$side: rows with a kernel receive timestamp and a delay" \
            "$(rows "$side"/log.csv 'c["rx_sw_ns"] && c["delay_ns"]')" "$rows"
        expect "$side: probes with both software transmit timestamps" \
            "$(rows "$side"/log.csv 'c["packet"] == "probe" && c["tx_sched_ns"] && c["tx_sw_ns"]')" $((rows / 2))
        expect "$side: replies with both software transmit timestamps" \
            "$(rows "$side"/log.csv 'c["packet"] == "reply" && c["tx_sched_ns"] && c["tx_sw_ns"]')" $((rows / 2))
        expect "$side: descriptions of the run" "$(grep -c '^  "session"' "$side"/log.csv.json)" 1
    done
}

# check_hardware ROWS: every missing hardware timestamp has a reason, in the ledgers of probes and replies and in the
# rows.
check_hardware() {
    local sent stamped
    sent=$(($(summary "$side"/packets.json stamps.sent) + $(summary "$side"/packets.json reply_stamps.sent)))
    stamped=$(hardware stamped)
    expect "$side: the ledger of replies is balanced" "$(summary "$side"/packets.json reply_stamps.balanced)" true
    case $nic in
    virtio)
        expect "$side: packets whose hardware timestamps are supported, and those with one" "$(($(hardware unsupported) - sent)), $stamped" "0, 0"
        expect "$side: rows with a hardware timestamp, or a reason" \
            "$(rows "$side"/log.csv 'c["tx_hw_ns"] || c["rx_hw_ns"] || c["tx_missing"] || c["rx_missing"]')" 0
        return
        ;;
    igb)
        # The closing probes' timestamps may be pending when a run ends.
        expect "$side: packets with a hardware timestamp, met by a busy NIC, or pending at the end" \
            $((stamped + $(hardware in-flight) + $(hardware pending))) "$sent"
        expect_within "$side: packets that met a busy NIC, by its driver's counter" "$(counter tx_hwtstamp_skipped)" \
            "$(hardware in-flight)" $(($(hardware in-flight) + $(hardware pending)))
        check_share $((stamped * 1000 / sent))
        expect "$side: rows whose hardware timestamp was converted" "$(rows "$side"/log.csv 'c["tx_hw_realtime_ns"]')" \
            "$(rows "$side"/log.csv 'c["tx_hw_ns"]')"
        expect_within "$side: from driver to NIC, min, ns" \
            "$(summary "$side"/packets.json forward.driver_to_card.min_ns)" -5000 1000000
        expect_within "$side: its error, max, ns" "$(summary "$side"/packets.json forward.card_error_max_ns)" 1 500000
        expect "$side: rows which say that the NIC timestamps PTP frames only" \
            "$(rows "$side"/log.csv 'c["rx_missing"] == "ptp-only"')" "$1"
        ;;
    e1000e)
        expect "$side: packets with a hardware timestamp" "$stamped" 0
        expect "$side: packets whose hardware timestamp never arrived, or was pending at the end" \
            $(($(hardware never) + $(hardware pending))) "$sent"
        expect "$side: rows that say so" \
            "$(rows "$side"/log.csv 'c["tx_missing"] == "never" && c["rx_missing"] == "never"')" "$1"
        ;;
    esac
    expect "$side: rows with neither a hardware timestamp nor a reason" \
        "$(rows "$side"/log.csv '!c["tx_hw_ns"] && !c["tx_missing"] || !c["rx_hw_ns"] && !c["rx_missing"]')" 0
    expect_within "$side: sentences about it" "$(summary "$side"/packets.json stamp_notes | tr -cd . | wc -c)" 2 9
}

# check_share THOUSANDTHS: a probe and a reply that leave within a millisecond find the NIC busy. Two hosts on schedule
# keep them further apart; hosts whose packets leave late by more than that can not.
check_share() {
    local late
    late=$(summary "$side"/packets.json send_lateness.p50_ns)
    if ((late > 1500000)); then
        report "$side: packets with a hardware timestamp, per thousand: $1; NOT CHECKED: this host is busy, half of the" \
            "probes left more than $late ns late"
    else
        expect_within "$side: packets with a hardware timestamp, per thousand" "$1" 950 1000
    fi
}

# hardware COLUMN: the sum of the ledgers of probes and replies.
hardware() {
    echo $(($(summary "$side"/packets.json "stamps.hardware.$1") + $(summary "$side"/packets.json "reply_stamps.hardware.$1")))
}
counter() { sed -n "s/^ *$1: //p" "$side"/counters.txt; }
