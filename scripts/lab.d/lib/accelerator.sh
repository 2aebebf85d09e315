# shellcheck shell=bash disable=SC2154 # scripts/lab sets the variables that are not set here
# Chooses KVM where a machine has booted with it, else emulation (TCG). Sourced by scripts/lab.
#
# /dev/kvm alone is no proof: inside other virtual machines QEMU can abort or hang with it.

# With KVM a machine boots in a second or two.
readonly kvm_seconds=10

# Sets accelerator to QEMU's options, and accelerator_note to a sentence about them.
choose_accelerator() {
    # The verdict is valid until this machine restarts, and for this QEMU.
    local verdict proof
    verdict=$cache/kvm/$(</proc/sys/kernel/random/boot_id)-$(qemu-system-x86_64 --version | cksum | cut -d ' ' -f 1)
    accelerator=(-accel kvm -cpu host)
    accelerator_note="machines run with KVM"
    if [[ ! -w /dev/kvm ]]; then
        proof="no /dev/kvm"
    elif [[ -e $verdict ]]; then
        proof=$(<"$verdict")
    else
        proof=$(prove_accelerator)
        rm -rf "$cache/kvm"
        mkdir -p "$cache/kvm"
        printf '%s\n' "$proof" >"$verdict"
    fi
    [[ $proof != works ]] || return 0
    # shellcheck disable=SC2054 # the comma is QEMU's
    accelerator=(-accel tcg -cpu qemu64,+rdrand)
    # shellcheck disable=SC2034 # for machines.sh and scripts/lab
    accelerator_note="machines are emulated: $proof"
}

# Boots the machines' kernel with busybox as init, which powers off. Prints "works", or why it failed.
prove_accelerator() {
    local status=0 said=$scratch/kvm.txt console=$scratch/kvm-console.txt
    # In a subshell, since bash reports programs that abort.
    (
        timeout --foreground --kill-after=2 "$kvm_seconds" qemu-system-x86_64 "${accelerator[@]}" -machine q35 -m 256 \
            -nodefaults -no-user-config -display none -serial "file:$console" -no-reboot \
            -kernel "$image_kernel" -initrd "$image_initramfs" \
            -append "console=ttyS0 quiet panic=-1 rdinit=/bin/busybox -- poweroff -f"
    ) >"$said" 2>&1 </dev/null || status=$?
    if ((status == 0)) && grep -q 'reboot: Power down' "$console"; then
        echo works
    elif ((status == 124 || status == 137)); then
        echo "a boot with KVM did not end within $kvm_seconds s"
    else
        echo "a boot with KVM failed ($(grep -m 1 '^qemu' "$said" | cut -c 1-100 || echo "exit code $status"))"
    fi
}
