# shellcheck shell=bash disable=SC2034,SC2154
# What kernel and card say of time stamps, and the readings of the card's clock against the system's.

on_a() {
    uname -r >kernel.txt
    ethtool -i link >driver.txt
    ethtool -T link >timestamping.txt
    ethtool -S link >statistics.txt 2>&1 || true
    tc qdisc show dev link >qdisc.txt
    local clock
    clock=$(sed -n 's/^PTP Hardware Clock: \([0-9]*\)$/\1/p' timestamping.txt)
    [[ ! $clock ]] || phc_ctl "/dev/ptp$clock" cmp wait 2 cmp >phc.txt 2>&1
}

on_b() { :; }

check() {
    sed 's/^/    /' a/driver.txt a/timestamping.txt >&2
    [[ ! -e a/phc.txt ]] || sed 's/^/    /' a/phc.txt >&2
    expect "software stamps of both directions" "$(grep -cE 'software-(transmit|receive)' a/timestamping.txt)" 2
    # shellcheck disable=SC2154 # of the command line
    case $nic in
    virtio) expect "clocks in the card" "$(grep -c 'PTP Hardware Clock: none' a/timestamping.txt)" 1 ;;
    *)
        expect "hardware stamps, advertised" "$(grep -cE 'hardware-(transmit|receive|raw-clock)' a/timestamping.txt)" 3
        expect "readings of the card's clock" "$(grep -c 'offset from CLOCK_REALTIME' a/phc.txt)" 2
        # QEMU's e1000e has a clock that runs wrong: the ready-made case for whoever checks a clock's rate.
        if [[ $nic == igb ]]; then
            expect_within "the card's clock, milliseconds a second" "$(phc_rate)" 990 1010
        else
            expect_within "the card's clock, milliseconds a second" "$(phc_rate)" 2000 3000
        fi
        ;;
    esac
}

# phc_ctl says how far the system's clock is ahead of the card's, and when.
phc_rate() {
    sed -n 's/^phc_ctl\[\([0-9.]*\)\]: offset from CLOCK_REALTIME is \(-*[0-9]*\)ns$/\1 \2/p' a/phc.txt |
        awk 'NR == 1 { at = $1; offset = $2 } END { printf "%d", 1000 * (1 - ($2 - offset) / 1e9 / ($1 - at)) }'
}
