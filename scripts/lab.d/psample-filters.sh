# shellcheck shell=bash disable=SC2034,SC2154
# psample-setup samples both directions beside others' filters, and psample-teardown takes off exactly that.

on_a() {
    show >before.txt
    # Alone, twice, and with other settings.
    setup && setup --rate=10 --group 7 --truncate 96
    show >alone.txt
    teardown && teardown
    show >alone-after.txt

    # Others join later, on both sides of it: they see each packet, and keep what they stand on.
    setup --rate 1
    tc filter add dev link egress pref 10 matchall action gact continue
    tc filter add dev link egress pref 900 matchall action gact ok
    tc filter add dev link ingress pref 900 matchall action gact ok
    ping -c 3 -i 0.2 "$peer" >ping.txt
    show >joined.txt
    teardown
    show >joined-after.txt

    # Others were there first.
    setup && teardown && teardown
    show >first-after.txt
    tc qdisc del dev link clsact

    # What it must not touch.
    tc qdisc add dev link ingress
    ! setup
    show >ingress.txt
    tc qdisc del dev link ingress
    tc qdisc add dev link clsact
    tc filter add dev link egress pref 862 matchall action gact continue
    ! setup
    teardown
    show >taken.txt
    tell finished
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
    expect "samplers that are set up" "$(grep -c 'sample rate 1/10 group 7 .*continue' a/alone.txt)" 2
    expect "that cut samples" "$(grep -c 'trunc_size 96' a/alone.txt)" 2
    expect "what is left of them" "$(cat a/alone-after.txt)" "$(cat a/before.txt)"
    expect_within "packets that the filter before it saw" "$(packets joined gact.*continue)" 3 100
    expect_within "packets that were sampled" "$(packets joined sample)" 6 200
    expect_within "packets that the filters behind it saw" "$(packets joined gact.*pass)" 6 200
    expect "samplers beside others, and afterwards" "$(count joined sample) $(count joined-after sample)" "2 0"
    expect "others' filters, and afterwards" "$(count joined gact) $(count joined-after gact) $(count first-after gact)" "3 3 3"
    expect "their clsact" "$(count first-after 'qdisc clsact')" 1
    expect "samplers beside a qdisc ingress, and that" "$(count ingress sample) $(count ingress 'qdisc ingress')" "0 1"
    expect "samplers where another has the preference, and that" "$(count taken sample) $(count taken gact)" "0 1"
    expect "reasons that are told" "$(grep -cE "^psample-setup: (link has a qdisc .ingress|could not put)" a/output.txt)" 2
}

count() { grep -c "$2" "a/$1.txt" || true; }

# packets FILE ACTION: how many an action of that kind has seen, in both directions.
packets() {
    awk -v kind="$2" '/action order/ { own = $0 ~ kind } own && $1 == "Sent" { n += $4 } END { print n + 0 }' "a/$1.txt"
}
