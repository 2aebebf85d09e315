# shellcheck shell=bash disable=SC2034,SC2154
# A bridge drops, doubles and reorders packets of one direction, then of the other: the report tells which, and how many.

machines="a bridge b"
limit=300

on_a() {
    local run
    await bridged
    for run in $runs; do measure "$run"; done
    tell finished
}

on_b() {
    in_background probe reflect --interface link --quiet --output json >reflect.json
    await finished
}

# Packets leave through the bridge's port towards their target: right is forward, left is reverse.
on_bridge() {
    local run port
    # To put a qdisc on a port or take one off drops what passes just then; to change one, or a filter, does not.
    for port in left right; do
        tc qdisc add dev "$port" clsact
        tc qdisc add dev "$port" root netem limit 10000
    done
    tell bridged
    for run in $runs; do
        await "$run.running"
        port=right
        [[ $run == *-forward ]] || port=left
        case $run in
        lost-*) drop "$port" 20 ;;
        doubled-*) impair "$port" duplicate 20% ;;
        reordered-*) impair "$port" delay 40ms reorder 20% ;;
        esac
        tell "$run.over"
    done
    await finished
}

readonly runs="lost-forward lost-reverse doubled-forward doubled-reverse reordered-forward reordered-reverse"

# Starts measuring, and tells when packets come back: from then on the bridge may spoil them. Ends when it has stopped.
measure() {
    local run=$1 job
    probe run --interface link --peer "$peer" --rate 100 --log "$run.csv" --output json >"$run.json" &
    job=$!
    until_true 30 "replies to come" has_lines "$run.json" 50
    tell "$run.running"
    await "$run.over"
    kill -TERM "$job"
    wait "$job"
}

has_lines() { (($(wc -l <"$1") >= $2)); }

# drop PORT COUNT: drops every third IPv4 packet to leave there (others are no probes or replies), until at least that many have been dropped. The action is one of
# its own: its count stays, and is final, when the filter that uses it is gone.
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

# impair PORT NETEM-ARGUMENT...: until two hundred packets have gone through.
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
        expect "lost $way, as many as the bridge has dropped" \
            "$(summary a/lost-$way.json totals.lost_$way)" "$(<"bridge/lost-$way.count")"
        expect "lost $other then" "$(summary a/lost-$way.json totals.lost_$other)" 0
        expect "lost without a direction then" "$(summary a/lost-$way.json totals.lost_unknown)" 0
        expect_within "doubled $way" "$(summary a/doubled-$way.json totals.duplicated_$way)" 20 90
        expect "doubled $other then" "$(summary a/doubled-$way.json totals.duplicated_$other)" 0
        expect_within "reordered $way" "$(summary a/reordered-$way.json totals.reordered_$way)" 10 190
        expect "reordered $other then" "$(summary a/reordered-$way.json totals.reordered_$other)" 0
        for run in doubled reordered; do
            expect "lost while $run $way" "$(($(summary a/$run-$way.json totals.lost_forward) + \
                $(summary a/$run-$way.json totals.lost_reverse) + $(summary a/$run-$way.json totals.lost_unknown)))" 0
        done
    done
}
