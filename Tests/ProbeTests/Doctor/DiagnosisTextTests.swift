import FastAFPacket
import Foundation
import HostClocks
import Testing

@testable import probe

/// The text and JSON of diagnoses.
@Suite struct DiagnosisTextTests {
    /// Compares the last lines of a text with the expected ones, and reports each line that differs.
    private func expect(_ text: String, _ expected: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let wanted = expected.split(separator: "\n", omittingEmptySubsequences: false)
        let shown = lines.suffix(wanted.count)
        #expect(text.hasSuffix("\n"), sourceLocation: sourceLocation)
        for (line, want) in zip(shown, wanted) where line != want {
            Issue.record("\"\(line)\" instead of \"\(want)\"", sourceLocation: sourceLocation)
        }
        #expect(shown.count == wanted.count, sourceLocation: sourceLocation)
    }

    @Test func `A veth has only software timestamps and no PHC`() {
        let expected = """
            veth0: software timestamps only, no PHC
              link          up, MTU 1500, 02:00:00:00:00:01
              driver        veth 1.0
              rings         not reported
              queueing      noqueue
              timestamping  no hardware timestamping
              clock         none
              missed        the driver does not count missed timestamps
              advertised    software-transmit, software-receive, software-system-clock

                                            advertised         result
              SCHED                         by the kernel      proven, 16 of 16
              software TX                   yes                proven, 16 of 16
              hardware TX, ordinary frames  no                 not advertised
              hardware TX, PTP frames       no                 not advertised
              software RX                   yes                proven, 4 of 4
              hardware RX, ordinary frames  no                 not advertised
              hardware RX, PTP frames       no                 not advertised
              timestamp IDs                 set by the sender  proven, 32 of 32
              launch time                   no: noqueue        failed: ignored by noqueue

            findings
              note: veth0: Launch times do not work: ignored by noqueue.
                remedy: `tc qdisc replace dev veth0 root fq` honours them by CLOCK_MONOTONIC; etf honours them by CLOCK_TAI.
            """
        expect(Diagnoses.diagnosis(Diagnoses.veth).text(), expected)
    }

    @Test func `An igb timestamps all frames on transmit and only PTP frames on receipt`() {
        let expected = """
            eth0: hardware timestamps: transmit all frames; receive only PTP frames
              link          up, MTU 1500, 02:00:00:00:00:01
              driver        igb 6.12.0, firmware 1.3, 0x8d9a, at 0000:00:03.0
              rings         receive 256 of 4096, transmit 256 of 4096
              queueing      mq (fq_codel)
              timestamping  off
              clock         /dev/ptp0, runs 12 ppm fast (within 4 ppm), read by method extended
              missed        tx_hwtstamp_timeouts 0, tx_hwtstamp_skipped 0
              advertised    hardware-transmit, software-transmit, hardware-receive,
                            software-receive, software-system-clock, hardware-raw-clock
              TX types      off, on
              RX filters    none, ptpv1-l4-sync, ptpv1-l4-delay-req, ptpv2-event

                                            advertised         result
              SCHED                         by the kernel      proven, 16 of 16
              software TX                   yes                proven, 16 of 16
              hardware TX, ordinary frames  yes                proven, 12 of 12
              hardware TX, PTP frames       yes                proven, 4 of 4
              software RX                   yes                proven, 8 of 8
              hardware RX, ordinary frames  no                 not advertised
              hardware RX, PTP frames       yes                proven, 1 of 4
              timestamp IDs                 set by the sender  proven, 48 of 48
              launch time                   no: mq (fq_codel)  failed: ignored by mq (fq_codel)

            findings
              note: eth0: Hardware receive timestamps arrived for 1 of 4 PTP frames.
                remedy: The NIC holds one receive timestamp at a time and missed the others: expect some to be missing.
              note: eth0: The NIC timestamps only PTP frames on receipt: ordinary probes get kernel receive timestamps.
                remedy: For hardware receive timestamps, send PTP frames with `--transport l2 --frame ptp` on both hosts.
              note: eth0: Launch times do not work: ignored by mq (fq_codel).
                remedy: `tc qdisc replace dev eth0 root fq` honours them by CLOCK_MONOTONIC; etf honours them by CLOCK_TAI.
            """
        expect(Diagnoses.diagnosis(Diagnoses.igb).text(), expected)
    }

