import FastAFPacket
import HostClocks
import LinuxKernel
import Netlink
import NetworkAddresses
import Synchronization
import Testing

@testable import probe

/// The examination of a simulated NIC.
@Suite struct DoctorTests {
    /// An interface derived from the loopback interface, since an interface cannot be created otherwise.
    private func interface(_ change: (inout Interface) -> Void = { _ in }) throws -> Interface {
        var interface = try Interface(named: "lo")
        interface.name = "played0"
        interface.isUp = true
        interface.isEthernet = true
        change(&interface)
        return interface
    }

    private final class Log: Sendable {
        let entries = Mutex<[String]>([])
        func add(_ entry: String) { entries.withLock { $0.append(entry) } }
        var all: [String] { entries.withLock { $0 } }
    }

    /// Sources of a simulated NIC with all capabilities, which log each request.
    private func sources(_ log: Log) -> DoctorSources {
        DoctorSources(
            driver: { _ throws(SystemError) in DriverInformation(name: "played") },
            rings: { _ throws(SystemError) in throw SystemError("read the rings", code: 95) },
            capabilities: { _ throws(SystemError) in
                TimestampingCapabilities(flags: 0x5F, transmitTypes: 3, receiveFilters: 3, clockIndex: 4)
            },
            stamping: { _ throws(SystemError) in
                log.add("stamping")
                return .off
            },
            statistics: { _ throws(SystemError) in
                log.add("statistics")
                let count = UInt64(log.all.count { $0 == "statistics" })
                return DriverStatistics(counters: [.init(name: "tx_hwtstamp_skipped", value: 10 + count)])
            },
            hasCarrier: { _ in true },
            queueing: { _ in [QueueingDiscipline(kind: "etf", handle: 1, parent: QueueingDiscipline.root)] },
            openClock: { index throws(SystemError) in
                log.add("clock \(index)")
                return { () throws(SystemError) in
                    log.add("read")
                    let count = Int64(log.all.count { $0 == "read" })
                    return ClockReading(
                        hardware: count * 2_000_000_000, realtime: count * 1_000_000_000, error: 100, method: .precise)
                }
            },
            frames: { _, _, _ throws(SystemError) in
                log.add("frames")
                return Diagnoses.softwareTrial
            },
            launch: { _, clock, _ throws(SystemError) in
                log.add("launch")
                return LaunchTrial(clock: clock, outcome: .left(after: 5))
            })
    }

    private func doctor(
        _ sources: DoctorSources, _ capabilities: Set<Host.Capability> = [.rawSockets], stop: StopSignal? = nil
    ) throws -> Doctor {
        Doctor(sources: sources, capabilities: capabilities, peer: nil, stop: try stop ?? StopSignal())
    }

    @Test func `Each fact comes from its source, and counters and PHC are read before and after the trials`() throws {
        let log = Log()
        let facts = try doctor(sources(log)).examine(interface())
        #expect(log.all == ["statistics", "stamping", "clock 4", "read", "frames", "launch", "read", "statistics"])
        #expect(facts.driver == .success(DriverInformation(name: "played")))
        #expect(facts.rings == .failure(SystemError("read the rings", code: 95)))
        #expect(facts.frames == .made(Diagnoses.softwareTrial))
        #expect(facts.launch == .made(LaunchTrial(clock: .tai, outcome: .left(after: 5))))
        #expect(facts.missed == [.init(name: "tx_hwtstamp_skipped", total: 12, meanwhile: 1)])
        guard case .read(4, .runs(let rate, let error, .precise)) = facts.clock else {
            Issue.record("\(facts.clock)")
            return
        }
        #expect(rate == 2 && error < 1e-6)
    }

    @Test func `On an interface that cannot send nothing is tried, and the reason is reported`() throws {
        for (change, capabilities, reason) in [
            ({ $0.isUp = false }, [.rawSockets], "it is down"),
            ({ $0.isEthernet = false }, [.rawSockets], "it has no Ethernet header"),
            ({ _ in }, [], "CAP_NET_RAW is missing"),
        ] as [((inout Interface) -> Void, Set<Host.Capability>, String)] {
            let log = Log()
            let facts = try doctor(sources(log), capabilities).examine(interface(change))
            #expect(facts.frames == .notTried(reason) && facts.launch == .notTried(reason))
            #expect(!log.all.contains("frames") && !log.all.contains("launch"))
        }
        let log = Log()
        var silent = sources(log)
        silent.hasCarrier = { _ in false }
        #expect(try doctor(silent).examine(interface()).frames == .notTried("it has no carrier"))
        #expect(!log.all.contains("frames"))
    }

