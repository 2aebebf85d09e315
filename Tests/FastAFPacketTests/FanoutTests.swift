import FastAFPacket
import Glibc
import LinuxKernel
import Testing

/// The socket of a group that receives each packet.
@Suite(.needsRoot, .vethPair)
struct FanoutTests {
    /// Connections on the right side that are the members of a new group.
    private func members(
        _ count: Int, _ fanout: Fanout, etherType: UInt16 = testEtherType, dual: Bool = true,
        _ change: (inout PacketConn.Configuration) -> Void = { _ in }
    ) throws -> [PacketConn] {
        var group = fanout
        return try (0..<count).map { _ in
            let connection = try VethPair.current.listen(.right, etherType: etherType, dual: dual, change)
            let joined = try connection.joinFanout(group)
            #expect(joined.algorithm == fanout.algorithm && joined.flags == fanout.flags && joined.id != nil)
            #expect(group.id == nil || joined.id == group.id)
            group = joined
            return connection
        }
    }

    /// The numbers that each member received when all `count` packets have arrived, in the members' order.
    private func receive(_ members: [PacketConn], _ count: Int, seconds: Double = 5) throws -> [[UInt32]] {
        var numbers = members.map { _ in [UInt32]() }
        var batch = ReceiveBatch(capacity: 64, packetBytes: 2048)
        let end = soon(seconds)
        while numbers.map(\.count).reduce(0, +) < count, ClockID.monotonic.now() < end {
            for (index, member) in members.enumerated() {
                try member.receiveNow(&batch)
                batch.forEach { bytes, _ in numbers[index].append(number(in: bytes)) }
            }
        }
        return numbers
    }

    /// The first payload byte of each UDP datagram that each member received, in the members' order.
    private func receiveDatagrams(_ members: [PacketConn], _ count: Int, seconds: Double = 5) throws -> [[UInt8]] {
        var flows = members.map { _ in [UInt8]() }
        var batch = ReceiveBatch(capacity: 64, packetBytes: 2048)
        let end = soon(seconds)
        while flows.map(\.count).reduce(0, +) < count, ClockID.monotonic.now() < end {
            for (index, member) in members.enumerated() {
                try member.receiveNow(&batch)
                batch.forEach { bytes, _ in flows[index].append(bytes.withUnsafeBytes { $0[42] }) }
            }
        }
        return flows
    }

    private func sendFlows(_ flows: Range<UInt8>, rounds: Int, on name: String = VethPair.interfaceName) throws {
        let sender = try VethPair.current.enter(.left) { () throws(SystemError) in
            try PacketConn.listen(on: Interface(named: name), etherType: 0x0800)
        }
        for _ in 0..<rounds {
            for flow in flows { try sender.writeTo(udpFrame(port: 1000 + UInt16(flow), payload: [flow]), id: 0) }
        }
    }

    @Test("With hash a flow stays with one socket, and flows are spread over the sockets")
    func hash() throws {
        let members = try members(3, Fanout(.hash), etherType: 0x0800)
        try sendFlows(0..<30, rounds: 5)
        let received = try receiveDatagrams(members, 150)
        #expect(received.map(\.count).reduce(0, +) == 150)
        for flow in 0..<30 as Range<UInt8> {
            #expect(received.map { $0.filter { $0 == flow }.count }.sorted() == [0, 0, 5], "flow \(flow)")
        }
        #expect(received.filter { !$0.isEmpty }.count > 1)
    }

    @Test("With loadBalance each socket gets every third packet", arguments: [true, false])
    func loadBalance(dual: Bool) throws {
        let members = try members(3, Fanout(.loadBalance), dual: dual)
        try VethPair.current.listen(.left).sendFrames(0..<30)
        let received = try receive(members, 30)
        #expect(received.allSatisfy { $0.count == 10 && Set($0.map { $0 % 3 }).count == 1 }, "\(received)")
        #expect(try members.map { try $0.statistics().packets } == [10, 10, 10])
    }

