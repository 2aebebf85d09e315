# shellcheck shell=bash disable=SC2034,SC2154
# The peer reboots: the run continues when it is up again.

limit=240
reboots=yes

on_a() {
    measure_across "reboot" packets
    announce finished
}

on_b() {
    in_background probe reflect --interface link --quiet --output json >"reflect-$boot.json"
    if ((boot == 1)); then
        await packets.running
        reboot -f
    fi
    await packets.lossy
    announce packets.over
    await finished
}

check() {
    expect "boots of b" "$(<b/boots)" 2
    check_outage a/packets
}
