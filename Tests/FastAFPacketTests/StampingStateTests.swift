import Foundation
import LinuxKernel
import Testing

@testable import FastAFPacket

/// The file that connections share: its contents, its directory and its place.
struct StampingStateTests {
    private let nic = SimulatedNIC()
    private let directory = StampingDirectory()
    static let allOn = StampingLeaseTests.allOn
    static let allOnRecord = StampingState.Record(granted: allOn, requested: allOn)
    static let place = StampingState.Place(directory: "", namespace: 7, index: 3)

    private func acquire() -> StampingLease {
        StampingLease.acquire(StampingLeaseTests.all, device: nic.device, place: .success(directory.place))
    }

    // MARK: - Contents

    @Test("A record is read as it was written, and rejected if a byte is missing, changed or added")
    func parsing() {
        let filtered = HardwareStampingConfiguration(transmitType: 0, receiveFilter: 12)
        let record = StampingState.Record(granted: filtered, requested: Self.allOn)
        let text = record.text(at: Self.place, boot: 9)
        #expect(
            text.hasPrefix(
                "probe-nic-1 0000000000000007 00000003 0000000000000009 00000000 0000000c 00000001 00000001 "))
        #expect(text.utf8.count == StampingState.Record.byteCount)
        let parse = { StampingState.Record($0, of: Self.place, anyBoot: true) }
        #expect(parse(text) == record)
        #expect(parse(text + "\n") == nil)
        for position in 0..<text.utf8.count {
            #expect(parse(String(text.prefix(position))) == nil, "the first \(position) bytes")
            for change in [1, 0x10, 0x20] as [UInt8] {
                var bytes = Array(text.utf8)
                bytes[position] ^= change
                #expect(parse(String(decoding: bytes, as: UTF8.self)) == nil, "byte \(position)")
            }
        }
    }

    @Test("A record of another namespace or interface is rejected, and one of another boot unless its users are alive")
    func foreign() {
        let text = Self.allOnRecord.text(at: Self.place)
        let parse = { StampingState.Record(text, of: $0, anyBoot: false) }
        #expect(parse(Self.place) == Self.allOnRecord)
        #expect(parse(StampingState.Place(directory: "", namespace: 8, index: 3)) == nil)
        #expect(parse(StampingState.Place(directory: "", namespace: 7, index: 4)) == nil)
        let old = Self.allOnRecord.text(at: Self.place, boot: Host.bootHash() ^ 1)
        #expect(StampingState.Record(old, of: Self.place, anyBoot: false) == nil)
        #expect(StampingState.Record(old, of: Self.place, anyBoot: true) == Self.allOnRecord)
    }

    @Test(
        "Numbers that are no configuration of the kernel's are rejected",
        arguments: [(4, 1), (1, 16), (-1, 1), (1, -1)] as [(Int32, Int32)])
    func outOfRange(type: Int32, filter: Int32) {
        let wrong = HardwareStampingConfiguration(transmitType: type, receiveFilter: filter)
        for record in [
            StampingState.Record(granted: wrong, requested: Self.allOn),
            StampingState.Record(granted: Self.allOn, requested: wrong),
        ] {
            #expect(StampingState.Record(record.text(at: Self.place), of: Self.place, anyBoot: true) == nil)
        }
    }

    /// Contents of a file that count as none.
    enum Unusable: CaseIterable {
        case empty, line, torn, doubled, ofAnotherNamespace, ofAnotherBoot, long, zeros, random

        var text: String {
            let text = StampingStateTests.allOnRecord.text(at: StampingStateTests.place)
            let count = StampingState.Record.byteCount
            var generator = SeededGenerator(seed: 12)
            return switch self {
            case .empty: ""
            case .line: "\n"
            case .torn: String(text.prefix(50))
            case .doubled: text + text
            case .ofAnotherNamespace:
                StampingStateTests.allOnRecord.text(at: StampingState.Place(directory: "", namespace: 8, index: 3))
            case .ofAnotherBoot:
                StampingStateTests.allOnRecord.text(at: StampingStateTests.place, boot: Host.bootHash() ^ 1)
            case .long: String(repeating: "9", count: 1 << 16)
            case .zeros: String(repeating: "\0", count: count)
            case .random: String(decoding: generator.bytes(count), as: UTF8.self)
            }
        }
    }

    @Test("A torn or foreign file counts as absent", arguments: Unusable.allCases)
    func torn(file: Unusable) throws {
        let text = file.text
        try directory.put(text)
        nic.now = Self.allOn
        let borrowing = acquire()
        #expect(borrowing.stamping == .borrowed(Self.allOn) && nic.written.isEmpty && directory.files.isEmpty)
        borrowing.release(to: nic.device)
        #expect(nic.written.isEmpty)

        try directory.put(text)
        nic.now = .off
        let lease = acquire()
        #expect(lease.stamping == .switchedOn(Self.allOn, previous: .off) && lease.obstacle == nil)
        lease.release(to: nic.device)
        #expect(nic.written == [Self.allOn, .off] && directory.files.isEmpty)
    }

    @Test("Users whose file is damaged or removed meanwhile still restore the NIC last", arguments: [false, true])
    func damaged(isRemoved: Bool) throws {
        let (first, second) = (acquire(), acquire())
        if isRemoved {
            try FileManager.default.removeItem(atPath: directory.place.path)
        } else {
            try directory.put("damaged")
        }
        first.release(to: nic.device)
        #expect(nic.now == Self.allOn)
        second.release(to: nic.device)
        #expect(nic.now == .off && directory.files.isEmpty)
    }

    @Test("A user whose file was removed does not remove the file of the next one")
    func replaced() throws {
        let first = acquire()
        try FileManager.default.removeItem(atPath: directory.place.path)
        nic.now = .off
        let second = acquire()
        nic.now = .off
        first.release(to: nic.device)
        #expect(directory.files == ["nic-7-3"])
        second.release(to: nic.device)
        #expect(directory.files.isEmpty)
    }

    @Test("A connection counts as a user from joining to leaving, and not before it has decided")
    func counting() throws {
        let deciding = try StampingState(lockedAt: directory.place)
        #expect(deciding.isAlone())
        deciding.unlock()
        let user = try StampingState(lockedAt: directory.place)
        #expect(user.isAlone())
        user.join()
        user.unlock()
        try deciding.lock()
        #expect(!deciding.isAlone())
        user.leave()
        #expect(deciding.isAlone())
    }

    // MARK: - Files that cannot be used

    /// Checks that a connection works without state, and says why.
    private func expectAlone(_ code: Int32) {
        let first = acquire()
        #expect(first.stamping == .switchedOn(Self.allOn, previous: .off) && first.obstacle?.code == code)
        let second = acquire()
        #expect(second.stamping == .borrowed(Self.allOn) && second.obstacle == nil)
        second.release(to: nic.device)
        #expect(nic.now == Self.allOn)
        first.release(to: nic.device)
        #expect(nic.now == .off && nic.written == [Self.allOn, .off])
    }

    @Test("Without a directory that can be made, the connection that switched timestamping on restores it")
    func noDirectory() {
        let missing = StampingState.Place(directory: directory.path + "/missing/probe", namespace: 7, index: 3)
        let lease = StampingLease.acquire(StampingLeaseTests.all, device: nic.device, place: .success(missing))
        #expect(lease.stamping == .switchedOn(Self.allOn, previous: .off) && lease.obstacle?.code == ENOENT)
        lease.release(to: nic.device)
        #expect(nic.written == [Self.allOn, .off])
    }

    @Test("A directory or file that other users can change is not used", arguments: [false, true])
    func untrusted(isDirectory: Bool) throws {
        try directory.put(Self.allOnRecord.text(at: directory.place))
        let path = isDirectory ? directory.path : directory.place.path
        try FileManager.default.setAttributes([.posixPermissions: isDirectory ? 0o777 : 0o620], ofItemAtPath: path)
        expectAlone(EPERM)
        #expect(directory.files == ["nic-7-3"])
    }

    @Test("A FIFO or symbolic link in the file's place is not used", arguments: [false, true])
    func special(isLink: Bool) throws {
        try directory.put("")
        try FileManager.default.removeItem(atPath: directory.place.path)
        if isLink {
            symlink(directory.path + "/elsewhere", directory.place.path)
        } else {
            mkfifo(directory.place.path, 0o600)
        }
        expectAlone(isLink ? ELOOP : EPERM)
        #expect(directory.files == ["nic-7-3"])
    }

    @Test("A process that keeps the state locked delays others by three seconds, and is named as the reason")
    func stuck() throws {
        let stuck = try StampingState(lockedAt: directory.place)
        let start = ClockID.monotonic.now()
        let lease = acquire()
        #expect((3_000_000_000...20_000_000_000).contains(ClockID.monotonic.now() - start))
        #expect(lease.stamping == .switchedOn(Self.allOn, previous: .off) && lease.obstacle?.code == EAGAIN)
        let warning = lease.obstacle.map { ConnectionWarning.stampingNotShared($0).description } ?? ""
        #expect(
            warning.contains("lose their hardware timestamps") && warning.contains("Another process holds the lock"))
        stuck.unlock()
        lease.release(to: nic.device)
        #expect(nic.now == .off)
    }

    @Test("A user that cannot lock the state leaves the NIC to the next one")
    func stuckAtTheEnd() throws {
        let lease = acquire()
        let stuck = try StampingState(lockedAt: directory.place)
        lease.release(to: nic.device)
        #expect(nic.now == Self.allOn)
        stuck.unlock()
        acquire().release(to: nic.device)
        #expect(nic.now == .off && directory.files.isEmpty)
    }
}

/// The places of real interfaces.
@Suite(.needsRoot, .vethPair)
struct StampingPlaceTests {
    @Test("Interfaces of one index in two namespaces have different places")
    func places() throws {
        let pair = try VethPair.current
        func place(_ side: VethPair.Side, _ name: String) throws -> StampingState.Place {
            try pair.enter(side) { () throws(SystemError) in
                let socket = try Descriptor(socket: AF_INET, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
                return try StampingState.Place(of: Interface(named: name), socket: socket)
            }
        }
        let (left, right) = (try place(.left, "lo"), try place(.right, "lo"))
        #expect(left.index == 1 && right.index == 1 && left.namespace != right.namespace && left.path != right.path)
        #expect(try place(.left, "lo") == left)
        let other = try place(.left, VethPair.interfaceName)
        #expect(other.namespace == left.namespace && other.index != left.index)
        #expect(other.path == "/run/probe/nic-\(other.namespace)-\(other.index)")
    }
}
