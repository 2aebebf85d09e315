# shellcheck shell=bash disable=SC2154,SC2034
# The doctor reports what each NIC advertises and what arrives, and leaves the NIC unchanged.

limit=150
# For rx-latch, with which the emulated igb timestamps more than the first frame.
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
    announce finished
}

# The PTP master sends the Sync messages that NICs timestamp on receipt.
on_b() {
    in_background probe reflect --interface link --quiet --output json >reflect.json
    # Port 862.
    until_true 30 "the reflector to be up" grep -q :035E /proc/net/udp
    ptp4l -i link -2 -S -m --masterOnly 1 --logSyncInterval -3 --logAnnounceInterval -1 >ptp4l.txt 2>&1 &
    until_true 60 "ptp4l to be the master" grep -q "assuming the grand master role" ptp4l.txt
    announce ready
    await finished
}

check() {
    expect "changes of the NIC's timestamping" "$(diff a/before.txt a/after.txt)" ""
    expect "SCHED" "$(cell doctor 'SCHED')" "proven, 16 of 16"
    expect "software TX" "$(cell doctor 'software TX')" "proven, 16 of 16"
    expect "launch times in fq" "$(cell fq 'launch time')" "proven, 1 of 1"
    case $nic in
    virtio) expect "verdict" "$(verdict)" "software timestamps only, no PHC" ;;
    igb)
        expect "verdict" "$(verdict)" "hardware timestamps: transmit all frames; receive only PTP frames"
        expect "hardware TX" "$(cell doctor 'hardware TX, ordinary frames')" "proven, 12 of 12"
        # Eight Sync messages a second, for about a second.
        expect "hardware RX, only the first timestamp" "$(cell doctor 'hardware RX, PTP frames' | sed -E 's/of ([6-9]|10)$/of many/')" \
            "proven, 1 of many"
        expect "hardware RX of a NIC whose latch is freed" \
            "$(cell latch 'hardware RX, PTP frames' | sed -E 's/ ([6-9]|10) of \1$/ all/')" "proven, all"
        ;;
    e1000e)
        expect "verdict" "$(verdict)" "hardware timestamps advertised but never arrived; software timestamps only"
        expect "hardware TX" "$(cell doctor 'hardware TX, ordinary frames')" "failed, 0 of 12"
        expect_within "the clock's rate, thousandths" "$(awk '$1 == "\"rate\":" { printf "%d", $2 * 1000 }' a/doctor.json)" 2000 3000
        ;;
    esac
}

verdict() { sed -n 's/^link: //p' a/doctor.txt; }
# cell FILE ROW: the result of trying a capability.
cell() { sed -n "s/^  $2  .*\(proven, .*\|failed.*\|not advertised\|not tried.*\)$/\1/p" "a/$1.txt"; }
