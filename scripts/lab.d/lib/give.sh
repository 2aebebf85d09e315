# shellcheck shell=bash disable=SC2154 # scripts/lab sets the variables that are not set here
# What the machines get from this one: they find it at /vagrant, where Vagrant's find it as well. Sourced by scripts/lab.

# The scripts and the probe.
give() {
    local binary=${PROBE_BINARY-}
    if [[ ! $binary ]]; then
        need_swift
        swift build -c release --static-swift-stdlib --product probe >"$scratch/build.txt" 2>&1 || {
            tail -n 20 "$scratch/build.txt" >&2
            die "the build failed"
        }
        binary=$(swift build -c release --show-bin-path)/probe
    fi
    [[ -x $binary ]] || die "no program $binary"
    mkdir -p "$scratch/given/.build/release"
    cp -R scripts "$scratch/given"
    # Symbols would be most of what goes through to the machines.
    strip -o "$scratch/given/.build/release/probe" "$binary" 2>/dev/null ||
        cp "$binary" "$scratch/given/.build/release/probe"
}

# give_c NAME: for prepare. The program of lib/NAME.c, which machines then have in PATH.
give_c() {
    command -v cc >/dev/null || die "$scenario needs a C compiler: install gcc and libc6-dev"
    cc -static -O2 -Wall -Wextra -Werror -o "$scratch/given/.build/release/$1" "scripts/lab.d/lib/$1.c" ||
        die "could not build $1 (libc6-dev has what a static program needs)"
}

# give_tests: for prepare. The package's own tests, which machines then run with run_tests; with all libraries that they
# need, and their loader, since the machines have neither Swift nor, maybe, this C library.
give_tests() {
    need_swift
    say "building the package's tests"
    swift build --build-tests >"$scratch/build.txt" 2>&1 || {
        tail -n 20 "$scratch/build.txt" >&2
        die "the tests' build failed"
    }
    local bundle tests=$scratch/given/tests library
    bundle=$(echo "$(swift build --show-bin-path)"/*PackageTests.xctest)
    mkdir -p "$tests"
    strip -o "$tests/bundle" "$bundle" || die "could not copy the tests"
    while read -r library; do
        strip -o "$tests/${library##*/}" "$library" 2>/dev/null || cp -L "$library" "$tests"
    done < <(ldd "$bundle" | grep -oE '/[^ ]+')
}
