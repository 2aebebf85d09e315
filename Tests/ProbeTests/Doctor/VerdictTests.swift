import FastAFPacket
import LinuxKernel
import Netlink
import Testing

@testable import probe

/// What is said of each capability: a function of what was found out.
@Suite struct VerdictTests {
    private typealias Capability = CapabilityRow.Capability

    private func verdicts(_ facts: InterfaceFacts) -> [CapabilityRow.Capability: Verdict] {
        Dictionary(uniqueKeysWithValues: facts.rows(Diagnoses.host).map { ($0.capability, $0.verdict) })
    }

    private let ignored = "ignored by this queueing discipline"

    @Test func `A veth proves software stamps, and advertises no others`() {
        #expect(
            verdicts(Diagnoses.veth) == [
                .sched: .proven(16, of: 16), .softwareTransmit: .proven(16, of: 16), .hardwareTransmit: .notAdvertised,
                .hardwareTransmitPTP: .notAdvertised, .softwareReceive: .proven(4, of: 4),
                .hardwareReceive: .notAdvertised, .hardwareReceivePTP: .notAdvertised,
                .identifiers: .proven(32, of: 32), .launchTime: .didNotCome(of: 1, "\(ignored) (noqueue)"),
            ])
        #expect(Diagnoses.veth.summary == "software timestamps only, no PHC")
        #expect(Diagnoses.virtio.summary == "software timestamps only, no PHC")
    }

    @Test func `An igb proves hardware stamps of any frame on transmit, and of PTP frames alone on receive`() {
        let found = verdicts(Diagnoses.igb)
        #expect(found[.hardwareTransmit] == .proven(12, of: 12) && found[.hardwareTransmitPTP] == .proven(4, of: 4))
        #expect(found[.hardwareReceive] == .notAdvertised && found[.hardwareReceivePTP] == .proven(1, of: 4))
        #expect(found[.softwareReceive] == .proven(8, of: 8))
        #expect(Diagnoses.igb.summary == "hardware timestamps: transmit any frame; receive PTP frames alone")
    }

    @Test func `An e1000e advertises hardware stamps that did not come`() {
        let found = verdicts(Diagnoses.e1000e)
        #expect(found[.hardwareTransmit] == .didNotCome(of: 12) && found[.hardwareTransmitPTP] == .didNotCome(of: 4))
        #expect(found[.hardwareReceive] == .didNotCome(of: 4) && found[.hardwareReceivePTP] == .didNotCome(of: 4))
        #expect(found[.softwareTransmit] == .proven(16, of: 16))
        #expect(
            Diagnoses.e1000e.summary == "hardware timestamps are advertised and never arrived; software timestamps only"
        )
    }

    @Test func `Without anything that arrives, nothing is said of receive stamps but how to try`() {
        var facts = Diagnoses.e1000e
        facts.change {
            $0.receivedOrdinary = .init()
            $0.receivedPTP = .init()
            $0.peer = nil
        }
        var found = verdicts(facts)
        let quiet = Verdict.notTried("nothing arrived within a second: give --peer")
        #expect(found[.softwareReceive] == quiet && found[.hardwareReceive] == quiet)
        #expect(found[.hardwareReceivePTP] == .notTried("no PTP frame arrived within a second"))
        facts.change { $0.peer = .init(probes: 4, replies: 0) }
        found = verdicts(facts)
        #expect(found[.softwareReceive] == .notTried("the peer did not answer"))
    }

    @Test func `What others have set on the nic is no failure of the nic`() {
        // ptp4l timestamps PTP frames alone, although the NIC could do all.
        var found = verdicts(Diagnoses.held(Diagnoses.ptpOnly))
        let current = Verdict.notTried("the NIC's timestamping was set by others: transmit on, receive ptpv2-event")
        #expect(found[.hardwareTransmit] == .proven(12, of: 12))
        #expect(found[.hardwareReceive] == current && found[.hardwareReceivePTP] == .proven(4, of: 4))
        // Somebody receives only.
        found = verdicts(Diagnoses.held(.init(transmitType: 0, receiveFilter: 1)))
        let receiveOnly = Verdict.notTried("the NIC's timestamping was set by others: transmit off, receive all")
        #expect(found[.hardwareTransmit] == receiveOnly && found[.hardwareTransmitPTP] == receiveOnly)
        #expect(found[.hardwareReceive] == .proven(4, of: 4))
        // PTP over UDP alone.
        found = verdicts(Diagnoses.held(.init(transmitType: 1, receiveFilter: 6)))
        #expect(
            found[.hardwareReceivePTP]
                == .notTried("the NIC's timestamping was set by others: transmit on, receive ptpv2-l4-event"))
    }

    @Test func `A nic that may not be switched on was not tried, and the reason is the kernel's`() {
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
            facts.summary == "hardware timestamps are advertised and could not be tried; software timestamps only")
    }

    @Test func `A filter that the driver did not grant did not come`() {
        var facts = Diagnoses.igb
        facts.change {
            $0.stamping = .switchedOn(Diagnoses.on, previous: .off)
            $0.receivedPTP.hardware = 0
        }
        #expect(verdicts(facts)[.hardwareReceivePTP] == .didNotCome(of: 0, "the driver granted the filter none"))
    }

    @Test func `What was ended early says nothing of what did not come, and keeps what did`() {
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

    @Test func `Stamps with another's id are no proof`() {
        var facts = Diagnoses.veth
        facts.change { $0.strayStamps = 3 }
        #expect(verdicts(facts)[.identifiers] == .didNotCome(of: 35, "3 had no frame of ours"))
        facts.change {
            $0.strayStamps = 0
            $0.localStamps = 0
        }
        #expect(verdicts(facts)[.identifiers] == .notTried("no timestamp came"))
    }

    @Test func `Where nothing was tried every advertised capability says why, and no other claims anything`() {
        var facts = Diagnoses.igb
        facts.frames = .notTried("it is down")
        facts.launch = .notTried("it is down")
        for (capability, verdict) in verdicts(facts) {
            #expect(
                verdict == (capability == .hardwareReceive ? .notAdvertised : .notTried("it is down")),
                "\(capability)")
        }
        #expect(facts.summary == "nothing was tried: it is down; hardware timestamps are advertised")
    }

    @Test func `A driver that can't be asked advertises the kernel's SCHED alone`() {
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

    @Test func `A launch time is kept when the driver's stamp is not before it`() {
        #expect(launch(.left(after: 0), queueing: "fq") == .proven(1, of: 1))
        #expect(launch(.left(after: 70_000), queueing: "fq") == .proven(1, of: 1))
        #expect(launch(.left(after: -1), queueing: "fq") == .didNotCome(of: 1, "\(ignored) (fq)"))
        #expect(launch(.left(after: -99_000_000), queueing: "tbf") == .didNotCome(of: 1, "\(ignored) (tbf)"))
    }

    @Test func `etf hands a frame over its delta before its time`() {
        #expect(launch(.left(after: -300_000), queueing: "etf") == .proven(1, of: 1))
        #expect(launch(.left(after: -99_000_000), queueing: "etf") == .didNotCome(of: 1, "\(ignored) (etf)"))
        #expect(launch(.dropped(.invalid), queueing: "etf") == .didNotCome(of: 1, "etf refused the time"))
        #expect(launch(.dropped(.missed), queueing: "etf") == .didNotCome(of: 1, "etf missed the time"))
        #expect(LaunchTrial.clock(for: [.init(kind: "etf", handle: 1, parent: 2)]) == .tai)
        #expect(LaunchTrial.clock(for: [.init(kind: "fq", handle: 1, parent: 2)]) == .monotonic)
    }

    @Test func `A queue in which every frame waits so long proves nothing of launch times`() {
        #expect(
            launch(.left(after: 20_000_000), queueing: "netem", waiting: 120_000_000)
                == .notTried("frames without a launch time wait as long in netem"))
    }

    @Test func `A frame whose stamp did not come proves nothing, or what it needs is named`() {
        #expect(launch(.unstamped, queueing: "fq") == .didNotCome(of: 1, "the frame's timestamp did not come"))
        var facts = Diagnoses.veth
        facts.capabilities = .success(TimestampingCapabilities(flags: 0x18))
        facts.launch = .made(LaunchTrial(clock: .monotonic, outcome: .unstamped))
        #expect(verdicts(facts)[.launchTime] == .notTried("it needs software transmit timestamps"))
    }
}
