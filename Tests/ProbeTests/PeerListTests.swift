import ArgumentParser
import Foundation
import NetworkAddresses
import Testing

@testable import probe

@Suite struct PeerListTests {
    private func parse(_ text: String) throws(ProbeError) -> [NamedPeer] {
        try PeerList.parse(text, "peers.txt") { peer throws(ValidationError) in
            if case .station = peer { throw ValidationError("no stations here") }
        }
    }

    /// The message and the exit code of a rejected list; nil if it is accepted.
    private func rejection(_ body: () throws(ProbeError) -> [NamedPeer]) -> (text: String, code: Int32)? {
        do throws(ProbeError) {
            _ = try body()
            return nil
        } catch {
            return (error.description, error.exitCode)
        }
    }

    @Test(arguments: ["\n", "\r\n"])
    func `A list has addresses, names, comments and empty lines, with either line end`(end: String) throws {
        let lines = [
            "# our peers", "", "192.0.2.2", "  192.0.2.3\tparis  # the old one", "2001:db8::2 oslo", "   ",
            "fe80::1#x", "192.0.2.2",
        ]
        for text in [lines.joined(separator: end), lines.joined(separator: end) + end] {
            let peers = try parse(text)
            #expect(peers.map { "\($0.peer)" } == ["192.0.2.2", "192.0.2.3", "2001:db8::2", "fe80::1", "192.0.2.2"])
            #expect(peers.map(\.name) == [nil, "paris", "oslo", nil, nil])
        }
        #expect(try parse("").isEmpty)
        #expect(try parse("# nothing" + end).isEmpty)
    }

    @Test(arguments: ["\n", "\r\n"])
    func `A bad line is rejected with its number`(end: String) throws {
        for bad in ["host.example", "192.0.2.256", "192.0.2.2 a b", "192.0.2.2,paris", "paris 192.0.2.2"] {
            let found = try #require(rejection { () throws(ProbeError) in try parse("192.0.2.1\(end)# c\(end)\(bad)") })
            #expect(found.code == 64)
            #expect(found.text.hasPrefix("peers.txt, line 3: "))
            #expect(found.text.contains("`\(bad)`") && found.text.contains("192.0.2.2 paris"))
        }
    }

    @Test func `An address that the options exclude is rejected with its line`() throws {
        let found = try #require(rejection { () throws(ProbeError) in try parse("192.0.2.1\n02:00:00:00:00:01") })
        #expect(found.text == "peers.txt, line 2: no stations here" && found.code == 64)
    }

    @Test func `A name that would control a terminal, or is too long, is rejected, and not repeated`() throws {
        let found = try #require(rejection { () throws(ProbeError) in try parse("192.0.2.1 a\u{1B}[2Jb") })
        #expect(found.text.contains("line 1") && found.text.contains("a?[2Jb") && !found.text.contains("\u{1B}"))
        let garbage = try #require(rejection { () throws(ProbeError) in try parse("\u{1B}]0;x\u{7}\u{202E}") })
        #expect(garbage.text.contains("`?]0;x??`"))
        let long = String(repeating: "n", count: 65)
        #expect(rejection { () throws(ProbeError) in try parse("192.0.2.1 \(long)") } != nil)
        #expect(try parse("192.0.2.1 \(long.dropLast())").first?.name?.count == 64)
        #expect(try parse("192.0.2.1 zürich").first?.name == "zürich")
    }

    @Test func `A missing, a large and an empty file are rejected with the reason`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("peers-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func read(_ bytes: [UInt8]?) throws -> (text: String, code: Int32)? {
            let path = folder.appendingPathComponent("list").path
            if let bytes { try Data(bytes).write(to: URL(filePath: path)) }
            return rejection { () throws(ProbeError) in
                try PeerList.read(path) { _ throws(ValidationError) in }
            }
        }
        #expect(try read(nil)?.code == 7)
        #expect(try read([])?.code == 64)
        #expect(try #require(try read([])).text.contains("lists no peer"))
        #expect(
            try #require(try read(Array(repeating: UInt8(ascii: "#"), count: 1 << 20 + 1))).text.contains("more than"))
        #expect(try read(Array("192.0.2.1\n".utf8)) == nil)
        #expect(try #require(try read([0xFF, 0xFE, 0])).text.contains("line 1"))
        #expect(
            rejection { () throws(ProbeError) in
                try PeerList.read(folder.path) { _ throws(ValidationError) in }
            }?.code == 7)
    }

    @Test func `Sessions to one peer are numbered, and others are not`() throws {
        let peers = PeerList.numbered(try parse("192.0.2.2 a\n192.0.2.3\n192.0.2.2 b\n192.0.2.2"))
        #expect(peers.map(\.number) == [1, nil, 2, 3])
        #expect(peers.map(\.description) == ["a (192.0.2.2) #1", "192.0.2.3", "b (192.0.2.2) #2", "192.0.2.2 #3"])
    }
}

@Suite struct PeerFailuresTests {
    private func failure(_ code: Int32) -> PeerFailures.Failure { .init(text: "failed with \(code)", exitCode: code) }

    @Test func `Without failures there is no error`() {
        #expect(PeerFailures(sessions: [nil, nil]).result == nil)
    }

    @Test func `A single failure is the error`() throws {
        let result = try #require(PeerFailures(sessions: [nil, failure(10)]).result)
        #expect(result.messages.isEmpty && result.error.exitCode == 10)
        #expect("\(result.error)" == "failed with 10")
    }

    @Test(
        arguments: [
            ([10, 2], [], 2), ([10, 10, 2], [], 2), ([2, 10], [4], 4), ([10], [3], 3), ([], [64, 4], 64),
            ([10, 10], [], 10),
        ] as [([Int32], [Int32], Int32)])
    func `The exit code is the worst one's, and the worst are reported first`(
        _ sessions: [Int32], _ unreachable: [Int32], _ worst: Int32
    ) throws {
        let failures = PeerFailures(sessions: sessions.map(failure), unreachable: unreachable.map(failure))
        let result = try #require(failures.result)
        #expect(result.error.exitCode == worst)
        #expect(result.messages.first == "failed with \(worst)")
        #expect(result.messages.count == sessions.count + unreachable.count)
        #expect("\(result.error)" == "\(result.messages.count) of \(result.messages.count) peers failed.")
    }

    @Test func `Many failures are counted, and five of them reported`() throws {
        let result = try #require(
            PeerFailures(sessions: (0..<100).map { $0 < 90 ? failure(2) : nil }, unreachable: [failure(4)]).result)
        #expect(result.messages == ["failed with 4"] + Array(repeating: "failed with 2", count: 4))
        #expect("\(result.error)" == "91 of 101 peers failed, 86 of them are not listed here.")
        #expect(result.error.exitCode == 4)
    }
}
