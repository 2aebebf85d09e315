#!/bin/bash
# Makes a Debian 12 machine ready to run probe towards its peer: Vagrant's, and those of scripts/lab, which have all
# programs and no package manager. As root, any number of times:
#   provision.sh INTERFACE OWN-IPV6/LENGTH PEER-IPV4 PEER-IPV6 PEER-MAC
# The interface and its IPv4 address are there already.
set -euo pipefail

if (($# != 5)); then
    echo "usage: $0 INTERFACE OWN-IPV6/LENGTH PEER-IPV4 PEER-IPV6 PEER-MAC" >&2
    exit 2
fi
interface=$1 own6=$2 peer=$3 peer6=$4 peer_mac=$5

packages=(libpcap0.8 iproute2 ethtool)
if command -v apt-get >/dev/null && ! dpkg-query -W -f '${db:Status-Status}\n' "${packages[@]}" 2>/dev/null |
    awk '$1 == "installed" { n++ } END { exit n != '"${#packages[@]}"' }'; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "${packages[@]}"
fi

# ifupdown calls this whenever an interface comes up: the kernel forgets even permanent neighbours of an
# interface that goes down, and the machine forgets everything when it restarts.
hook=/etc/network/if-up.d/probe-lab
mkdir -p "${hook%/*}"
cat >"$hook" <<END
#!/bin/sh
# Written by scripts/provision.sh.
[ "\$IFACE" = "$interface" ] || exit 0
set -e
ip -6 address replace "$own6" dev "$interface" nodad
ip neighbour replace "$peer" lladdr "$peer_mac" dev "$interface" nud permanent
ip neighbour replace "$peer6" lladdr "$peer_mac" dev "$interface" nud permanent
END
chmod 755 "$hook"
IFACE=$interface "$hook"
ip address show dev "$interface"
ip neighbour show dev "$interface"

probe=/vagrant/.build/release/probe
if [[ ! -x $probe ]]; then
    problem="is not there"
elif ! "$probe" --version >/dev/null; then
    problem="does not run on this machine"
fi
if [[ ${problem-} ]]; then
    cat >&2 <<END
$probe $problem. On the host, which must not be newer than this machine:
    swift build -c release --static-swift-stdlib --product probe
    vagrant rsync
END
fi