    @Test(
        "With cpu the CPU that a packet arrives on determines the socket",
        .enabled(if: sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1, "needs more than one CPU"))
    func processor() async throws {
        let members = try members(2, Fanout(.cpu))
        let sender = try VethPair.current.listen(.left)
        // A veth delivers packets on the CPU that sends them.
        for cpu in 0..<2 {
            let code = try await PacketThread.run(named: "fanout", cpu: cpu) {
                errorCode { () throws(SystemError) in try sender.sendFrames(0..<10) }
            }
            #expect(code == nil)
            let received = try receive(members, 10)
            #expect(received.map(\.count) == (cpu == 0 ? [10, 0] : [0, 10]))
        }
    }

    @Test("With rollover the first socket gets packets until it is full, then the next")
    func rollover() throws {
        let members = try members(3, Fanout(.rollover)) { $0.receiveBufferBytes = 16384 }
        // About 29 fill three quarters of a buffer; then it counts as full while another is not.
        try VethPair.current.listen(.left).sendFrames(0..<66)
        let received = try receive(members, 66)
        #expect(received.allSatisfy { !$0.isEmpty } && received.flatMap { $0 } == Array(0..<66), "\(received)")
    }

    @Test(
        "A flow whose socket is full rolls over with the flag, and is dropped without it",
        arguments: [true, false])
    func rolloverFlag(isSet: Bool) throws {
        let flags: Fanout.Flags = isSet ? [.ignoreOutgoing, .rollover] : .ignoreOutgoing
        let members = try members(2, Fanout(.hash, flags: flags), etherType: 0x0800) { $0.receiveBufferBytes = 16384 }
        try sendFlows(7..<8, rounds: 100)
        let counts = try receiveDatagrams(members, 100, seconds: 0.2).map(\.count)
        #expect(counts.filter { $0 > 0 }.count == (isSet ? 2 : 1), "\(counts)")
    }

    @Test("With random each socket gets some packets and all arrive")
    func random() throws {
        let members = try members(2, Fanout(.random))
        try VethPair.current.listen(.left).sendFrames(0..<200)
        let received = try receive(members, 200)
        #expect(Set(received.flatMap { $0 }) == Set(0..<200))
        // One in 10^11 runs fails by chance.
        #expect(received.allSatisfy { (50...150).contains($0.count) }, "\(received.map(\.count))")
    }

    @Test("With queueMapping the NIC's receive queue determines the socket")
    func queueMapping() throws {
        let pair = try VethPair.current
        try pair.ip(
            .left,
            "link add queues0 numtxqueues 2 numrxqueues 2 type veth peer name queues0 netns \(pair.right) numtxqueues 2 "
                + "numrxqueues 2")
        for side in [VethPair.Side.left, .right] { try pair.ip(side, "link set queues0 up") }
        for side in [VethPair.Side.left, .right] { try pair.waitUntilActive(side, "queues0") }
        func listen(_ filter: Filter? = nil) throws -> PacketConn {
            try pair.enter(.right) { () throws(SystemError) in
                try PacketConn.listen(
                    on: Interface(named: "queues0"), etherType: 0x0800, configuration: .init(filter: filter))
            }
        }
        let members = [try listen(), try listen()]
        let group = try members[0].joinFanout(Fanout(.queueMapping))
        try members[1].joinFanout(group)
        // ld queue; jeq #1: SKF_AD_OFF + SKF_AD_QUEUE.
        let second = try listen(
            Filter(instructions: [
                .init(code: 0x20, k: 0xFFFF_F000 + 24), .init(code: 0x15, jumpTrue: 0, jumpFalse: 1, k: 1),
                .init(code: 0x06, k: 0xFFFF), .init(code: 0x06, k: 0),
            ]))
        try sendFlows(0..<40, rounds: 1, on: "queues0")
        let received = try receiveDatagrams(members, 40)
        let onSecond = try receiveDatagrams([second], received[1].count)
        #expect(received.map(\.count).reduce(0, +) == 40 && received.allSatisfy { !$0.isEmpty })
        #expect(onSecond == [received[1]])
    }

    /// Classic BPF: returns the last byte of the frame's number; offsets count from the end of the Ethernet header.
    private let byteOfNumber = Filter(instructions: [.init(code: 0x30, k: 3), .init(code: 0x16, k: 0)])

