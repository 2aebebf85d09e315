import FastAFPacket
import LinuxKernel
import NetworkAddresses

/// The examples of the documentation's articles, line by line: ``ArticleTests`` compares and runs them.
enum ArticleExamples {
    static func landing() throws(SystemError) -> Interface? {
        let interface = try Interface(named: "eth0")
        let conn = try PacketConn.listen(on: interface, etherType: 0x0800)
        defer { conn.close() }
        return conn.interface
    }

    static func receivingWithStamps(interface: Interface) throws(SystemError) -> Int {
        let conn = try PacketConn.listen(on: interface, etherType: 0x0800)
        defer { conn.close() }
        conn.setReadDeadline(monotonic: ClockID.monotonic.now() + 5_000_000_000)
        var frame = [UInt8](repeating: 0, count: 2048)
        let (count, packet) = try conn.receive(into: &frame)
        let now = ClockID.realtime.now()
        if let software = packet.stamps.software {
            print("\(count) bytes, \(now - software) ns after the kernel received them")
        }
        if let hardware = packet.stamps.hardware {
            print("at \(hardware) ns of the PHC")
        }
        return count
    }

    static func sendingWithTransmitStamps(
        interface: Interface, frame: [UInt8]
    ) throws(SystemError) -> (TransmitAccount, StampReconciliation) {
        let conn = try PacketConn.listen(on: interface, etherType: 0x0800)
        defer { conn.close() }
        var ledger = TransmitLedger(capacity: 1024, expecting: conn.transmitStamps)
        try conn.writeTo(frame, id: 1)
        ledger.recordSend(id: 1, at: ClockID.monotonic.now())

        var stamps = StampBatch(capacity: 64)
        var isComplete = false
        conn.setReadDeadline(monotonic: ClockID.monotonic.now() + 1_000_000_000)
        while !isComplete {
            try conn.receiveTransmitStamps(&stamps)
            if stamps.foundQueueFull { ledger.recordFullQueue() }
            stamps.forEach { stamp in
                print(stamp.id, stamp.kinds, stamp.stamps.software ?? 0, stamp.stamps.hardware ?? 0)
                if ledger.recordStamp(stamp) == .stamped(isComplete: true) { isComplete = true }
            }
        }

        ledger.expire(sentBefore: ClockID.monotonic.now() - 1_000_000_000) { id, lost, skipped in
            print("\(id): lost in the buffer: \(lost); skipped by the driver: \(skipped)")
        }
        let account = ledger.account
        print(account.sent, account.software[.stamped], account.software[.lostInBuffer], account.isBalanced)

        let before = try DriverStatistics(of: interface)
        // Here packets are sent and their timestamps read.
        let counted = try DriverStatistics(of: interface).counted(since: before)
        let reconciliation = StampReconciliation(ledger.account, counted: counted)
        print(reconciliation.explained, reconciliation.unexplained, reconciliation.overExplained)
        return (account, reconciliation)
    }

    static func batches(
        interface: Interface, frame: [UInt8], whenSent: () throws(SystemError) -> Void
    ) throws(SystemError) -> Int {
        let conn = try PacketConn.listen(on: interface, etherType: 0x0800)
        defer { conn.close() }
        var sending = SendBatch(capacity: 64, packetBytes: 2048)
        for id in 0..<64 as Range<UInt32> {
            sending.append(id: id) { slot in
                slot.withUnsafeMutableBytes { $0.copyBytes(from: frame) }
                return frame.count
            }
        }
        var sent = 0
        while sent < sending.count { sent += try conn.send(&sending, from: sent) }
        sending.removeAll()
        try whenSent()

        var receiving = ReceiveBatch(capacity: 64, packetBytes: 2048)
        var bytesReceived = 0
        try conn.receive(&receiving)
        receiving.forEach { bytes, packet in
            bytesReceived += bytes.byteCount
            print(packet.length, packet.stamps.software ?? 0)
        }
        return bytesReceived
    }

