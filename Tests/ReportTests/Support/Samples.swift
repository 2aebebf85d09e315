@testable import Report

extension [UInt8] {
    /// The bytes as text.
    var text: String { String(decoding: self, as: UTF8.self) }
}

/// 2026-11-21T10:14:00.123456789Z.
let sampleTime: Int64 = 1_795_256_040_123_456_789

/// A probe with all timestamps, as its sender logs it.
func fullRecord() -> PacketRecord {
    var record = PacketRecord(
        session: 0x0123_4567_89AB_CDEF, packet: .probe, sequence: 13, replySequence: 12, direction: .out, bytes: 128,
        transmitApp: sampleTime, transmitSched: sampleTime + 1500, transmitSoftware: sampleTime + 4000,
        transmitHardware: sampleTime + 9000, receiveHardware: sampleTime + 19_000,
        receiveSoftware: sampleTime + 24_345, receiveApp: sampleTime + 40_000, transmitMissing: .late,
        receiveMissing: .noFollowUp, ttl: 64, dscp: 46, transmitHardwareRealtime: sampleTime + 9000,
        transmitHardwareError: 70, receiveHardwareRealtime: sampleTime + 19_000, receiveHardwareError: 60,
        clockEpoch: 2)
    record.computeDelay(error: 1200)
    return record
}

/// A row with only a delay.
func row(
    _ packet: PacketKind, _ sequence: UInt32, _ delay: Int64?, _ status: PacketStatus = .ok,
    clock: StampKind? = .software
) -> PacketRecord {
    PacketRecord(
        session: 1, packet: packet, sequence: sequence, direction: packet == .probe ? .out : .in, status: status,
        delay: delay, delayClock: clock)
}
