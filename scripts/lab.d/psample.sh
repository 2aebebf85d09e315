# shellcheck shell=bash disable=SC2034,SC2154
# Both hosts' kernels sample packets, and probe finds its own among the samples: at several rates, truncated and whole.

limit=180

# An igb drops the frames of VLANs that are not configured.
prepare() { [[ $nic == virtio ]] || die "this scenario uses a VLAN that is not configured, which --nic $nic drops: use virtio"; }

on_a() { measure_all; }
on_b() { measure_all; }

measure_all() {
    # Without the kernel's module, a run fails before it sends a packet.
    ! probe run --interface link --peer "$peer" --count 1 --psample 5 2>without.txt
    filters --rate 1
    # Without the capability, too.
    ! capsh --drop=cap_net_admin -- -c "exec probe run --interface link --peer $peer --count 1 --psample 5" 2>unprivileged.txt
    # `probe psample` sees the same samples: of the local packets and of the peer's.
    probe psample --group 5 --quiet --output json --pcapng all.pcapng >observer.json 2>observer.txt &
    local job=$!
    until_true 10 "probe psample to listen" grep -q Listening observer.txt
    measure all "$peer"
    kill -TERM "$job"
    wait "$job"
    filters --rate 10 --truncate 96
    measure tenth "$peer6" --count 1000 --rate 200
    # The sequence number ends at the 46th byte of an IPv4 packet.
    filters --rate 1 --truncate 45
    measure short "$peer" --count 100
    filters --rate 1
    measure tagged "$peer_mac" --transport l2 --vlan 100 --count 100
    /vagrant/scripts/psample-teardown --interface link
    ip link add link link name vlan type vlan id 100
    ip address add "10.1.0.${address##*.}/24" dev vlan
    ip link set vlan up
    /vagrant/scripts/psample-setup --interface vlan
    measure vlan "10.1.0.${peer##*.}" --interface vlan --count 100
    /vagrant/scripts/psample-teardown --interface vlan
    # A group that no sampler uses.
    measure none "$peer" --count 100
}

filters() { /vagrant/scripts/psample-setup --interface link --group 5 "$@"; }

# measure RUN PEER OPTION...
measure() {
    together "$1"
    probe run --interface link --peer "$2" --rate 100 --count 300 --psample 5 "${@:3}" --log "$1.csv" --log-reflected \
        --histogram "$1-histogram.csv" --output json >"$1.json" 2>"$1.txt"
}

check() {
    local side run way
    for side in a b; do
        expect "$side: remedies without the module" "$(grep -c 'modprobe psample' $side/without.txt)" 1
        expect "$side: remedies without the capability" "$(grep -c 'psample needs CAP_NET_ADMIN' $side/unprivileged.txt)" 1
        for run in all tenth tagged vlan; do
            expect "$side, $run: violations" "$(of egress.violated) $(of ingress.violated)" "0 0"
            expect "$side, $run: rows with a sample" "$(rows $side/$run.csv 'c["sample_ns"]')" \
                $(($(of egress.sampled) + $(of ingress.sampled)))
            expect "$side, $run: rows in order" "$(rows $side/$run.csv 'c["sample_order"] == "ok"')" \
                "$(rows $side/$run.csv 'c["sample_ns"]')"
            expect "$side, $run: samples lost, too short, dropped or damaged" \
                "$(of lost) $(of too_short) $(of dropped) $(of damaged)" "0 0 0 0"
            for way in egress ingress; do
                expect_within "$side, $run: $way: packets" "$(of $way.packets)" 190 2100
                expect_within "$side, $run: $way: sampled, less the expected share, in thousandths of 5 standard deviations" \
                    "$(share_of $way)" -1000 1000
            done
            expect_within "$side, $run: from scheduler to sampler, min, ns" "$(of sched_to_sample.min_ns)" 0 1000000
            expect_within "$side, $run: from scheduler to sampler, p50, ns" "$(of sched_to_sample.p50_ns)" 0 2000000
            expect_within "$side, $run: from sampler to driver, p50, ns" "$(of sample_to_driver.p50_ns)" 0 5000000
            expect_within "$side, $run: from kernel receive timestamp to sampler, p50, ns" "$(of software_to_sample.p50_ns)" 0 5000000
            expect "$side, $run: histograms" "$(cut -d, -f2 $side/$run-histogram.csv | grep sample | sort -u | xargs)" \
                "sample_to_driver sched_to_sample software_to_sample"
        done
        run=all
        expect "$side: packets without a sample although every packet is sampled" \
            "$(rows $side/all.csv 'c["direction"] == "out" && c["tx_app_ns"] && !c["sample_ns"]')" 0
        check_observer
        run=short
        expect_within "$side: samples truncated before the sequence number" "$(of too_short)" 300 800
        expect "$side: samples joined nevertheless" "$(of own)" 0
        run=none
        expect "$side: samples of a group that no sampler uses" "$(of heard)" 0
        expect_within "$side: replies received nevertheless" \
            "$(rows $side/none.csv 'c["status"] == "ok" && c["direction"] == "in" && c["packet"] == "reply"')" 50 100
    done
}

# The observer has every packet of each session in both directions, and at least as many STAMP packets as the run
# joined.
check_observer() {
    local sessions
    sessions=$(tail -n 1 "$side"/observer.json | python3 -c '
import json, sys
for session in json.load(sys.stdin)["sessions"]:
    print(session["kind"], session["direction"], session["samples"], session["packets"])')
    expect "$side: kinds of STAMP packets that probe psample distinguishes" \
        "$(cut -d " " -f1,2 <<<"$sessions" | sort | xargs)" "probe in probe out reply in reply out"
    expect "$side: kinds with packets that were not sampled" "$(awk '$3 != $4 || $3 < 100' <<<"$sessions" | xargs)" ""
    expect "$side: STAMP packets sampled before their transmit time" \
        "$(summary "$side/observer.json" sampled_before_sent)" 0
    expect_within "$side: from transmit time to sampler, outgoing, p50, ns" \
        "$(summary "$side/observer.json" sent_to_sample_out.p50_ns)" 1000 20000000
    command -v tshark >/dev/null || {
        report "$side: all.pcapng: NOT CHECKED: tshark is not installed"
        return
    }
    expect_within "$side: STAMP packets that tshark reads in its capture" \
        "$(tshark -r "$side"/all.pcapng -Y 'udp.port == 862' 2>/dev/null | wc -l)" "$(of own)" $(($(of own) + 100))
}

of() { summary "$side/$run.json" "samples.$1"; }

# share_of DIRECTION: the sampled share of packets less the expected one; where every packet is sampled, in billionths.
share_of() {
    tail -n 1 "$side/$run.json" | python3 -c '
import json, sys
side = json.load(sys.stdin)["samples"][sys.argv[1]]
off = side["share"] - side["expected"]
print(round(1000 * off / (5 * side["expected_stddev"])) if side["expected_stddev"] else round(off * 1e9))' "$1"
}
