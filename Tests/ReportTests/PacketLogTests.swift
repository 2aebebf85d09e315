import NetworkAddresses
import Testing

@testable import Report

@Suite struct PacketLogTests {
    private func text(_ record: PacketRecord) -> String {
        var bytes: [UInt8] = []
        PacketLog.appendRow(record, to: &bytes)
        return bytes.text
    }

    @Test func `The header names every column in order`() {
        #expect(
            PacketLog.header
                == "session,packet,seq,reply_seq,direction,bytes,status,tx_app_ns,tx_sched_ns,tx_sw_ns,tx_hw_ns,"
                + "rx_hw_ns,rx_sw_ns,rx_app_ns,delay_ns,delay_error_ns,delay_clock,tx_stamp,tx_missing,rx_stamp,"
                + "rx_missing,ttl,dscp,tx_hw_realtime_ns,tx_hw_error_ns,rx_hw_realtime_ns,rx_hw_error_ns,clock_epoch,"
                + "sample_ns,sample_latency_ns,sample_order,send_errno,peer_address,peer_port,app_to_sched_ns,"
                + "sched_to_driver_ns,driver_to_nic_ns,nic_to_kernel_ns,kernel_to_app_ns")
        #expect(PacketLog.header == PacketLog.columns.joined(separator: ","))
        #expect(Set(PacketLog.columns).count == PacketLog.columns.count)
    }

    @Test func `A full row has a field for each column, including the stages`() {
        #expect(
            text(fullRecord())
                == "0123456789abcdef,probe,13,12,out,128,ok,1795256040123456789,1795256040123458289,"
                + "1795256040123460789,1795256040123465789,1795256040123475789,1795256040123481134,"
                + "1795256040123496789,20345,1200,software,hardware,late,hardware,no-follow-up,64,46,"
                + "1795256040123465789,70,1795256040123475789,60,2,,,,,,,1500,2500,5000,5345,15655\n")
    }

    @Test func `The columns of a sample follow those of the timestamps`() {
        var record = PacketRecord(session: 0, packet: .reply, sequence: 0, direction: .in, status: .unknown)
        record.sample = sampleTime
        record.sampleLatency = 0
        record.sampleOrder = .clockSet
        #expect(text(record).hasSuffix(",0,1795256040123456789,0,clock-set,,,,,,,,\n"))
    }

    @Test func `A missing value is an empty field`() {
        let record = PacketRecord(session: 0, packet: .reply, sequence: 0, direction: .in, status: .unknown)
        #expect(text(record) == "0000000000000000,reply,0,,in,,unknown,,,,,,,,,,,,,,,,,,,,,0,,,,,,,,,,,\n")
    }

    @Test func `A measured zero is written`() {
        var record = PacketRecord(session: 0, packet: .reply, sequence: 0, replySequence: 0, direction: .in)
        record.delay = 0
        record.delayError = 0
        record.ttl = 0
        record.dscp = 0
        record.clockEpoch = nil
        #expect(text(record) == "0000000000000000,reply,0,0,in,,ok,,,,,,,,0,0,,,,,,0,0,,,,,,,,,,,,,,,,\n")
    }

    @Test func `A row is appended to the contents of the array`() {
        var bytes = Array("before\n".utf8)
        let record = PacketRecord(session: 1, packet: .probe, sequence: 2, direction: .out, status: .lost)
        PacketLog.appendRow(record, to: &bytes)
        PacketLog.appendRow(record, to: &bytes)
        let line = "0000000000000001,probe,2,,out,,lost,,,,,,,,,,,,,,,,,,,,,0,,,,,,,,,,,\n"
        #expect(bytes.text == "before\n" + line + line)
    }

    @Test func `The longest row fits the reserved space`() {
        var record = PacketRecord(
            session: .max, packet: .reply, sequence: .max, replySequence: .max, direction: .out, bytes: .min,
            status: .duplicate, ttl: .max, dscp: .max, clockEpoch: .max)
        for path in timePaths { record[keyPath: path] = .min }
        record.sample = .min
        record.sampleLatency = .min
        record.sampleOrder = .clockSet
        record.delayClock = .hardware
        record.transmitStamp = .hardware
        record.receiveStamp = .software
        record.transmitMissing = .notReceived
        record.receiveMissing = .noFollowUp
        record.sendError = .min
        record.peer = .ip(.v6(.max))
        record.peerPort = .max
        let line = text(record)
        let tail =
            String(repeating: ",-9223372036854775808", count: 4) + ",65535"
            + String(repeating: ",-9223372036854775808", count: 2)
            + ",clock-set,-32768,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,65535,0,0,0,0,0"
        #expect(line.utf8.count == 526)
        #expect(PacketLogColumn.maximumRowBytes >= 526 && PacketLogColumn.maximumRowBytes <= 768)
        #expect(line.hasPrefix("ffffffffffffffff,reply,4294967295,4294967295,out,-2147483648,duplicate,-92233"))
        #expect(line.hasSuffix("hardware,hardware,not-received,software,no-follow-up,255,255" + tail + "\n"))
    }

    @Test(arguments: 0..<19)
    func `Numbers of every length are written exactly`(exponent: Int) throws {
        let power = (0..<exponent).reduce(Int64(1)) { value, _ in value * 10 }
        for value in [power, power - 1, power + 1, -power, 1 - power, power / 9 * 8, .max, .min] {
            var record = PacketRecord(session: 0, packet: .probe, sequence: 0, direction: .out)
            record.delay = value
            let fields = text(record).split(separator: ",", omittingEmptySubsequences: false)
            #expect(fields[14] == String(value))
        }
    }

    @Test func `Rows with any combination of fields are read as they were written`() throws {
        var generator = SplitMix(state: 1)
        let records = (0..<2000).map { _ in randomRecord(&generator) }
        var bytes = Array(PacketLog.header.utf8) + [UInt8(ascii: "\n")]
        for record in records { PacketLog.appendRow(record, to: &bytes) }
        #expect(try PacketLogReader.records(in: bytes) == records)
    }
}

