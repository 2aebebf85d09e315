import FastAFPacket
import LinuxKernel
import Netlink
import Testing

@testable import probe

/// The verdict on each capability, as a function of the facts.
@Suite struct VerdictTests {
    private typealias Capability = CapabilityRow.Capability

    private func verdicts(_ facts: InterfaceFacts) -> [CapabilityRow.Capability: Verdict] {
        Dictionary(uniqueKeysWithValues: facts.rows(Diagnoses.host).map { ($0.capability, $0.verdict) })
    }

    @Test func `A veth proves software timestamps, and advertises no others`() {
        #expect(
            verdicts(Diagnoses.veth) == [
                .sched: .proven(16, of: 16), .softwareTransmit: .proven(16, of: 16), .hardwareTransmit: .notAdvertised,
                .hardwareTransmitPTP: .notAdvertised, .softwareReceive: .proven(4, of: 4),
                .hardwareReceive: .notAdvertised, .hardwareReceivePTP: .notAdvertised,
                .identifiers: .proven(32, of: 32), .launchTime: .failed(of: 1, "ignored by noqueue"),
            ])
        #expect(Diagnoses.veth.summary == "software timestamps only, no PHC")
        #expect(Diagnoses.virtio.summary == "software timestamps only, no PHC")
    }

    @Test func `An igb proves hardware timestamps of all frames on transmit, and of only PTP frames on receipt`() {
        let found = verdicts(Diagnoses.igb)
        #expect(found[.hardwareTransmit] == .proven(12, of: 12) && found[.hardwareTransmitPTP] == .proven(4, of: 4))
        #expect(found[.hardwareReceive] == .notAdvertised && found[.hardwareReceivePTP] == .proven(1, of: 4))
        #expect(found[.softwareReceive] == .proven(8, of: 8))
        #expect(Diagnoses.igb.summary == "hardware timestamps: transmit all frames; receive only PTP frames")
    }

    @Test func `An e1000e advertises hardware timestamps, and all of them fail`() {
        let found = verdicts(Diagnoses.e1000e)
        #expect(found[.hardwareTransmit] == .failed(of: 12) && found[.hardwareTransmitPTP] == .failed(of: 4))
        #expect(found[.hardwareReceive] == .failed(of: 4) && found[.hardwareReceivePTP] == .failed(of: 4))
        #expect(found[.softwareTransmit] == .proven(16, of: 16))
        #expect(
            Diagnoses.e1000e.summary == "hardware timestamps advertised but never arrived; software timestamps only")
    }

    @Test func `If no frame arrives receive timestamps are not tried, and the reason names the remedy`() {
        var facts = Diagnoses.e1000e
        facts.change {
            $0.receivedOrdinary = .init()
            $0.receivedPTP = .init()
            $0.peer = nil
        }
        var found = verdicts(facts)
        let quiet = Verdict.notTried("nothing arrived within 1 s; use --peer")
        #expect(found[.softwareReceive] == quiet && found[.hardwareReceive] == quiet)
        #expect(found[.hardwareReceivePTP] == .notTried("no PTP frame arrived within 1 s"))
        facts.change { $0.peer = .init(probes: 4, replies: 0) }
        found = verdicts(facts)
        #expect(found[.softwareReceive] == .notTried("the peer did not answer"))
    }

    @Test func `The configuration of another process is no failure of the NIC`() {
        // ptp4l requests timestamps of PTP frames, although the NIC supports all frames.
        var found = verdicts(Diagnoses.held(Diagnoses.ptpOnly))
        let current = Verdict.notTried("another process set the NIC to transmit on, receive ptpv2-event")
        #expect(found[.hardwareTransmit] == .proven(12, of: 12))
        #expect(found[.hardwareReceive] == current && found[.hardwareReceivePTP] == .proven(4, of: 4))
        // Only receive timestamps.
        found = verdicts(Diagnoses.held(.init(transmitType: 0, receiveFilter: 1)))
        let receiveOnly = Verdict.notTried("another process set the NIC to transmit off, receive all")
        #expect(found[.hardwareTransmit] == receiveOnly && found[.hardwareTransmitPTP] == receiveOnly)
        #expect(found[.hardwareReceive] == .proven(4, of: 4))
        // Only PTP over UDP.
        found = verdicts(Diagnoses.held(.init(transmitType: 1, receiveFilter: 6)))
        #expect(
            found[.hardwareReceivePTP]
                == .notTried("another process set the NIC to transmit on, receive ptpv2-l4-event"))
    }

    @Test func `If timestamping cannot be switched on it is not tried, and the reason is the kernel's error`() {
        var facts = Diagnoses.igb
        let refusal = SystemError("switch the NIC's timestamping on", code: 1, remedy: "It needs CAP_NET_ADMIN.")
        facts.frames = .made(Diagnoses.softwareTrial)
        facts.change { $0.stamping = .refused(refusal) }
        let found = verdicts(facts)
        for capability in [Capability.hardwareTransmit, .hardwareTransmitPTP, .hardwareReceivePTP] {
            #expect(found[capability] == .notTried("\(refusal)"), "\(capability)")
        }
        #expect(found[.softwareTransmit] == .proven(16, of: 16))
        #expect(
            facts.summary == "hardware timestamps advertised but not tried; software timestamps only")
    }

    @Test func `A filter that the driver does not set fails`() {
        var facts = Diagnoses.igb
        facts.change {
            $0.stamping = .switchedOn(Diagnoses.on, previous: .off)
            $0.receivedPTP.hardware = 0
        }
        #expect(verdicts(facts)[.hardwareReceivePTP] == .failed(of: 0, "the driver set the filter none"))
    }

    @Test func `After a trial that ended early missing timestamps are not tried, and arrived ones are proven`() {
        for (change, reason) in [
            ({ $0.isInterrupted = true }, "interrupted"),
            ({ $0.failure = SystemError("send", code: 100) }, "\(SystemError("send", code: 100))"),
        ] as [((inout FrameTrial) -> Void, String)] {
            var facts = Diagnoses.e1000e
            facts.change {
                change(&$0)
                $0.ordinary.software = 0
                $0.ptp.software = 0
                $0.receivedOrdinary = .init()
                $0.receivedPTP = .init()
            }
            let found = verdicts(facts)
            #expect(found[.sched] == .proven(16, of: 16))
            for capability in [Capability.softwareTransmit, .hardwareTransmit, .softwareReceive, .hardwareReceivePTP] {
                #expect(found[capability] == .notTried(reason), "\(capability)")
            }
        }
    }

    @Test func `Timestamps that match no frame are a failure of timestamp IDs`() {
        var facts = Diagnoses.veth
        facts.change { $0.unmatchedStamps = 3 }
        #expect(verdicts(facts)[.identifiers] == .failed(of: 35, "3 match no frame"))
        facts.change {
            $0.unmatchedStamps = 0
            $0.matchedStamps = 0
        }
        #expect(verdicts(facts)[.identifiers] == .notTried("no timestamp arrived"))
    }

    @Test func `If nothing was tried every advertised capability has the reason, and the others are not advertised`() {
        var facts = Diagnoses.igb
        facts.frames = .notTried("it is down")
        facts.launch = .notTried("it is down")
        for (capability, verdict) in verdicts(facts) {
            #expect(
                verdict == (capability == .hardwareReceive ? .notAdvertised : .notTried("it is down")),
                "\(capability)")
        }
        #expect(facts.summary == "nothing tried: it is down; hardware timestamps advertised")
    }

    @Test func `A driver whose capabilities cannot be read advertises only the kernel's SCHED`() {
        var facts = Diagnoses.veth
        facts.capabilities = .failure(Diagnoses.unsupported)
        let found = verdicts(facts)
        #expect(found[.sched] == .proven(16, of: 16))
        #expect(found[.softwareTransmit] == .notAdvertised && found[.softwareReceive] == .notAdvertised)
    }

    // MARK: - Launch times

    private func launch(_ outcome: LaunchTrial.Outcome, queueing: String, waiting: Int64 = 0) -> Verdict? {
        var facts = Diagnoses.veth
        facts.queueing = [QueueingDiscipline(kind: queueing, handle: 1, parent: QueueingDiscipline.root)]
        facts.launch = .made(LaunchTrial(clock: LaunchTrial.clock(for: facts.queueing), outcome: outcome))
        facts.change { $0.longestQueueing = waiting }
        return verdicts(facts)[.launchTime]
    }

    @Test func `A launch time is honoured if the driver's timestamp is not before it`() {
        #expect(launch(.left(after: 0), queueing: "fq") == .proven(1, of: 1))
        #expect(launch(.left(after: 70_000), queueing: "fq") == .proven(1, of: 1))
        #expect(launch(.left(after: -1), queueing: "fq") == .failed(of: 1, "ignored by fq"))
        #expect(launch(.left(after: -99_000_000), queueing: "tbf") == .failed(of: 1, "ignored by tbf"))
    }

    @Test func `etf passes a frame to the driver before its launch time, by its delta`() {
        #expect(launch(.left(after: -300_000), queueing: "etf") == .proven(1, of: 1))
        #expect(launch(.left(after: -99_000_000), queueing: "etf") == .failed(of: 1, "ignored by etf"))
        #expect(launch(.dropped(.invalid), queueing: "etf") == .failed(of: 1, "etf rejected the launch time"))
        #expect(launch(.dropped(.missed), queueing: "etf") == .failed(of: 1, "etf missed the launch time"))
        #expect(LaunchTrial.clock(for: [.init(kind: "etf", handle: 1, parent: 2)]) == .tai)
        #expect(LaunchTrial.clock(for: [.init(kind: "fq", handle: 1, parent: 2)]) == .monotonic)
    }

    @Test func `A queue that delays all frames as long proves nothing about launch times`() {
        #expect(
            launch(.left(after: 20_000_000), queueing: "netem", waiting: 120_000_000)
                == .notTried("netem delays frames without a launch time as long"))
    }

    @Test func `A launch time without a driver timestamp fails, or is not tried if the driver has none`() {
        #expect(
            launch(.unstamped, queueing: "fq")
                == .failed(of: 1, "the frame's driver transmit timestamp never arrived"))
        var facts = Diagnoses.veth
        facts.capabilities = .success(TimestampingCapabilities(flags: 0x18))
        facts.launch = .made(LaunchTrial(clock: .monotonic, outcome: .unstamped))
        #expect(verdicts(facts)[.launchTime] == .notTried("it needs driver transmit timestamps"))
    }
}
