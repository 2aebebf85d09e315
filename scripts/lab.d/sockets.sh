# shellcheck shell=bash disable=SC2034,SC2154
# FastAFPacket's own tests that need a card with stamps and a clock, on an igb: launch times, virtual clocks, skipped stamps.

limit=120
memory=768

prepare() {
    [[ $nic == igb ]] || die "the tests of sockets are for --nic igb"
    give_tests
}

on_a() {
    run_tests '\.Lab' | tee tests.txt
    tell finished
}

on_b() { await finished; }

check() {
    grep -E '^. Test ".* (passed|failed)' a/tests.txt | sed 's/^. /    /' >&2
    expect "tests that were skipped" "$(grep -c ' skipped: ' a/tests.txt || true)" 0
    expect_within "tests that passed" "$(sed -nE 's/.*Test run with ([0-9]+) tests.* passed.*/\1/p' a/tests.txt)" 6 100
}
