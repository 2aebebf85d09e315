# shellcheck shell=bash disable=SC2154 # scripts/lab sets the variables that are not set here
# Makes the machines' kernel and initramfs from unpacked packages. Sourced by scripts/lab.

# The programs of a machine; their dependencies are added.
readonly machine_packages=(
    bash busybox-static ethtool iproute2 kmod
    libpcap0.8 libstdc++6
    chrony linuxptp procps
    usr-is-merged # instead of usrmerge, which would bring Perl
)

# The kernel modules of a machine; their dependencies are added. Some load at boot, the others on demand.
readonly machine_modules=(
    virtio_pci virtio_net igb e1000e
    9p 9pnet_virtio
    af_packet bridge veth dummy 8021q vrf
    psample act_sample act_gact act_mirred act_pedit cls_matchall cls_flower cls_u32 cls_basic
    sch_ingress sch_netem sch_etf sch_fq sch_fq_codel sch_prio sch_tbf sch_taprio sch_mqprio
    nf_conntrack nf_conntrack_netlink nf_tables nft_ct
)

# make_image SERIES: makes the initramfs for a kernel series, unless the cache has it. Sets image_kernel and
# image_initramfs.
make_image() {
    local series=$1 here=${BASH_SOURCE[0]%/*} image
    image=$cache/image/$series-$(cat "$here/image.sh" "$here/init" | cksum | cut -d ' ' -f 1)
    # shellcheck disable=SC2034 # for machines.sh
    image_kernel=$image/vmlinuz
    # shellcheck disable=SC2034
    image_initramfs=$image/initramfs
    # An image gets this name only when it is complete.
    [[ ! -e $image ]] || return 0
    rm -rf "$cache/image/$series-"*
    mkdir -p "$cache/image" "$scratch/image"
    local root=$scratch/root kernel=$scratch/kernel release
    unpack machine "$root" download_with_dependencies "${machine_packages[@]}"
    unpack "kernel-$series" "$kernel" download_kernel "$series"
    say "making the machines' file system, with Linux $series"
    tidy "$root"
    install "$here/init" "$root/init"
    release=$(basename "$kernel"/lib/modules/*)
    mkdir -p "$root/lib/modules/$release"
    cp "$kernel/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} "$root/lib/modules/$release"
    add_modules "$kernel/lib/modules/$release" "$root/lib/modules/$release" "${machine_modules[@]}"
    # With the image's loader and libraries, since this host may lack the program or its versions.
    "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu" \
        --argv0 depmod "$root/bin/kmod" -b "$root" "$release" || die "depmod failed for Linux $release"
    (cd "$root" && find . -print | bin/busybox cpio -o -H newc 2>/dev/null) >"$scratch/image/initramfs" ||
        die "could not write the machines' file system (is the disk full?)"
    cp "$kernel"/boot/vmlinuz-* "$scratch/image/vmlinuz"
    mv "$scratch/image" "$image"
    rm -rf "$root" "$kernel"
}

# tidy ROOT: removes what no machine needs, and adds busybox's applets in a directory at the end of PATH.
tidy() {
    local root=$1 applet
    rm -rf "${root:?}"/{etc,var,usr/share} "$root"/usr/lib/x86_64-linux-gnu/{gconv,perl*}
    mkdir -p "$root"/{proc,sys,dev,run,tmp,etc,var,root,lab,vagrant,busybox}
    ln -sf bash "$root/bin/sh"
    ln -s /run "$root/var/run"
    echo root:x:0:0:root:/root:/bin/bash >"$root/etc/passwd"
    echo root:x:0: >"$root/etc/group"
    ln -s /proc/mounts "$root/etc/mtab"
    for applet in $("$root/bin/busybox" --list); do
        ln -s /bin/busybox "$root/busybox/$applet"
    done
}

# add_modules FROM TO MODULE...: adds the modules and their dependencies, uncompressed, since this host decompresses
# faster. Skips a module that is built in or missing in this kernel; the kernel reports an error to a program that needs
# it.
add_modules() {
    local from=$1 to=$2 module file depends
    shift 2
    for module in "$@"; do
        file=$to/$module.ko
        [[ ! -e $file ]] || continue
        find_module "$from" "$module" >"$file"
        if [[ ! -s $file ]]; then
            rm "$file"
            continue
        fi
        depends=$(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | head -n 1)
        # shellcheck disable=SC2086 # a word each
        add_modules "$from" "$to" ${depends//,/ }
    done
}

# find_module DIRECTORY MODULE: writes the module to standard output. Its file name may have - for _.
find_module() {
    local path
    path=$(find "$1" -name "${2//_/[-_]}.ko*" -print -quit)
    case $path in
    *.ko) cat "$path" ;;
    *.ko.xz) xz --decompress --stdout "$path" ;;
    *.ko.zst) zstd --decompress --quiet --stdout "$path" ;;
    esac
}
