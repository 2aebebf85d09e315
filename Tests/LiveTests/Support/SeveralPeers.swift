import Foundation
import Testing

extension Lab {
    /// Starts `probe run` towards several peers, with JSON output and its log at ``log(_:)``.
    func startRun(_ side: Side, peers: [String], _ options: [String]) throws -> ProbeProcess {
        try start(
            side,
            ["run", "--interface", Self.interface] + peers.flatMap { ["--peer", $0] }
                + ["--output", "json", "--quiet", "--log", log(side)] + options)
    }

    /// Starts `probe reflect` in a namespace, and waits until it answers.
    func startReflector(in namespace: String) async throws -> ProbeProcess {
        let process = try start(
            in: namespace,
            [ProbeProcess.binary, "reflect", "--interface", Self.interface, "--output", "json", "--quiet"])
        try await process.waitForError("Answering")
        return process
    }
}

/// The output of a run with several peers: a summary for each session, and the table.
struct PeersOutput {
    let summaries: [Summary]
    let table: Summary

    init(_ output: String) throws {
        summaries = try Summary.all("summary", in: output)
        let tables = try Summary.all("peers", in: output)
        table = try #require(tables.first, "no table in \(output)")
        try #require(tables.count == 1)
        #expect(output.split(separator: "\n").last?.contains(#""type":"peers""#) == true, "it is the last line")
    }

    /// The summary of a peer's session; of its first one if there are several.
    func summary(_ peer: String) throws -> Summary {
        try #require(summaries.first { $0.text("peer") == peer }, "no session with \(peer)")
    }

    /// The table's entry of a peer.
    func entry(_ peer: String) throws -> Summary {
        try #require(table.objects("peers").first { $0.text("peer") == peer }, "no entry of \(peer)")
    }
}

extension Summary {
    /// Expects all probes of a session to be sent and answered, two rows for each in the log, and every timestamp
    /// accounted for.
    func expectComplete(_ count: Int, in log: Log, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try expectBalance(due: count, sourceLocation: sourceLocation)
        let sent = try #require(self["probes.sent"])
        #expect(self["counters.received"] == sent, sourceLocation: sourceLocation)
        #expect(losses == [0, 0, 0], sourceLocation: sourceLocation)
        let rows = log.session(try session)
        rows.expectRows(sent, sourceLocation: sourceLocation)
        #expect(rows.rows.allSatisfy { $0.status == .ok }, sourceLocation: sourceLocation)
    }
}
