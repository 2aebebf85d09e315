import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

@testable import FastAFPacket

/// The effect of each socket option on packets.
@Suite(.needsRoot, .vethPair)
struct SocketOptionTests {
    private let name = VethPair.interfaceName

    /// Adds a class to the left side's packet scheduler, named by the priority: `1:3` is 0x10003.
    private func addClass() throws {
        let pair = try VethPair.current
        for command in ["qdisc add dev \(name) root handle 1: htb", "class add dev \(name) classid 1:3 htb rate 1gbit"]
        {
            try pair.run(.left, ["tc"] + command.split(separator: " ").map(String.init))
        }
    }

    /// The number of packets that went through the class.
    private func packetsOfClass() throws -> Int {
        let text = try VethPair.current.output(.left, ["tc", "-s", "class", "show", "dev", name])
        let words = text.split(whereSeparator: { $0.isWhitespace })
        let position = try #require(words.firstIndex(of: "pkt"), "\(text)")
        return try #require(Int(words[position - 1]))
    }

    @Test("A priority puts sent packets into that class of the packet scheduler")
    func priority() throws {
        let pair = try VethPair.current
        try addClass()
        let plain = try pair.listen(.left)
        let sender = try pair.listen(.left) { $0.options.priority = 0x10003 }
        let receiver = try pair.listen(.right)
        try plain.sendFrames(0..<3)
        try sender.sendFrames(10..<15)
        #expect(try receiver.receiveNumbers(8) == [0, 1, 2, 10, 11, 12, 13, 14])
        #expect(try packetsOfClass() == 5)
    }

    @Test(
        "Frames that bypass the packet scheduler meet no class, and have only a driver transmit timestamp",
        arguments: [true, false])
    func bypassQdisc(dual: Bool) throws {
        let pair = try VethPair.current
        try addClass()
        let sender = try pair.listen(.left, dual: dual) {
            $0.options.priority = 0x10003
            $0.options.bypassQdisc = true
        }
        #expect(sender.transmitStamps == .software)
        let receiver = try pair.listen(.right)
        try sender.sendFrames(0..<5)
        #expect(try receiver.receiveNumbers(5) == Array(0..<5))
        #expect(try packetsOfClass() == 0)
        let stamps = try sender.receiveStamps(6, seconds: 0.05)
        #expect(stamps.map(\.id) == Array(0..<5) && stamps.allSatisfy { $0.stage == .sent })
    }

    @Test("Frames of this host are received and marked so unless they are excluded", arguments: [true, false])
    func outgoing(ignores: Bool) throws {
        let pair = try VethPair.current
        let listener = try pair.listen(.left, etherType: 3) {
            $0.filter = try? Filter(expression: "ether proto 0x88b5")
            $0.options.ignoreOutgoing = ignores
        }
        try pair.listen(.left).sendFrames([1, 2])
        try pair.listen(.right).sendFrames([3], from: .right)
        var types: [UInt32: LinkAddress.PacketType] = [:]
        try listener.receiveAll(ignores ? 1 : 3) { types[number(in: $0)] = $1.link?.packetType }
        #expect(types == (ignores ? [3: .host] : [1: .outgoing, 2: .outgoing, 3: .host]))
    }

    @Test("Sent packets carry the mark, which filters on this host see")
    func mark() throws {
        let pair = try VethPair.current
        // ld mark; jeq #77; and the whole frame or nothing: SKF_AD_OFF + SKF_AD_MARK.
        let marked = Filter(instructions: [
            .init(code: 0x20, k: 0xFFFF_F000 + 20), .init(code: 0x15, jumpTrue: 0, jumpFalse: 1, k: 77),
            .init(code: 0x06, k: 0xFFFF), .init(code: 0x06, k: 0),
        ])
        let listener = try pair.listen(.left, etherType: 3) {
            $0.filter = marked
            $0.options.ignoreOutgoing = false
        }
        try pair.listen(.left).sendFrames([1])
        try pair.listen(.left) { $0.options.mark = 78 }.sendFrames([2])
        try pair.listen(.left) { $0.options.mark = 77 }.sendFrames([3])
        #expect(try listener.receiveNumbers(1) == [3])
    }

    // MARK: - Promiscuous mode

    /// The promiscuity count of the right side's interface.
    private func promiscuity(of name: String = VethPair.interfaceName) throws -> Int {
        let text = try VethPair.current.output(.right, ["ip", "-d", "link", "show", "dev", name])
        let words = text.split(whereSeparator: { $0.isWhitespace })
        let position = try #require(words.firstIndex(of: "promiscuity"), "\(text)")
        return try #require(Int(words[position + 1]))
    }

