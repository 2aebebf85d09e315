# shellcheck shell=bash
# What psample-setup and psample-teardown must agree on: how their filters are known, and what there is on an interface.
# Sourced by both.

# Preference and handle of the filters, the same in both directions; the cookie ("probe") proves that they are these
# scripts'. Since Linux 6.11 samples carry it as USER_COOKIE.
readonly preference=862 handle=0x862 cookie=70726f6265

# Reads the options into `interface` and what the script wants besides: read_options NAME... -- ARGUMENT...
read_options() {
    local names=()
    while [[ $1 != -- ]]; do
        names+=("$1")
        shift
    done
    shift
    interface=
    while (($#)); do
        case $1 in
        --help | -h) usage && exit ;;
        --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
        --*)
            [[ " ${names[*]} " == *" ${1#--} "* ]] || wrong "no option $1"
            (($# > 1)) || wrong "$1 needs a value"
            printf -v "${1#--}" '%s' "$2"
            shift 2
            ;;
        *) wrong "no argument $1" ;;
        esac
    done
    [[ $interface ]] || wrong "--interface is missing"
}

wrong() {
    say "$*; see $0 --help"
    exit 64
}

need_tc() {
    command -v tc >/dev/null || die "no tc on PATH: install iproute2"
    ((EUID == 0)) || die "filters of an interface are root's: sudo $0 ${*@Q}"
}

is_there() { [[ -e /sys/class/net/$interface ]]; }

# Where it is kept that psample-setup made the interface's clsact: for this namespace and this interface's number, with its
# name and address inside, for all of these can be somebody else's later. Forgotten when the machine restarts, as the
# filters are.
record() {
    echo "/run/probe-psample/$(stat -L -c %i /proc/self/ns/net)-$(<"/sys/class/net/$interface/ifindex")"
}

identity() { echo "$interface $(<"/sys/class/net/$interface/address")"; }

# own_filter ingress|egress: whether this direction has a filter of these scripts.
own_filter() {
    tc filter show dev "$interface" "$1" pref "$preference" 2>/dev/null |
        awk -v handle="$handle" -v cookie="$cookie" '
            / handle / { found = $0 ~ " matchall .*handle " handle "( |$)" }
            found && $1 == "cookie" && $2 == cookie { own = 1 }
            END { exit !own }'
}

# remove_own: the filters of both directions, and the clsact if it is psample-setup's own and nobody has joined it.
remove_own() {
    local way
    for way in ingress egress; do
        ! own_filter "$way" ||
            tc filter del dev "$interface" "$way" pref "$preference" handle "$handle" protocol all matchall ||
            die "could not take the filter off $interface's $way"
    done
    [[ -e $(record) ]] || return 0
    if [[ $(<"$(record)") != "$(identity)" ]]; then
        say "the record of an interface that is gone is dropped"
    elif ! qdisc clsact; then
        say "$interface's clsact is gone already"
    elif [[ $(tc filter show dev "$interface" ingress && tc filter show dev "$interface" egress) ]]; then
        say "$interface's clsact stays: others have filters there now"
    else
        tc qdisc del dev "$interface" clsact || die "could not take clsact off $interface"
    fi
    rm -f "$(record)"
}

# qdisc KIND: whether the interface has one of this kind.
qdisc() { tc qdisc show dev "$interface" | grep -q "^qdisc $1 "; }
