import Addresses
import FastAFPacket
import Foundation
import Kernel
import Testing

/// That the articles' examples are those which are compiled here.
struct ArticleTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let catalog = root.appendingPathComponent("Sources/FastAFPacket/FastAFPacket.docc")

    static let articles: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: catalog.path)) ?? []).filter { $0.hasSuffix(".md") }
        .sorted()

    /// The fenced Swift examples of an article: its lines without their indentation.
    private static func examples(in text: String) -> [[String]] {
        var (examples, current) = ([[String]](), [String]?.none)
        for line in lines(of: text) {
            if let open = current {
                if line == "```" { examples.append(open) }
                current = line == "```" ? nil : open + [line]
            } else if line == "```swift" {
                current = []
            }
        }
        return examples
    }

    private static func lines(of text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private static func read(_ url: URL) throws -> String { try String(contentsOf: url, encoding: .utf8) }

    @Test("Every example of an article is compiled, line by line", arguments: articles)
    func compiled(article: String) throws {
        let examples = Self.examples(in: try Self.read(Self.catalog.appendingPathComponent(article)))
        let url = Self.root.appendingPathComponent("Tests/FastAFPacketTests/ArticleExamples.swift")
        let compiled = Self.lines(of: try Self.read(url))
        #expect(!examples.isEmpty)
        for example in examples {
            let starts = compiled.indices.filter { compiled[$0...].starts(with: example) }
            #expect(!example.isEmpty && !starts.isEmpty, "\(example.joined(separator: "\n"))")
        }
    }

    @Test("The landing page names every article")
    func named() throws {
        let landing = try Self.read(Self.catalog.appendingPathComponent("FastAFPacket.md"))
        #expect(Self.articles.count > 1)
        for article in Self.articles where article != "FastAFPacket.md" {
            #expect(landing.contains("<doc:\(article.dropLast(3))>"), "\(article)")
        }
    }
}

/// That they do what the articles say.
@Suite(.needsRoot, .vethPair)
struct LiveArticleTests {
    /// What an example returns that waits for a frame: it gets one from the right.
    private func answer<Value>(_ waiter: Background<Value, SystemError>) throws -> Value {
        try waiter.untilBlocked()
        try VethPair.current.listen(.right).sendFrames([1], from: .right, etherType: 0x0800)
        return try waiter.result().get()
    }

    @Test("The first example opens eth0, and says so where there is none")
    func landing() throws {
        let pair = try VethPair.current
        let open = { () throws(SystemError) in
            let interface = try pair.enter(.left) { () throws(SystemError) in try ArticleExamples.landing() }
            #expect(interface?.name == "eth0")
        }
        #expect(errorCode(open) == ENODEV)
        let name = VethPair.interfaceName
        try pair.ip(.left, "link set \(name) down")
        try pair.ip(.left, "link set \(name) name eth0")
        try pair.ip(.left, "link set eth0 up")
        #expect(errorCode(open) == nil)
    }

    @Test("Receiving with stamps")
    func receiving() throws {
        let pair = try VethPair.current
        let waiter = Background { () throws(SystemError) in
            try pair.enter(.left) { () throws(SystemError) in
                try ArticleExamples.receivingWithStamps(interface: Interface(named: VethPair.interfaceName))
            }
        }
        #expect(try answer(waiter) == 60)
    }

    @Test("Sending with transmit stamps")
    func sending() throws {
        let (account, reconciliation) = try VethPair.current.enter(.left) { () throws(SystemError) in
            try ArticleExamples.sendingWithTransmitStamps(
                interface: Interface(named: VethPair.interfaceName), frame: frame())
        }
        #expect(account.sched[.stamped] == 1 && account.software[.stamped] == 1 && account.isBalanced)
        #expect(reconciliation.counted == nil && reconciliation.unexplained == 0)
    }

    @Test("Batches")
    func batches() throws {
        let pair = try VethPair.current
        let peer = try pair.listen(.right)
        let bytes = try pair.enter(.left) { () throws(SystemError) in
            try ArticleExamples.batches(interface: Interface(named: VethPair.interfaceName), frame: frame()) {
                () throws(SystemError) in
                #expect(try peer.receiveNumbers(64).count == 64)
                try peer.sendFrames([1, 2, 3], from: .right, etherType: 0x0800)
            }
        }
        #expect(bytes == 180)
    }

    @Test("Filters")
    func filters() throws {
        let interface = try VethPair.current.interface(.left)
        let result = try VethPair.current.enter(.left) { () throws(SystemError) in
            Result { try ArticleExamples.filters(interface: interface) }
        }
        try result.get()
    }

    @Test("UDP without privileges")
    func udp() throws {
        let pair = try VethPair.current
        let right = try pair.interface(.right)
        let peer = try pair.enter(.right) { () throws(SystemError) in
            try PacketConn.listenUDP(on: SocketAddress(.v4(0x0A09_0802), port: 0), interface: right)
        }
        let address = try #require(peer.localSocketAddress)
        let waiter = Background { () throws(SystemError) in
            try pair.enter(.left) { () throws(SystemError) in
                try ArticleExamples.udp(interface: Interface(named: VethPair.interfaceName), peer: address)
            }
        }
        var buffer = [UInt8](repeating: 0, count: 64)
        peer.setReadDeadline(monotonic: soon())
        let (count, packet) = try peer.receive(into: &buffer)
        #expect(count == 3)
        try peer.writeTo([4, 5], destination: #require(packet.source), id: 1)
        #expect(try waiter.result().get() == 2)
    }

    @Test("Coming from fast_afpacket")
    func fastAFPacket() throws {
        let pair = try VethPair.current
        let filter = try Filter(expression: "ether[12:2] = 0x0800")
        let waiter = Background { () throws(SystemError) in
            try pair.enter(.left) { () throws(SystemError) in
                try ArticleExamples.comingFromFastAFPacket(
                    interface: Interface(named: VethPair.interfaceName), filter: filter, frame: frame())
            }
        }
        let (id, count) = try answer(waiter)
        #expect(id == 7 && count == 60)
    }
}