    static func filters(interface: Interface) throws {
        let filter = try Filter(expression: "udp and dst port 862")
        let conn = try PacketConn.listen(on: interface, etherType: 0x0800, configuration: .init(filter: filter))
        defer { conn.close() }

        try conn.setFilter(Filter(expression: "icmp"))

        do throws(FilterError) {
            _ = try Filter(expression: "udp and and port 862")
        } catch {
            print(error)
        }
    }

    static func udp(interface: Interface, peer: SocketAddress) throws(SystemError) -> Int {
        let conn = try PacketConn.listenUDP(on: SocketAddress(.v4(0), port: 0), interface: interface)
        defer { conn.close() }
        try conn.writeTo([1, 2, 3], destination: peer, id: 1)
        var buffer = [UInt8](repeating: 0, count: 2048)
        conn.setReadDeadline(monotonic: ClockID.monotonic.now() + 5_000_000_000)
        let (count, packet) = try conn.receive(into: &buffer)
        print(count, packet.source?.description ?? "", packet.stamps.software ?? 0, packet.hopLimit ?? 0)
        return count
    }

    static func comingFromFastAFPacket(
        interface: Interface, filter: Filter, frame: [UInt8]
    ) throws(SystemError) -> (UInt32, Int) {
        let conn = try PacketConn.listen(
            on: interface, type: .raw, etherType: 0x0800, configuration: .init(dualConn: true, filter: filter))
        defer { conn.close() }
        conn.setDeadline(monotonic: ClockID.monotonic.now() + 5_000_000_000)
        try conn.writeTo(frame, id: 7)
        var buffer = [UInt8](repeating: 0, count: 2048)
        let (_, sent) = try conn.receiveTransmitStamp(into: &buffer)
        let (count, received) = try conn.receive(into: &buffer)
        print(sent.id, sent.stage, count, received.stamps.software ?? 0)
        return (sent.id, count)
    }

    /// - Parameter send: sends the given number of packets.
    static func rings(
        interface: Interface, send: (Int) throws(SystemError) -> Void
    ) throws -> (tagged: Int, last: CaptureInfo, reader: RingStatistics, kernel: Statistics) {
        var configuration = PacketRing.Configuration()
        configuration.filter = try Filter(expression: "udp port 862")
        configuration.pollTimeout = .seconds(1)
        configuration.restoresVLANTag = true
        let ring = try PacketRing.open(on: interface, configuration: configuration)
        defer { ring.close() }
        try send(2)

        var tagged = 0
        do throws(RingError) {
            let count = try ring.readBlock { bytes, packet in
                print(packet.stamp, packet.stampSource, packet.length, bytes.byteCount)
                if packet.vlanTag != nil { tagged += 1 }
            }
            print("\(count) packets, \(tagged) of them with a VLAN tag")
        } catch {
            switch error {
            case .timeout: print("no packet within a second")
            case .pollFailed(let reason): print("the interface is down or deleted: \(reason)")
            case .failed(let reason): print("closed, or read by another thread: \(reason)")
            }
        }
        try send(3)

        let length = try ring.readPacket { _, packet in packet.length }
        let (packet, info) = try ring.readPacket()
        var buffer = [UInt8](repeating: 0, count: 40)
        let cut = try ring.readPacket(into: &buffer)
        print(length, packet.count, info.stamp, cut.capturedLength, cut.length, cut.isTruncated)

        let (reader, kernel) = (ring.statistics, try ring.socketStatistics())
        print(reader.packets, reader.polls, kernel.packets, kernel.drops, kernel.queueFreezes)
        return (tagged, cut, reader, kernel)
    }

    static func comingFromGopacket(interface: Interface) throws -> UInt64 {
        var configuration = PacketRing.Configuration()
        configuration.filter = try Filter(expression: "udp port 862")
        configuration.pollTimeout = .seconds(1)
        let ring = try PacketRing.open(on: interface, configuration: configuration)
        defer { ring.close() }
        var seen = 0
        while seen < 100 {
            do throws(RingError) {
                seen += try ring.readBlock { bytes, packet in
                    print(packet.stamp, packet.capturedLength, packet.length, packet.interfaceIndex)
                }
            } catch .timeout {
                continue
            }
        }
        return ring.statistics.packets
    }

