# shellcheck shell=bash disable=SC2154 # scripts/lab sets the variables that are not set here
# Downloads from Debian: QEMU, which is installed, and packages that are only unpacked. Sourced by scripts/lab.
#
# apt uses sources, lists and preferences in the cache, so this machine's stay unchanged.

# The time limit of a stalled package; a whole download may take ten times as long.
readonly stall_seconds=30

prepare_apt() {
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg suite
    command -v apt-get >/dev/null ||
        unavailable "apt-get is not installed; the lab downloads QEMU, a kernel and the machines' programs with it"
    [[ -r $keyring ]] || unavailable "$keyring is missing: install debian-archive-keyring"
    mkdir -p "$cache/apt/lists/partial"
    for suite in debian:bookworm debian-security:bookworm-security debian:bookworm-backports; do
        echo "deb [arch=amd64 signed-by=$keyring] http://deb.debian.org/${suite%:*} ${suite#*:} main"
    done >"$cache/apt/sources.list"
    # From backports comes only what is requested by name, and its dependencies.
    printf '%s\n' 'Package: *' 'Pin: release n=bookworm-backports' 'Pin-Priority: 50' >"$cache/apt/preferences"
    cat >"$cache/apt/apt.conf" <<END
Dir::Etc::SourceList "$cache/apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "$cache/apt/preferences";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "$cache/apt/lists";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Architecture "amd64";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "$stall_seconds";
END
}

# Like die, for a machine that lacks what the lab needs: exits with 69, and scripts/test decides whether that is a
# failure.
unavailable() {
    say "$@"
    exit 69
}

# lab_apt COMMAND ARGUMENT...: runs a command of apt's with the lab's sources.
lab_apt() {
    env APT_CONFIG="$cache/apt/apt.conf" LC_ALL=C timeout --kill-after=5 $((10 * stall_seconds)) "$@"
}

# Updates apt's lists, once a run, before the first download.
update_lists() {
    [[ ! ${lists_updated-} ]] || return 0
    prepare_apt
    say "updating Debian's package lists"
    lab_apt apt-get update -qq >"$cache/apt/update.log" 2>&1 || {
        tail -n 5 "$cache/apt/update.log" >&2
        unavailable "apt-get update failed: is there a network, and does this machine's apt reach deb.debian.org?"
    }
    lists_updated=yes
}

# need_qemu NIC: installs QEMU, unless this machine has one that emulates the NIC.
need_qemu() {
    local nic=$1 package=qemu-system-x86
    [[ $(uname -m) == x86_64 ]] || unavailable "the lab's machines are x86_64, this one is $(uname -m)"
    if has_device "$nic"; then return; fi
    ((EUID == 0)) || command -v sudo >/dev/null || unavailable "installing $package needs root, and sudo is not installed"
    update_lists
    local install=(install --yes --no-install-recommends -t bookworm-backports "$package")
    local plan
    plan=$(lab_apt apt-get -s "${install[@]}" 2>&1) || {
        printf '%s\n' "$plan" | tail -n 5 >&2
        unavailable "apt-get can not install $package from bookworm-backports, see above; install a QEMU with \`-device $nic\` yourself"
    }
    # `Inst NAME [INSTALLED-VERSION] (NEW-VERSION …` and `Remv NAME`: this script must not change installed packages.
    if printf '%s\n' "$plan" | grep -E '^(Remv |Inst [^ ]+ \[)' | grep -v "^Inst qemu-" >&2; then
        unavailable "installing $package would change the installed packages above; install a QEMU with \`-device $nic\` yourself"
    fi
    say "installing $package and its dependencies: $(printf '%s\n' "$plan" | awk '$1 == "Inst" { printf "%s ", $2 }')"
    # sudo can not run this shell's functions, so not lab_apt.
    as_root env APT_CONFIG="$cache/apt/apt.conf" DEBIAN_FRONTEND=noninteractive \
        timeout --kill-after=5 $((20 * stall_seconds)) apt-get -qq "${install[@]}" >"$cache/apt/install.log" 2>&1 || {
        tail -n 5 "$cache/apt/install.log" >&2
        unavailable "apt-get could not install $package, see above"
    }
    has_device "$nic" || unavailable "$(qemu-system-x86_64 --version | head -n 1) does not emulate $nic: install a QEMU with \`-device $nic\`"
}

has_device() {
    local model=$1
    [[ $model != virtio ]] || model=virtio-net-pci
    command -v qemu-system-x86_64 >/dev/null && qemu-system-x86_64 -device "$model,help" >/dev/null 2>&1
}

# unpack SET DIRECTORY COMMAND...: unpacks the packages of a set. If the cache lacks them or they are damaged, runs the
# command to download them; its last argument is the directory for them.
unpack() {
    local directory=$2 archive debs
    debs=$cache/debs/$1-$(cksum <<<"${*:3}" | cut -d ' ' -f 1)
    # Drops the packages of a set whose definition has changed.
    [[ -e $debs ]] || rm -rf "$cache/debs/$1-"*
    shift 2
    if [[ -e $debs/SHA256SUMS ]] && ! (cd "$debs" && sha256sum --check --status SHA256SUMS 2>/dev/null); then
        say "a cached package in $debs is damaged: downloading again"
        rm -rf "$debs"
    fi
    [[ -e $debs/SHA256SUMS ]] || {
        rm -rf "$debs"
        mkdir -p "$debs/partial"
        update_lists
        "$@" "$debs"
        rm -rf "$debs/partial" "$debs/lock"
        (cd "$debs" && sha256sum -- *.deb >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
    }
    rm -rf "$directory"
    mkdir -p "$directory"
    for archive in "$debs"/*.deb; do
        dpkg-deb -x "$archive" "$directory" || {
            rm -rf "$debs"
            die "could not unpack ${archive##*/} (is the disk full?); the next run downloads it again"
        }
    done
}

# download_with_dependencies PACKAGE... DIRECTORY: downloads the packages and all dependencies, even installed ones.
download_with_dependencies() {
    local debs=${!#}
    : >"$cache/apt/no-status"
    say "downloading ${*:1:$#-1}"
    lab_apt apt-get -qq --yes --no-install-recommends --download-only \
        -o Dir::State::status="$cache/apt/no-status" -o Dir::Cache::Archives="$debs" \
        install "${@:1:$#-1}" >"$cache/apt/download.log" 2>&1 || download_failed "${@:1:$#-1}"
}

# download_kernel VERSION DIRECTORY: downloads Debian's newest kernel of that series.
download_kernel() {
    local version=$1 debs=$2 package
    package=$(lab_apt apt-cache --names-only search "^linux-image-${version/./\\.}\\.[0-9.]+([-+][a-z0-9.]+)?-amd64\$" |
        awk '{ print $1 }' | grep -vE -- '-(cloud|rt)-amd64$' | sort -V | tail -n 1)
    [[ $package ]] || die "Debian has no kernel $version for bookworm"
    say "downloading $package"
    (cd "$debs" && lab_apt apt-get -qq download "$package") >"$cache/apt/download.log" 2>&1 || download_failed "$package"
}

download_failed() {
    tail -n 5 "$cache/apt/download.log" >&2
    unavailable "could not download $* (within $((10 * stall_seconds)) s)"
}
