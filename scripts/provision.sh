#!/bin/bash
# Prepares a Debian 12 machine to run probe towards its peer: a machine of Vagrant's, or one of scripts/lab's, which has
# all programs and no package manager. Runs as root, any number of times:
#   provision.sh INTERFACE LOCAL-IPV6/LENGTH PEER-IPV4 PEER-IPV6 PEER-MAC
# The interface must exist and have its IPv4 address.
set -euo pipefail

if (($# != 5)); then
    echo "usage: $0 INTERFACE LOCAL-IPV6/LENGTH PEER-IPV4 PEER-IPV6 PEER-MAC" >&2
    exit 2
fi
interface=$1 local6=$2 peer=$3 peer6=$4 peer_mac=$5

packages=(libpcap0.8 iproute2 ethtool)
if command -v apt-get >/dev/null && ! dpkg-query -W -f '${db:Status-Status}\n' "${packages[@]}" 2>/dev/null |
    awk '$1 == "installed" { n++ } END { exit n != '"${#packages[@]}"' }'; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "${packages[@]}"
fi

# ifupdown runs this hook whenever an interface comes up. The kernel drops even permanent neighbour entries when an
# interface goes down, and a restart drops everything.
hook=/etc/network/if-up.d/probe-lab
mkdir -p "${hook%/*}"
cat >"$hook" <<END
#!/bin/sh
# Written by scripts/provision.sh.
[ "\$IFACE" = "$interface" ] || exit 0
set -e
ip -6 address replace "$local6" dev "$interface" nodad
ip neighbour replace "$peer" lladdr "$peer_mac" dev "$interface" nud permanent
ip neighbour replace "$peer6" lladdr "$peer_mac" dev "$interface" nud permanent
END
chmod 755 "$hook"
IFACE=$interface "$hook"
ip address show dev "$interface"
ip neighbour show dev "$interface"

probe=/vagrant/.build/release/probe
if [[ ! -x $probe ]]; then
    problem="is missing"
elif ! "$probe" --version >/dev/null; then
    problem="does not run on this machine"
fi
if [[ ${problem-} ]]; then
    cat >&2 <<END
$probe $problem. On the host, whose C library must not be newer than this machine's:
    swift build -c release --static-swift-stdlib --product probe
    vagrant rsync
END
fi