    @Test func `An e1000e advertises hardware timestamps that never arrive, and its PHC runs fast`() {
        let expected = """
            eth0: hardware timestamps advertised but never arrived; software timestamps only
              link          up, MTU 1500, 02:00:00:00:00:01
              driver        e1000e 6.12.0, firmware 1.8-0, at 0000:00:03.0
              rings         receive 256 of 4096, transmit 256 of 4096
              queueing      mq (fq_codel)
              timestamping  off
              clock         /dev/ptp0, runs 2.50 times as fast as the system clock, read by method extended
              missed        tx_hwtstamp_timeouts 0, tx_hwtstamp_skipped 0
              advertised    hardware-transmit, software-transmit, hardware-receive,
                            software-receive, software-system-clock, hardware-raw-clock
              TX types      off, on
              RX filters    none, all, some, ptpv1-l4-event, ptpv1-l4-sync,
                            ptpv1-l4-delay-req, ptpv2-l4-event, ptpv2-l4-sync,
                            ptpv2-l4-delay-req, ptpv2-l2-event, ptpv2-l2-sync,
                            ptpv2-l2-delay-req, ptpv2-event, ptpv2-sync, ptpv2-delay-req,
                            ntp-all

                                            advertised         result
              SCHED                         by the kernel      proven, 16 of 16
              software TX                   yes                proven, 16 of 16
              hardware TX, ordinary frames  yes                failed, 0 of 12
              hardware TX, PTP frames       yes                failed, 0 of 4
              software RX                   yes                proven, 8 of 8
              hardware RX, ordinary frames  yes                failed, 0 of 4
              hardware RX, PTP frames       yes                failed, 0 of 4
              timestamp IDs                 set by the sender  proven, 32 of 32
              launch time                   no: mq (fq_codel)  failed: ignored by mq (fq_codel)

            findings
              problem: eth0: Hardware transmit timestamps are advertised but never arrived: 0 of 16 frames.
                remedy: Use software timestamps (`--stamps software`), or try another driver (e1000e 6.12.0), firmware or NIC.
              problem: eth0: Hardware receive timestamps are advertised for all frames but never arrived: 0 of 4 frames.
                remedy: Use software timestamps (`--stamps software`), or try another driver (e1000e 6.12.0), firmware or NIC.
              problem: eth0: The PHC /dev/ptp0 runs 2.50 times as fast as the system clock.
                remedy: Its hardware timestamps cannot be compared with other clocks. Use software timestamps (`--stamps software`).
              note: eth0: Launch times do not work: ignored by mq (fq_codel).
                remedy: `tc qdisc replace dev eth0 root fq` honours them by CLOCK_MONOTONIC; etf honours them by CLOCK_TAI.
            """
        expect(Diagnoses.diagnosis(Diagnoses.e1000e).text(), expected)
    }

