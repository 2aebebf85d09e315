# shellcheck shell=bash
# What a scenario's check can use: it runs on the host when all machines are done, in the directory of the results,
# where each machine's part has left its files in a/, b/ and bridge/. Sourced.

# summary FILE KEY.KEY…: a value of the summary that a probe with --output json ends with.
summary() {
    tail -n 1 "$1" | python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[key]
print(json.dumps(value) if isinstance(value, (bool, type(None))) else value)' "$2" ||
        echo "nothing: $1 does not end with a summary that has $2"
}

# rows LOG CONDITION: how many rows of a packet log meet a condition of awk's, with columns as variables: c["status"].
rows() {
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; next }
        { for (i in name) c[name[i]] = $i }
        '"$2"' { n++ }
        END { print n + 0 }' "$1"
}

# expect WHAT GOT WANTED: the two are the same.
expect() {
    [[ $2 == "$3" ]] || miss "$1: $2, and not $3"
    told "$1: $2"
}

# expect_within WHAT GOT LEAST MOST
expect_within() {
    [[ $2 =~ ^-?[0-9]+$ ]] || miss "$1: $2"
    [[ ${missed-} ]] || (($2 >= $3 && $2 <= $4)) || miss "$1: $2, which is not in $3...$4"
    told "$1: $2, in $3...$4"
}

# The check goes on to the end, so that one run shows all that is wrong.
misses=0
miss() {
    say "NOT SO: $*"
    ((misses += 1))
    missed=yes
}
told() {
    [[ ${missed-} ]] || printf '    %s\n' "$*" >&2
    missed=
}

# check_outage RUN: a run of measure_across has losses in the middle, and answers at both ends.
check_outage() {
    local log=$1.csv
    expect "probes without a row" \
        $(($(summary "$1.json" forward.packets.sent) - $(rows "$log" 'c["packet"] == "probe"'))) 0
    expect_within "probes that got no reply" \
        "$(rows "$log" 'c["packet"] == "probe" && (c["status"] == "lost" || c["status"] == "unknown")')" 50 5000
    expect "probes that got one before the first that did not, and after the last" \
        "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
            $c["packet"] != "probe" { next }
            $c["status"] == "ok" { if (lost) after = 1; else before = 1; next }
            { lost = 1 }
            END { print (before ? "yes" : "no") "-" (after ? "yes" : "no") }' <(head -n 1 "$log"; tail -n +2 "$log" | sort -t, -k3,3n))" \
        yes-yes
    expect "the ledger closes" "$(summary "$1.json" stamps.balanced)" true
}
