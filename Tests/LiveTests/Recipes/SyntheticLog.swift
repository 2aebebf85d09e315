import Report

/// A packet log as a run writes it: seeded, with 19-digit times and every kind of row.
struct SyntheticLog {
    /// The peculiarities of a log.
    enum Kind: CaseIterable {
        /// NICs whose PHCs count by other scales than CLOCK_REALTIME, clocks that differ by less than a delay, and a clock
        /// step. The session id can be read as a floating-point number.
        case nics
        /// No NIC timestamps, and a peer whose clock is in 1970: delays have 19 digits. The session id can be read as an
        /// integer, without its leading zeros.
        case unsetClock
        /// Only the last rows, after more than 20,480 others, have SCHED, driver and NIC timestamps. The session id can be
        /// read as an integer.
        case lateColumns

        var session: UInt64 {
            switch self {
            case .nics: 0x1234_5678_90e1_2345
            case .unsetClock: 0x0000_1234_5678_9012
            case .lateColumns: 0x1234_5678_9012_3456
            }
        }

        var probes: UInt32 { self == .lateColumns ? 15_000 : 1000 }

        /// The receiver's clock of a probe minus the sender's, in nanoseconds.
        fileprivate func offset(_ sequence: UInt32) -> Int64 {
            switch self {
            case .nics: sequence < SyntheticLog.step.lowerBound ? -40_000 : 5_000_000
            case .unsetClock: 1_234_567_891 - SyntheticLog.start
            case .lateColumns: 700
            }
        }
    }

    /// 2026-11-21T10:14:00.123456789Z.
    private static let start: Int64 = 1_795_256_040_123_456_789
    /// The probes that are on the path while a clock is stepped.
    private static let step: Range<UInt32> = 600..<603

    let kind: Kind
    /// The rows in the order in which they are written.
    private(set) var records: [PacketRecord] = []
    private var random: RepeatableRandom

    init(_ kind: Kind) {
        self.kind = kind
        random = RepeatableRandom(seed: 862)
        for sequence in 0..<kind.probes { addRows(sequence) }
        // Rows are written when they are complete, not in the order of their numbers.
        for index in stride(from: 0, to: records.count - 7, by: 5) { records.swapAt(index, index + 7) }
    }

    /// The packet log.
    var csv: [UInt8] {
        var bytes = Array((PacketLog.header + "\n").utf8)
        var writer = RowWriter()
        for record in records { writer.append(record, to: &bytes) }
        return bytes
    }

    /// The lines of `--output json`.
    var jsonLines: [UInt8] {
        var bytes: [UInt8] = []
        for (index, record) in records.enumerated() {
            PacketLine.appendJSON(record, to: &bytes)
            if index % 500 == 0 { bytes += StatisticsLine(.init(packets: UInt64(index))).json().utf8 }
        }
        bytes += #"{"type":"summary","duration_ns":1795256040123456789,"relative":false}"#.utf8
        return bytes + "\n".utf8
    }

    // MARK: - Rows

    private mutating func addRows(_ sequence: UInt32) {
        let sent = Self.start + Int64(sequence) * 1_000_003 + between(0, 900)
        let offset = kind.offset(sequence)
        var probe = departed(.probe, sequence, at: sent)
        var reply = departed(.reply, sequence, at: sent + offset + between(100_000, 200_000))
        switch between(0, 99) {
        case 0..<3:
            probe.status = .lost
            reply = absent(sequence, .absent)
        case 3..<6:
            arrive(&probe, offset)
            reply.status = .lost
        case 6..<9:
            probe.status = .unknown
            reply = absent(sequence, .unknown)
        case 9..<12:
            probe = absent(sequence, .notSent)
            probe.packet = .probe
            probe.direction = .out
            probe.transmitApp = sent
            probe.sendError = [1, 11, 100, 105].randomElement(using: &random)
            reply = absent(sequence, .absent)
        case 12..<15:
            arrive(&probe, offset)
            arrive(&reply, 0 - offset)
            probe.status = .reordered
            reply.status = .late
        case 15..<17:
            arrive(&probe, offset)
            arrive(&reply, 0 - offset)
            var copy = reply
            copy.status = .duplicate
            copy.receiveApp = copy.receiveApp.map { $0 + 77 }
            add(copy)
        default:
            arrive(&probe, offset)
            arrive(&reply, 0 - offset)
        }
        add(probe)
        add(reply)
    }

    /// A packet that its host has sent.
    private mutating func departed(_ packet: PacketKind, _ sequence: UInt32, at time: Int64) -> PacketRecord {
        var record = PacketRecord(
            session: kind.session, packet: packet, sequence: sequence, replySequence: sequence,
            direction: packet == .probe ? .out : .in, bytes: 128, transmitApp: time, ttl: 64, dscp: 46)
        if kind == .lateColumns, sequence < 12_000 { return record }
        let sched = time + between(400, 2500)
        let driver = sched + between(500, 9000)
        record.transmitSched = sched
        if between(0, 9) > 0 { record.transmitSoftware = driver }
        if kind != .unsetClock, between(0, 9) > 0 {
            // Counts since this NIC's driver was loaded.
            let nic = driver + between(-90, 6000)
            record.transmitHardware = nic - Self.start + 86_399_123_456_789
            if between(0, 9) > 0 { (record.transmitHardwareRealtime, record.transmitHardwareError) = (nic, 70) }
        }
        return record
    }

    /// Completes the row of a packet that arrived.
    private mutating func arrive(_ record: inout PacketRecord, _ offset: Int64) {
        let nic = (record.transmitApp ?? 0) + offset + between(16_000, 90_000)
        let kernel = nic + between(-90, 40_000)
        if record.transmitHardware != nil {
            // TAI.
            record.receiveHardware = nic + 37_000_000_000
            if between(0, 9) > 0 { (record.receiveHardwareRealtime, record.receiveHardwareError) = (nic, 60) }
        }
        if between(0, 19) > 0 { record.receiveSoftware = kernel }
        record.receiveApp = kernel + between(900, 30_000)
    }

    private func absent(_ sequence: UInt32, _ status: PacketStatus) -> PacketRecord {
        PacketRecord(session: kind.session, packet: .reply, sequence: sequence, direction: .in, status: status)
    }

    private mutating func add(_ record: PacketRecord) {
        var record = record
        record.clockEpoch =
            kind != .nics || record.sequence < Self.step.lowerBound
            ? 0 : Self.step.contains(record.sequence) ? nil : 1
        record.peer = PeerAddress("192.0.2.2")
        record.peerPort = 862
        record.computeDelay(error: kind == .unsetClock ? nil : 1200)
        records.append(record)
    }

    private mutating func between(_ first: Int64, _ last: Int64) -> Int64 { .random(in: first...last, using: &random) }
}
