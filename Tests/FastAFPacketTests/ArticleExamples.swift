import Addresses
import FastAFPacket
import Kernel

/// The examples of the documentation's articles, word for word: ``ArticleTests`` compares them, and runs them.
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
        let taken = ClockID.realtime.now()
        if let software = packet.stamps.software {
            print("\(count) bytes, \(taken - software) ns after the kernel had them")
        }
        if let hardware = packet.stamps.hardware {
            print("at \(hardware) by the card's clock")
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
        // Here packets are sent, and their stamps taken.
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
}
