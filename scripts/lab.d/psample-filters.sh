# shellcheck shell=bash disable=SC2034,SC2154
# psample-setup adds samplers next to other filters, in both directions, and psample-teardown removes exactly those.

on_a() {
    show >before.txt
    # Without other filters: twice, the second time with other settings.
    setup && setup --rate=10 --group 7 --truncate 96
    show >alone.txt
    teardown && teardown
    show >alone-after.txt

    # Other filters are added later, in front of it and behind: they see every packet, and keep the clsact.
    setup --rate 1
    tc filter add dev link egress pref 10 matchall action gact continue
    tc filter add dev link egress pref 900 matchall action gact ok
    tc filter add dev link ingress pref 900 matchall action gact ok
    ping -c 3 -i 0.2 "$peer" >ping.txt
    show >joined.txt
    teardown
    show >joined-after.txt

    # Other filters exist before.
    setup && teardown && teardown
    show >first-after.txt
    tc qdisc del dev link clsact

    # A qdisc and a filter that it must not change.
    tc qdisc add dev link ingress
    ! setup
    show >ingress.txt
    tc qdisc del dev link ingress
    tc qdisc add dev link clsact
    tc filter add dev link egress pref 862 matchall action gact continue
    ! setup
    teardown
    show >occupied.txt
    announce finished
}

on_b() { await finished; }

setup() { /vagrant/scripts/psample-setup --interface link "$@"; }
teardown() { /vagrant/scripts/psample-teardown --interface link; }
show() {
    tc qdisc show dev link
    tc -s filter show dev link ingress
    tc -s filter show dev link egress
}

check() {
    expect "samplers that were added" "$(grep -c 'sample rate 1/10 group 7 .*continue' a/alone.txt)" 2
    expect "those that truncate samples" "$(grep -c 'trunc_size 96' a/alone.txt)" 2
    expect "qdiscs and filters after removal" "$(cat a/alone-after.txt)" "$(cat a/before.txt)"
    expect_within "packets that the filter in front saw" "$(packets joined gact.*continue)" 3 100
    expect_within "packets sampled" "$(packets joined sample)" 6 200
    expect_within "packets that the filters behind saw" "$(packets joined gact.*pass)" 6 200
    expect "samplers next to other filters, and after removal" "$(count joined sample) $(count joined-after sample)" "2 0"
    expect "other filters, and after removal" "$(count joined gact) $(count joined-after gact) $(count first-after gact)" "3 3 3"
    expect "clsact of the other filters" "$(count first-after 'qdisc clsact')" 1
    expect "samplers next to an ingress qdisc, and ingress qdiscs" "$(count ingress sample) $(count ingress 'qdisc ingress')" "0 1"
    expect "samplers where another filter has the preference, and other filters" "$(count occupied sample) $(count occupied gact)" "0 1"
    expect "reasons given" "$(grep -cE "^psample-setup: (link has an .ingress|could not add the filters)" a/output.txt)" 2
}

count() { grep -c "$2" "a/$1.txt" || true; }

# packets FILE ACTION: the number of packets that actions of this kind saw, in both directions.
packets() {
    awk -v kind="$2" '/action order/ { wanted = $0 ~ kind } wanted && $1 == "Sent" { n += $4 } END { print n + 0 }' "a/$1.txt"
}
