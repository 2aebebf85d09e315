# shellcheck shell=bash disable=SC2034,SC2154
# The kernel has psample, and tc takes a filter that samples what comes in.

on_a() {
    modprobe -a psample act_sample
    sampling >filter.txt
    probe run --interface link --peer "$peer" --rate 100 --count 50 --output json >packets.json
    tc -s filter show dev link ingress >filter.txt
    tell finished
}

on_b() {
    in_background probe reflect --interface link --quiet --output json >reflect.json
    await finished
}

sampling() {
    tc qdisc add dev link clsact
    tc filter add dev link ingress matchall action sample rate 1 group 5
    grep -E '^(psample|act_sample) ' /proc/modules
}

check() {
    cat a/filter.txt
    expect "filters that sample one packet of one, for group 5" "$(grep -c 'sample rate 1/1 group 5' a/filter.txt)" 1
    expect_within "packets that it has sampled" "$(sed -n 's/.*Sent [0-9]* bytes \([0-9]*\) pkt.*/\1/p' a/filter.txt | head -n 1)" 50 500
}
