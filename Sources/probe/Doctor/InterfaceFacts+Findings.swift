import FastAFPacket
import LinuxKernel

extension InterfaceFacts {
    func findings(_ host: HostFacts) -> [Finding] {
        stateFindings + missingStamps + hardwareFindings(host) + clockFindings + otherFindings
    }

    private func problem(_ text: String, _ remedy: String) -> Finding {
        Finding(interface: name, severity: .problem, text: text, remedy: remedy)
    }

    private func note(_ text: String, _ remedy: String) -> Finding {
        Finding(interface: name, severity: .note, text: text, remedy: remedy)
    }

    private var driverText: String {
        guard case .success(let driver) = driver else { return "driver" }
        return "driver (\(driver.name) \(driver.version))"
    }

    private var stateFindings: [Finding] {
        if !isUp { return [problem("It is down: nothing was tried.", "`ip link set \(name) up`.")] }
        if !hasCarrier {
            return [problem("It has no carrier: nothing was tried.", "Plug the cable in, or bring the other end up.")]
        }
        guard case .made(let trial) = frames else { return [] }
        if let failure = trial.failure {
            return [problem("Trying ended early: \(failure)", "Look at `ip -d link show \(name)`, and try again.")]
        }
        if let peer = trial.peer, peer.replies == 0, peer.probes > 0 {
            return [
                problem(
                    "The peer answered none of \(peer.probes) STAMP probes.",
                    "Run `probe reflect` on the peer; let UDP port 862 pass its firewall.")
            ]
        }
        return []
    }

    /// Timestamps of the kernel's that did not come, or for the wrong frame.
    private var missingStamps: [Finding] {
        var found: [Finding] = []
        if !offers(.softwareTransmit), case .success = capabilities {
            found.append(
                problem(
                    "The \(driverText) has no software transmit timestamps.",
                    "Of its own sends only SCHED is timestamped; another driver or NIC has more."))
        }
        for (capability, what) in [
            (Capability.sched, "SCHED timestamps"), (.softwareTransmit, "Software transmit timestamps"),
            (.softwareReceive, "Software receive timestamps"),
        ] {
            if case .didNotCome(let frames, _) = verdict(capability) {
                found.append(
                    problem(
                        "\(what) are advertised and none came, of \(frames) frames.",
                        "Report it to those who maintain the \(driverText); such timestamps are missing in every run."))
            }
        }
        if case .didNotCome(let stamps, let reason) = verdict(.identifiers) {
            found.append(
                problem(
                    "Of \(stamps) timestamps \(reason ?? "some had no frame of ours").",
                    "Transmit timestamps can't be trusted here: report it with `uname -r`."))
        }
        return found
    }

    // MARK: - Hardware timestamps

    private func hardwareFindings(_ host: HostFacts) -> [Finding] {
        transmitFindings + receiveFindings + stampingOwnerFindings(host)
    }

    private var transmitFindings: [Finding] {
        let (ordinary, ptp) = (verdict(.hardwareTransmit), verdict(.hardwareTransmitPTP))
        switch (ordinary, ptp) {
        case (.didNotCome(let frames, _), .didNotCome(let others, _)):
            return [
                problem(
                    "Hardware transmit timestamps are advertised and never arrived: 0 of \(frames + others) frames.",
                    "Rely on software timestamps here; try another \(driverText), firmware or NIC.")
            ]
        case (.didNotCome(let frames, _), .proven):
            return [
                problem(
                    "The NIC timestamps PTP frames alone on transmit: 0 of \(frames) ordinary ones.",
                    "Ordinary probes have software transmit timestamps here.")
            ]
        case (.proven(let stamped, let frames), _) where stamped < frames:
            return [
                note(
                    "Hardware transmit timestamps came for \(stamped) of \(frames) ordinary frames.",
                    "NICs that take one at a time miss some: send more slowly, and see the counters of missed timestamps."
                )
            ]
        default: return []
        }
    }

    private var receiveFindings: [Finding] {
        var found: [Finding] = []
        if case .didNotCome(let frames, let reason) = verdict(.hardwareReceive) {
            found.append(
                problem(
                    "Hardware receive timestamps are advertised for every frame and never arrived: "
                        + (reason ?? "0 of \(frames) frames") + ".",
                    "Rely on software timestamps here; try another \(driverText), firmware or NIC."))
        } else if case .didNotCome(let frames, let reason) = verdict(.hardwareReceivePTP) {
            found.append(
                problem(
                    "Hardware receive timestamps are advertised for PTP frames and never arrived: "
                        + (reason ?? "0 of \(frames) frames") + ".",
                    "Rely on software timestamps here; try another \(driverText), firmware or NIC."))
        }
        if case .proven(let stamped, let frames) = verdict(.hardwareReceivePTP), stamped < frames {
            found.append(
                note(
                    "Hardware receive timestamps came for \(stamped) of \(frames) PTP frames.",
                    "The NIC's latch for them was not free each time: expect missing ones."))
        }
        if offers(.hardwareReceivePTP), !offers(.hardwareReceive) {
            found.append(
                note(
                    "The NIC timestamps received PTP frames alone: ordinary probes have software receive timestamps.",
                    "`--transport l2 --frame ptp` sends such frames; UDP probes have software timestamps when they arrive."
                )
            )
        }
        return found
    }

