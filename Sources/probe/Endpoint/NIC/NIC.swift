import FastAFPacket
import HostClocks
import LinuxKernel
import Report
import Synchronization

/// The NIC of a command: its PHC, tracked against the system clock, and its driver's counters of missed timestamps.
final class NIC: Sendable {
    let missed = MissedStamps()
    /// The PHC; `nil` if there is none or it cannot be read.
    let clock: PublishedPHC?
    /// The error of a PHC that cannot be read.
    let clockFailure: SystemError?
    private let interface: Interface
    private let index: Int32?
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var reader: HardwareClock?
        var tracker = ClockTracker()
        var last: ClockReading?
        var statistics: DriverStatistics?
        var reads: UInt64 = 0
    }

    /// The time between two readings of the PHC.
    static let interval = Duration.milliseconds(100)
    /// The number of PHC readings per reading of the driver's counters, a long list for some drivers.
    private static let readsPerCount: UInt64 = 5

    /// - Parameter choice: with `.software`, the PHC and the counters are not read.
    init(_ interface: Interface, _ choice: StampChoice) {
        self.interface = interface
        let capabilities = choice == .software ? nil : try? TimestampingCapabilities(of: interface)
        index = capabilities?.clockIndex
        var state = State()
        var failure: SystemError?
        if let index {
            do throws(SystemError) {
                let reader = try HardwareClock(index: index)
                _ = try reader.read()
                state.reader = consume reader
            } catch {
                failure = error
            }
            if let statistics = try? DriverStatistics(of: interface), !statistics.missedStamps.isEmpty {
                state.statistics = statistics
                missed.upToDate = ClockID.monotonic.now()
            }
        }
        clockFailure = failure
        clock = index == nil || failure != nil ? nil : PublishedPHC()
        self.state = Mutex(state)
    }

    /// Reads the PHC a few times in a row, so that the first timestamps can be converted.
    func begin() async {
        guard clock != nil else { return }
        for round in 0..<4 {
            if round > 0 { try? await Task.sleep(for: .milliseconds(10)) }
            _ = read()
        }
    }

    /// Reads the PHC, and the driver's counters with every few readings.
    ///
    /// - Returns: the step of CLOCK_REALTIME against the PHC since the last reading, in nanoseconds, if one of the two
    ///   clocks was set; positive if CLOCK_REALTIME moved forward.
    func read() -> Int64? {
        state.withLock { state in
            state.reads &+= 1
            if state.reads % Self.readsPerCount == 0 { count(state.statistics) }
            guard let clock, let reading = try? state.reader?.read() else { return nil }
            let course = state.tracker.add(reading)
            state.last = reading
            clock.publish(state.tracker.model)
            if case .stepped(let amount) = course { return amount }
            return nil
        }
    }

    private func count(_ before: DriverStatistics?) {
        let time = ClockID.monotonic.now()
        guard let before, let now = try? DriverStatistics(of: interface) else { return }
        missed.update(now.counted(since: before))
        missed.upToDate = time
    }

    /// The PHC's number in the paired-timestamps TLV.
    var wireIndex: UInt32? { index.map { UInt32(clamping: $0) } }

    /// The PHC in a run's description; `nil` without a PHC.
    var facts: JSONValue? {
        guard let index else { return nil }
        return state.withLock { state in
            var members: [(key: String, value: JSONValue)] = [
                ("index", .integer(Int64(index))), ("device", .string("/dev/ptp\(index)")),
                ("name", HardwareClock.name(index: index).map(JSONValue.string) ?? .null),
            ]
            if let clockFailure { members.append(("unreadable", .string("\(clockFailure)"))) }
            if let last = state.last { members.append(("method", .string(last.method.rawValue))) }
            if let model = state.tracker.model {
                members.append(
                    ("rate_ppb", Int64(exactly: ((1 / model.rate - 1) * 1e9).rounded()).map(JSONValue.integer) ?? .null)
                )
                members.append(("offset_ns", .integer(model.anchor.realtime &- model.anchor.hardware)))
                members.append(("offset_error_ns", .integer(model.anchor.error)))
            }
            return .object(members)
        }
    }
}
