# shellcheck shell=bash disable=SC2154 # scripts/lab sets the variables that are not set here
# netdevsim, a switch that is simulated: Debian's kernels come without it, so it is built from their own source. Sourced by
# scripts/lab.

# give_netdevsim: for prepare. The module for the machines' kernel, which they find as /vagrant/netdevsim.ko. Where it can
# not be had the lab ends with 69, and why.
give_netdevsim() {
    local image package release version built
    image=$(find "$cache/debs/kernel-$series-"* -name 'linux-image-*.deb' -print -quit)
    [[ $image ]] || unavailable "the package of the machines' kernel is not in $cache/debs any more, so its version is not known"
    IFS=_ read -r package version _ <<<"$(basename "$image")"
    release=${package#linux-image-}
    built=$cache/netdevsim/$release-$(cksum <"${BASH_SOURCE[0]}" | cut -d ' ' -f 1)
    if [[ ! -e $built ]]; then
        rm -rf "$cache/netdevsim"
        mkdir -p "$cache/netdevsim"
        build_netdevsim "$release" "$version"
        mv "$scratch/netdevsim/netdevsim.ko" "$built"
        rm -rf "$scratch/netdevsim"
    fi
    cp "$built" "$scratch/given/netdevsim.ko"
}

# build_netdevsim RELEASE VERSION: in $scratch/netdevsim. Nothing of what it takes is installed, or kept.
build_netdevsim() {
    local release=$1 version=$2 work=$scratch/netdevsim tool headers archive source
    for tool in make gcc xz; do
        command -v "$tool" >/dev/null || unavailable "netdevsim is built from source, which needs $tool: install it"
    done
    mkdir -p "$work/debs/partial"
    update_lists
    # The headers' package names the others that belong to it.
    mapfile -t headers < <(lab_apt apt-cache show "linux-headers-$release=$version" | sed -n 's/^Depends: //p' | tr , '\n' |
        sed -nE 's/^ *(linux-(headers|kbuild)-[^ ]+).*/\1/p')
    ((${#headers[@]} > 0)) || unavailable "Debian has no linux-headers-$release $version any more: remove $cache for a newer kernel"
    headers+=("linux-headers-$release" "linux-source-$series")
    say "downloading ${headers[*]}"
    (cd "$work/debs" && lab_apt apt-get -qq download "${headers[@]/%/=$version}") >"$cache/apt/download.log" 2>&1 ||
        download_failed "${headers[@]}"
    for archive in "$work"/debs/*.deb; do
        [[ $archive == */linux-source-* ]] || dpkg-deb -x "$archive" "$work" || die "could not unpack ${archive##*/}"
    done
    say "building netdevsim for Linux $release"
    source=linux-source-$series
    dpkg-deb --fsys-tarfile "$work"/debs/linux-source-*.deb | tar -xO "./usr/src/$source.tar.xz" |
        tar -xJ -C "$work" "$source/drivers/net/netdevsim" || die "could not unpack $source (is the disk full?)"
    headers=("$work/usr/src/linux-headers-$release")
    # Installed headers know where they are. Without vmlinux there is no BTF, which would need another program.
    sed -i "s|/usr/src/|$work/usr/src/|" "${headers[0]}/Makefile"
    rm -f "${headers[0]}/vmlinux"
    make -j "$(nproc)" -C "${headers[0]}" M="$work/$source/drivers/net/netdevsim" CONFIG_NETDEVSIM=m modules \
        >"$work/make.log" 2>&1 || {
        tail -n 15 "$work/make.log" >&2
        unavailable "netdevsim could not be built for Linux $release here"
    }
    strip --strip-debug -o "$work/netdevsim.ko" "$work/$source/drivers/net/netdevsim/netdevsim.ko"
}
