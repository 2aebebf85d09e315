import Foundation
import Testing

extension Lab {
    /// The address families that the tests measure over.
    enum Family: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case ipv4, ipv6, linkLocal
        var testDescription: String { rawValue }

        /// A side's address of this family.
        func address(_ side: Side) -> String {
            switch self {
            case .ipv4: Lab.ipv4(side)
            case .ipv6: Lab.ipv6(side)
            case .linkLocal: Lab.linkLocal(side)
            }
        }
        /// Bytes of Ethernet, IP and UDP headers.
        var headers: Int { self == .ipv4 ? 14 + 20 + 8 : 14 + 40 + 8 }
    }

    /// Starts `probe run` towards the other side, with a JSON summary and its log at ``log(_:)``.
    func startRun(_ side: Side, _ family: Family = .ipv4, _ options: [String]) throws -> ProbeProcess {
        try start(
            side,
            ["run", "--interface", Lab.interface, "--peer", family.address(side.other)]
                + ["--output", "json", "--quiet", "--log", log(side)] + options)
    }

    /// Starts `probe reflect` and waits until it has reserved port 862.
    func startReflect(_ side: Side, _ options: [String] = []) async throws -> ProbeProcess {
        let process = try start(
            side, ["reflect", "--interface", Lab.interface, "--output", "json", "--quiet"] + options)
        // An ordinary UDP socket reserves the port. The kernel's table lists it: port 0x035E, in /proc/PID/net/udp.
        try await waitFor("the reflector's port 862; standard error: \(process.errors)", within: 10) {
            ["udp", "udp6"].contains { table in
                let text = try? String(contentsOfFile: "/proc/\(process.id)/net/\(table)", encoding: .utf8)
                return text?.contains(":035E ") ?? false
            } ? () : nil
        }
        return process
    }

    /// The path of a side's log.
    func log(_ side: Side) -> String { file("\(side.rawValue).csv") }

    /// Runs both sides towards each other until both end, and returns their summaries.
    func runPair(
        _ family: Family = .ipv4, a: [String], b: [String], within seconds: Double = 30
    ) async throws -> (a: Summary, b: Summary) {
        let processB = try startRun(.b, family, b)
        let processA = try startRun(.a, family, a)
        return (try await processA.summary(within: seconds), try await processB.summary(within: seconds))
    }
}

/// The median; of an even number of values, the upper of the middle two.
func median(_ values: some Sequence<Int64>) throws -> Int64 {
    let sorted = values.sorted()
    return try #require(sorted.isEmpty ? nil : sorted[sorted.count / 2], "no values")
}
