import Foundation
import Testing

@testable import LinuxKernel

@Suite struct RunningProcessTests {
    /// Runs `body` with a folder that shows processes as /proc does.
    private func withProcesses(
        _ processes: [(id: String, name: String, arguments: [String], namespace: String?)],
        current: String? = "net:[1]", _ body: (String) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("processes-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        func show(_ id: String, _ files: [(String, String)], _ namespace: String?) throws {
            let place = folder.appendingPathComponent(id)
            try FileManager.default.createDirectory(
                at: place.appendingPathComponent("ns"), withIntermediateDirectories: true)
            for (name, text) in files { try Data(text.utf8).write(to: place.appendingPathComponent(name)) }
            if let namespace {
                try FileManager.default.createSymbolicLink(
                    atPath: place.appendingPathComponent("ns/net").path, withDestinationPath: namespace)
            }
        }
        try show("self", [], current)
        for process in processes {
            let arguments = process.arguments.map { $0 + "\0" }.joined()
            try show(process.id, [("comm", process.name + "\n"), ("cmdline", arguments)], process.namespace)
        }
        try body(folder.path)
    }

    @Test func `processes with a given name are returned in the order of their ids, with their arguments`() throws {
        try withProcesses([
            ("812", "ptp4l", ["/usr/sbin/ptp4l", "-i", "eth0"], "net:[1]"),
            ("9", "ptp4l", ["ptp4l", "-i", "eth1"], nil),
            ("7", "bash", ["bash"], "net:[1]"), ("version", "ptp4l", [], nil),
        ]) { folder in
            #expect(
                RunningProcess.running(named: ["ptp4l", "phc2sys"], in: folder) == [
                    RunningProcess(id: 9, name: "ptp4l", arguments: ["ptp4l", "-i", "eth1"]),
                    RunningProcess(id: 812, name: "ptp4l", arguments: ["/usr/sbin/ptp4l", "-i", "eth0"]),
                ])
        }
    }

    @Test func `a process known to be in another network namespace is excluded`() throws {
        let processes = [("5", "ptp4l", ["ptp4l"], "net:[2]"), ("6", "ptp4l", [], "net:[1]")]
        try withProcesses(processes) { folder in
            #expect(RunningProcess.running(named: ["ptp4l"], in: folder).map(\.id) == [6])
        }
        try withProcesses(processes, current: nil) { folder in
            #expect(RunningProcess.running(named: ["ptp4l"], in: folder).map(\.id) == [5, 6])
        }
    }

    @Test func `a missing folder has no processes, and /proc has this one`() throws {
        #expect(RunningProcess.running(named: ["ptp4l"], in: "/nowhere").isEmpty)
        let name = try String(contentsOfFile: "/proc/self/comm", encoding: .utf8).dropLast()
        #expect(RunningProcess.running(named: [String(name)]).contains { $0.id == getpid() })
    }
}
