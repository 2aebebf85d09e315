# shellcheck shell=bash disable=SC2034,SC2154
# Two probes measure each other: every packet has its software stamps, and the ledgers close.

readonly probes=500

on_a() { measure; }
on_b() { measure; }

measure() {
    probe run --interface link --peer "$peer" --rate 100 --count "$probes" --log log.csv --histogram histogram.csv \
        --output json >packets.json
}

check() {
    local side sent skipped rows
    for side in a b; do
        sent=$(summary $side/packets.json stamps.sent)
        # A busy host stops a machine for longer than the time between two probes, now and then.
        skipped=$(summary $side/packets.json counters.skipped_deadlines)
        expect "$side: probes sent, and $skipped skipped" \
            $(($(summary $side/packets.json forward.packets.sent) + skipped)) "$probes"
        rows=$((2 * (probes - skipped)))
        expect "$side: probes and replies that came" "$(rows $side/log.csv 'c["status"] == "ok"')" "$rows"
        expect "$side: the ledger closes" "$(summary $side/packets.json stamps.balanced)" true
        expect "$side: packets stamped by the scheduler" "$(summary $side/packets.json stamps.sched.stamped)" "$sent"
        expect "$side: packets stamped by the driver" "$(summary $side/packets.json stamps.software.stamped)" "$sent"
        expect "$side: packets stamped by the card, or explained" "$(($(hardware stamped) + $(hardware late) + \
            $(hardware buffer) + $(hardware driver) + $(hardware unsupported) + $(hardware pending)))" "$sent"
        told "$side: packets stamped by the card: $(hardware stamped)"
        expect "$side: rows with a software stamp of their arrival, and a delay" \
            "$(rows $side/log.csv 'c["rx_sw_ns"] && c["delay_ns"]')" "$rows"
        expect "$side: probes with all software stamps" \
            "$(rows $side/log.csv 'c["packet"] == "probe" && c["tx_sched_ns"] && c["tx_sw_ns"]')" $((rows / 2))
        expect "$side: replies with all software stamps, or a reason" \
            "$(rows $side/log.csv 'c["packet"] == "reply" && (c["tx_sw_ns"] || c["tx_missing"])')" $((rows / 2))
        expect "$side: descriptions of the run" "$(grep -c '"session"' $side/log.csv.json)" 1
    done
}

hardware() { summary "$side/packets.json" "stamps.hardware.$1"; }
