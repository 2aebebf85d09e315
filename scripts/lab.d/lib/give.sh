# shellcheck shell=bash disable=SC2154 # scripts/lab sets the variables that are not set here
# Collects the files for the machines, which mount them at /vagrant, as Vagrant's machines do. Sourced by scripts/lab.

# give: adds the scripts and the probe.
give() {
    local binary=${PROBE_BINARY-}
    if [[ ! $binary ]]; then
        need_swift
        swift build -c release --static-swift-stdlib --product probe >"$scratch/build.txt" 2>&1 || {
            tail -n 20 "$scratch/build.txt" >&2
            die "the release build failed, see above"
        }
        binary=$(swift build -c release --show-bin-path)/probe
    fi
    [[ -x $binary ]] || die "$binary is not an executable file"
    mkdir -p "$scratch/given/.build/release"
    cp -R scripts "$scratch/given"
    # Without symbols, which would be most of the data that the machines read.
    strip -o "$scratch/given/.build/release/probe" "$binary" 2>/dev/null ||
        cp "$binary" "$scratch/given/.build/release/probe"
}

# give_c NAME: for prepare. Builds lib/NAME.c; the machines have the program in PATH.
give_c() {
    command -v cc >/dev/null || die "$scenario needs a C compiler: install gcc and libc6-dev"
    cc -static -O2 -Wall -Wextra -Werror -o "$scratch/given/.build/release/$1" "scripts/lab.d/lib/$1.c" ||
        die "could not build $1, see above (static linking needs libc6-dev)"
}

# give_tests: for prepare. Builds the package's tests, which machines run with run_tests. Adds their libraries and
# loader, since the machines have no Swift and maybe a different C library.
give_tests() {
    need_swift
    say "building the package's tests"
    swift build --build-tests >"$scratch/build.txt" 2>&1 || {
        tail -n 20 "$scratch/build.txt" >&2
        die "the build of the tests failed, see above"
    }
    local bundle tests=$scratch/given/tests library
    bundle=$(echo "$(swift build --show-bin-path)"/*PackageTests.xctest)
    mkdir -p "$tests"
    strip -o "$tests/bundle" "$bundle" || die "could not copy the tests"
    while read -r library; do
        strip -o "$tests/${library##*/}" "$library" 2>/dev/null || cp -L "$library" "$tests"
    done < <(ldd "$bundle" | grep -oE '/[^ ]+')
}
