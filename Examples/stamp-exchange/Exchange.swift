import FastAFPacket
import Glibc
import LinuxKernel
import STAMPWire

/// Sends probes at an interval and prints a line for each probe, sent and received, all on one thread.
struct Exchange: ~Copyable {
    private let conn: PacketConn
    private let flow: UDPFrameTemplate
    private let interval: Int64
    private let count: UInt32?
    private var sending = SendBatch(capacity: 1, packetBytes: 128)
    private var receiving = ReceiveBatch(capacity: 64, packetBytes: 2048)
    private var stamps = StampBatch(capacity: 64)
    private var ledger: TransmitLedger
    /// The probes whose timestamps have not all arrived.
    private var pending: [UInt32: Sent] = [:]
    private var next: UInt32 = 0
    private var received = 0

    private struct Sent {
        /// The send time that the probe carries, CLOCK_REALTIME nanoseconds.
        let time: Int64
        var sched: Int64?
        var stamps = SocketTimestamps()
    }

    /// The size of a probe's number and send time.
    private static let payloadBytes = 12
    /// The time to wait for timestamps, in nanoseconds.
    private static let timeout: Int64 = 1_000_000_000

    init(conn: PacketConn, interval: Int64, count: UInt32?, flow: UDPFrameTemplate) {
        self.conn = conn
        self.interval = interval
        self.count = count
        self.flow = flow
        ledger = TransmitLedger(capacity: 4096, expecting: conn.transmitStamps)
    }

    /// Returns when the signal is raised, or a second after the last probe.
    mutating func run(until stop: borrowing EventSignal) throws(SystemError) {
        var due = ClockID.monotonic.now()
        while true {
            let now = ClockID.monotonic.now()
            if now >= due {
                if next == count { return writeOffStamps(sentBefore: .max) }
                try send(at: now)
                due += next == count ? max(interval, Self.timeout) : interval
            }
            writeOffStamps(sentBefore: now - Self.timeout)
            fflush(nil)
            let activity = try conn.waitForActivity(until: due, signal: stop)
            if activity.contains(.packets) { try receive() }
            if activity.contains(.stamps) { try receiveStamps() }
            if activity.contains(.signal) { return writeOffStamps(sentBefore: .max) }
        }
    }

    private mutating func send(at now: Int64) throws(SystemError) {
        let sent = Sent(time: ClockID.realtime.now())
        let (id, flow) = (next, flow)
        sending.removeAll()
        sending.append(id: id) { frame in
            guard flow.writeHeaders(into: &frame, payloadLength: Self.payloadBytes) else { return 0 }
            frame.storeBytes(of: id.bigEndian, toByteOffset: flow.headerLength, as: UInt32.self)
            frame.storeBytes(of: sent.time.bigEndian, toByteOffset: flow.headerLength + 4, as: Int64.self)
            flow.writeChecksum(into: &frame, payloadLength: Self.payloadBytes)
            return flow.headerLength + Self.payloadBytes
        }
        _ = try conn.send(&sending)
        ledger.recordSend(id: id, at: now)
        pending[id] = sent
        next &+= 1
    }

    private mutating func receiveStamps() throws(SystemError) {
        while try conn.receiveTransmitStampsNow(&stamps) > 0 {
            if stamps.foundQueueFull { ledger.recordFullQueue() }
            var received: [TransmitStamp] = []
            stamps.forEach { received.append($0) }
            for stamp in received { record(stamp) }
        }
    }

    private mutating func record(_ stamp: TransmitStamp) {
        let match = ledger.recordStamp(stamp)
        if stamp.stage == .sched {
            pending[stamp.id]?.sched = stamp.stamps.software
        } else {
            if let software = stamp.stamps.software { pending[stamp.id]?.stamps.software = software }
            if let hardware = stamp.stamps.hardware { pending[stamp.id]?.stamps.hardware = hardware }
        }
        if match == .stamped(isComplete: true) { printSent(stamp.id, lost: [], skipped: []) }
    }

    private mutating func writeOffStamps(sentBefore time: Int64) {
        var missing: [(id: UInt32, lost: TransmitStampKinds, skipped: TransmitStampKinds)] = []
        ledger.expire(sentBefore: time) { missing.append(($0, $1, $2)) }
        for send in missing { printSent(send.id, lost: send.lost, skipped: send.skipped) }
    }

    private mutating func receive() throws(SystemError) {
        while try conn.receiveNow(&receiving) > 0 {
            let now = ClockID.realtime.now()
            var count = 0
            receiving.forEach { bytes, packet in
                guard let frame = try? UDPFrame(decoding: bytes, verifyChecksum: !packet.isChecksumPending),
                    frame.payload.count >= Self.payloadBytes, frame.payload.upperBound <= bytes.byteCount
                else { return }
                let start = frame.payload.lowerBound
                let id = UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt32.self))
                let time = Int64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: start + 4, as: Int64.self))
                count += 1
                print(
                    "RX probe=\(id)", Self.text("hardware", packet.stamps.hardware, since: time),
                    Self.text("software", packet.stamps.software, since: time), Self.text("app", now, since: time))
            }
            received += count
        }
    }

    // MARK: - Lines

    private mutating func printSent(_ id: UInt32, lost: TransmitStampKinds, skipped: TransmitStampKinds) {
        guard let sent = pending.removeValue(forKey: id) else { return }
        func text(_ name: String, _ kind: TransmitStampKinds, _ stamp: Int64?) -> String {
            let reason = lost.contains(kind) ? "lost" : skipped.contains(kind) ? "skipped" : "unsupported"
            return Self.text(name, stamp, since: sent.time, otherwise: reason)
        }
        print(
            "TX probe=\(id) app_ns=\(sent.time)", text("sched", .sched, sent.sched),
            text("software", .software, sent.stamps.software), text("hardware", .hardware, sent.stamps.hardware))
    }

    private static func text(
        _ name: String, _ stamp: Int64?, since time: Int64, otherwise reason: String = "none"
    ) -> String {
        guard let stamp else { return "\(name)=\(reason)" }
        return "\(name)_ns=\(stamp) \(name)_delay_ns=\(stamp &- time)"
    }

    /// Prints the counts of probes sent and received, and the outcomes of each kind of transmit timestamp.
    func printSummary() {
        let account = ledger.account
        print("sent \(account.sent) received \(received)")
        for (name, kind) in [("sched", account.sched), ("software", account.software), ("hardware", account.hardware)] {
            print(
                "\(name): timestamped \(kind[.stamped]) late \(kind[.late]) lost \(kind[.lostInBuffer])",
                "skipped \(kind[.skippedByDriver]) unsupported \(kind[.unsupported])")
        }
    }
}
