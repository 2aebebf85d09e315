# shellcheck shell=bash disable=SC2034,SC2154
# The peer reboots: the run goes on when it is back.

limit=240
reboots=yes

on_a() {
    measure_across "reboot" packets
    tell finished
}

on_b() {
    in_background probe reflect --interface link --quiet --output json >"reflect-$boot.json"
    if ((boot == 1)); then
        await packets.running
        reboot -f
    fi
    await packets.went-on
    tell packets.over
    await finished
}

check() {
    expect "times that b has booted" "$(<b/boots)" 2
    check_outage a/packets
}