    static func fanout(interface: Interface, send: () throws(SystemError) -> Void) throws -> [UInt64] {
        var configuration = PacketRing.Configuration()
        configuration.etherType = 0x0800
        let first = try PacketRing.open(on: interface, configuration: configuration)
        defer { first.close() }
        let group = try first.joinFanout(Fanout(.hash))
        let second = try PacketRing.open(on: interface, configuration: configuration)
        defer { second.close() }
        try second.joinFanout(group)
        try send()
        return try [first, second].map { try $0.socketStatistics().packets }
    }

    static func fanoutFilter(interface: Interface, send: () throws(SystemError) -> Void) throws -> [UInt64] {
        let even = try PacketConn.listen(on: interface, etherType: 0x0800)
        defer { even.close() }
        let group = try even.joinFanout(Fanout(.filter))
        let odd = try PacketConn.listen(on: interface, etherType: 0x0800)
        defer { odd.close() }
        try odd.joinFanout(group)
        // The UDP source port: 20 bytes after the start of an IPv4 header without options.
        let load = Filter.Instruction(code: 0x28, k: 20)
        let returnIt = Filter.Instruction(code: 0x16, k: 0)
        try even.setFanoutFilter(Filter(instructions: [load, returnIt]))
        try send()
        return try [even, odd].map { try $0.statistics().packets }
    }

    static func options(
        interface: Interface, whenOpen: () -> Void
    ) throws(SystemError) -> [ConnectionWarning] {
        var configuration = PacketConn.Configuration()
        configuration.options.promiscuous = true
        configuration.options.priority = 6
        configuration.receiveBufferBytes = 64 << 20
        let conn = try PacketConn.listen(on: interface, etherType: 3, configuration: configuration)
        defer { conn.close() }
        for warning in conn.warnings { print(warning) }
        whenOpen()
        return conn.warnings
    }

    static func networkNamespace(_ namespace: String, name: String) throws(SystemError) -> Int32? {
        let conn = try NetworkNamespace.enter(namespace) { () throws(SystemError) in
            try PacketConn.listen(on: Interface(named: name), etherType: 0x0800)
        }
        defer { conn.close() }
        return conn.interface?.index
    }

    static func launchTimes(interface: Interface, frame: [UInt8]) throws(SystemError) -> [UInt32] {
        var configuration = PacketConn.Configuration()
        configuration.launchTimes = LaunchTimes(.monotonic)
        let conn = try PacketConn.listen(on: interface, etherType: 0x0800, configuration: configuration)
        defer { conn.close() }
        var sending = SendBatch(capacity: 10, packetBytes: 2048)
        let start = ClockID.monotonic.now() + 1_000_000
        for id in 0..<10 as Range<UInt32> {
            let options = SendOptions(stamps: id == 9 ? .software : [], launchTime: start + Int64(id) * 100_000)
            sending.append(id: id, options: options) { slot in
                slot.withUnsafeMutableBytes { $0.copyBytes(from: frame) }
                return frame.count
            }
        }
        var sent = 0
        while sent < sending.count { sent += try conn.send(&sending, from: sent) }

        var stamps = StampBatch(capacity: 64)
        var stamped: [UInt32] = []
        conn.setReadDeadline(monotonic: ClockID.monotonic.now() + 1_000_000_000)
        try conn.receiveTransmitStamps(&stamps)
        stamps.forEach { stamped.append($0.id) }
        stamps.forEachLaunchError { print("dropped: \($0.reason), to be sent at \($0.launchTime)") }
        return stamped
    }

    static func boundClock(interface: Interface) {
        var configuration = PacketConn.Configuration()
        configuration.boundClock = 1
        do throws(SystemError) {
            try PacketConn.listen(on: interface, etherType: 0x0800, configuration: configuration).close()
        } catch {
            print(error)
        }
    }
}
