import FastAFPacket
import Foundation
import LinuxKernel
import NetworkAddresses
import Testing

/// Checks that the articles' examples are the compiled ones.
struct ArticleTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let catalog = root.appendingPathComponent("Sources/FastAFPacket/FastAFPacket.docc")

    static let articles: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: catalog.path)) ?? []).filter { $0.hasSuffix(".md") }
        .sorted()

    /// The fenced Swift examples of an article, as lines without indentation.
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

    @Test("The landing page lists every public type")
    func listed() throws {
        let landing = Self.lines(of: try Self.read(Self.catalog.appendingPathComponent("FastAFPacket.md")))
        let sources = Self.catalog.deletingLastPathComponent()
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var types: [String] = []
        for case let url as URL in files where url.pathExtension == "swift" {
            // Nested types and members of extensions are on their types' pages.
            for line in try Self.read(url).split(separator: "\n") where line.hasPrefix("public ") {
                let words = line.split { " :<".contains($0) }
                guard
                    let kind = words.firstIndex(where: { ["class", "struct", "enum", "protocol", "func"].contains($0) })
                else { continue }
                types.append(String(words[kind + 1]))
            }
        }
        #expect(types.count > 20)
        for type in types { #expect(landing.contains("- ``\(type)``"), "\(type)") }
    }
}

/// Checks that the examples do what the articles say.
@Suite(.needsRoot, .vethPair)
struct LiveArticleTests {
    /// The result of an example that waits for a frame: sends one from the right.
    private func answer<Value>(_ waiter: Background<Value, SystemError>) throws -> Value {
        try waiter.untilBlocked()
        try VethPair.current.listen(.right).sendFrames([1], from: .right, etherType: 0x0800)
        return try waiter.result().get()
    }

    @Test("The first example opens eth0, and throws if there is none")
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

    @Test("Receiving with timestamps")
    func receiving() throws {
        let pair = try VethPair.current
        let waiter = Background { () throws(SystemError) in
            try pair.enter(.left) { () throws(SystemError) in
                try ArticleExamples.receivingWithStamps(interface: Interface(named: VethPair.interfaceName))
            }
        }
        #expect(try answer(waiter) == 60)
    }

    @Test("Sending with transmit timestamps")
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

    /// The result of an example that runs on the right, with a connection on the left that sends to it.
    private func onRight<Value>(_ example: (Interface, PacketConn) throws -> Value) throws -> Value {
        let pair = try VethPair.current
        let sender = try pair.listen(.left, etherType: 0x0800)
        let interface = try pair.interface(.right)
        return try pair.enter(.right) { () throws(SystemError) in Result { try example(interface, sender) } }.get()
    }

    @Test("Rings")
    func rings() throws {
        let found = try onRight { interface, sender in
            try ArticleExamples.rings(interface: interface) { (count) throws(SystemError) in
                let frame = udpFrame(port: 862, payload: [1, 2, 3])
                // The tag follows the addresses.
                let tagged = frame[..<12] + [0x81, 0, 0, 7] + frame[12...]
                for _ in 0..<count {
                    try sender.writeTo(udpFrame(port: 863, payload: [0]), id: 0)
                    try sender.writeTo(Array(tagged), id: 0)
                }
            }
        }
        #expect(found.tagged > 0)
        #expect(found.last.capturedLength == 40 && found.last.length == 49 && found.last.vlanTag == 7)
        #expect(found.reader.packets <= 5 && found.reader.packets >= 4 && found.kernel.packets == 5)
    }

    @Test("Coming from gopacket")
    func gopacket() throws {
        let pair = try VethPair.current
        let waiter = Background { () throws(any Error) in
            try pair.enter(.right) { () throws(SystemError) in
                let interface = try Interface(named: VethPair.interfaceName)
                return Result { try ArticleExamples.comingFromGopacket(interface: interface) }
            }.get()
        }
        try waiter.untilBlocked()
        let sender = try pair.listen(.left, etherType: 0x0800)
        for _ in 0..<100 { try sender.writeTo(udpFrame(port: 862, payload: [1]), id: 0) }
        #expect(try waiter.result().get() == 100)
    }

    @Test("Fanout: rings share flows, and a filter chooses among connections")
    func fanout() throws {
        let shares = try onRight { interface, sender in
            try ArticleExamples.fanout(interface: interface) { () throws(SystemError) in
                for port in 1000..<1040 as Range<UInt16> {
                    try sender.writeTo(udpFrame(port: port, payload: [1]), id: 0)
                }
            }
        }
        #expect(shares.reduce(0, +) == 40 && shares.allSatisfy { $0 > 0 }, "\(shares)")
        let chosen = try onRight { interface, sender in
            try ArticleExamples.fanoutFilter(interface: interface) { () throws(SystemError) in
                for port in [1000, 1001, 1002, 1004] as [UInt16] {
                    try sender.writeTo(udpFrame(port: port, payload: [1]), id: 0)
                }
            }
        }
        #expect(chosen == [3, 1])
    }

    @Test("Options: promiscuous while open, and a warning if the buffer is not granted")
    func options() throws {
        let pair = try VethPair.current
        let isPromiscuous = { () -> Bool in
            let flags = try? pair.output(.left, ["cat", "/sys/class/net/\(VethPair.interfaceName)/flags"])
            return flags.flatMap { Int($0.dropFirst(2).dropLast(), radix: 16) }.map { $0 & 0x100 != 0 } ?? false
        }
        let interface = try pair.interface(.left)
        let warnings = try pair.enter(.left) { () throws(SystemError) in
            try ArticleExamples.options(interface: interface) { #expect(isPromiscuous()) }
        }
        #expect(warnings.isEmpty && !isPromiscuous())
        let error = try pair.enter(.left) { () throws(SystemError) in
            Result {
                try errorWithout(.networkAdministration) { () throws(SystemError) in
                    let warnings = try ArticleExamples.options(interface: interface) {}
                    #expect(warnings.count == 1)
                }
            }
        }.get()
        #expect(error == nil)
    }

    @Test("Network namespaces")
    func networkNamespace() throws {
        let pair = try VethPair.current
        let index = try ArticleExamples.networkNamespace(pair.namespace(.right), name: VethPair.interfaceName)
        #expect(try index == pair.interface(.right).index)
    }

    @Test("Launch times, and a bound clock that the NIC does not have")
    func launchTimes() throws {
        let pair = try VethPair.current
        let peer = try pair.listen(.right)
        let stamped = try pair.enter(.left) { () throws(SystemError) in
            let interface = try Interface(named: VethPair.interfaceName)
            ArticleExamples.boundClock(interface: interface)
            return try ArticleExamples.launchTimes(interface: interface, frame: frame())
        }
        #expect(stamped == [9])
        #expect(try peer.receiveNumbers(10).count == 10)
    }
}
