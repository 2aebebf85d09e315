import FastAFPacket
import HostClocks
import LinuxKernel
import Report

extension Diagnosis {
    /// The diagnosis as text: the host, each interface with its table of capabilities, and the findings. It ends with a
    /// newline.
    ///
    /// - Parameter width: the columns that a finding may take.
    func text(width: Int = .max) -> String {
        var lines = host.lines(version)
        for interface in interfaces { lines += [""] + interface.lines(host) }
        lines.append("")
        let findings = findings
        lines.append(findings.isEmpty ? "findings: none" : "findings")
        for finding in findings {
            let place = finding.interface.map { "\($0): " } ?? ""
            lines += wrapped("  \(finding.severity.rawValue): \(place)\(finding.text)", width: width)
            lines += wrapped("    remedy: \(finding.remedy)", width: width)
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// A line with a name in the first column and its value in the second.
private func line(_ name: String, _ text: String, indent: Int = 0) -> String {
    let padding = max(1, 16 - indent - name.count)
    return String(repeating: " ", count: indent) + name + String(repeating: " ", count: padding) + text
}

extension HostFacts {
    fileprivate func lines(_ version: String) -> [String] {
        let capabilities = Host.Capability.allCases.map {
            "\($0.name) " + (self.capabilities.contains($0) ? "held" : "missing: \($0.consequence)")
        }
        let daemons = timeDaemons.map { "\($0.name) (process \($0.id))" }.joined(separator: ", ")
        return ["probe \(version) on \(name), Linux \(kernel)"] + list("capabilities", capabilities)
            + list("settings", settings.map { "\($0.name) \($0.value ?? "not visible in this namespace")" })
            + [line("time daemons", daemons.isEmpty ? "none" : daemons)]
    }

    private func list(_ name: String, _ items: [String]) -> [String] {
        items.enumerated().map { line($0 == 0 ? name : "", $1) }
    }
}

extension Host.Capability {
    /// The name in capabilities(7).
    var name: String {
        switch self {
        case .bindService: "CAP_NET_BIND_SERVICE"
        case .networkAdministration: "CAP_NET_ADMIN"
        case .rawSockets: "CAP_NET_RAW"
        }
    }

    /// The features that do not work without the capability.
    fileprivate var consequence: String {
        switch self {
        case .bindService: "no privileged ports"
        case .networkAdministration: "no NIC configuration, no large buffers"
        case .rawSockets: "no packet sockets, so nothing can be tried"
        }
    }
}

extension InterfaceFacts {
    fileprivate func lines(_ host: HostFacts) -> [String] {
        let state = isUp ? (hasCarrier ? "up" : "no carrier") : "down"
        return ["\(name): \(summary)"]
            + [
                ("link", "\(state), MTU \(mtu), \(macAddress)"), ("driver", driverText), ("rings", ringText),
                ("queueing", queueingText), ("timestamping", stampingText(host)), ("clock", clockText),
                ("missed", missedText),
            ].map { line($0.0, $0.1, indent: 2) }
            + advertisedLines + [""] + table(host)
    }

    private var driverText: String {
        guard case .success(let driver) = driver else { return "not reported" }
        return driver.name + (driver.version.isEmpty ? "" : " \(driver.version)")
            + (driver.firmware.isEmpty ? "" : ", firmware \(driver.firmware)")
            + (driver.bus.isEmpty ? "" : ", at \(driver.bus)")
    }

    private var ringText: String {
        guard case .success(let rings) = rings else { return "not reported" }
        return "receive \(rings.receive) of \(rings.receiveLimit), transmit \(rings.transmit) of \(rings.transmitLimit)"
    }

    private func stampingText(_ host: HostFacts) -> String {
        guard case .success(let now) = stamping else { return "no hardware timestamping" }
        let daemons = stampingOwners(host)
        if now == .off || daemons.isEmpty { return now.text }
        return "\(now.text); running: \(daemons.joined(separator: ", "))"
    }

    private var clockText: String {
        switch clock {
        case .none: "none"
        case .unreadable(let index, let error): "/dev/ptp\(index), cannot be read: \(error)"
        case .read(let index, .runs(let rate, let error, let method)):
            "/dev/ptp\(index), runs \(ClockText.rate(rate, error: error)), read by method \(method.rawValue)"
        case .read(let index, .standsStill): "/dev/ptp\(index), does not advance"
        case .read(let index, .wasSet): "/dev/ptp\(index), it or the system clock was set between readings"
        case .read(let index, .unknown): "/dev/ptp\(index), rate unknown: too few readings"
        }
    }

    private var missedText: String {
        if missed.isEmpty { return "the driver does not count missed timestamps" }
        return missed.map { "\($0.name) \($0.total)" + ($0.meanwhile > 0 ? " (+\($0.meanwhile))" : "") }
            .joined(separator: ", ")
    }

    private var advertisedLines: [String] {
        guard case .success(let found) = capabilities else { return [line("advertised", "not reported", indent: 2)] }
        var lines: [String] = []
        for (label, names) in [
            ("advertised", StampingNames.flags(found.flags)), ("TX types", StampingNames.types(found.transmitTypes)),
            ("RX filters", StampingNames.filters(found.receiveFilters)),
        ] where !names.isEmpty {
            for (index, text) in wrapped(names).enumerated() {
                lines.append(line(index == 0 ? label : "", text, indent: 2))
            }
        }
        return lines
    }

    /// The names, separated by commas, in lines that fit 80 columns behind the first column.
    private func wrapped(_ names: [String]) -> [String] {
        var lines = [""]
        for (index, name) in names.enumerated() {
            let item = name + (index < names.count - 1 ? "," : "")
            if lines[lines.count - 1].count + item.count > 62 { lines.append("") }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + item
        }
        return lines
    }

    private func table(_ host: HostFacts) -> [String] {
        let rows = rows(host).map { ($0.capability.title, $0.advertised, $0.verdict.text) }
        let widths = rows.reduce(into: (0, "advertised".count)) {
            $0 = (max($0.0, $1.0.count), max($0.1, $1.1.count))
        }
        return ([("", "advertised", "result")] + rows).map { title, advertised, verdict in
            "  " + padded(title, widths.0 + 2) + padded(advertised, widths.1 + 2) + verdict
        }
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension CapabilityRow.Capability {
    var title: String {
        switch self {
        case .sched: "SCHED"
        case .softwareTransmit: "software TX"
        case .hardwareTransmit: "hardware TX, ordinary frames"
        case .hardwareTransmitPTP: "hardware TX, PTP frames"
        case .softwareReceive: "software RX"
        case .hardwareReceive: "hardware RX, ordinary frames"
        case .hardwareReceivePTP: "hardware RX, PTP frames"
        case .identifiers: "timestamp IDs"
        case .launchTime: "launch time"
        }
    }
}

extension Verdict {
    var text: String {
        switch self {
        case .proven(let count, let total): "proven, \(count) of \(total)"
        case .failed(let total, let reason): "failed" + (reason.map { ": \($0)" } ?? ", 0 of \(total)")
        case .notAdvertised: "not advertised"
        case .notTried(let reason): "not tried: \(reason)"
        }
    }
}
