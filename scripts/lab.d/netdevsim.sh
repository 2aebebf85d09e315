# shellcheck shell=bash disable=SC2034,SC2154
# A simulated switch samples with latency, traffic class and its occupancy, which tc's samplers do not have: probe psample.

prepare() { give_netdevsim; }

on_a() {
    modprobe psample
    insmod /vagrant/netdevsim.ko
    mount -t debugfs debugfs /sys/kernel/debug
    echo "7 1" >/sys/bus/netdevsim/new_device
    # Latency is 0 to 1048575 ns, the occupancy 0 to 65535 bytes; ten a second.
    sample full group_num=9 latency_max=1048576 out_tc=3 out_tc_occ_max=65536 trunc_size=0
    # None of the three, which is something else than zero; and cut.
    sample bare group_num=10 latency_max=0 out_tc=65535 out_tc_occ_max=0 trunc_size=40
    tell finished
}

on_b() { await finished; }

# sample RUN NAME=VALUE...: with such samplers.
sample() {
    local run=$1 setting directory=/sys/kernel/debug/netdevsim/netdevsim7/psample
    shift
    for setting in "$@"; do echo "${setting#*=}" >"$directory/${setting%%=*}"; done

    probe psample --count 20 --duration 30s --output json --pcapng "$run.pcapng" >"$run.json" 2>"$run.txt" &
    local job=$!
    until_true 10 "probe psample to listen" grep -q Listening "$run.txt"
    echo 1 >"$directory/enable"
    wait "$job"
    echo 0 >"$directory/enable"
}

check() {
    expect "samples" "$(samples full 'True') $(samples bare 'True')" "20 20"
    expect "samples of the groups" "$(samples full 's["group"] == 9') $(samples bare 's["group"] == 10')" "20 20"
    expect "samples with a latency, traffic class and occupancy" \
        "$(samples full '0 <= s["latency_ns"] < 1 << 20 and s["out_tc"] == 3 and 0 <= s["out_tc_occupancy_bytes"] < 1 << 16')" 20
    expect_within "latencies that differ" "$(values full latency_ns)" 15 20
    expect_within "occupancies that differ" "$(values full out_tc_occupancy_bytes)" 15 20
    expect "latencies in the summary" "$(summary a/full.json latency.count)" 20
    expect "samples with none of the three" \
        "$(samples bare 's["latency_ns"] is None and s["out_tc"] is None and s["out_tc_occupancy_bytes"] is None')" 20
    expect "sizes" "$(samples full 's["original_size"] == s["captured_size"] == 142') \
$(samples bare 's["original_size"] == 142 and s["captured_size"] == 40')" "20 20"
    check_capture full 142 "$(python3 -c '
import json, sys
for line in open(sys.argv[1]):
    sample = json.loads(line)
    if sample["type"] == "sample":
        print("latency", sample["latency_ns"], "ns")' a/full.json | xargs)"
    check_capture bare 40 ""
    expect "samples that were lost" "$(summary a/full.json groups | grep -o "'lost': [0-9]*")" "'lost': 0"
}

# check_capture RUN BYTES LATENCIES: what others read in the file.
check_capture() {
    command -v tshark >/dev/null || {
        told "$1.pcapng: NOT CHECKED, since this machine has no tshark"
        return
    }
    tshark -r "a/$1.pcapng" -T fields -e frame.len -e frame.cap_len -e frame.comment >"$1-read.txt" 2>/dev/null
    expect "$1.pcapng: packets of 142 bytes, $2 of them there" "$(grep -cP "^142\t$2\t" "$1-read.txt")" 20
    expect "$1.pcapng: latencies in the comments" "$(grep -oE 'latency [0-9]+ ns' "$1-read.txt" | xargs)" "$3"
}

# samples RUN CONDITION: of Python's, on a sample s.
samples() {
    python3 -c '
import json, sys
found = [json.loads(line) for line in open(sys.argv[1])]
print(sum(1 for s in found if s["type"] == "sample" and eval(sys.argv[2])))' "a/$1.json" "$2"
}

# values RUN KEY: how many different ones there are.
values() {
    python3 -c '
import json, sys
found = [json.loads(line) for line in open(sys.argv[1])]
print(len({s[sys.argv[2]] for s in found if s["type"] == "sample"}))' "a/$1.json" "$2"
}