    @Test(
        "Frames for other hosts are received only in promiscuous mode, which needs only CAP_NET_RAW",
        arguments: [true, false])
    func promiscuous(wanted: Bool) throws {
        let pair = try VethPair.current
        // A veth accepts every frame; a bridge has an address table, and its interface gets only frames for it.
        for command in ["link add br0 type bridge", "link set \(name) master br0", "link set br0 up"] {
            try pair.ip(.right, command)
        }
        try pair.waitUntilActive(.right, "br0")
        let address = try pair.interface(.right, named: "br0").macAddress
        let failed = try errorWithout(.networkAdministration) { () throws(SystemError) in
            let listener = try pair.enter(.right) { () throws(SystemError) in
                var configuration = PacketConn.Configuration()
                configuration.switchHardwareOn = false
                configuration.options.promiscuous = wanted
                return try PacketConn.listen(
                    on: Interface(named: "br0"), etherType: testEtherType, configuration: configuration)
            }
            let sender = try pair.listen(.left)
            // The bridge's port must be forwarding first; the frame that any interface accepts is sent last.
            var numbers: [UInt32] = []
            let end = soon()
            while numbers.isEmpty, ClockID.monotonic.now() < end {
                try sender.writeTo([2, 0, 0, 0, 0, 0x99] + frame(1).dropFirst(6), id: 1)
                try sender.writeTo((0..<6).map { address.octet($0) } + frame(2).dropFirst(6), id: 2)
                numbers = try listener.receiveNumbers(wanted ? 2 : 1, seconds: 0.05)
            }
            #expect(numbers == (wanted ? [1, 2] : [2]))
        }
        #expect(failed == nil)
    }

    @Test(
        "A multicast group is joined while the connection is open, counted, and left on close",
        arguments: [true, false])
    func multicastGroups(dual: Bool) throws {
        let pair = try VethPair.current
        let group = MACAddress(rawValue: 0x0180_C200_000E)
        func memberships() throws -> [Substring] {
            try pair.output(.right, ["ip", "maddress", "show", "dev", name]).split(separator: "\n")
                .filter { $0.contains("01:80:c2:00:00:0e") }
        }
        #expect(try memberships().isEmpty)
        let first = try pair.listen(.right, dual: dual) { $0.options.multicastGroups = [group] }
        let second = try pair.listen(.right, dual: dual) { $0.options.multicastGroups = [group] }
        #expect(try memberships().count == 1 && memberships()[0].contains("users 2"))
        // A thread still inside a call with the socket keeps it open, as this duplicate does.
        let held = dup(second.receiver.rawValue)
        defer { close(held) }
        second.close()
        #expect(try memberships().count == 1 && !memberships()[0].contains("users 2"))
        first.close()
        #expect(try memberships().isEmpty)
    }

    @Test(
        "Promiscuous mode is counted, and left when each connection closes, on any thread",
        arguments: [true, false])
    func promiscuityGivenBack(dual: Bool) throws {
        let pair = try VethPair.current
        #expect(try promiscuity() == 0)
        let first = try pair.listen(.right, dual: dual) { $0.options.promiscuous = true }
        do {
            let second = try pair.listen(.right, dual: dual) { $0.options.promiscuous = true }
            #expect(try promiscuity() == 2)
            // Threads may still be inside calls with the socket when it is closed; a slow one keeps it open, as this
            // duplicate does.
            let held = dup(second.receiver.rawValue)
            defer { close(held) }
            let receiver = Background { () throws(SystemError) in try second.receiveNumber() }
            let server = Background { () throws(SystemError) in
                let signal = try EventSignal()
                return try second.waitForActivity(until: nil, signal: signal)
            }
            try receiver.untilBlocked()
            try server.untilBlocked()
            try Background { second.close() }.result().get()
            #expect(try promiscuity() == 1)
            #expect(try receiver.errorCode() == EBADF)
            second.close()
        }
        #expect(try promiscuity() == 1)
        first.close()
        #expect(try promiscuity() == 0)
        // A connection that is not closed explicitly.
        try pair.listen(.right, dual: dual) { $0.options.promiscuous = true }.sendFrames([1])
        #expect(try promiscuity() == 0)
    }

