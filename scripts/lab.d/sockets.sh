# shellcheck shell=bash disable=SC2034,SC2154
# FastAFPacket's tests that need a PHC and hardware timestamps: launch times, virtual clocks, missed timestamps; on igb.

limit=120
memory=768

prepare() {
    [[ $nic == igb ]] || die "these tests need hardware timestamps: use --nic igb"
    give_tests
}

on_a() {
    run_tests '\.Lab' | tee tests.txt
    announce finished
}

on_b() { await finished; }

check() {
    grep -E '^. Test ".* (passed|failed)' a/tests.txt | sed 's/^. /    /' >&2
    expect "tests that were skipped" "$(grep -c ' skipped: ' a/tests.txt || true)" 0
    expect_within "tests that passed" "$(sed -nE 's/.*Test run with ([0-9]+) tests.* passed.*/\1/p' a/tests.txt)" 6 100
}