var timePaths: [WritableKeyPath<PacketRecord, Int64?>] {
    [
        \.transmitApp, \.transmitSched, \.transmitSoftware, \.transmitHardware, \.receiveHardware, \.receiveSoftware,
        \.receiveApp, \.delay, \.delayError, \.transmitHardwareRealtime, \.transmitHardwareError,
        \.receiveHardwareRealtime, \.receiveHardwareError,
    ]
}

/// A record with a random set of fields and values of all magnitudes.
func randomRecord(_ generator: inout SplitMix) -> PacketRecord {
    func chance() -> Bool { Bool.random(using: &generator) }
    var record = PacketRecord(
        session: generator.next(), packet: chance() ? .probe : .reply,
        sequence: .random(in: 0 ... .max, using: &generator),
        direction: chance() ? .out : .in)
    for path in timePaths where chance() {
        record[keyPath: path] = Int64(truncatingIfNeeded: generator.next()) >> (generator.next() % 64)
    }
    if chance() { record.replySequence = .random(in: 0 ... .max, using: &generator) }
    if chance() { record.bytes = .random(in: 1...9000, using: &generator) }
    if chance() { record.ttl = .random(in: 0 ... .max, using: &generator) }
    if chance() { record.dscp = .random(in: 0...63, using: &generator) }
    record.clockEpoch = chance() ? .random(in: 0 ... .max, using: &generator) : nil
    record.sample = chance() ? .random(in: .min ... .max, using: &generator) : nil
    record.sampleLatency = chance() ? .random(in: .min ... .max, using: &generator) : nil
    record.sampleOrder = chance() ? SampleOrder.allCases.randomElement(using: &generator) : nil
    if chance() { record.delayClock = StampKind.allCases.randomElement(using: &generator) }
    if chance() { record.transmitStamp = StampKind.allCases.randomElement(using: &generator) }
    if chance() { record.receiveStamp = StampKind.allCases.randomElement(using: &generator) }
    if chance() { record.transmitMissing = MissingReason.allCases.randomElement(using: &generator) }
    if chance() { record.receiveMissing = MissingReason.allCases.randomElement(using: &generator) }
    record.status = PacketStatus.allCases.randomElement(using: &generator) ?? .ok
    if chance() { record.sendError = .random(in: .min ... .max, using: &generator) }
    if chance() { record.peerPort = .random(in: 0 ... .max, using: &generator) }
    record.peer =
        [
            nil, .ip(.v4(.random(in: 0 ... .max, using: &generator))),
            .ip(.v6(.random(in: 0 ... .max, using: &generator))),
            .station(MACAddress(rawValue: generator.next())),
        ].randomElement(using: &generator) ?? nil
    return record
}
