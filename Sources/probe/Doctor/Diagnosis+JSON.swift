import FastAFPacket
import HostClocks
import LinuxKernel
import Netlink
import Report

extension Diagnosis {
    /// The diagnosis as one indented JSON object, with a final newline.
    func json() -> String {
        let value = JSONValue.object([
            ("type", .string("doctor")), ("version", .string(version)), ("host", .string(host.name)),
            ("kernel", .string(host.kernel)),
            (
                "capabilities",
                .object(
                    Host.Capability.allCases.map {
                        (key: $0.name.lowercased(), value: .bool(host.capabilities.contains($0)))
                    })
            ),
            (
                "settings",
                .object(host.settings.map { (key: $0.name, value: $0.value.map(JSONValue.string) ?? .null) })
            ),
            (
                "time_daemons",
                .array(
                    host.timeDaemons.map {
                        .object([
                            ("name", .string($0.name)), ("pid", .integer(Int64($0.id))),
                            ("arguments", .array($0.arguments.map(JSONValue.string))),
                        ])
                    })
            ), ("interfaces", .array(interfaces.map { $0.json(host) })),
            ("findings", .array(findings.map(\.json))),
        ])
        return value.pretty + "\n"
    }
}

extension Finding {
    fileprivate var json: JSONValue {
        .object([
            ("interface", interface.map(JSONValue.string) ?? .null), ("severity", .string(severity.rawValue)),
            ("text", .string(text)), ("remedy", .string(remedy)),
        ])
    }
}

extension InterfaceFacts {
    fileprivate func json(_ host: HostFacts) -> JSONValue {
        .object([
            ("interface", .string(name)), ("summary", .string(summary)), ("up", .bool(isUp)),
            ("carrier", .bool(hasCarrier)), ("mtu", .integer(Int64(mtu))), ("mac", .string("\(macAddress)")),
            ("driver", driverJSON), ("rings", ringJSON),
            (
                "queueing",
                .array(
                    queueing.map {
                        .object([
                            ("kind", .string($0.kind)), ("root", .bool($0.parent == QueueingDiscipline.root)),
                        ])
                    })
            ), ("advertised", advertisedJSON), ("stamping", stampingJSON(host)), ("clock", clockJSON),
            (
                "missed_stamps",
                .array(
                    missed.map {
                        .object([
                            ("name", .string($0.name)), ("total", .unsigned($0.total)),
                            ("meanwhile", .unsigned($0.meanwhile)),
                        ])
                    })
            ),
            ("capabilities", .object(rows(host).map { (key: $0.capability.key, value: $0.json) })),
        ])
    }

    private var driverJSON: JSONValue {
        guard case .success(let driver) = driver else { return .null }
        return .object([
            ("name", .string(driver.name)), ("version", .string(driver.version)),
            ("firmware", .string(driver.firmware)), ("bus", .string(driver.bus)),
        ])
    }

    private var ringJSON: JSONValue {
        guard case .success(let rings) = rings else { return .null }
        return .object([
            ("receive", .integer(Int64(rings.receive))), ("receive_max", .integer(Int64(rings.receiveLimit))),
            ("transmit", .integer(Int64(rings.transmit))), ("transmit_max", .integer(Int64(rings.transmitLimit))),
        ])
    }

    private var advertisedJSON: JSONValue {
        guard case .success(let found) = capabilities else { return .null }
        func list(_ names: [String]) -> JSONValue { .array(names.map(JSONValue.string)) }
        return .object([
            ("flags", list(StampingNames.flags(found.flags))),
            ("tx_types", list(StampingNames.types(found.transmitTypes))),
            ("rx_filters", list(StampingNames.filters(found.receiveFilters))),
            ("phc", found.clockIndex.map { .integer(Int64($0)) } ?? .null),
        ])
    }

    private func stampingJSON(_ host: HostFacts) -> JSONValue {
        guard case .success(let now) = stamping else { return .null }
        return .object([
            ("tx_type", .string(StampingNames.type(now.transmitType))),
            ("rx_filter", .string(StampingNames.filter(now.receiveFilter))),
            ("holders", .array(now == .off ? [] : stampingOwners(host).map(JSONValue.string))),
        ])
    }

    private var clockJSON: JSONValue {
        func clock(_ index: Int32, _ state: String, _ more: [(key: String, value: JSONValue)] = []) -> JSONValue {
            .object([("phc", .integer(Int64(index))), ("state", .string(state))] + more)
        }
        return switch self.clock {
        case .none: .null
        case .unreadable(let index, let error): clock(index, "unreadable", [("error", .string("\(error)"))])
        case .read(let index, .runs(let rate, let error, let method)):
            clock(
                index, "runs",
                [("rate", .number(rate)), ("rate_error", .number(error)), ("method", .string(method.rawValue))])
        case .read(let index, .standsStill): clock(index, "stands_still")
        case .read(let index, .wasSet): clock(index, "was_set")
        case .read(let index, .unknown): clock(index, "unknown")
        }
    }
}

extension CapabilityRow {
    fileprivate var json: JSONValue {
        let parts: (verdict: String, count: Int?, total: Int?, reason: String?) =
            switch verdict {
            case .proven(let count, let total): ("proven", count, total, nil)
            case .failed(let total, let reason): ("did_not_come", 0, total, reason)
            case .notAdvertised: ("not_advertised", nil, nil, nil)
            case .notTried(let reason): ("not_tried", nil, nil, reason)
            }
        return .object([
            ("advertised", .string(advertised)), ("verdict", .string(parts.verdict)),
            ("came", parts.count.map { .integer(Int64($0)) } ?? .null),
            ("tried", parts.total.map { .integer(Int64($0)) } ?? .null),
            ("reason", parts.reason.map(JSONValue.string) ?? .null),
        ])
    }
}

extension CapabilityRow.Capability {
    fileprivate var key: String {
        switch self {
        case .sched: "sched"
        case .softwareTransmit: "software_tx"
        case .hardwareTransmit: "hardware_tx"
        case .hardwareTransmitPTP: "hardware_tx_ptp"
        case .softwareReceive: "software_rx"
        case .hardwareReceive: "hardware_rx"
        case .hardwareReceivePTP: "hardware_rx_ptp"
        case .identifiers: "ids"
        case .launchTime: "launch_time"
        }
    }
}
