# shellcheck shell=bash disable=SC2154 # scripts/lab sets the variables that are not set here
# Boots machines with QEMU, and waits for them to end. Sourced by scripts/lab.

# After one machine has failed, the time limit for the others to end.
readonly grace_seconds=10

declare -A pids=()

# boot MACHINE SERIAL: replaces this process with the machine's QEMU. The machine's console is on SERIAL.
boot() {
    local machine=$1 serial=$2 arguments
    arguments="console=ttyS0 quiet panic=-1 mitigations=off no_timer_check $kernel_arguments machine=$machine nic=$nic scenario=$scenario"
    # shellcheck disable=SC2054 # commas are QEMU's
    local command=(
        qemu-system-x86_64 "${accelerator[@]}" -machine q35 -m "$memory" -nodefaults -no-user-config
        -display none -serial "$serial"
        -kernel "$image_kernel" -initrd "$image_initramfs" -append "$arguments shell=$shell"
        -virtfs "local,path=$scratch/given,mount_tag=given,security_model=none,readonly=on"
        -virtfs "local,path=$results,mount_tag=results,security_model=none"
    )
    [[ $reboots ]] || command+=(-action "reboot=shutdown")
    case $machine-$machines in
    a-"a b") add_nic "$nic" 21:01 link on ;;
    b-"a b") add_nic "$nic" 21:02 link off ;;
    a-*) add_nic "$nic" 21:01 left off && add_nic virtio 22:01 clean on ;;
    b-*) add_nic "$nic" 21:02 right off && add_nic virtio 22:02 clean off ;;
    bridge-*) add_nic virtio 23:01 left on && add_nic virtio 24:01 right on ;;
    esac
    # The machines end with this script, however it ends.
    exec setpriv --pdeathsig KILL "${command[@]}"
}

# add_nic MODEL MAC-END LINK on|off: adds a NIC on a link, which is a Unix socket. The end with `on` creates it, and the
# other end retries until it exists.
add_nic() {
    local model=$1 mac=52:54:00:86:$2 link=$3 server=$4
    [[ $model != virtio ]] || model=virtio-net-pci
    [[ $server == on ]] || server+=,reconnect-ms=200
    command+=(
        -netdev "stream,id=$link,server=$server,addr.type=unix,addr.path=$scratch/$link"
        -device "$model,netdev=$link,mac=$mac"
    )
}

# Boots the machines, all in the background except the one whose console is this terminal.
boot_all() {
    local machine
    for machine in $machines; do
        mkdir -p "$results/$machine"
        [[ $machine != "$shell" ]] || continue
        boot "$machine" "file:$results/$machine/console.txt" >"$results/$machine/qemu.txt" 2>&1 </dev/null &
        pids[$machine]=$!
    done
    [[ ! $shell ]] || (boot "$shell" mon:stdio)
}

is_running() { kill -0 "${pids[$1]}" 2>/dev/null; }

# Waits until all machines have powered off. Ends the script, with the reason, if a machine does not boot, ends before
# its part is done, or does not end.
await_machines() {
    local start=$SECONDS failed_at='' machine running
    while :; do
        running=
        for machine in "${!pids[@]}"; do
            if is_running "$machine"; then
                running+=" $machine"
                [[ -e $results/sync/up.$machine ]] || ((SECONDS - start <= boot_limit)) ||
                    machine_failed "$machine" "machine $machine was not up after $boot_limit s"
            elif [[ ! -e $results/sync/up.$machine ]]; then
                machine_failed "$machine" "machine $machine ended before it was up: $(panic "$machine")"
            elif [[ ! -e $results/$machine/status ]]; then
                machine_failed "$machine" "machine $machine ended before its part was done"
            fi
        done
        [[ $running ]] || return 0
        ((SECONDS - start <= limit)) || break
        if [[ -e $results/sync/failed && ! $failed_at ]]; then failed_at=$SECONDS; fi
        [[ ! $failed_at ]] || ((SECONDS - failed_at <= grace_seconds)) || return 0
        sleep 0.1
    done
    for machine in $machines; do show_end "$results/$machine/output.txt"; done
    die "$scenario did not end within $limit s; machines still running:$running"
}

machine_failed() {
    show_end "$results/$1/qemu.txt"
    show_end "$results/$1/console.txt"
    show_end "$results/$1/output.txt"
    die "${@:2}"
}

# Prints the message of the machine's kernel panic.
panic() {
    grep -ao $'Kernel panic[^\r]*' "$results/$1/console.txt" ||
        echo "its console shows no kernel panic. If the console is empty, its kernel may be damaged: remove $cache/image"
}

show_end() {
    [[ -s $1 ]] || return 0
    say "the end of $1:"
    tail -n 15 "$1" | tr -d '\r' | awk '{ print "    " $0 }' >&2
}
