import FastAFPacket
import HostClocks
import LinuxKernel
import Testing

@testable import probe

/// Findings and their remedies.
@Suite struct FindingTests {
    /// The texts of the findings of one severity, in their order.
    private func texts(_ diagnosis: Diagnosis, _ severity: Finding.Severity) -> [String] {
        diagnosis.findings.filter { $0.severity == severity }.map(\.text)
    }

    private func problems(_ facts: InterfaceFacts) -> [String] { texts(Diagnoses.diagnosis(facts), .problem) }
    private func notes(_ facts: InterfaceFacts) -> [String] { texts(Diagnoses.diagnosis(facts), .note) }

    /// All simulated diagnoses.
    private static let every: [Diagnosis] = [
        Diagnoses.diagnosis(Diagnoses.veth), Diagnoses.diagnosis(Diagnoses.virtio), Diagnoses.diagnosis(Diagnoses.igb),
        Diagnoses.diagnosis(Diagnoses.e1000e), Diagnoses.container,
        Diagnoses.diagnosis(Diagnoses.held(Diagnoses.ptpOnly), host: Diagnoses.daemons),
        Diagnoses.diagnosis(Diagnoses.held(Diagnoses.ptpOnly)),
    ]

    @Test func `Every finding is a sentence and has a remedy`() {
        #expect(Self.every.allSatisfy { !$0.findings.isEmpty })
        for finding in Self.every.flatMap(\.findings) {
            #expect(finding.text.hasSuffix(".") && finding.text.first?.isUppercase ?? false, "\(finding.text)")
            #expect(finding.remedy.hasSuffix("."), "\(finding.remedy)")
        }
    }

    @Test func `A veth has no problem, and a note on launch times`() {
        #expect(problems(Diagnoses.veth).isEmpty && problems(Diagnoses.virtio).isEmpty)
        #expect(notes(Diagnoses.veth) == ["Launch times do not work: ignored by noqueue."])
        var facts = Diagnoses.veth
        facts.launch = .made(LaunchTrial(clock: .monotonic, outcome: .left(after: 5)))
        #expect(Diagnoses.diagnosis(facts).findings.isEmpty)
    }

