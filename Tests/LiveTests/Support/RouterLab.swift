import Foundation
import Synchronization
import Testing

/// A client, a router that translates addresses with nftables, and a server, each in its own network namespace.
///
/// ```
/// client 10.0.0.2 ── 10.0.0.1 router 192.0.2.1 ── 192.0.2.2 server
///        fd00::2 ── fd00::1         2001:db8::1 ── 2001:db8::2
/// ```
/// The router translates the source address of the client's packets to its own (masquerade), and the destinations
/// 198.51.100.1 and 2001:db8:9::1 to the server's addresses.
final class RouterLab: Sendable {
    enum Place: String, CaseIterable { case client = "c", router = "r", server = "s" }

    private static let serial = Atomic<Int>(0)
    private let name: String
    private let folder: URL
    private let processes = Mutex<[ProbeProcess]>([])

    /// Runs `body` with a new lab, then ends its processes and deletes its namespaces and files, even if `body` throws.
    static func with(_ body: (RouterLab) async throws -> Void) async throws {
        await LabGate.shared.acquire()
        defer { LabGate.shared.release() }
        let lab = try RouterLab()
        let result: Result<Void, any Error>
        do { result = .success(try await body(lab)) } catch { result = .failure(error) }
        for process in lab.processes.withLock({ $0 }) { await process.end() }
        lab.remove()
        try result.get()
    }

