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
        if !isUp {
            return [
                problem("The interface is down, so nothing was tried.", "Bring it up with `ip link set \(name) up`.")
            ]
        }
        if !hasCarrier {
            return [
                problem(
                    "The interface has no carrier, so nothing was tried.",
                    "Connect its cable, or bring the other end of the link up.")
            ]
        }
        guard case .made(let trial) = frames else { return [] }
        if let failure = trial.failure {
            return [
                problem(
                    "The trial ended early: \(failure)",
                    "Check the interface with `ip -d link show \(name)`, and run `probe doctor` again.")
            ]
        }
        if let peer = trial.peer, peer.replies == 0, peer.probes > 0 {
            return [
                problem(
                    "The peer answered none of \(peer.probes) STAMP probes.",
                    "Run `probe reflect` on the peer, and let UDP port 862 pass its firewall.")
            ]
        }
        return []
    }

    /// Kernel timestamps that never arrived, or that match no frame.
    private var missingStamps: [Finding] {
        var found: [Finding] = []
        if !offers(.softwareTransmit), case .success = capabilities {
            found.append(
                problem(
                    "The \(driverText) has no driver transmit timestamps.",
                    "Sent packets get only SCHED timestamps. Use another driver or NIC for driver transmit timestamps.")
            )
        }
        for (capability, what) in [
            (Capability.sched, "SCHED timestamps"), (.softwareTransmit, "Driver transmit timestamps"),
            (.softwareReceive, "Kernel receive timestamps"),
        ] {
            if case .failed(let frames, _) = verdict(capability) {
                found.append(
                    problem(
                        "\(what) are advertised but never arrived: 0 of \(frames) frames.",
                        "Every run will miss them. Report it to the maintainers of the \(driverText)."))
            }
        }
        if case .failed(let stamps, let reason) = verdict(.identifiers) {
            found.append(
                problem(
                    "Of \(stamps) transmit timestamps, \(reason ?? "some match no frame").",
                    "Do not trust transmit timestamps on this host. Report it with the output of `uname -r`."))
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
        case (.failed(let frames, _), .failed(let others, _)):
            return [
                problem(
                    "Hardware transmit timestamps are advertised but never arrived: 0 of \(frames + others) frames.",
                    Self.useSoftware(driverText))
            ]
        case (.failed(let frames, _), .proven):
            return [
                problem(
                    "On transmit the NIC timestamps only PTP frames: 0 of \(frames) ordinary frames.",
                    "Use driver transmit timestamps for ordinary probes, or `--transport l2 --frame ptp`.")
            ]
        case (.proven(let stamped, let frames), _) where stamped < frames:
            return [
                note(
                    "Hardware transmit timestamps arrived for \(stamped) of \(frames) ordinary frames.",
                    "NICs that hold one timestamp at a time miss some: send at a lower rate, and check the counters of missed timestamps."
                )
            ]
        default: return []
        }
    }

    private static func useSoftware(_ driver: String) -> String {
        "Use software timestamps (`--stamps software`), or try another \(driver), firmware or NIC."
    }

    private var receiveFindings: [Finding] {
        var found: [Finding] = []
        if case .failed(let frames, let reason) = verdict(.hardwareReceive) {
            found.append(
                problem(
                    "Hardware receive timestamps are advertised for all frames but never arrived: "
                        + (reason ?? "0 of \(frames) frames") + ".",
                    Self.useSoftware(driverText)))
        } else if case .failed(let frames, let reason) = verdict(.hardwareReceivePTP) {
            found.append(
                problem(
                    "Hardware receive timestamps are advertised for PTP frames but never arrived: "
                        + (reason ?? "0 of \(frames) frames") + ".",
                    Self.useSoftware(driverText)))
        }
        if case .proven(let stamped, let frames) = verdict(.hardwareReceivePTP), stamped < frames {
            found.append(
                note(
                    "Hardware receive timestamps arrived for \(stamped) of \(frames) PTP frames.",
                    "The NIC holds one receive timestamp at a time and missed the others: expect some to be missing."))
        }
        if offers(.hardwareReceivePTP), !offers(.hardwareReceive) {
            found.append(
                note(
                    "The NIC timestamps only PTP frames on receipt: ordinary probes get kernel receive timestamps.",
                    "For hardware receive timestamps, send PTP frames with `--transport l2 --frame ptp` on both hosts."
                )
            )
        }
        return found
    }

    /// The NIC's timestamping configuration was set by another process.
    private func stampingOwnerFindings(_ host: HostFacts) -> [Finding] {
        guard case .success(let current) = stamping, current != .off else { return [] }
        let daemons = stampingOwners(host)
        let takesLess =
            current.transmitType == 0 && offers(.hardwareTransmit)
            || current.receiveFilter != 1 && offers(.hardwareReceive)
        let text =
            "Another process has configured the NIC's timestamping: \(current.text). "
            + (daemons.isEmpty
                ? "No time daemon is running." : "Running: \(daemons.joined(separator: ", ")).")
            + (takesLess ? " The NIC supports more." : "")
        let remedy =
            daemons.isEmpty
            ? "If it is a leftover, switch it off with `hwstamp_ctl -i \(name) -t 0 -r 0`; `probe` then sets its own."
            : "`probe` does not change it. To timestamp all frames, set `hwts_filter full` in ptp4l's configuration, or "
                + "stop the daemon during the run."
        return [takesLess ? problem(text, remedy) : note(text, remedy)]
    }

    /// The daemons that may have configured the NIC's timestamping: those whose arguments name the interface, or else
    /// all.
    func stampingOwners(_ host: HostFacts) -> [String] {
        let naming = host.timeDaemons.filter { $0.arguments.contains { $0 == name } }
        return (naming.isEmpty ? host.timeDaemons : naming).map { "\($0.name) (process \($0.id))" }
    }

    // MARK: - PHC

    /// The largest rate error of a free-running clock.
    private static let tolerableRate = 1e-3

    private var clockFindings: [Finding] {
        switch clock {
        case .none, .read(_, .unknown): return []
        case .unreadable(let index, let error):
            return [
                problem(
                    "The PHC /dev/ptp\(index) cannot be read: \(error)",
                    "Hardware timestamps cannot be converted to CLOCK_REALTIME without it. Run as root, or permit access to it."
                )
            ]
        case .read(let index, .standsStill):
            return [
                problem(
                    "The PHC /dev/ptp\(index) does not advance.",
                    "Hardware timestamps are useless here. Use software timestamps (`--stamps software`).")
            ]
        case .read(let index, .wasSet):
            return [
                note(
                    "The PHC /dev/ptp\(index) or the system clock was set between two readings.",
                    "Wait until ptp4l, phc2sys or chronyd has settled, and run `probe doctor` again.")
            ]
        case .read(let index, .runs(let rate, let error, _)):
            guard abs(rate - 1) > Self.tolerableRate + error else { return [] }
            return [
                problem(
                    "The PHC /dev/ptp\(index) runs \(ClockText.rate(rate, error: error)).",
                    "Its hardware timestamps cannot be compared with other clocks. Use software timestamps (`--stamps software`)."
                )
            ]
        }
    }

    // MARK: - Missed timestamps and launch times

    private var otherFindings: [Finding] {
        var found: [Finding] = []
        let moved = missed.filter { $0.meanwhile > 0 }
        if !moved.isEmpty {
            found.append(
                note(
                    "The NIC missed timestamps during the trial: "
                        + moved.map { "\($0.name) +\($0.meanwhile)" }.joined(separator: ", ") + ".",
                    "All processes share the NIC's timestamp slots: send at a lower rate, or stop others that request timestamps."
                ))
        }
        if case .failed(_, let reason) = verdict(.launchTime), let reason {
            found.append(
                note(
                    "Launch times do not work: \(reason).",
                    "`tc qdisc replace dev \(name) root fq` honours them by CLOCK_MONOTONIC; etf honours them by CLOCK_TAI."
                ))
        }
        return found
    }
}

/// The wording of a PHC's rate.
enum ClockText {
    /// "2.50 times as fast as the system clock", or "12 ppm fast (within 3 ppm)".
    static func rate(_ rate: Double, error: Double) -> String {
        let parts = (rate - 1) * 1e6
        guard abs(parts) < 10_000 else { return "\(fixed(rate)) times as fast as the system clock" }
        let bound = Int(min(error * 1e6, 1e6).rounded(.up))
        let rounded = Int(parts.rounded())
        if rounded == 0 { return "at the system clock's rate (within \(bound) ppm)" }
        return "\(rounded.magnitude) ppm \(rounded > 0 ? "fast" : "slow") (within \(bound) ppm)"
    }

    /// The value with two decimals.
    private static func fixed(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
        let hundredths = Int((value * 100).rounded())
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
