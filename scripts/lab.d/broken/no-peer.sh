# shellcheck shell=bash disable=SC2034,SC2154
# Broken on purpose: nothing answers at the peer's address.

on_a() {
    probe run --interface link --peer "$peer" --rate 100 --count 100 --output json >packets.json
    announce finished
}

on_b() { await finished; }

check() { :; }