    @Test("With filter the BPF program's result is the socket's index; without a program it is 0")
    func filter() throws {
        let members = try members(3, Fanout(.filter))
        let sender = try VethPair.current.listen(.left)
        try sender.sendFrames(0..<4)
        #expect(try receive(members, 4) == [[0, 1, 2, 3], [], []])
        try members[2].setFanoutFilter(byteOfNumber)
        try sender.sendFrames(0..<9)
        #expect(try receive(members, 9) == [[0, 3, 6], [1, 4, 7], [2, 5, 8]])
        // A new program replaces it.
        try members[0].setFanoutFilter(Filter(instructions: [.init(code: 0x06, k: 1)]))
        try sender.sendFrames(0..<3)
        #expect(try receive(members, 3) == [[], [0, 1, 2], []])
    }

    @Test("With program the eBPF program's result is the socket's index")
    func program() throws {
        let members = try members(3, Fanout(.program))
        do {
            // r6 = r1; r0 = packet[3]; exit.
            let program = try SocketFilterProgram([
                .init(code: 0xBF, destination: 6, source: 1), .init(code: 0x30, immediate: 3), .init(code: 0x95),
            ])
            try members[1].setFanoutProgram(program)
        }
        // The kernel keeps a reference to it.
        try VethPair.current.listen(.left).sendFrames(0..<9)
        #expect(try receive(members, 9) == [[0, 3, 6], [1, 4, 7], [2, 5, 8]])
    }

    @Test("Invalid programs, and programs outside their group, give EINVAL and a remedy")
    func programsRefused() throws {
        let alone = try VethPair.current.listen(.right)
        let member = try members(1, Fanout(.filter))[0]
        let program = try SocketFilterProgram([.init(code: 0xB7), .init(code: 0x95)])
        for (connection, filter) in [(alone, byteOfNumber), (member, Filter(instructions: []))] {
            let error = failure { () throws(SystemError) in try connection.setFanoutFilter(filter) }
            #expect(error?.code == EINVAL && error?.remedy?.contains("group") == true)
        }
        for connection in [alone, member] {
            let error = failure { () throws(SystemError) in try connection.setFanoutProgram(program) }
            #expect(error?.code == EINVAL && error?.remedy?.contains("group") == true)
        }
    }

    // MARK: - Joining and leaving

    @Test("A socket that closes leaves its group, and the others get all packets")
    func leaving() throws {
        let members = try members(3, Fanout(.loadBalance))
        let sender = try VethPair.current.listen(.left)
        members[1].close()
        try sender.sendFrames(0..<10)
        let received = try receive([members[0], members[2]], 10)
        #expect(received.map(\.count) == [5, 5])
        members[0].close()
        try sender.sendFrames(10..<14)
        #expect(try receive([members[2]], 4) == [[10, 11, 12, 13]])
    }

