# shellcheck shell=bash disable=SC2154 # scripts/lab sets the variables that are not set here
# Builds netdevsim, a simulated switch, from the source of the machines' kernel, since Debian's kernels lack it. Sourced
# by scripts/lab.

# give_netdevsim: for prepare. Adds the module for the machines' kernel as /vagrant/netdevsim.ko. If it can not be
# built, ends the lab with 69 and the reason.
give_netdevsim() {
    local image package release version built
    image=$(find "$cache/debs/kernel-$series-"* -name 'linux-image-*.deb' -print -quit)
    [[ $image ]] || unavailable "$cache/debs has no package of the machines' kernel, so its version is unknown: remove $cache"
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

# build_netdevsim RELEASE VERSION: builds in $scratch/netdevsim. Installs nothing, and keeps only the module.
build_netdevsim() {
    local release=$1 version=$2 work=$scratch/netdevsim tool headers archive source
    for tool in make gcc xz; do
        command -v "$tool" >/dev/null || unavailable "building netdevsim from source needs $tool: install it"
    done
    mkdir -p "$work/debs/partial"
    update_lists
    # The headers' package depends on the others that it needs.
    mapfile -t headers < <(lab_apt apt-cache show "linux-headers-$release=$version" | sed -n 's/^Depends: //p' | tr , '\n' |
        sed -nE 's/^ *(linux-(headers|kbuild)-[^ ]+).*/\1/p')
    ((${#headers[@]} > 0)) || unavailable "Debian no longer has linux-headers-$release $version: remove $cache to get a newer kernel"
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
    # The headers contain their path. Without vmlinux, make skips BTF, which would need pahole.
    sed -i "s|/usr/src/|$work/usr/src/|" "${headers[0]}/Makefile"
    rm -f "${headers[0]}/vmlinux"
    make -j "$(nproc)" -C "${headers[0]}" M="$work/$source/drivers/net/netdevsim" CONFIG_NETDEVSIM=m modules \
        >"$work/make.log" 2>&1 || {
        tail -n 15 "$work/make.log" >&2
        unavailable "could not build netdevsim for Linux $release, see above"
    }
    strip --strip-debug -o "$work/netdevsim.ko" "$work/$source/drivers/net/netdevsim/netdevsim.ko"
}
