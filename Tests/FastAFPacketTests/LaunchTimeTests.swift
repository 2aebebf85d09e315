import CLinux
import Glibc
import LinuxKernel
import Testing

@testable import FastAFPacket

/// Launch times, and the kernel's reports of those that it could not keep.
struct LaunchTimeTests {
    private typealias Part = ControlDataTests.Part

    @Test("The option's value has the clock and the flags of struct sock_txtime")
    func raw() {
        let values = [
            LaunchTimes(.tai), LaunchTimes(.monotonic, isDeadline: true),
            LaunchTimes(.realtime, isDeadline: true, reportsErrors: false), LaunchTimes(.tai, reportsErrors: false),
        ].map { ($0.raw.clockid, $0.raw.flags) }
        #expect(values.map(\.0) == [11, 1, 0, 11] && values.map(\.1) == [2, 3, 1, 0])
    }

    /// The report of report_sock_error() in net/sched/sch_etf.c: the low half of the time in ee_info, the high half in
    /// ee_data.
    private func report(
        code: UInt8 = 2, number: Int32 = ECANCELED, origin: UInt8 = 6, time: Int64 = 0x0102_0304_F506_0708,
        level: Int32 = 263, type: Int32 = 16
    ) -> Part {
        let error = cl_extended_error(
            ee_errno: UInt32(number), ee_origin: origin, ee_type: 0, ee_code: code, ee_pad: 0,
            ee_info: UInt32(truncatingIfNeeded: time), ee_data: UInt32(truncatingIfNeeded: time >> 32))
        return Part(level: level, type: type, data: withUnsafeBytes(of: error) { Array($0) })
    }

    private func decode(_ parts: [Part]) -> LaunchError? {
        parts.flatMap(\.bytes).withUnsafeBytes { LaunchError(ControlMessages($0)) }
    }

    @Test("A report contains its reason and the whole time, on packet and UDP sockets")
    func decode() {
        let time: Int64 = 0x0102_0304_F506_0708
        #expect(decode([report()]) == LaunchError(reason: .missed, launchTime: time))
        #expect(decode([report(code: 1, number: EINVAL)]) == LaunchError(reason: .invalid, launchTime: time))
        for time in [0, -1, .max, .min, 0xFFFF_FFFF, 1 << 32] as [Int64] {
            #expect(decode([report(time: time)])?.launchTime == time)
        }
        for (level, type) in [(263, 16), (0, 11), (41, 25)] as [(Int32, Int32)] {
            #expect(decode([report(level: level, type: type)]) != nil)
        }
        // Next to others, such as the launch time that the kernel takes for a timestamp.
        let stamps = Part.stamps([time, 0, 0])
        #expect(decode([stamps, report(), stamps]) != nil)
        #expect(decode([Part.error(), report()]) != nil)
    }

    @Test("Another origin, reason, level or type, or truncated data, is no report")
    func others() {
        for origin in 0...10 as ClosedRange<UInt8> where origin != 6 {
            #expect(decode([report(origin: origin)]) == nil)
        }
        for code in [0, 3, 255] as [UInt8] { #expect(decode([report(code: code)]) == nil) }
        for (level, type) in [(SOL_SOCKET, 16), (0, 16), (263, 11), (41, 11), (0, 25)] as [(Int32, Int32)] {
            #expect(decode([report(level: level, type: type)]) == nil)
        }
        #expect(decode([]) == nil && decode([Part.stamps([1, 0, 0]), Part.error()]) == nil)
        let bytes = report().bytes
        for length in 0..<bytes.count {
            #expect(bytes[..<length].withUnsafeBytes { LaunchError(ControlMessages($0)) } == nil, "\(length)")
        }
    }

    @Test("Random control data contains no report")
    func random() {
        var random = SeededGenerator(seed: 1)
        for round in 0..<5000 {
            let bytes = random.controlData()
            #expect(bytes.withUnsafeBytes { LaunchError(ControlMessages($0)) } == nil, "round \(round)")
        }
    }

    @Test("A batch returns timestamps and reports separately, each in order")
    func batch() {
        var batch = StampBatch(capacity: 4)
        let messages: [[Part]] = [
            [.stamps([5, 0, 0]), .error(id: 1)], [.stamps([9, 0, 0]), report(time: 9)], [report(code: 1, time: 8)],
            [.stamps([6, 0, 0]), .error(id: 2)],
        ]
        batch.storage.prepareToReceive(count: 4)
        for (index, parts) in messages.enumerated() {
            let bytes = parts.flatMap(\.bytes)
            batch.storage.control(index).copyMemory(from: bytes, byteCount: bytes.count)
            batch.storage.headers[index].msg_hdr.msg_controllen = bytes.count
        }
        batch.messages = 4
        var ids: [UInt32] = []
        var errors: [LaunchError] = []
        batch.forEach { ids.append($0.id) }
        batch.forEachLaunchError { errors.append($0) }
        #expect(ids == [1, 2])
        #expect(errors == [LaunchError(reason: .missed, launchTime: 9), LaunchError(reason: .invalid, launchTime: 8)])
    }
}

/// Tests on this kernel's default queueing disciplines, which do not keep launch times.
@Suite(.needsRoot, .vethPair)
struct LaunchTimeLiveTests {
    private func send(_ connection: PacketConn, id: UInt32, launchTime: Int64) throws -> Int {
        var batch = SendBatch(capacity: 1, packetBytes: 64)
        batch.append(id: id, options: SendOptions(launchTime: launchTime)) { span in
            span.withUnsafeMutableBytes { $0.copyBytes(from: frame(id)) }
            return 60
        }
        return try connection.send(&batch)
    }

