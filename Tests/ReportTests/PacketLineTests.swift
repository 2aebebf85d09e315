import Foundation
import Testing

@testable import Report

@Suite struct PacketLineTests {
    private func text(_ record: PacketRecord) -> String {
        var bytes: [UInt8] = []
        PacketLine.append(record, to: &bytes)
        return bytes.text
    }

    private func json(_ record: PacketRecord) -> String {
        var bytes: [UInt8] = []
        PacketLine.appendJSON(record, to: &bytes)
        return bytes.text
    }

    @Test func `A sent packet has its transmit timestamps`() {
        #expect(
            text(fullRecord())
                == "TX probe=13 hardware=\"2026-11-21T10:14:00.123465789Z\" hardware_ns=1795256040123465789"
                + " software=\"2026-11-21T10:14:00.123460789Z\" software_ns=1795256040123460789"
                + " userspace=\"2026-11-21T10:14:00.123456789Z\" userspace_ns=1795256040123456789"
                + " delay=\"20.345us\" error=\"1.200us\" missing=late\n")
    }

    @Test func `A received packet has its receive timestamps, a relative delay, and its status and reason`() {
        var record = fullRecord()
        record.direction = .in
        record.receiveHardware = nil
        record.delay = -423_796
        record.delayError = nil
        record.status = .reordered
        #expect(
            text(record)
                == "RX probe=13 hardware=- hardware_ns=- software=\"2026-11-21T10:14:00.123481134Z\""
                + " software_ns=1795256040123481134 userspace=\"2026-11-21T10:14:00.123496789Z\""
                + " userspace_ns=1795256040123496789 delay=\"-423.796us\" error=relative status=reordered"
                + " missing=no-follow-up\n")
    }

    @Test(arguments: PacketKind.allCases)
    func `The direction determines TX or RX, for probes and replies`(packet: PacketKind) {
        var record = fullRecord()
        record.packet = packet
        #expect(text(record).hasPrefix("TX probe=13 "))
        #expect(json(record).hasPrefix("{\"type\":\"tx\",\"probe\":13,"))
        record.direction = .in
        #expect(text(record).hasPrefix("RX probe=13 "))
        #expect(json(record).hasPrefix("{\"type\":\"rx\",\"probe\":13,"))
    }

    @Test func `A lost packet has dashes`() {
        #expect(
            text(row(.reply, 5, nil, .lost))
                == "RX probe=5 hardware=- hardware_ns=- software=- software_ns=- userspace=- userspace_ns=-"
                + " delay=- status=lost\n")
    }

    @Test func `The JSON has the timestamps of this host and all columns of the log`() {
        var record = fullRecord()
        record.replySequence = nil
        record.receiveHardware = nil
        #expect(
            json(record)
                == "{\"type\":\"tx\",\"probe\":13,\"hardware\":\"2026-11-21T10:14:00.123465789Z\","
                + "\"hardware_ns\":1795256040123465789,\"software\":\"2026-11-21T10:14:00.123460789Z\","
                + "\"software_ns\":1795256040123460789,\"userspace\":\"2026-11-21T10:14:00.123456789Z\","
                + "\"userspace_ns\":1795256040123456789,\"session\":\"0123456789abcdef\",\"packet\":\"probe\","
                + "\"seq\":13,\"reply_seq\":null,\"direction\":\"out\",\"bytes\":128,\"status\":\"ok\","
                + "\"tx_app_ns\":1795256040123456789,\"tx_sched_ns\":1795256040123458289,"
                + "\"tx_sw_ns\":1795256040123460789,\"tx_hw_ns\":1795256040123465789,\"rx_hw_ns\":null,"
                + "\"rx_sw_ns\":1795256040123481134,\"rx_app_ns\":1795256040123496789,\"delay_ns\":20345,"
                + "\"delay_error_ns\":1200,\"delay_clock\":\"software\",\"tx_stamp\":\"hardware\","
                + "\"tx_missing\":\"late\",\"rx_stamp\":\"hardware\",\"rx_missing\":\"no-follow-up\",\"ttl\":64,"
                + "\"dscp\":46,\"tx_hw_realtime_ns\":1795256040123465789,\"tx_hw_error_ns\":70,"
                + "\"rx_hw_realtime_ns\":1795256040123475789,\"rx_hw_error_ns\":60,\"clock_epoch\":2,"
                + "\"sample_ns\":null,\"sample_latency_ns\":null,\"sample_order\":null,"
                + "\"send_errno\":null,\"peer_address\":null,\"peer_port\":null,\"app_to_sched_ns\":1500,"
                + "\"sched_to_driver_ns\":2500,\"driver_to_nic_ns\":5000,\"nic_to_kernel_ns\":5345,"
                + "\"kernel_to_app_ns\":15655}\n")
    }

    @Test func `Missing values are null`() {
        let line = json(PacketRecord(session: 0, packet: .reply, sequence: 0, direction: .in, status: .unknown))
        #expect(line.split(separator: "null", omittingEmptySubsequences: false).count - 1 == 39)
        #expect(line.contains("\"bytes\":null,"))
    }

    @Test func `Lines are appended to the contents of the array`() {
        var bytes = Array("before\n".utf8)
        PacketLine.append(row(.probe, 1, 5), to: &bytes)
        PacketLine.appendJSON(row(.probe, 1, 5), to: &bytes)
        let lines = bytes.text.split(separator: "\n")
        #expect(lines.map { $0.prefix(5) } == ["befor", "TX pr", "{\"typ"])
        #expect(bytes.last == UInt8(ascii: "\n"))
    }

    @Test func `Any record has one line of text and one valid JSON object`() throws {
        var generator = SplitMix(state: 31)
        for _ in 0..<300 {
            let record = randomRecord(&generator)
            #expect(text(record).count { $0 == "\n" } == 1)
            let line = json(record)
            #expect(line.count { $0 == "\n" } == 1)
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?.count == 8 + PacketLogColumn.all.count)
            #expect(object?["delay_ns"] as? Int64 == record.delay)
            #expect((object?["status"] as? String ?? "") == record.status.text)
        }
    }
}
