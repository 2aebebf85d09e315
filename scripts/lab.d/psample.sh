# shellcheck shell=bash disable=SC2034,SC2154
# Both hosts' kernels sample what passes, and probe finds its packets among the samples: at several rates, cut and whole.

limit=180

# igb's card filters VLANs that it does not know of.
prepare() { [[ $nic == virtio ]] || die "psample has a run in a VLAN that is not set up, which --nic $nic would drop"; }

on_a() { measure_all; }
on_b() { measure_all; }

measure_all() {
    # Without the kernel's module there is an error before anything is sent.
    ! probe run --interface link --peer "$peer" --count 1 --psample 5 2>without.txt
    filters --rate 1
    # Without the privilege, too.
    ! capsh --drop=cap_net_admin -- -c "exec probe run --interface link --peer $peer --count 1 --psample 5" 2>unprivileged.txt
    # Who looks on sees the same, and the peer's packets as well as the own ones.
    probe psample --group 5 --quiet --output json --pcapng all.pcapng >looking-on.json 2>looking-on.txt &
    local job=$!
    until_true 10 "probe psample to listen" grep -q Listening looking-on.txt
    measure all "$peer"
    kill -TERM "$job"
    wait "$job"
    filters --rate 10 --truncate 96
    measure tenth "$peer6" --count 1000 --rate 200
    # Of an IPv4 packet with its number in it there are 46 bytes at least.
    filters --rate 1 --truncate 45
    measure short "$peer" --count 100
    filters --rate 1
    measure tagged "$peer_mac" --transport l2 --vlan 100 --count 100
    /vagrant/scripts/psample-teardown --interface link
    ip link add link link name vlan type vlan id 100
    ip address add "10.1.0.${own##*.}/24" dev vlan
    ip link set vlan up
    /vagrant/scripts/psample-setup --interface vlan
    measure vlan "10.1.0.${peer##*.}" --interface vlan --count 100
    /vagrant/scripts/psample-teardown --interface vlan
    # To a group that nobody fills.
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
        expect "$side: what to do without the module" "$(grep -c 'modprobe psample' $side/without.txt)" 1
        expect "$side: what to do without the privilege" "$(grep -c 'psample needs CAP_NET_ADMIN' $side/unprivileged.txt)" 1
        for run in all tenth tagged vlan; do
            expect "$side, $run: violations" "$(of egress.violated) $(of ingress.violated)" "0 0"
            expect "$side, $run: rows with a sample" "$(rows $side/$run.csv 'c["sample_ns"]')" \
                $(($(of egress.sampled) + $(of ingress.sampled)))
            expect "$side, $run: those in order" "$(rows $side/$run.csv 'c["sample_order"] == "ok"')" \
                "$(rows $side/$run.csv 'c["sample_ns"]')"
            expect "$side, $run: samples that were lost, too short, dropped or damaged" \
                "$(of lost) $(of too_short) $(of dropped) $(of damaged)" "0 0 0 0"
            for way in egress ingress; do
                expect_within "$side, $run: $way: packets" "$(of $way.packets)" 190 2100
                expect_within "$side, $run: $way: sampled, beside what is to be expected, in thousandths of 5 deviations" \
                    "$(share_of $way)" -1000 1000
            done
            expect_within "$side, $run: from scheduler to sampler, ns, least" "$(of sched_to_sample.min_ns)" 0 1000000
            expect_within "$side, $run: from scheduler to sampler, ns, median" "$(of sched_to_sample.p50_ns)" 0 2000000
            expect_within "$side, $run: from sampler to driver, ns, median" "$(of sample_to_driver.p50_ns)" 0 5000000
            expect_within "$side, $run: from receive stamp to sampler, ns, median" "$(of software_to_sample.p50_ns)" 0 5000000
            expect "$side, $run: histograms" "$(cut -d, -f2 $side/$run-histogram.csv | grep sample | sort -u | xargs)" \
                "sample_to_driver sched_to_sample software_to_sample"
        done
        run=all
        expect "$side: packets without a sample where each is sampled" \
            "$(rows $side/all.csv 'c["direction"] == "out" && c["tx_app_ns"] && !c["sample_ns"]')" 0
        check_looking_on
        run=short
        expect_within "$side: samples that were cut before the number" "$(of too_short)" 300 800
        expect "$side: those that were joined all the same" "$(of own)" 0
        run=none
        expect "$side: samples of a group that nobody fills" "$(of heard)" 0
        expect_within "$side: replies that came all the same" \
            "$(rows $side/none.csv 'c["status"] == "ok" && c["direction"] == "in" && c["packet"] == "reply"')" 50 100
    done
}

# Of each session in both directions there are as many samples as its rows have, and those that open and close it.
check_looking_on() {
    local sessions
    sessions=$(tail -n 1 "$side"/looking-on.json | python3 -c '
import json, sys
for session in json.load(sys.stdin)["sessions"]:
    print(session["kind"], session["direction"], session["samples"], session["packets"])')
    expect "$side: kinds of STAMP packets that probe psample tells apart" \
        "$(cut -d " " -f1,2 <<<"$sessions" | sort | xargs)" "probe in probe out reply in reply out"
    expect "$side: of which not all were sampled" "$(awk '$3 != $4 || $3 < 100' <<<"$sessions" | xargs)" ""
    expect "$side: STAMP packets sampled before their own time" \
        "$(summary "$side/looking-on.json" sampled_before_sent)" 0
    expect_within "$side: from their own time to the sampler, on their way out, ns, median" \
        "$(summary "$side/looking-on.json" sent_to_sample_out.p50_ns)" 1000 20000000
    command -v tshark >/dev/null || {
        told "$side: all.pcapng: NOT CHECKED, since this machine has no tshark"
        return
    }
    expect_within "$side: STAMP packets in its capture, as others read it" \
        "$(tshark -r "$side"/all.pcapng -Y 'udp.port == 862' 2>/dev/null | wc -l)" "$(of own)" $(($(of own) + 100))
}

of() { summary "$side/$run.json" "samples.$1"; }

# By how much more of a direction's packets were sampled than are to be expected; exactly those where all are.
share_of() {
    tail -n 1 "$side/$run.json" | python3 -c '
import json, sys
side = json.load(sys.stdin)["samples"][sys.argv[1]]
off = side["share"] - side["expected"]
print(round(1000 * off / (5 * side["expected_stddev"])) if side["expected_stddev"] else round(off * 1e9))' "$1"
}