    @Test("Groups without an id get different ids, and each group gets every packet")
    func unique() throws {
        let groups = try (0..<3).map { _ in try members(2, Fanout(.loadBalance)) }
        try VethPair.current.listen(.left).sendFrames(0..<10)
        for group in groups { #expect(try receive(group, 10).map(\.count) == [5, 5]) }
    }

    @Test("A group with a given id is opened and joined by that id")
    func ownID() throws {
        let pair = try VethPair.current
        let members = [try pair.listen(.right), try pair.listen(.right)]
        for member in members {
            #expect(try member.joinFanout(Fanout(.loadBalance, id: 77)) == Fanout(.loadBalance, id: 77))
        }
        try pair.listen(.left).sendFrames(0..<10)
        #expect(try receive(members, 10).map(\.count) == [5, 5])
    }

    @Test("Members that differ give EINVAL and a remedy that names what all members share")
    func mismatches() throws {
        let pair = try VethPair.current
        try pair.ip(.right, "link add other0 type veth peer name other1")
        try pair.ip(.right, "link set other0 up")
        let first = try pair.listen(.right)
        let group = try first.joinFanout(Fanout(.hash))
        let elsewhere = try pair.enter(.right) { () throws(SystemError) in
            try PacketConn.listen(on: Interface(named: "lo"), etherType: testEtherType)
        }
        let attempts: [(String, PacketConn, Fanout)] = [
            ("algorithm", try pair.listen(.right), Fanout(.loadBalance, id: group.id)),
            ("flags", try pair.listen(.right), Fanout(.hash, flags: [], id: group.id)),
            ("interface", elsewhere, group),
            ("ethertype", try pair.listen(.right, etherType: 3), group),
        ]
        for (name, connection, fanout) in attempts {
            let error = failure { () throws(SystemError) in _ = try connection.joinFanout(fanout) }
            #expect(
                error?.code == EINVAL && error?.remedy?.contains("joinFanout returned for the first member") == true,
                "\(name)")
        }
        let twice = failure { () throws(SystemError) in _ = try first.joinFanout(group) }
        #expect(twice?.code == EALREADY && twice?.remedy?.contains("another connection") == true)
        let both = failure { () throws(SystemError) in
            _ = try elsewhere.joinFanout(Fanout(.rollover, flags: .rollover))
        }
        #expect(both?.code == EINVAL && both?.remedy != nil)
        // The failed joins had no effect.
        try pair.listen(.left).sendFrames([1])
        #expect(try first.receiveNumbers(1) == [1])
        first.close()
        #expect(errorCode { () throws(SystemError) in _ = try first.joinFanout(group) } == EBADF)
        #expect(errorCode { () throws(SystemError) in try first.setFanoutFilter(byteOfNumber) } == EBADF)
    }

    // MARK: - Flags

    private static let knowsOutgoing: Bool = {
        let release = Host.kernelRelease.split(separator: ".").prefix(2).compactMap { Int($0.prefix { $0.isNumber }) }
        return release.count == 2 && (release[0], release[1]) >= (6, 2)
    }()

    @Test(
        "A group includes or excludes frames of this host as its flag says",
        .enabled(if: knowsOutgoing, "needs Linux 6.2"), arguments: [true, false])
    func outgoing(ignores: Bool) throws {
        let pair = try VethPair.current
        let listener = try pair.listen(.left, etherType: 3) {
            $0.filter = try? Filter(expression: "ether proto 0x88b5")
        }
        try listener.joinFanout(Fanout(.hash, flags: ignores ? .ignoreOutgoing : []))
        try pair.listen(.left).sendFrames([1])
        try pair.listen(.right).sendFrames([2], from: .right)
        #expect(try listener.receiveNumbers(ignores ? 1 : 2) == (ignores ? [2] : [1, 2]))
    }

    @Test("With the flag, fragments are reassembled before a socket is chosen", arguments: [true, false])
    func defragment(isSet: Bool) throws {
        let flags: Fanout.Flags = isSet ? [.ignoreOutgoing, .defragment] : .ignoreOutgoing
        let members = try members(2, Fanout(.loadBalance, flags: flags), etherType: 0x0800)
        let sender = try VethPair.current.listen(.left, etherType: 0x0800)
        // 16 bytes of UDP in two fragments of 8, the first with the header; no checksum.
        let whole = udpFrame(payload: [1, 2, 3, 4, 5, 6, 7, 8])
        for (offset, more) in [(0, true), (8, false)] {
            var ip = Array(whole[14..<34])
            (ip[3], ip[5], ip[6], ip[7]) = (28, 9, more ? 0x20 : 0, UInt8(offset / 8))
            (ip[10], ip[11]) = (0, 0)
            let sum = ~internetSum(ip)
            (ip[10], ip[11]) = (UInt8(sum >> 8 & 0xFF), UInt8(sum & 0xFF))
            try sender.writeTo(whole[..<14] + ip + whole[34 + offset..<42 + offset], id: 0)
        }
        var lengths: [Int] = []
        var batch = ReceiveBatch(capacity: 8, packetBytes: 256)
        let end = soon()
        while lengths.count < (isSet ? 1 : 2), ClockID.monotonic.now() < end {
            for member in members {
                try member.receiveNow(&batch)
                batch.forEach { _, packet in lengths.append(packet.length) }
            }
        }
        #expect(lengths == (isSet ? [50] : [42, 42]))
    }
}
