# shellcheck shell=bash disable=SC2034,SC2154
# A bridge drops, duplicates and reorders packets of one direction, then of the other: the report counts each kind.

machines="a bridge b"
limit=300

on_a() {
    local run
    await bridged
    for run in $runs; do measure "$run"; done
    announce finished
}

on_b() {
    in_background probe reflect --interface link --quiet --output json >reflect.json
    await finished
}

# Packets leave through the bridge's port towards their target: right is forward, left is reverse.
on_bridge() {
    local run port
    # Adding or removing a port's qdisc drops the packets in it; changing one, or a filter, does not.
    for port in left right; do
        tc qdisc add dev "$port" clsact
        tc qdisc add dev "$port" root netem limit 10000
    done
    announce bridged
    for run in $runs; do
        await "$run.running"
        port=right
        [[ $run == *-forward ]] || port=left
        case $run in
        lost-*) drop "$port" 20 ;;
        duplicated-*) impair "$port" duplicate 20% ;;
        reordered-*) impair "$port" delay 40ms reorder 20% ;;
        esac
        announce "$run.over"
    done
    await finished
}

readonly runs="lost-forward lost-reverse duplicated-forward duplicated-reverse reordered-forward reordered-reverse"

# measure RUN: announces when replies arrive, so that the bridge may begin to impair packets. Ends after the bridge has
# stopped.
measure() {
    local run=$1 job
    probe run --interface link --peer "$peer" --rate 100 --log "$run.csv" --output json >"$run.json" &
    job=$!
    until_true 30 "replies" has_lines "$run.json" 50
    announce "$run.running"
    await "$run.over"
    kill -TERM "$job"
    wait "$job"
}

has_lines() { (($(wc -l <"$1") >= $2)); }

# drop PORT COUNT: drops every third IPv4 packet that leaves there (other packets are no probes or replies), until at
# least COUNT are dropped. The action exists apart from the filter, so its count remains, and is final, after the filter
# is removed.
drop() {
    tc actions delete action gact index 1 2>/dev/null || true
    tc actions add action pass random determ drop 3 index 1
    tc filter add dev "$1" egress protocol ip matchall action gact index 1
    until_true 30 "$2 packets to be dropped" has_dropped "$2"
    tc filter delete dev "$1" egress
    tc -s actions list action gact >"$run.txt"
    dropped >"$run.count"
}

has_dropped() { (($(dropped) >= $1)); }
dropped() { tc -s actions list action gact | sed -n 's/.*(dropped \([0-9]*\),.*/\1/p'; }

# impair PORT NETEM-ARGUMENT...: until two hundred packets have passed.
impair() {
    local port=$1 before
    shift
    before=$(sent "$port")
    tc qdisc change dev "$port" root netem "$@" limit 10000
    until_true 30 "packets to pass" has_passed "$port" $((before + 200))
    tc -s qdisc show dev "$port" >"$run.txt"
    tc qdisc change dev "$port" root netem limit 10000
}

sent() { cat "/sys/class/net/$1/statistics/tx_packets"; }
has_passed() { (($(sent "$1") >= $2)); }

check() {
    local way other
    for way in forward reverse; do
        other=reverse
        [[ $way == forward ]] || other=forward
        expect "lost $way, as many as the bridge dropped" \
            "$(summary a/lost-$way.json totals.lost_$way)" "$(<"bridge/lost-$way.count")"
        expect "lost $other meanwhile" "$(summary a/lost-$way.json totals.lost_$other)" 0
        expect "lost without a direction meanwhile" "$(summary a/lost-$way.json totals.lost_unknown)" 0
        expect_within "duplicated $way" "$(summary a/duplicated-$way.json totals.duplicated_$way)" 20 90
        expect "duplicated $other meanwhile" "$(summary a/duplicated-$way.json totals.duplicated_$other)" 0
        expect_within "reordered $way" "$(summary a/reordered-$way.json totals.reordered_$way)" 10 190
        expect "reordered $other meanwhile" "$(summary a/reordered-$way.json totals.reordered_$other)" 0
        for run in duplicated reordered; do
            expect "lost while $run $way" "$(($(summary a/$run-$way.json totals.lost_forward) + \
                $(summary a/$run-$way.json totals.lost_reverse) + $(summary a/$run-$way.json totals.lost_unknown)))" 0
        done
    done
}