    @Test func `An e1000e whose timestamps never arrive and whose PHC runs fast has these problems`() {
        #expect(
            problems(Diagnoses.e1000e) == [
                "Hardware transmit timestamps are advertised but never arrived: 0 of 16 frames.",
                "Hardware receive timestamps are advertised for all frames but never arrived: 0 of 4 frames.",
                "The PHC /dev/ptp0 runs 2.50 times as fast as the system clock.",
            ])
    }

    @Test func `An igb's limits are notes`() {
        #expect(problems(Diagnoses.igb).isEmpty)
        #expect(
            notes(Diagnoses.igb).prefix(2) == [
                "Hardware receive timestamps arrived for 1 of 4 PTP frames.",
                "The NIC timestamps only PTP frames on receipt: ordinary probes get kernel receive timestamps.",
            ])
    }

    @Test func `Missed transmit timestamps are noted with the driver's counters`() {
        var facts = Diagnoses.igb
        facts.change { $0.ordinary.hardware = 9 }
        facts.missed[1] = .init(name: "tx_hwtstamp_skipped", total: 20, meanwhile: 3)
        let found = notes(facts)
        #expect(found.contains("Hardware transmit timestamps arrived for 9 of 12 ordinary frames."))
        #expect(found.contains("The NIC missed timestamps during the trial: tx_hwtstamp_skipped +3."))
    }

    @Test func `Hardware receive timestamps that are advertised for PTP frames but never arrive are a problem`() {
        var facts = Diagnoses.igb
        facts.change { $0.receivedPTP.hardware = 0 }
        #expect(
            problems(facts)
                == ["Hardware receive timestamps are advertised for PTP frames but never arrived: 0 of 4 frames."])
    }

    @Test func `A NIC that timestamps only PTP frames on transmit is a problem`() {
        var facts = Diagnoses.igb
        facts.change { $0.ordinary.hardware = 0 }
        #expect(problems(facts) == ["On transmit the NIC timestamps only PTP frames: 0 of 12 ordinary frames."])
        #expect(facts.summary.contains("transmit only PTP frames"))
    }

    // MARK: - Processes that have configured the NIC

    @Test func `Of several daemons the one whose arguments name the interface is reported`() throws {
        let diagnosis = Diagnoses.diagnosis(Diagnoses.held(Diagnoses.ptpOnly), host: Diagnoses.daemons)
        let finding = try #require(diagnosis.findings.first { $0.severity == .problem })
        #expect(
            finding.text
                == "Another process has configured the NIC's timestamping: transmit on, receive ptpv2-event. "
                + "Running: ptp4l (process 812). The NIC supports more.")
        #expect(finding.remedy.contains("hwts_filter full"))
    }

    @Test func `If no daemon names the interface all are reported, and without daemons the remedy is to switch it off`()
    {
        var host = Diagnoses.daemons
        host.timeDaemons.removeAll { $0.arguments.contains("eth0") }
        var found = texts(Diagnoses.diagnosis(Diagnoses.held(Diagnoses.all), host: host), .note)
        #expect(found.contains { $0.hasSuffix("Running: ptp4l (process 811), phc2sys (process 813).") })
        let left = Diagnoses.diagnosis(Diagnoses.held(Diagnoses.all))
        found = texts(left, .note)
        #expect(found.contains { $0.hasSuffix("No time daemon is running.") })
        #expect(left.findings.contains { $0.remedy.contains("hwstamp_ctl -i eth0 -t 0 -r 0") })
    }

    @Test func `A NIC whose timestamping was off is attributed to no process`() {
        let diagnosis = Diagnoses.diagnosis(Diagnoses.igb, host: Diagnoses.daemons)
        #expect(!diagnosis.findings.contains { $0.text.contains("Another process") })
    }

    // MARK: - PHC

    @Test(
        arguments: [
            (.runs(rate: 1.0004, error: 1e-5, method: .plain), nil),
            (.runs(rate: 0.9996, error: 0, method: .plain), nil),
            (.runs(rate: 1.002, error: 1e-5, method: .plain), "runs 2000 ppm fast (within 10 ppm)"),
            (.runs(rate: 0.5, error: 1e-5, method: .precise), "runs 0.50 times as fast as the system clock"),
            (.runs(rate: 1.004, error: 0.01, method: .plain), nil), (.unknown, nil), (.standsStill, "does not advance"),
            (.runs(rate: .infinity, error: 0, method: .plain), "times as fast"),
        ] as [(ClockObservation.Course, String?)])
    func `A PHC whose rate is wrong is a problem, a free-running one is not`(
        _ course: ClockObservation.Course, _ part: String?
    ) {
        var facts = Diagnoses.igb
        facts.clock = .read(index: 3, course)
        let found = problems(facts)
        #expect(found.isEmpty == (part == nil), "\(found)")
        if let part { #expect(found.contains { $0.contains("/dev/ptp3") && $0.contains(part) }, "\(found)") }
    }

    @Test func `A PHC that cannot be read is a problem with its error, and one that was set is a note`() {
        var facts = Diagnoses.igb
        facts.clock = .unreadable(index: 0, SystemError("open the hardware clock", code: 13))
        #expect(problems(facts).contains { $0.contains("/dev/ptp0 cannot be read: open the hardware clock") })
        facts.clock = .read(index: 0, .wasSet)
        #expect(notes(facts).contains { $0.contains("was set between two readings") })
    }

    // MARK: - State, peer, kernel timestamps

    @Test func `An interface that is down or has no carrier has one problem, and the exit code is 3`() {
        for change in [{ $0.isUp = false }, { $0.hasCarrier = false }] as [(inout InterfaceFacts) -> Void] {
            var facts = Diagnoses.veth
            change(&facts)
            facts.frames = .notTried("it is down")
            facts.launch = .notTried("it is down")
            #expect(problems(facts).count == 1)
            #expect(Diagnoses.diagnosis(facts).obstacle?.exitCode == 3)
        }
    }

    @Test func `A silent peer is a problem, and the exit code is 2`() {
        var facts = Diagnoses.veth
        facts.change {
            $0.peer = .init(probes: 4, replies: 0)
            $0.receivedOrdinary = .init()
        }
        #expect(problems(facts) == ["The peer answered none of 4 STAMP probes."])
        #expect(Diagnoses.diagnosis(facts).obstacle?.exitCode == 2)
    }

    @Test(arguments: [(6, 3), (19, 3), (100, 3), (1, 5), (12, 1)] as [(Int32, Int32)])
    func `The error that ended the trial is a problem, and determines the exit code`(_ code: Int32, _ expected: Int32) {
        var facts = Diagnoses.veth
        facts.change { $0.failure = SystemError("send", code: code) }
        #expect(problems(facts).count == 1 && problems(facts)[0].contains("send"))
        #expect(Diagnoses.diagnosis(facts).obstacle?.exitCode == expected)
    }

    @Test func `A completed diagnosis is a success, and so is an interrupted one`() {
        for diagnosis in [Diagnoses.veth, Diagnoses.e1000e, Diagnoses.igb] {
            #expect(Diagnoses.diagnosis(diagnosis).obstacle == nil)
        }
        var facts = Diagnoses.veth
        facts.change { $0.isInterrupted = true }
        #expect(Diagnoses.diagnosis(facts).obstacle == nil)
    }

    @Test func `Kernel timestamps that are missing, match no frame or are not offered are problems`() {
        var facts = Diagnoses.veth
        facts.change {
            $0.ordinary.sched = 0
            $0.ptp.sched = 0
            $0.receivedOrdinary.software = 0
            $0.unmatchedStamps = 2
        }
        #expect(
            problems(facts) == [
                "SCHED timestamps are advertised but never arrived: 0 of 16 frames.",
                "Kernel receive timestamps are advertised but never arrived: 0 of 4 frames.",
                "Of 34 transmit timestamps, 2 match no frame.",
            ])
        facts = Diagnoses.veth
        facts.capabilities = .success(TimestampingCapabilities(flags: 0x18))
        #expect(problems(facts) == ["The driver (veth 1.0) has no driver transmit timestamps."])
    }

    // MARK: - The host

    private func host(_ change: (inout HostFacts) -> Void, _ facts: InterfaceFacts = Diagnoses.veth) -> [Finding] {
        var host = Diagnoses.host
        change(&host)
        return Diagnoses.diagnosis(facts, host: host).findings.filter { $0.interface == nil }
    }

    @Test func `A container without privileges lacks the capabilities it needs, and the exit code is 5`() {
        let texts = Diagnoses.container.findings.map(\.text)
        #expect(texts.contains { $0.hasPrefix("CAP_NET_RAW is missing") })
        #expect(texts.contains { $0.hasPrefix("CAP_NET_BIND_SERVICE is missing") })
        // A veth has no hardware timestamping to switch on.
        #expect(!texts.contains { $0.hasPrefix("CAP_NET_ADMIN is missing") })
        #expect(Diagnoses.container.obstacle?.exitCode == 5)
    }

    @Test func `CAP_NET_ADMIN is missed only if there is something to switch on, or buffers are small`() {
        let without: (inout HostFacts) -> Void = { $0.capabilities = [.rawSockets, .bindService] }
        #expect(host(without).isEmpty)
        #expect(host(without, Diagnoses.igb).map(\.severity) == [.problem])
        #expect(host(without, Diagnoses.held(Diagnoses.all)).isEmpty)
        let found = host {
            $0.capabilities = [.rawSockets, .bindService]
            $0.settings[0].value = "212992"
        }
        #expect(found.count == 1 && found[0].remedy.contains("sysctl -w net.core.rmem_max=4194304"))
        #expect(host { $0.settings[0].value = "212992" }.isEmpty)
    }

    @Test func `Unprivileged low ports need no capability`() {
        #expect(host { $0.capabilities.remove(.bindService) }.count == 1)
        let open = host {
            $0.capabilities.remove(.bindService)
            $0.settings[3].value = "862"
        }
        #expect(open.isEmpty)
    }

    @Test func `Settings and kernels with limits are notes`() {
        let data = host { $0.settings[1].value = "0" }
        #expect(data.count == 1 && data[0].text.contains("tstamp_allow_data is 0"))
        let ids = host { $0.acceptsIdentifiers = false }
        #expect(ids.count == 1 && ids[0].remedy.contains("6.13"))
        // A setting that is not a number gives no finding.
        #expect(host { $0.settings[1].value = "x" }.isEmpty)
    }
}
