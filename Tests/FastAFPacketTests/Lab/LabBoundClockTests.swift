import FastAFPacket
import Foundation
import LinuxKernel
import Testing

/// Hardware timestamps of a virtual clock of the NIC.
@Suite(.lab, .serialized)
struct LabBoundClockTests {
    /// Creates a virtual clock while `body` runs, and calls `body` with its number.
    private func withVirtualClock(_ body: (Int32) throws -> Void) throws {
        let device = try #require(try TimestampingCapabilities(of: LabNIC.interface).clockIndex)
        let setting = "/sys/class/ptp/ptp\(device)/n_vclocks"
        let before = try clocks()
        try "1".write(toFile: setting, atomically: false, encoding: .utf8)
        defer { try? "0".write(toFile: setting, atomically: false, encoding: .utf8) }
        let number = try #require(try clocks().subtracting(before).first)
        try body(number)
    }

    private func clocks() throws -> Set<Int32> {
        Set(try FileManager.default.contentsOfDirectory(atPath: "/sys/class/ptp").compactMap { Int32($0.dropFirst(3)) })
    }

    /// A clock's time. Source: FD_TO_CLOCKID in clock_gettime(2).
    private func time(ofClock number: Int32) throws -> Int64 {
        let device = open("/dev/ptp\(number)", O_RDONLY)
        try #require(device >= 0, "/dev/ptp\(number)")
        defer { close(device) }
        var time = timespec()
        try #require(clock_gettime(~device << 3 | 3, &time) == 0)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// The hardware timestamps of three sends, one after the other, because the NIC keeps one at a time.
    private func stamps(_ connection: PacketConn) throws -> [Int64] {
        try (1...3).map { id in
            try connection.sendFrames([UInt32(id)])
            let stamps = try connection.receiveStamps(1)
            #expect(stamps.map(\.id) == [UInt32(id)])
            return try #require(stamps.first?.stamps.hardware)
        }
    }

    @Test(
        "Hardware timestamps are in the time of the virtual clock that the connection names", arguments: [true, false])
    func bound(dual: Bool) throws {
        try withVirtualClock { number in
            let connection = try LabNIC.connect {
                $0.dualConn = dual
                $0.transmitStamps = .hardware
                $0.boundClock = number
            }
            let before = try time(ofClock: number)
            let stamps = try stamps(connection)
            let after = try time(ofClock: number)
            #expect(stamps == stamps.sorted() && stamps.allSatisfy { (before...after).contains($0) }, "\(number)")
        }
    }

    @Test("While a virtual clock exists other connections get PHC timestamps")
    func unbound() throws {
        let device = try #require(try TimestampingCapabilities(of: LabNIC.interface).clockIndex)
        try withVirtualClock { number in
            let connection = try LabNIC.connect { $0.transmitStamps = .hardware }
            let before = try time(ofClock: device)
            let stamps = try stamps(connection)
            let after = try time(ofClock: device)
            #expect(stamps.allSatisfy { (before...after).contains($0) })
            // The virtual clock starts at another time, so the two cannot be confused.
            #expect(try time(ofClock: number) < before)
        }
    }
}
