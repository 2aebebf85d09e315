# shellcheck shell=bash
# Functions that more than one script needs. Sourced, never run.

# Packages that a toolchain from swift.org needs to build this project on Debian 12. The toolchain includes compiler and
# linker, but not the C library, the dynamic libraries that SwiftPM loads, or git.
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
        die "this command needs root, and sudo is not installed: $*"
    fi
}

# Prints which of the packages are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
    done
}

# Installs the packages that are missing, and says which.
install_missing() {
    if ! command -v apt-get >/dev/null; then
        say "apt-get is not available. Install these Debian packages, or their equivalents, yourself: $*"
        return
    fi
    local missing
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    say "installing ${missing[*]}"
    as_root apt-get update -qq || die "apt-get update failed, see above"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null ||
        die "apt-get could not install ${missing[*]}, see above"
}

# Ends the script, with a remedy, unless PATH has a toolchain that can build the package.
need_swift() {
    local oldest=6.2 version
    if ! command -v swift >/dev/null; then
        say "swift is not on PATH. Install Swift $oldest or newer from https://www.swift.org/install/linux/"
        say "(with swiftly, or unpack the Debian 12 tarball and add its usr/bin to PATH)."
        ((EUID != 0)) || say "If your PATH has swift, sudo has reset it: sudo env \"PATH=\$PATH\" $0"
        exit 1
    fi
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1)
    [[ $version ]] || die "$(command -v swift) does not report its version: check the toolchain with \`swift --version\`"
    [[ $(printf '%s\n' "$oldest" "$version" | sort -V | head -n 1) == "$oldest" ]] ||
        die "Swift $version is too old. Install Swift $oldest or newer from https://www.swift.org/install/linux/"
}
