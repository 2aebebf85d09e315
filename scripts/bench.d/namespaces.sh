# shellcheck shell=bash
# Creates two network namespaces with a veth pair between them, and removes them however the script ends. Sourced, never
# run.

readonly mac_a=02:00:00:00:02:01 mac_b=02:00:00:00:02:02

# make_pair NAME: 192.0.2.1 on veth-a in $namespace_a, 192.0.2.2 on veth-b in $namespace_b. $job is the id of the
# script's process that uses them, which ends before they are removed.
make_pair() {
    namespace_a=probe-$1-a-$$ namespace_b=probe-$1-b-$$
    job=
    trap remove_pair EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 141' PIPE
    trap 'exit 143' TERM
    ip netns add "$namespace_a"
    ip netns add "$namespace_b"
    # Created inside the namespaces, so that the host's list of interfaces never shows it.
    ip link add name veth-a address "$mac_a" netns "$namespace_a" \
        type veth peer name veth-b address "$mac_b" netns "$namespace_b"
    configure "$namespace_a" veth-a 192.0.2.1 192.0.2.2 "$mac_b"
    configure "$namespace_b" veth-b 192.0.2.2 192.0.2.1 "$mac_a"
}

# The neighbour entry is permanent, so that no ARP request disturbs a run.
configure() {
    local namespace=$1 interface=$2 address=$3 peer=$4 peer_mac=$5
    ip -n "$namespace" address add "$address/30" dev "$interface"
    ip -n "$namespace" link set lo up
    ip -n "$namespace" link set "$interface" up
    ip -n "$namespace" neighbour replace "$peer" lladdr "$peer_mac" dev "$interface" nud permanent
}

remove_pair() {
    trap '' HUP INT TERM PIPE
    set +e
    if [[ $job ]] && kill "$job" 2>/dev/null; then wait "$job" 2>/dev/null; fi
    local namespace
    for namespace in "$namespace_a" "$namespace_b"; do
        [[ -e /run/netns/$namespace ]] || continue
        end_processes "$namespace"
        ip netns delete "$namespace"
    done
}

# A process that uses a namespace keeps it alive.
end_processes() {
    local attempt pids
    for ((attempt = 0; attempt < 31; attempt++)); do
        mapfile -t pids < <(ip netns pids "$1")
        ((${#pids[@]})) || return 0
        case $attempt in
        0) kill -s TERM "${pids[@]}" 2>/dev/null ;;
        30) kill -s KILL "${pids[@]}" 2>/dev/null ;;
        esac
        sleep 0.1
    done
}