    @Test func `A failed trial is reported, and no launch time is tried after it`() throws {
        let log = Log()
        var failing = sources(log)
        let error = SystemError("bind to the interface", code: 19)
        failing.frames = { _, _, _ throws(SystemError) in throw error }
        let facts = try doctor(failing).examine(interface())
        #expect(facts.frames.outcome?.failure == error)
        #expect(facts.launch == .notTried("\(error)"))
        #expect(!log.all.contains("launch"))
        #expect(Diagnoses.diagnosis(facts).obstacle?.exitCode == 3)
    }

    @Test func `A stop before, during or after the frame trial skips the remaining trials`() throws {
        let log = Log()
        let stop = try StopSignal()
        stop.raise()
        var facts = try doctor(sources(log), stop: stop).examine(interface())
        #expect(facts.frames == .notTried("interrupted") && facts.launch == .notTried("interrupted"))

        let during = try StopSignal()
        var stopping = sources(log)
        stopping.frames = { _, _, stop throws(SystemError) in
            stop.raise()
            var trial = FrameTrial()
            trial.isInterrupted = true
            return trial
        }
        facts = try doctor(stopping, stop: during).examine(interface())
        #expect(facts.launch == .notTried("interrupted"))

        let late = try StopSignal()
        stopping = sources(log)
        stopping.launch = { _, clock, stop throws(SystemError) in
            stop.raise()
            return LaunchTrial(clock: clock, outcome: .unstamped)
        }
        facts = try doctor(stopping, stop: late).examine(interface())
        #expect(facts.frames.outcome != nil && facts.launch == .notTried("interrupted"))
    }

    @Test func `Without timestamping capabilities there is no PHC, and without statistics no missed timestamps`() throws
    {
        let log = Log()
        var mute = sources(log)
        mute.capabilities = { _ throws(SystemError) in throw SystemError("ask", code: 95) }
        mute.statistics = { _ throws(SystemError) in throw SystemError("ask", code: 95) }
        let facts = try doctor(mute).examine(interface())
        #expect(facts.clock == .none && facts.missed.isEmpty)
    }
}

/// The rate of a PHC, derived from given readings.
@Suite struct ClockWatchTests {
    private final class Readings: Sendable {
        let left: Mutex<[ClockReading]>
        init(_ readings: [(hardware: Int64, realtime: Int64)]) {
            left = Mutex(
                readings.map {
                    ClockReading(hardware: $0.hardware, realtime: $0.realtime, error: 50, method: .extended)
                })
        }
    }

    private func watch(_ readings: [(Int64, Int64)]) -> ClockObservation {
        let source = Readings(readings)
        var watch = ClockWatch(index: 1) { _ in
            { () throws(SystemError) in
                guard let next = source.left.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else {
                    throw SystemError("read", code: 5)
                }
                return next
            }
        }
        for _ in readings { watch.read() }
        return watch.observation
    }

    private static let second: Int64 = 1_000_000_000

    @Test func `The rate is the PHC's seconds per second of the system clock`() {
        for (factor, expected) in [(10, 1.0), (25, 2.5), (5, 0.5)] as [(Int64, Double)] {
            guard
                case .read(1, .runs(let rate, let error, .extended)) = watch([
                    (7, Self.second), (7 + Self.second * factor / 10, 2 * Self.second),
                ])
            else {
                Issue.record("\(factor)")
                continue
            }
            #expect(abs(rate - expected) < 1e-9 && error > 0 && error < 1e-5)
        }
    }

    @Test func `A clock that does not advance, or was set, has no rate`() {
        #expect(watch([(7, Self.second), (7, 2 * Self.second)]) == .read(index: 1, .standsStill))
        #expect(watch([(900, Self.second), (7, 2 * Self.second)]) == .read(index: 1, .wasSet))
        #expect(watch([(7, 2 * Self.second), (8, Self.second)]) == .read(index: 1, .wasSet))
    }

    @Test func `A single reading gives no rate, and a failed one is reported with its error`() {
        #expect(watch([(7, 7)]) == .read(index: 1, .unknown))
        var watch = ClockWatch(index: 2) { _ throws(SystemError) in throw SystemError("open the clock", code: 13) }
        watch.read()
        #expect(watch.observation == .unreadable(index: 2, SystemError("open the clock", code: 13)))
        #expect(watch.remaining == 0)
    }

    @Test func `The remaining wait counts from the first reading, until the readings span enough time`() {
        let source = Readings([(1, 1000), (2, 1000 + 200_000_000), (3, 1000 + 700_000_000)])
        var watch = ClockWatch(index: 1) { _ in
            { () throws(SystemError) in source.left.withLock { $0.removeFirst() } }
        }
        #expect(watch.remaining == 0)
        watch.read()
        #expect(watch.remaining == ClockWatch.span)
        watch.read()
        #expect(watch.remaining == ClockWatch.span - 200_000_000)
        watch.read()
        #expect(watch.remaining == 0)
    }
}
