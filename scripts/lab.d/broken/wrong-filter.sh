# shellcheck shell=bash disable=SC2034,SC2154
# Broken on purpose: the reflector's filter admits a different network from the probes'.

on_a() {
    await reflecting
    # It must fail; the check shows why.
    probe run --interface link --peer "$peer" --rate 100 --count 100 --output json >packets.json || true
    announce finished
}

on_b() {
    in_background probe reflect --interface link --allow 10.99.0.0/16 --output json >reflect.json
    # Port 862.
    until_true 30 "the reflector to be up" grep -q :035E /proc/net/udp
    announce reflecting
    await finished
}

check() {
    expect "probes sent" "$(summary a/packets.json forward.packets.sent)" 100
    expect "probes that the filter of \`probe reflect --allow 10.99.0.0/16\` admitted" \
        "$(summary b/reflect.json probes)" "$(summary a/packets.json stamps.sent)"
}
