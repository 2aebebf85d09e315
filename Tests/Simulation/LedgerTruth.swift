import Report
import STAMPSession

/// The account of one host's transmit timestamps that the simulator keeps: for each packet and kind the column of the
/// ledger that it belongs into, from what its kernel delivered and when the application wrote timestamps off.
struct LedgerTruth {
    enum Column: UInt8 {
        case unsupported, pending, stamped, late, buffer, driver, inFlight, never
    }

    /// One packet that the kernel accepted.
    struct Packet {
        var columns: (sched: Column, software: Column, hardware: Column)
        var sentAt: Int64
        /// The steps in which the timestamps first reached the session.
        var steps = (sched: Int.max, software: Int.max, hardware: Int.max)
        var isSent = false

        var isWaiting: Bool {
            columns.sched == .pending || columns.software == .pending || columns.hardware == .pending
        }
    }

    let expected: StampKinds
    /// The reason that the host gives for missing NIC timestamps.
    let hardwareColumn: Column
    /// True if timestamps of refused packets count as unknown.
    var countsRefused = false
    private(set) var packets: [Packet] = []
    /// The packets of each session in their order, and the first that may wait for timestamps.
    private var lanes: [(packets: [Int], first: Int)] = []
    /// Packets before this one were sent before the error queue was last found full.
    private var fullMark = 0
    private(set) var unknown: UInt64 = 0
    private(set) var sent = 0

    init(expecting expected: StampKinds, lanes: Int, hardwareColumn: Column) {
        self.expected = expected
        self.hardwareColumn = hardwareColumn
        self.lanes = Array(repeating: (packets: [], first: 0), count: lanes)
    }

    /// Adds a packet, which the kernel has not accepted yet.
    ///
    /// - Parameter capacity: the number of packets that the session keeps. A packet that it keeps no longer is written
    ///   off.
    mutating func add(lane: Int, capacity: Int) {
        lanes[lane].packets.append(packets.count)
        packets.append(Packet(columns: (.unsupported, .unsupported, .unsupported), sentAt: 0))
        let place = lanes[lane].packets.count - 1 - capacity
        if place >= 0 { writeOff(lanes[lane].packets[place]) }
    }

    mutating func enter(_ index: Int, at time: Int64) {
        packets[index].isSent = true
        packets[index].sentAt = time
        sent += 1
        if expected.contains(.sched) { packets[index].columns.sched = .pending }
        if expected.contains(.software) { packets[index].columns.software = .pending }
        if expected.contains(.hardware) { packets[index].columns.hardware = .pending }
    }

    /// Records a message that reached the session.
    ///
    /// - Parameter isKept: true if the session still keeps the packet.
    /// - Returns: true if the session has use for it.
    mutating func deliver(_ kinds: StampKinds, of index: Int, step: Int, isKept: Bool) -> Bool {
        guard isKept else {
            unknown += 1
            return false
        }
        guard packets[index].isSent else {
            if countsRefused { unknown += 1 }
            return false
        }
        var isUseful = false
        func arrive(_ column: Column, _ first: Int) -> (Column, Int) {
            switch column {
            case .pending:
                isUseful = true
                return (.stamped, step)
            case .buffer, .driver, .inFlight, .never:
                isUseful = true
                return (.late, step)
            case .unsupported, .stamped, .late: return (column, first)
            }
        }
        var packet = packets[index]
        if kinds.contains(.sched) {
            (packet.columns.sched, packet.steps.sched) = arrive(packet.columns.sched, packet.steps.sched)
        }
        if kinds.contains(.software) {
            (packet.columns.software, packet.steps.software) = arrive(packet.columns.software, packet.steps.software)
        }
        if kinds.contains(.hardware) {
            (packet.columns.hardware, packet.steps.hardware) = arrive(packet.columns.hardware, packet.steps.hardware)
        }
        packets[index] = packet
        if !isUseful { unknown += 1 }
        return isUseful
    }

    mutating func markFull() { fullMark = packets.count }

    /// Writes off the timestamps of a session's packets that were sent before a time.
    mutating func writeOff(before time: Int64, lane: Int) {
        while lanes[lane].first < lanes[lane].packets.count {
            let index = lanes[lane].packets[lanes[lane].first]
            if packets[index].isWaiting {
                guard packets[index].sentAt < time else { return }
                writeOff(index)
            }
            lanes[lane].first += 1
        }
    }

    private mutating func writeOff(_ index: Int) {
        let columns = packets[index].columns
        var column: Column = index < fullMark ? .buffer : .driver
        let lacksOnlyNIC = columns.hardware == .pending && columns.sched != .pending && columns.software != .pending
        if column == .driver, lacksOnlyNIC { column = hardwareColumn }
        if columns.sched == .pending { packets[index].columns.sched = column }
        if columns.software == .pending { packets[index].columns.software = column }
        if columns.hardware == .pending { packets[index].columns.hardware = column }
    }

    /// The account as the ledger has to show it.
    var ledger: TimestampLedger {
        func kind(_ name: String, _ column: (Packet) -> Column) -> TimestampLedger.Kind {
            var counts = Array(repeating: 0, count: 8)
            for packet in packets where packet.isSent { counts[Int(column(packet).rawValue)] += 1 }
            return TimestampLedger.Kind(
                name: name, stamped: counts[2], late: counts[3], lostInBuffer: counts[4], skippedByDriver: counts[5],
                inFlight: counts[6], never: counts[7], unsupported: counts[0], pending: counts[1])
        }
        return TimestampLedger(
            sent: sent,
            kinds: [
                kind("sched", \.columns.sched), kind("software", \.columns.software),
                kind("hardware", \.columns.hardware),
            ])
    }
}
