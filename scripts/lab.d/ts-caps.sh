# shellcheck shell=bash disable=SC2034,SC2154
# Lists the timestamping capabilities that kernel and NIC advertise, and compares the PHC with the system clock.

on_a() {
    uname -r >kernel.txt
    ethtool -i link >driver.txt
    ethtool -T link >timestamping.txt
    ethtool -S link >statistics.txt 2>&1 || true
    tc qdisc show dev link >qdisc.txt
    local clock
    clock=$(sed -n 's/^PTP Hardware Clock: \([0-9]*\)$/\1/p' timestamping.txt)
    # The two seconds are the interval over which the rate is measured.
    [[ ! $clock ]] || phc_ctl "/dev/ptp$clock" cmp wait 2 cmp >phc.txt 2>&1
}

on_b() { :; }

check() {
    sed 's/^/    /' a/driver.txt a/timestamping.txt >&2
    [[ ! -e a/phc.txt ]] || sed 's/^/    /' a/phc.txt >&2
    expect "software timestamps of both directions" "$(grep -cE 'software-(transmit|receive)' a/timestamping.txt)" 2
    case $nic in
    virtio) expect "NICs without a PHC" "$(grep -c 'PTP Hardware Clock: none' a/timestamping.txt)" 1 ;;
    *)
        expect "hardware timestamps advertised" "$(grep -cE 'hardware-(transmit|receive|raw-clock)' a/timestamping.txt)" 3
        expect "readings of the PHC" "$(grep -c 'offset from CLOCK_REALTIME' a/phc.txt)" 2
        # The PHC of QEMU's e1000e runs at a wrong rate, which tests how probe checks a clock's rate.
        if [[ $nic == igb ]]; then
            expect_within "rate of the PHC, milliseconds a second" "$(phc_rate)" 990 1010
        else
            expect_within "rate of the PHC, milliseconds a second" "$(phc_rate)" 2000 3000
        fi
        ;;
    esac
}

# phc_ctl prints the offset of the system clock from the PHC, and when it read them.
phc_rate() {
    sed -n 's/^phc_ctl\[\([0-9.]*\)\]: offset from CLOCK_REALTIME is \(-*[0-9]*\)ns$/\1 \2/p' a/phc.txt |
        awk 'NR == 1 { at = $1; offset = $2 } END { printf "%d", 1000 * (1 - ($2 - offset) / 1e9 / ($1 - at)) }'
}