    @Test(
        "Without etf or fq launch times are accepted but not kept: frames leave at once, with their ids and timestamps",
        arguments: StampTests.Way.all, [LaunchTimes.Clock.tai, .monotonic, .realtime])
    func ignored(way: StampTests.Way, clock: LaunchTimes.Clock) throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.left, dual: way.dual) {
            $0.identifiers = way.identifiers
            $0.launchTimes = LaunchTimes(clock, isDeadline: true)
        }
        let receiver = try pair.listen(.right)
        let before = ClockID.monotonic.now()
        var time = timespec()
        clock_gettime(clock.number, &time)
        let now = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        for (id, launchTime) in [(1, now + 3_600_000_000_000), (2, now - 1), (3, 0)] as [(UInt32, Int64)] {
            #expect(try send(connection, id: id, launchTime: launchTime) == 1)
        }
        #expect(try receiver.receiveNumbers(3) == [1, 2, 3])
        #expect(ClockID.monotonic.now() - before < 60_000_000_000)
        #expect(try connection.receiveStamps(6).map(\.id).sorted() == [1, 1, 2, 2, 3, 3])
    }

    @Test(
        "A launch time that the connection does not allow gives EINVAL and a remedy, and uses no id",
        arguments: StampTests.Way.all)
    func notAllowed(way: StampTests.Way) throws {
        let connection = try VethPair.current.listen(.left, dual: way.dual) { $0.identifiers = way.identifiers }
        let error = try #require(throws: SystemError.self) { _ = try send(connection, id: 1, launchTime: 1) }
        #expect(error.code == EINVAL && error.remedy?.contains("launchTimes") == true)
        try connection.sendFrames([2])
        #expect(try connection.receiveStamps(2).map(\.id) == [2, 2])
    }

    @Test("Clocks other than monotonic need CAP_NET_ADMIN, and the error says so")
    func unprivileged() throws {
        let pair = try VethPair.current
        for (clock, isAllowed) in [(LaunchTimes.Clock.tai, false), (.realtime, false), (.monotonic, true)] {
            let error = try errorWithout(.networkAdministration) { () throws(SystemError) in
                _ = try pair.listen(.left) { $0.launchTimes = LaunchTimes(clock) }
            }
            #expect(isAllowed ? error == nil : error?.code == EPERM && error?.remedy?.contains("CAP_NET_ADMIN") == true)
        }
    }

    @Test(
        "Binding a clock that the NIC does not have names the clock and the way to create it", arguments: [true, false])
    func boundClock(dual: Bool) throws {
        let pair = try VethPair.current
        let error = try #require(throws: SystemError.self) {
            _ = try pair.listen(.left, dual: dual) { $0.boundClock = 9 }
        }
        // Not EOPNOTSUPP, the error of a socket that is not bound to its device.
        #expect(error.code == EINVAL && error.remedy?.contains("/dev/ptp9") == true)
        var configuration = PacketConn.Configuration()
        configuration.boundClock = 9
        let options = StampOptions(transmit: .hardware, configuration)
        let code = try pair.enter(.left) { () throws(SystemError) in
            let socket = try Descriptor(socket: AF_PACKET, type: Int32(SOCK_RAW.rawValue), protocol: 0)
            return errorCode { () throws(SystemError) in try options.apply(to: socket) }
        }
        #expect(code == EOPNOTSUPP)
    }
}