    /// Others have set the NIC's timestamping.
    private func stampingOwnerFindings(_ host: HostFacts) -> [Finding] {
        guard case .success(let current) = stamping, current != .off else { return [] }
        let daemons = stampingOwners(host)
        let takesLess =
            current.transmitType == 0 && offers(.hardwareTransmit)
            || current.receiveFilter != 1 && offers(.hardwareReceive)
        let text =
            "The NIC's timestamping was set before us: \(current.text). "
            + (daemons.isEmpty
                ? "Nobody known for it is running." : "Running: \(daemons.joined(separator: ", ")).")
            + (takesLess ? " The NIC could do more." : "")
        let remedy =
            daemons.isEmpty
            ? "Left behind by somebody: `hwstamp_ctl -i \(name) -t 0 -r 0` switches it off, and probe sets its own."
            : "It is used as it is. For every frame's timestamp: `hwts_filter full` in ptp4l's configuration, or stop it "
                + "for the run."
        return [takesLess ? problem(text, remedy) : note(text, remedy)]
    }

    /// Programs that may have set the NIC's timestamping: those that name the interface, or else all of them.
    func stampingOwners(_ host: HostFacts) -> [String] {
        let naming = host.timeDaemons.filter { $0.arguments.contains { $0 == name } }
        return (naming.isEmpty ? host.timeDaemons : naming).map { "\($0.name) (process \($0.id))" }
    }

    // MARK: - the PHC

    /// Clocks that nobody steers are off by less than this.
    private static let tolerableRate = 1e-3

    private var clockFindings: [Finding] {
        switch clock {
        case .none, .read(_, .unknown): return []
        case .unreadable(let index, let error):
            return [
                problem(
                    "The PHC /dev/ptp\(index) can't be read: \(error)",
                    "Without it hardware timestamps can't be told in CLOCK_REALTIME: let the process read it.")
            ]
        case .read(let index, .standsStill):
            return [
                problem(
                    "The PHC /dev/ptp\(index) stands still.",
                    "Hardware timestamps mean nothing here: rely on software timestamps.")
            ]
        case .read(let index, .wasSet):
            return [
                note(
                    "The PHC /dev/ptp\(index) or the system's was set while it was read.",
                    "Wait until ptp4l, phc2sys or chrony have settled, and try again.")
            ]
        case .read(let index, .runs(let rate, let error, _)):
            guard abs(rate - 1) > Self.tolerableRate + error else { return [] }
            return [
                problem(
                    "The PHC /dev/ptp\(index) runs \(ClockText.rate(rate, error: error)).",
                    "Hardware timestamps can't be compared with anything here: rely on software timestamps.")
            ]
        }
    }

    // MARK: - The rest

    private var otherFindings: [Finding] {
        var found: [Finding] = []
        let moved = missed.filter { $0.meanwhile > 0 }
        if !moved.isEmpty {
            found.append(
                note(
                    "The NIC missed timestamps while we tried: "
                        + moved.map { "\($0.name) +\($0.meanwhile)" }.joined(separator: ", ") + ".",
                    "It takes few at a time, for everybody: send more slowly, or stop others who ask for timestamps."))
        }
        if case .didNotCome(_, let reason) = verdict(.launchTime), let reason {
            found.append(
                note(
                    "Launch times: \(reason).",
                    "`tc qdisc replace dev \(name) root fq` keeps them by CLOCK_MONOTONIC, etf by CLOCK_TAI."))
        }
        return found
    }
}

/// How a PHC is told of.
enum ClockText {
    /// "2.50 times as fast as the system's clock", or "12 ppm fast (within 3)".
    static func rate(_ rate: Double, error: Double) -> String {
        let parts = (rate - 1) * 1e6
        guard abs(parts) < 10_000 else { return "\(fixed(rate)) times as fast as the system's clock" }
        let bound = Int(min(error * 1e6, 1e6).rounded(.up))
        let rounded = Int(parts.rounded())
        if rounded == 0 { return "with the system's clock (within \(bound) ppm)" }
        return "\(rounded.magnitude) ppm \(rounded > 0 ? "fast" : "slow") (within \(bound))"
    }

    /// With two decimals.
    private static func fixed(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
        let hundredths = Int((value * 100).rounded())
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
