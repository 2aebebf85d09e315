# shellcheck shell=bash
# Functions of psample-setup and psample-teardown: options, and how the filters are identified. Sourced by both.

# Preference and handle of the filters in both directions. The cookie ("probe") identifies the filters as these
# scripts'. Since Linux 6.11 a sample carries it as USER_COOKIE.
readonly preference=862 handle=0x862 cookie=70726f6265

# read_options NAME... -- ARGUMENT...: reads the options into `interface` and the named variables.
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
            [[ " ${names[*]} " == *" ${1#--} "* ]] || wrong "unknown option $1"
            (($# > 1)) || wrong "$1 needs a value"
            printf -v "${1#--}" '%s' "$2"
            shift 2
            ;;
        *) wrong "unexpected argument $1" ;;
        esac
    done
    [[ $interface ]] || wrong "--interface is missing"
}

wrong() {
    say "$*; see $0 --help"
    exit 64
}

need_tc() {
    command -v tc >/dev/null || die "tc is not on PATH: install iproute2"
    ((EUID == 0)) || die "changing an interface's filters needs root: sudo $0 ${*@Q}"
}

exists() { [[ -e /sys/class/net/$interface ]]; }

# record_file: the file which records that psample-setup created the interface's clsact. Its name holds the namespace
# and the interface's index, its content the interface's name and address, since another interface can get each of these
# later. A restart removes it, as it removes the filters.
record_file() {
    echo "/run/probe-psample/$(stat -L -c %i /proc/self/ns/net)-$(<"/sys/class/net/$interface/ifindex")"
}

identity() { echo "$interface $(<"/sys/class/net/$interface/address")"; }

# has_filter ingress|egress: succeeds if this direction has a filter of these scripts.
has_filter() {
    tc filter show dev "$interface" "$1" pref "$preference" 2>/dev/null |
        awk -v handle="$handle" -v cookie="$cookie" '
            / handle / { found = $0 ~ " matchall .*handle " handle "( |$)" }
            found && $1 == "cookie" && $2 == cookie { ours = 1 }
            END { exit !ours }'
}

# remove_filters: removes the filters of both directions, and the clsact if psample-setup created it and no other filter
# uses it.
remove_filters() {
    local direction
    for direction in ingress egress; do
        ! has_filter "$direction" ||
            tc filter del dev "$interface" "$direction" pref "$preference" handle "$handle" protocol all matchall ||
            die "could not remove the $direction filter of $interface, see above"
    done
    [[ -e $(record_file) ]] || return 0
    if [[ $(<"$(record_file)") != "$(identity)" ]]; then
        say "removing the record of an interface that no longer exists"
    elif ! has_qdisc clsact; then
        say "the clsact of $interface has been removed already"
    elif [[ $(tc filter show dev "$interface" ingress && tc filter show dev "$interface" egress) ]]; then
        say "keeping the clsact of $interface: other filters use it now"
    else
        tc qdisc del dev "$interface" clsact || die "could not remove the clsact of $interface, see above"
    fi
    rm -f "$(record_file)"
}

# has_qdisc KIND: succeeds if the interface has a qdisc of this kind.
has_qdisc() { tc qdisc show dev "$interface" | grep -q "^qdisc $1 "; }
