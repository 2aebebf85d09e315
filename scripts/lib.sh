# shellcheck shell=bash
# What more than one script needs. Sourced, never run.

# Packages that a toolchain from swift.org needs to build this on Debian 12. The toolchain brings its own
# compiler and linker, but not the C library, the dynamic libraries that SwiftPM loads, or git.
# shellcheck disable=SC2034 # read by the scripts that source this file
build_packages=(
    ca-certificates git pkg-config
    binutils libc6-dev libstdc++-12-dev
    libcurl4 libncurses6 libsqlite3-0 libxml2
    libpcap-dev
)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
    say "$@"
    exit 1
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root and there is no sudo: $*"
    fi
}

# Prints those of the given packages that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
    done
}

# Installs those of the given packages that are missing, and says which.
install_missing() {
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here; these Debian packages, or what stands for them, are needed: $*"
        return
    fi
    local missing
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    say "installing ${missing[*]}"
    as_root apt-get update -qq || die "apt-get update failed"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null ||
        die "could not install ${missing[*]}"
}

# Ends the script, with the remedy, unless a toolchain that can build the package is on PATH.
need_swift() {
    local oldest=6.2 version
    if ! command -v swift >/dev/null; then
        say "no swift on PATH. Swift $oldest or newer for Debian 12 comes from https://www.swift.org/install/linux/"
        say "(swiftly, or the Debian 12 tarball with its usr/bin put on PATH)."
        ((EUID != 0)) || say "If swift is on your own PATH, sudo has dropped it: sudo env \"PATH=\$PATH\" $0"
        exit 1
    fi
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1)
    [[ $version ]] || die "swift is on PATH but does not tell its version: $(command -v swift)"
    [[ $(printf '%s\n' "$oldest" "$version" | sort -V | head -n 1) == "$oldest" ]] ||
        die "Swift $version is too old, $oldest or newer is needed: https://www.swift.org/install/linux/"
}