    @Test func `A NIC that ptp4l has configured is reported with that process`() {
        let expected = """
            eth0: hardware timestamps: transmit all frames; receive PTP frames, others not tried
              link          up, MTU 1500, 02:00:00:00:00:01
              driver        ice 6.12.0, at 0000:18:00.0
              rings         receive 256 of 4096, transmit 256 of 4096
              queueing      mq (fq_codel)
              timestamping  transmit on, receive ptpv2-event; running: ptp4l (process 812)
              clock         /dev/ptp0, runs at the system clock's rate (within 4 ppm), read by method extended
              missed        tx_hwtstamp_timeouts 0, tx_hwtstamp_skipped 0
              advertised    hardware-transmit, software-transmit, hardware-receive,
                            software-receive, software-system-clock, hardware-raw-clock
              TX types      off, on
              RX filters    none, all

                                            advertised         result
              SCHED                         by the kernel      proven, 16 of 16
              software TX                   yes                proven, 16 of 16
              hardware TX, ordinary frames  yes                proven, 12 of 12
              hardware TX, PTP frames       yes                proven, 4 of 4
              software RX                   yes                proven, 8 of 8
              hardware RX, ordinary frames  yes                not tried: another process set the NIC to transmit on, receive ptpv2-event
              hardware RX, PTP frames       yes                proven, 4 of 4
              timestamp IDs                 set by the sender  proven, 32 of 32
              launch time                   no: mq (fq_codel)  failed: ignored by mq (fq_codel)

            findings
              problem: eth0: Another process has configured the NIC's timestamping: transmit on, receive ptpv2-event. Running: ptp4l (process 812). The NIC supports more.
                remedy: `probe` does not change it. To timestamp all frames, set `hwts_filter full` in ptp4l's configuration, or stop the daemon during the run.
              note: eth0: Launch times do not work: ignored by mq (fq_codel).
                remedy: `tc qdisc replace dev eth0 root fq` honours them by CLOCK_MONOTONIC; etf honours them by CLOCK_TAI.
            """
        expect(Diagnoses.diagnosis(Diagnoses.held(Diagnoses.ptpOnly), host: Diagnoses.daemons).text(), expected)
    }

    @Test func `In a container without privileges the missing capabilities are reported`() {
        let expected = """
            probe 1.0 on host, Linux 6.13.0
            capabilities    CAP_NET_BIND_SERVICE missing: no privileged ports
                            CAP_NET_ADMIN missing: no NIC configuration, no large buffers
                            CAP_NET_RAW missing: no packet sockets, so nothing can be tried
            settings        net.core.rmem_max not visible in this namespace
                            net.core.tstamp_allow_data not visible in this namespace
                            net.core.default_qdisc not visible in this namespace
                            net.ipv4.ip_unprivileged_port_start not visible in this namespace
            time daemons    none

            veth0: nothing tried: CAP_NET_RAW is missing; only software timestamps advertised, no PHC
              link          up, MTU 1500, 02:00:00:00:00:01
              driver        veth 1.0
              rings         not reported
              queueing      noqueue
              timestamping  no hardware timestamping
              clock         none
              missed        the driver does not count missed timestamps
              advertised    software-transmit, software-receive, software-system-clock

                                            advertised         result
              SCHED                         by the kernel      not tried: CAP_NET_RAW is missing
              software TX                   yes                not tried: CAP_NET_RAW is missing
              hardware TX, ordinary frames  no                 not advertised
              hardware TX, PTP frames       no                 not advertised
              software RX                   yes                not tried: CAP_NET_RAW is missing
              hardware RX, ordinary frames  no                 not advertised
              hardware RX, PTP frames       no                 not advertised
              timestamp IDs                 set by the sender  not tried: CAP_NET_RAW is missing
              launch time                   no: noqueue        not tried: CAP_NET_RAW is missing

            findings
              problem: CAP_NET_RAW is missing: no packet sockets, so nothing was tried.
                remedy: Run as root, or grant it with `setcap cap_net_raw+ep` on the executable. `probe run --transport udp` does not need it.
              note: CAP_NET_BIND_SERVICE is missing: the standard port 862 cannot be used.
                remedy: Grant it with `setcap cap_net_raw,cap_net_bind_service+ep` on the executable, or use `--port 8620` on both hosts.
            """
        expect(Diagnoses.container.text(), expected)
    }

    @Test func `No line is wider than 132 columns`() {
        for facts in [Diagnoses.veth, Diagnoses.virtio, Diagnoses.igb, Diagnoses.e1000e] {
            for line in Diagnoses.diagnosis(facts).text().split(separator: "\n") {
                #expect(line.count <= 132, "\(line)")
            }
        }
    }

    @Test func `The absence of findings is reported`() {
        var facts = Diagnoses.veth
        facts.launch = .made(LaunchTrial(clock: .monotonic, outcome: .left(after: 5)))
        #expect(Diagnoses.diagnosis(facts).text().hasSuffix("\n\nfindings: none\n"))
    }