    @Test("Closing after the interface was deleted closes the connection")
    func promiscuousAndGone() throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.right) { $0.options.promiscuous = true }
        try pair.ip(.right, "link del \(name)")
        connection.close()
        #expect(errorCode { () throws(SystemError) in _ = try connection.receiveNumber() } == EBADF)
    }

    // MARK: - Binding to the device

    @Test("A socket bound to a device sends on it, whatever the routes")
    func bindToDevice() throws {
        let pair = try VethPair.current
        try pair.ip(.left, "link add other0 type veth peer name other0 netns \(pair.right)")
        for side in [VethPair.Side.left, .right] { try pair.ip(side, "link set other0 up") }
        for side in [VethPair.Side.left, .right] { try pair.waitUntilActive(side, "other0") }
        // The same peer on both interfaces; the route over the second one has the higher metric.
        try pair.ip(.left, "route add \(VethPair.ipv4(.right))/32 dev \(name)")
        try pair.ip(.left, "route add \(VethPair.ipv4(.right))/32 dev other0 metric 1000")
        try pair.ip(.left, "neigh add \(VethPair.ipv4(.right)) lladdr 02:00:00:00:00:77 dev other0")
        let listener = try pair.enter(.right) { () throws(SystemError) in
            try PacketConn.listen(on: Interface(named: "other0"), etherType: 0x0800)
        }
        let connection = try pair.enter(.left) { () throws(SystemError) in
            try PacketConn.listenUDP(on: SocketAddress(.v4(0), port: 0), interface: Interface(named: "other0"))
        }
        let peer = SocketAddress(try #require(IPAddress(VethPair.ipv4(.right))), port: 9999)
        try connection.writeTo([1, 2, 3], destination: peer, id: 1)
        var destinations: [[UInt8]] = []
        try listener.receiveAll(1) { bytes, _ in bytes.withUnsafeBytes { destinations.append(Array($0[..<6])) } }
        #expect(destinations == [[2, 0, 0, 0, 0, 0x77]])
    }

    // MARK: - Missing privileges

    @Test("Options that need CAP_NET_ADMIN name it in the error, and no connection is opened")
    func unprivileged() throws {
        let pair = try VethPair.current
        let preferred = try errorWithout(.networkAdministration) { () throws(SystemError) in
            _ = try pair.listen(.left) { $0.options.busyPoll = .init(microseconds: 0, isPreferred: true) }
        }
        #expect(preferred?.code == EPERM && preferred?.remedy?.contains("CAP_NET_ADMIN") == true)
        let budget = try errorWithout(.networkAdministration) { () throws(SystemError) in
            _ = try pair.listen(.left) { $0.options.busyPoll = .init(microseconds: 0, budget: 64) }
        }
        #expect(budget?.code == EPERM)
        // Packet sockets need CAP_NET_RAW, which suffices for these options on newer kernels: a UDP connection needs
        // neither.
        for change: @Sendable (inout PacketConn.Configuration) -> Void in [
            { $0.options.mark = 1 }, { $0.options.priority = 7 },
        ] {
            let interface = try pair.interface(.left)
            let error = try errorWithout(.networkAdministration, .rawSockets) { () throws(SystemError) in
                var configuration = PacketConn.Configuration()
                change(&configuration)
                _ = try pair.enter(.left) { () throws(SystemError) in
                    try PacketConn.listenUDP(
                        on: SocketAddress(.v4(0), port: 0), interface: interface, configuration: configuration)
                }
            }
            #expect(error?.code == EPERM && error?.remedy?.contains("CAP_NET_ADMIN") == true)
        }
    }

    @Test("A receive buffer above the system's limit is granted in part without CAP_NET_ADMIN, with a warning")
    func warning() throws {
        let pair = try VethPair.current
        let asked: Int32 = 1 << 30
        let error = try errorWithout(.networkAdministration) { () throws(SystemError) in
            let small = try pair.listen(.left) { $0.receiveBufferBytes = 4096 }
            #expect(small.warnings.isEmpty)
            let connection = try pair.listen(.left) { $0.receiveBufferBytes = asked }
            let granted = connection.receiveBufferBytes / 2
            #expect(connection.warnings == [.receiveBuffer(asked: asked, granted: granted)] && granted < asked)
            let text = connection.warnings.map(\.description).joined()
            for part in ["\(granted) bytes", "\(asked)", "net.core.rmem_max", "CAP_NET_ADMIN"] {
                #expect(text.contains(part), "\(text)")
            }
        }
        #expect(error == nil)
        #expect(try pair.listen(.left) { $0.receiveBufferBytes = .max }.warnings.isEmpty)
    }

    @Test("A UDP connection rejects options of packet sockets only, and accepts the rest")
    func udp() throws {
        let pair = try VethPair.current
        func listen(_ change: (inout SocketOptions) -> Void) throws(SystemError) {
            var configuration = PacketConn.Configuration()
            change(&configuration.options)
            _ = try pair.enter(.left) { () throws(SystemError) in
                try PacketConn.listenUDP(
                    on: SocketAddress(.v4(0), port: 0), interface: Interface(named: name), configuration: configuration)
            }
        }
        for change: (inout SocketOptions) -> Void in [
            { $0.bypassQdisc = true }, { $0.promiscuous = true }, { $0.virtioNetHeader = true },
            { $0.ignoreOutgoing = false }, { $0.multicastGroups = [MACAddress(rawValue: 0x0180_C200_000E)] },
        ] {
            #expect(errorCode { () throws(SystemError) in try listen(change) } == EOPNOTSUPP)
        }
        try listen {
            $0.mark = 1
            $0.priority = 6
            $0.bindToDevice = true
        }
    }
}