    private init() throws {
        name = "ct\(getpid())-\(Self.serial.wrappingAdd(1, ordering: .relaxed).newValue)"
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try make()
        } catch {
            remove()
            throw error
        }
    }

    private func remove() {
        for place in Place.allCases where FileManager.default.fileExists(atPath: "/run/netns/\(namespace(place))") {
            _ = try? Command.run(["ip", "netns", "del", namespace(place)])
        }
        try? FileManager.default.removeItem(at: folder)
    }

    /// The name of a place's namespace.
    func namespace(_ place: Place) -> String { name + place.rawValue }

    /// A path in the lab's folder.
    func file(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// Runs a shell script in a namespace to its end and returns its standard output.
    @discardableResult
    func shell(_ place: Place, _ script: String) throws -> String {
        try Command.run(["ip", "netns", "exec", namespace(place), "sh", "-ec", script])
    }

    /// Starts any program in a namespace. The lab kills it at the end if it still runs.
    func start(_ place: Place, _ program: [String]) throws -> ProbeProcess {
        let number = processes.withLock { $0.count }
        let process = try ProbeProcess(
            ["ip", "netns", "exec", namespace(place)] + program,
            output: file("process-\(number)"))
        processes.withLock { $0.append(process) }
        return process
    }

    /// Runs `probe conntrack` in the router's namespace to its end.
    func conntrack(_ arguments: String) async throws -> ProbeProcess {
        let process = try startConntrack(arguments)
        _ = try await process.exit()
        return process
    }

    /// Starts `probe conntrack` in the router's namespace.
    func startConntrack(_ arguments: String) throws -> ProbeProcess {
        try start(.router, [ProbeProcess.binary, "conntrack"] + arguments.split(separator: " ").map(String.init))
    }

    private func make() throws {
        for place in Place.allCases { try Command.run(["ip", "netns", "add", namespace(place)]) }
        let (client, router, server) = (namespace(.client), namespace(.router), namespace(.server))
        try Command.ip([
            "link add to-client netns \(router) type veth peer name uplink netns \(client)",
            "link add to-server netns \(router) type veth peer name uplink netns \(server)",
        ])
        let ends: [(Place, String, String, String)] = [
            (.client, "uplink", "10.0.0.2/24", "fd00::2/64"), (.router, "to-client", "10.0.0.1/24", "fd00::1/64"),
            (.router, "to-server", "192.0.2.1/24", "2001:db8::1/64"),
            (.server, "uplink", "192.0.2.2/24", "2001:db8::2/64"),
        ]
        for (place, link, ipv4, ipv6) in ends {
            try Command.ip(
                [
                    "link set lo up", "link set \(link) addrgenmode none", "link set \(link) up",
                    "addr add \(ipv4) dev \(link)", "addr add \(ipv6) dev \(link) nodad",
                ], in: namespace(place))
        }
        try Command.ip(
            ["route add default via 10.0.0.1", "route add ::/0 via fd00::1"], in: client)
        try shell(
            .router,
            """
            sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
            sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1
            nft -f - <<'END'
            table inet t {
                chain in {
                    type nat hook prerouting priority -100;
                    ip daddr 198.51.100.1 dnat ip to 192.0.2.2
                    ip6 daddr 2001:db8:9::1 dnat ip6 to 2001:db8::2
                }
                chain out {
                    type nat hook postrouting priority 100;
                    oifname "to-server" masquerade
                }
            }
            END
            """)
    }

    /// Sends UDP, TCP and ICMP over IPv4 and IPv6 from the client, some of it without a reply. The TCP connections
    /// stay open until the returned process ends.
    func traffic() async throws -> ProbeProcess {
        let server = try start(.server, ["python3", "-u", "-c", Self.server])
        _ = try await waitFor("the server; standard error: \(server.errors)", within: 20) { server.lines.first }
        let client = try start(.client, ["python3", "-u", "-c", Self.client])
        _ = try await waitFor("the client; standard error: \(client.errors)", within: 20) { client.lines.first }
        return client
    }

    /// Answers UDP port 7 and accepts TCP port 80.
    private static let server = """
        import select, socket
        udp = [socket.socket(f, socket.SOCK_DGRAM) for f in (socket.AF_INET, socket.AF_INET6)]
        tcp = [socket.socket(f, socket.SOCK_STREAM) for f in (socket.AF_INET, socket.AF_INET6)]
        for s in udp + tcp:
            if s.family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind(('', 7 if s in udp else 80))
            if s in tcp: s.listen()
        print('ready')
        held = []
        while True:
            for s in select.select(udp + tcp, [], [])[0]:
                if s in udp:
                    data, peer = s.recvfrom(2000)
                    s.sendto(data, peer)
                else: held.append(s.accept())
        """

    private static let client = """
        import signal, socket, struct
        def bound(family, kind, port):
            s = socket.socket(family, kind)
            if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind(('', port))
            s.settimeout(5)
            return s
        def udp(family, port, host, to, answered):
            s = bound(family, socket.SOCK_DGRAM, port)
            s.sendto(b'x' * 20, (host, to))
            if answered: s.recv(100)
        def tcp(family, port, host):
            s = bound(family, socket.SOCK_STREAM, port)
            s.connect((host, 80))
            return s
        def ping(family, protocol, kind, host):
            s = socket.socket(family, socket.SOCK_RAW, protocol)
            s.settimeout(5)
            packet = struct.pack('>BBHHH', kind, 0, 0, 0x1234, 1)
            if family == socket.AF_INET: packet = struct.pack('>BBHHH', kind, 0, 0xffff - (kind << 8) - 0x1235, 0x1234, 1)
            s.sendto(packet, (host, 0))
            while s.recv(2000)[20 if family == socket.AF_INET else 0] != (0 if kind == 8 else 129): pass
        v4, v6 = socket.AF_INET, socket.AF_INET6
        udp(v4, 4001, '192.0.2.2', 7, True)
        udp(v4, 4002, '192.0.2.2', 9, False)
        udp(v4, 4003, '198.51.100.1', 7, True)
        udp(v6, 4001, '2001:db8::2', 7, True)
        udp(v6, 4003, '2001:db8:9::1', 7, True)
        udp(v4, 4004, '10.0.0.1', 9, False)
        held = [tcp(v4, 4005, '198.51.100.1'), tcp(v6, 4005, '2001:db8:9::1')]
        ping(v4, socket.IPPROTO_ICMP, 8, '192.0.2.2')
        ping(v6, socket.IPPROTO_ICMPV6, 128, '2001:db8::2')
        print('done')
        signal.pause()
        """
}
