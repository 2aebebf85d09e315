# shellcheck shell=bash disable=SC2034,SC2154
# probe run and probe reflect share a NIC: each keeps its hardware timestamps when the other ends, the last restores it.

prepare() { [[ $nic == igb ]] || die "this scenario needs hardware timestamps: use --nic igb"; }

on_a() {
    local run reflect
    await reflecting
    settings before
    measure first
    run=$job
    probe reflect --interface link --quiet --output json >reflect.json 2>reflect.txt &
    reflect=$!
    # Port 862.
    until_true 30 "the reflector to be up" grep -q :035E /proc/net/udp
    announce joined
    await running
    # The one that switched timestamping on ends first.
    kill -TERM "$run"
    wait "$run"
    settings ended
    announce ended
    await replied
    measure killed
    kill -KILL "$job"
    settings killed
    announce killed
    await finished
    kill -TERM "$reflect"
    wait "$reflect"
    settings restored

    measure alone
    kill -KILL "$job"
    wait "$job" || true
    settings alone
    probe run --interface link --peer "$peer" --port 8620 --rate 50 --count 20 --output json >last.json
    settings last
    announce over
}

on_b() {
    local job
    in_background probe reflect --interface link --port 8620 --quiet --output json >reflect.json
    # Port 8620.
    until_true 30 "the reflector to be up" grep -q :21AC /proc/net/udp
    announce reflecting
    await joined
    probe run --interface link --peer "$peer" --rate 50 --log packets.csv --output json >packets.json &
    job=$!
    until_true 30 "replies to come" has_replies packets 50
    announce running
    await ended
    more_replies
    announce replied
    await killed
    more_replies
    kill -TERM "$job"
    wait "$job"
    announce finished
    await over
}

# settings NAME: writes the NIC's timestamping configuration, and the state that its users share.
settings() {
    hwstamp_ctl -i link | xargs >"$1.settings"
    find /run -path '/run/probe/*' | wc -l >"$1.files"
}

# measure RUN: starts a run beside the reflector, on another port, and waits for replies. Sets `job`.
measure() {
    probe run --interface link --peer "$peer" --port 8620 --rate 20 --output json >"$1.json" &
    job=$!
    until_true 30 "replies to the run $1" has_replies "$1" 20
}

more_replies() {
    local replied
    replied=$(replies packets)
    until_true 30 "more replies" has_replies packets $((replied + 100))
}

check() {
    local name replies
    for name in before restored last; do
        expect "$name: the NIC's timestamping" "$(cat a/$name.settings)" "current settings: tx_type 0 rx_filter 0"
        expect "$name: files of shared state" "$(cat a/$name.files)" 0
    done
    for name in ended killed alone; do
        expect "$name: the NIC's timestamping" "$(cat a/$name.settings)" "current settings: tx_type 1 rx_filter 0"
        expect "$name: files of shared state" "$(cat a/$name.files)" 1
    done
    replies=$(rows b/packets.csv 'c["packet"] == "reply" && c["status"] == "ok"')
    # A NIC with two users is sometimes busy with the other's timestamp.
    expect "replies without a hardware timestamp, although the NIC was free" \
        "$(rows b/packets.csv 'c["packet"] == "reply" && c["status"] == "ok" && !c["tx_hw_ns"] && c["tx_missing"] !~ /^(in-flight|closed)$/')" 0
    expect_within "replies with one, of $replies" \
        "$(rows b/packets.csv 'c["packet"] == "reply" && c["status"] == "ok" && c["tx_hw_ns"]')" $((replies * 3 / 4)) "$replies"
    expect_within "the last run's packets with a hardware timestamp" "$(summary a/last.json stamps.hardware.stamped)" 15 1000
}