    @Test(
        arguments: [
            (1.000012, 3e-6, "12 ppm fast (within 3 ppm)"), (0.99995, 1.2e-6, "50 ppm slow (within 2 ppm)"),
            (1.0000001, 2e-6, "at the system clock's rate (within 2 ppm)"),
            (2.5, 1e-6, "2.50 times as fast as the system clock"),
            (0.25, 0, "0.25 times as fast as the system clock"),
            (1e300, 1e300, "1e+300 times as fast as the system clock"),
            (1, .infinity, "at the system clock's rate (within 1000000 ppm)"),
        ] as [(Double, Double, String)])
    func `A PHC's rate is reported in ppm, or as a factor`(
        _ rate: Double, _ error: Double, _ text: String
    ) {
        #expect(ClockText.rate(rate, error: error) == text)
    }

    // MARK: - JSON

    private func object(_ diagnosis: Diagnosis) throws -> [String: Any] {
        let parsed = try JSONSerialization.jsonObject(with: Data(diagnosis.json().utf8))
        return try #require(parsed as? [String: Any])
    }

    private func capability(_ name: String, _ diagnosis: Diagnosis) throws -> [String: Any] {
        let interfaces = try #require(object(diagnosis)["interfaces"] as? [[String: Any]])
        let table = try #require(interfaces.first?["capabilities"] as? [String: [String: Any]])
        #expect(table.count == CapabilityRow.Capability.allCases.count)
        return try #require(table[name])
    }

    @Test func `JSON has the verdicts with their counts and reasons`() throws {
        let veth = Diagnoses.diagnosis(Diagnoses.veth)
        var row = try capability("sched", veth)
        #expect(row["verdict"] as? String == "proven" && row["came"] as? Int == 16 && row["tried"] as? Int == 16)
        row = try capability("hardware_tx", veth)
        #expect(row["verdict"] as? String == "not_advertised" && row["came"] is NSNull && row["reason"] is NSNull)
        row = try capability("hardware_tx", Diagnoses.diagnosis(Diagnoses.e1000e))
        #expect(row["verdict"] as? String == "did_not_come" && row["came"] as? Int == 0 && row["tried"] as? Int == 12)
        row = try capability("sched", Diagnoses.container)
        #expect(row["verdict"] as? String == "not_tried" && row["reason"] as? String == "CAP_NET_RAW is missing")
    }

    @Test func `JSON has the PHC, the processes that configured the NIC, and the findings`() throws {
        let fast = try object(Diagnoses.diagnosis(Diagnoses.e1000e))
        let interface = try #require((fast["interfaces"] as? [[String: Any]])?.first)
        let clock = try #require(interface["clock"] as? [String: Any])
        #expect(clock["rate"] as? Double == 2.504 && clock["state"] as? String == "runs" && clock["phc"] as? Int == 0)
        let findings = try #require(fast["findings"] as? [[String: Any]])
        #expect(findings.count == Diagnoses.diagnosis(Diagnoses.e1000e).findings.count)
        #expect(findings.allSatisfy { $0["remedy"] is String && $0["interface"] as? String == "eth0" })
        let held = try object(Diagnoses.diagnosis(Diagnoses.held(Diagnoses.ptpOnly), host: Diagnoses.daemons))
        let stamping = (held["interfaces"] as? [[String: Any]])?.first?["stamping"] as? [String: Any]
        #expect(stamping?["holders"] as? [String] == ["ptp4l (process 812)"])
        #expect(stamping?["rx_filter"] as? String == "ptpv2-event")
    }

    @Test func `The JSON of every diagnosis can be parsed`() throws {
        for facts in [Diagnoses.veth, Diagnoses.virtio, Diagnoses.igb, Diagnoses.e1000e, Diagnoses.held(Diagnoses.all)]
        {
            #expect(try object(Diagnoses.diagnosis(facts))["type"] as? String == "doctor")
        }
        var odd = Diagnoses.igb
        odd.clock = .read(index: 0, .runs(rate: .infinity, error: .nan, method: .plain))
        odd.name = "eth\"0\n"
        #expect(try object(Diagnoses.diagnosis(odd))["type"] as? String == "doctor")
    }
}
