# shellcheck shell=bash disable=SC2154,SC2034
# The doctor tells of each card what it says and what comes of it, and leaves the card as it was.

limit=150
# For the helper that lets the emulated igb stamp more than the first frame.
kernel_arguments=iomem=relaxed
prepare() { [[ $nic != igb ]] || give_c rx-latch; }

on_a() {
    await ready
    ethtool -T link >before.txt
    probe doctor link --peer "$peer" >doctor.txt
    probe doctor link --peer "$peer" --json >doctor.json
    ethtool -T link >after.txt
    tc qdisc replace dev link root fq
    probe doctor link --peer "$peer" >fq.txt
    if [[ $nic == igb ]]; then
        watch_latch
        probe doctor link --peer "$peer" >latch.txt
    fi
    tell over
}

# PTP's master sends the Sync messages that cards stamp on receipt.
on_b() {
    in_background probe reflect --interface link --quiet --output json >reflect.json
    # Port 862.
    until_true 30 "the reflector to be up" grep -q :035E /proc/net/udp
    ptp4l -i link -2 -S -m --masterOnly 1 --logSyncInterval -3 --logAnnounceInterval -1 >ptp4l.txt 2>&1 &
    until_true 60 "ptp4l to be the master" grep -q "assuming the grand master role" ptp4l.txt
    tell ready
    await over
}

check() {
    expect "the card as it was" "$(diff a/before.txt a/after.txt)" ""
    expect "SCHED" "$(cell doctor 'SCHED')" "proven, 16 of 16"
    expect "software TX" "$(cell doctor 'software TX')" "proven, 16 of 16"
    expect "launch times in fq" "$(cell fq 'launch time')" "proven, 1 of 1"
    case $nic in
    virtio) expect "in a line" "$(in_a_line)" "software timestamps only, no PHC" ;;
    igb)
        expect "in a line" "$(in_a_line)" "hardware timestamps: transmit all frames; receive only PTP frames"
        expect "hardware TX" "$(cell doctor 'hardware TX, ordinary frames')" "proven, 12 of 12"
        # Eight Syncs a second, in about a second.
        expect "hardware RX: all but the first one missing" "$(cell doctor 'hardware RX, PTP frames' | sed -E 's/of ([6-9]|10)$/of many/')" \
            "proven, 1 of many"
        expect "hardware RX of a card that frees its latch" \
            "$(cell latch 'hardware RX, PTP frames' | sed -E 's/ ([6-9]|10) of \1$/ all/')" "proven, all"
        ;;
    e1000e)
        expect "in a line" "$(in_a_line)" "hardware timestamps advertised but never arrived; software timestamps only"
        expect "hardware TX" "$(cell doctor 'hardware TX, ordinary frames')" "failed, 0 of 12"
        expect_within "the clock's rate, thousandths" "$(awk '$1 == "\"rate\":" { printf "%d", $2 * 1000 }' a/doctor.json)" 2000 3000
        ;;
    esac
}

in_a_line() { sed -n 's/^link: //p' a/doctor.txt; }
# cell FILE ROW: what was proven of a capability.
cell() { sed -n "s/^  $2  .*\(proven, .*\|failed.*\|not advertised\|not tried.*\)$/\1/p" "a/$1.txt"; }
