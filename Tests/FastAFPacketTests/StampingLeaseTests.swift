import Foundation
import LinuxKernel
import Testing

@testable import FastAFPacket

/// Connections that share a NIC's timestamping, in one process: each opens the state itself, as processes do.
struct StampingLeaseTests {
    typealias Configuration = HardwareStampingConfiguration
    static let all = TimestampingCapabilities(flags: 0b101, transmitTypes: 0b11, receiveFilters: 0b11)
    /// Receive filters: ptpv2-event only.
    static let onlyPTP = TimestampingCapabilities(flags: 0b101, transmitTypes: 0b11, receiveFilters: 1 << 12 | 1)
    static let allOn = Configuration(transmitType: 1, receiveFilter: 1)

    private let nic = SimulatedNIC()
    private let directory = StampingDirectory()
    private var on: HardwareStamping { .switchedOn(Self.allOn, previous: .off) }

    private func acquire(
        _ capabilities: TimestampingCapabilities = Self.all, stampsPTP: Bool = false
    ) -> StampingLease {
        StampingLease.acquire(
            capabilities, device: nic.device, place: .success(directory.place), stampsPTP: stampsPTP)
    }

    /// A user whose process is killed: the kernel releases its locks.
    private func acquireAndDie() { _ = acquire() }

    @Test(
        "The last of several users restores the NIC, in any order of closing",
        arguments: [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
    func users(order: [Int]) {
        let leases = (0..<3).map { _ in acquire() }
        #expect(leases.map(\.stamping) == [on, on, on] && leases.allSatisfy { $0.obstacle == nil })
        #expect(nic.written == [Self.allOn] && directory.files == ["nic-7-3"])
        for (number, next) in order.enumerated() {
            #expect(nic.now == Self.allOn, "before close \(number)")
            leases[next].release(to: nic.device)
        }
        #expect(nic.now == .off && nic.written == [Self.allOn, .off] && directory.files.isEmpty)
    }

    @Test("A later user joins, and stays when the first one has ended")
    func overlap() {
        let first = acquire()
        let second = acquire()
        first.release(to: nic.device)
        let third = acquire()
        second.release(to: nic.device)
        #expect(third.stamping == on && nic.now == Self.allOn)
        third.release(to: nic.device)
        #expect(nic.written == [Self.allOn, .off])
        let fourth = acquire()
        #expect(fourth.stamping == on && nic.now == Self.allOn)
        fourth.release(to: nic.device)
        #expect(nic.now == .off && directory.files.isEmpty)
    }

    @Test("When one of two users is killed, the other one restores the NIC")
    func killedBeside() {
        let lease = acquire()
        acquireAndDie()
        #expect(nic.now == Self.allOn)
        lease.release(to: nic.device)
        #expect(nic.now == .off && directory.files.isEmpty)
    }

    @Test("After the last user was killed, the next one joins and restores the NIC")
    func killedAlone() {
        acquireAndDie()
        #expect(nic.now == Self.allOn && directory.files == ["nic-7-3"])
        let lease = acquire()
        #expect(lease.stamping == on && nic.written == [Self.allOn])
        lease.release(to: nic.device)
        #expect(nic.now == .off && directory.files.isEmpty)
    }

    @Test("After a kill, a configuration of another program is used and left unchanged")
    func changedAfterKill() {
        acquireAndDie()
        let theirs = Configuration(transmitType: 1, receiveFilter: 12)
        nic.now = theirs
        let lease = acquire()
        #expect(lease.stamping == .borrowed(theirs) && directory.files.isEmpty)
        lease.release(to: nic.device)
        // Back to what the killed user had set: by the other program.
        nic.now = Self.allOn
        let later = acquire()
        #expect(later.stamping == .borrowed(Self.allOn))
        later.release(to: nic.device)
        #expect(nic.written == [Self.allOn] && nic.now == Self.allOn)
    }

    @Test(
        "A user that was killed before the driver answered leaves what the next one restores", arguments: [false, true])
    func killedMeanwhile(isSet: Bool) throws {
        let wanted = StampingState.Record(granted: .off, requested: Self.allOn)
        try directory.put(wanted.text(at: directory.place))
        if isSet { nic.now = Self.allOn }
        let lease = acquire()
        #expect(lease.stamping == on && nic.written == (isSet ? [] : [Self.allOn]))
        lease.release(to: nic.device)
        #expect(nic.now == .off && directory.files.isEmpty)
    }

    @Test("The state has the wanted configuration before the driver gets it")
    func writtenFirst() {
        var found: [String] = []
        var device = nic.device
        device.write = { [nic, directory] wanted in
            found.append((try? String(contentsOfFile: directory.place.path, encoding: .utf8)) ?? "")
            return nic.device.write(wanted)
        }
        let lease = StampingLease.acquire(Self.all, device: device, place: .success(directory.place))
        let wanted = StampingState.Record(granted: .off, requested: Self.allOn)
        #expect(found == [wanted.text(at: directory.place)])
        lease.release(to: nic.device)
    }

    @Test("A configuration that another program has changed meanwhile is not restored")
    func changed() {
        let (first, second) = (acquire(), acquire())
        let theirs = Configuration(transmitType: 1, receiveFilter: 12)
        nic.now = theirs
        let third = acquire()
        #expect(third.stamping == .borrowed(theirs))
        first.release(to: nic.device)
        second.release(to: nic.device)
        third.release(to: nic.device)
        #expect(nic.now == theirs && nic.written == [Self.allOn] && directory.files.isEmpty)
    }

    @Test("Timestamping that another program has switched off meanwhile is switched on by the next user")
    func switchedOff() {
        let first = acquire()
        nic.now = .off
        let second = acquire()
        #expect(second.stamping == on && nic.now == Self.allOn)
        second.release(to: nic.device)
        #expect(nic.now == Self.allOn)
        first.release(to: nic.device)
        #expect(nic.now == .off && nic.written == [Self.allOn, Self.allOn, .off] && directory.files.isEmpty)
    }

    @Test("A configuration of another program has no state")
    func borrowed() {
        nic.now = Self.allOn
        let lease = acquire()
        #expect(lease.stamping == .borrowed(Self.allOn) && lease.obstacle == nil && directory.files.isEmpty)
        lease.release(to: nic.device)
        #expect(nic.written.isEmpty)
    }

    @Test("A user that wants more extends the configuration, and the last one restores it")
    func extended() {
        let transmitting = Configuration(transmitType: 1, receiveFilter: 0)
        let both = Configuration(transmitType: 1, receiveFilter: 12)
        let first = acquire(Self.onlyPTP)
        #expect(first.stamping == .switchedOn(transmitting, previous: .off))
        let second = acquire(Self.onlyPTP, stampsPTP: true)
        #expect(second.stamping == .switchedOn(both, previous: .off))
        let third = acquire(Self.onlyPTP)
        #expect(third.stamping == .switchedOn(both, previous: .off) && nic.written == [transmitting, both])
        second.release(to: nic.device)
        third.release(to: nic.device)
        #expect(nic.now == both)
        first.release(to: nic.device)
        #expect(nic.now == .off && directory.files.isEmpty)
    }

    @Test("A user whose extension is refused borrows the configuration of the others")
    func notExtended() {
        let transmitting = Configuration(transmitType: 1, receiveFilter: 0)
        let first = acquire(Self.onlyPTP)
        nic.writeError = SystemError("switch the NIC's timestamping on", code: EPERM)
        let second = acquire(Self.onlyPTP, stampsPTP: true)
        #expect(second.stamping == .borrowed(transmitting))
        nic.writeError = nil
        let both = Configuration(transmitType: 1, receiveFilter: 12)
        let third = acquire(Self.onlyPTP, stampsPTP: true)
        #expect(third.stamping == .switchedOn(both, previous: .off))
        second.release(to: nic.device)
        first.release(to: nic.device)
        #expect(nic.now == both)
        third.release(to: nic.device)
        #expect(nic.written == [transmitting, both, both, .off] && directory.files.isEmpty)
    }

    @Test("A driver that grants another filter than requested is not asked again")
    func granted() {
        nic.widens = 14
        let granted = Configuration(transmitType: 1, receiveFilter: 14)
        let leases = [acquire(), acquire()]
        #expect(leases.map(\.stamping) == [.switchedOn(granted, previous: .off), .switchedOn(granted, previous: .off)])
        #expect(nic.written == [Self.allOn])
        leases.forEach { $0.release(to: nic.device) }
        #expect(nic.now == .off)
    }

    @Test("A user without the privilege gets no state, nor one who cannot restore: the next user does")
    func notPermitted() {
        nic.writeError = SystemError("switch the NIC's timestamping on", code: EPERM)
        #expect(acquire().stamping == .refused(SystemError("switch the NIC's timestamping on", code: EPERM)))
        #expect(directory.files.isEmpty)
        nic.writeError = nil
        let first = acquire()
        nic.writeError = SystemError("switch the NIC's timestamping on", code: EPERM)
        first.release(to: nic.device)
        #expect(nic.now == Self.allOn && directory.files == ["nic-7-3"])
        nic.writeError = nil
        acquire().release(to: nic.device)
        #expect(nic.now == .off && directory.files.isEmpty)
    }

    @Test("A NIC without hardware timestamps, or whose configuration cannot be read, has no state")
    func noState() {
        #expect(acquire(TimestampingCapabilities(flags: 0x1A)).stamping == .unavailable)
        nic.readError = SystemError("read the NIC's timestamping configuration", code: EOPNOTSUPP)
        guard case .refused = acquire().stamping else {
            Issue.record("not refused")
            return
        }
        #expect(directory.files.isEmpty && OutputFile.exists(directory.path) == false)
    }

    @Test("Users of the NICs of two places do not count together")
    func places() {
        let other = SimulatedNIC()
        var place = directory.place
        place.namespace = 8
        let first = acquire()
        let second = StampingLease.acquire(Self.all, device: other.device, place: .success(place))
        #expect(directory.files == ["nic-7-3", "nic-8-3"] && second.stamping == on)
        first.release(to: nic.device)
        #expect(nic.now == .off && other.now == Self.allOn)
        second.release(to: other.device)
        #expect(other.now == .off && directory.files.isEmpty)
    }
}
