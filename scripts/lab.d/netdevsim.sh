# shellcheck shell=bash disable=SC2034,SC2154
# probe psample shows a simulated switch's samples with latency, traffic class and occupancy, which tc's samplers lack.

prepare() { give_netdevsim; }

on_a() {
    modprobe psample
    insmod /vagrant/netdevsim.ko
    mount -t debugfs debugfs /sys/kernel/debug
    echo "7 1" >/sys/bus/netdevsim/new_device
    # Latencies of 0 to 1048575 ns, occupancies of 0 to 65535 bytes; ten samples a second.
    sample full group_num=9 latency_max=1048576 out_tc=3 out_tc_occ_max=65536 trunc_size=0
    # Without the three attributes, which differ from zero; and truncated.
    sample bare group_num=10 latency_max=0 out_tc=65535 out_tc_occ_max=0 trunc_size=40
    announce finished
}

on_b() { await finished; }

# sample RUN NAME=VALUE...: takes 20 samples with these settings of the sampler.
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
    expect_within "different latencies" "$(values full latency_ns)" 15 20
    expect_within "different occupancies" "$(values full out_tc_occupancy_bytes)" 15 20
    expect "latencies in the summary" "$(summary a/full.json latency.count)" 20
    expect "samples without the three" \
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
    expect "samples lost" "$(summary a/full.json groups | grep -o "'lost': [0-9]*")" "'lost': 0"
}

# check_capture RUN BYTES LATENCIES: tshark reads the captured packets and their comments.
check_capture() {
    command -v tshark >/dev/null || {
        report "$1.pcapng: NOT CHECKED: tshark is not installed"
        return
    }
    tshark -r "a/$1.pcapng" -T fields -e frame.len -e frame.cap_len -e frame.comment >"$1-read.txt" 2>/dev/null
    expect "$1.pcapng: packets of 142 bytes, of which $2 captured" "$(grep -cP "^142\t$2\t" "$1-read.txt")" 20
    expect "$1.pcapng: latencies in the comments" "$(grep -oE 'latency [0-9]+ ns' "$1-read.txt" | xargs)" "$3"
}

# samples RUN CONDITION: the number of samples s for which a Python expression is true.
samples() {
    python3 -c '
import json, sys
found = [json.loads(line) for line in open(sys.argv[1])]
print(sum(1 for s in found if s["type"] == "sample" and eval(sys.argv[2])))' "a/$1.json" "$2"
}

# values RUN KEY: the number of different values.
values() {
    python3 -c '
import json, sys
found = [json.loads(line) for line in open(sys.argv[1])]
print(len({s[sys.argv[2]] for s in found if s["type"] == "sample"}))' "a/$1.json" "$2"
}
