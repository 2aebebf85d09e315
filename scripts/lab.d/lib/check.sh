# shellcheck shell=bash
# Functions for a scenario's check, which runs on the host after all machines have ended. Its current directory is that
# of the results, with each machine's files in a/, b/ and bridge/. Sourced.

# summary FILE KEY.KEY…: a value of the summary at the end of the output of `probe --output json`.
summary() {
    tail -n 1 "$1" | python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[key]
print(json.dumps(value) if isinstance(value, (bool, type(None))) else value)' "$2" ||
        echo "no value: $1 does not end with a summary that has $2"
}

# rows LOG CONDITION: the number of a packet log's rows for which an awk condition is true. Columns are c["status"] and
# so on.
rows() {
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; next }
        { for (i in name) c[name[i]] = $i }
        '"$2"' { n++ }
        END { print n + 0 }' "$1"
}

# expect WHAT ACTUAL EXPECTED: the two must be equal.
expect() {
    [[ $2 == "$3" ]] || miss "$1: $2, expected $3"
    report "$1: $2"
}

# expect_within WHAT ACTUAL LEAST MOST: the integer must be in the closed range.
expect_within() {
    [[ $2 =~ ^-?[0-9]+$ ]] || miss "$1: $2, expected an integer"
    [[ ${missed-} ]] || (($2 >= $3 && $2 <= $4)) || miss "$1: $2, expected $3...$4"
    report "$1: $2, in $3...$4"
}

# A failed check does not end the script, so that one run shows every failure.
failed_checks=0
miss() {
    say "check failed: $*"
    ((failed_checks += 1))
    missed=yes
}
report() {
    [[ ${missed-} ]] || printf '    %s\n' "$*" >&2
    missed=
}

# check_outage RUN: a run of measure_across has losses in the middle, and replies before and after.
check_outage() {
    local log=$1.csv
    expect "probes without a row" \
        $(($(summary "$1.json" forward.packets.sent) - $(rows "$log" 'c["packet"] == "probe"'))) 0
    expect_within "probes without a reply" \
        "$(rows "$log" 'c["packet"] == "probe" && (c["status"] == "lost" || c["status"] == "unknown")')" 50 5000
    expect "replies before the first lost probe, and after it" \
        "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
            $c["packet"] != "probe" { next }
            $c["status"] == "ok" { if (lost) after = 1; else before = 1; next }
            { lost = 1 }
            END { print (before ? "yes" : "no") "-" (after ? "yes" : "no") }' <(head -n 1 "$log"; tail -n +2 "$log" | sort -t, -k3,3n))" \
        yes-yes
    expect "the ledger is balanced" "$(summary "$1.json" stamps.balanced)" true
}
