import FastAFPacket
import Glibc
import LinuxKernel
import Testing

struct FilterTests {
    @Test("libpcap's programs end in returns, and an empty expression accepts every frame")
    func compiles() throws {
        let program = try Filter(expression: "udp port 862").instructions
        #expect(program.count > 4 && program.contains { $0.k == 862 })
        // BPF_RET | BPF_K
        #expect(program.suffix(2).allSatisfy { $0.code == 0x06 } && program.last?.k == 0)
        let all = try Filter(expression: "").instructions
        #expect(all.count == 1 && all[0].code == 0x06 && all[0].k >= 65_536)
        #expect(try Filter(expression: "udp port 862") == Filter(expression: "udp  port 862"))
        #expect(Filter.dropAll.instructions == [Filter.Instruction(code: 0x06, k: 0)])
    }

    struct Bad: CustomTestStringConvertible {
        var expression: String
        /// A part of libpcap's message.
        var message: String
        /// The offending word, or "" for the end of the expression.
        var word: String
        var testDescription: String { expression }
    }

    static let bad = [
        Bad(expression: "udp prot 862", message: "syntax error", word: "prot"),
        Bad(expression: "udp port", message: "syntax error", word: ""),
        Bad(expression: "udp and", message: "syntax error", word: ""),
        Bad(expression: "and udp", message: "syntax error", word: "and"),
        Bad(expression: "udp port 99999", message: "illegal port number", word: "99999"),
        Bad(expression: "udp port 862 or or tcp", message: "syntax error", word: "or tcp"),
        Bad(expression: "(udp port 862", message: "syntax error", word: ""),
        Bad(expression: "udp port 862)", message: "syntax error", word: "862)"),
        Bad(expression: "ether[14:3] = 1", message: "data size must be 1, 2, or 4", word: "ether[14:3]"),
        Bad(expression: "ip host 10.0.0.300", message: "", word: "10.0.0.300"),
        Bad(expression: "  udp   prot 862", message: "syntax error", word: "prot"),
        Bad(expression: "ip proto 17 and ip6 net fd00::/129", message: "mask length", word: "fd00::/129"),
        Bad(expression: "udp and ip6 host fe80::1::2", message: "", word: "fe80::1::2"),
        Bad(expression: "ether host 02:00:00:00:00:01:02:03:04 or ip", message: "", word: "02:00"),
        Bad(expression: "udp portrange 5-99999", message: "", word: "5-99999"),
        Bad(expression: "udp and not", message: "syntax error", word: ""),
        Bad(expression: "len >", message: "syntax error", word: ""),
        Bad(expression: "ip and arp", message: "rejects all packets", word: "ip and arp"),
    ]

    @Test("An invalid expression gives libpcap's message and the position of the error", arguments: bad)
    func errors(bad: Bad) throws {
        let error = try #require(throws: FilterError.self) { _ = try Filter(expression: bad.expression) }
        #expect(error.message.contains(bad.message))
        let text = Array(bad.expression)
        let expected =
            bad.word.isEmpty
            ? text.count : text.indices.first { String(text[$0...]).hasPrefix(bad.word) } ?? -1
        #expect(error.position == expected, "\(error)")
        let lines = "\(error)".split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 3 && lines[1] == "  \(bad.expression)")
        #expect(lines[2].count == expected + 3 && lines[2].last == "^")
    }

    @Test("A zero byte does not hide the rest of an expression")
    func zeroByte() throws {
        let error = try #require(throws: FilterError.self) { _ = try Filter(expression: "udp\0 nonsense") }
        #expect(error.message.contains("zero byte"))
    }

    @Test(
        "Very long or malformed expressions throw",
        arguments: [
            String(repeating: "(", count: 3000), String(repeating: "x", count: 100_000), "[", "]", "'", "\"", "\\",
            "é 😀", "- - -", "ip[",
        ])
    func hostile(expression: String) {
        #expect(throws: FilterError.self) { _ = try Filter(expression: expression) }
    }

    @Test("The kernel rejects an empty program, one that is too long, and one that jumps past its end")
    func rejected() throws {
        let socket = try Descriptor(socket: AF_INET, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        let accept = Filter.Instruction(code: 0x06, k: .max)
        let nothing = Filter.Instruction(code: 0x04, k: 0)
        func code(_ instructions: [Filter.Instruction]) -> Int32? {
            do throws(SystemError) {
                try socket.attach(Filter(instructions: instructions))
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code([]) == EINVAL)
        #expect(code([nothing]) == EINVAL)
        #expect(code([Filter.Instruction(code: 0x05, k: 5), accept]) == EINVAL)
        #expect(code([nothing] + [accept]) == nil)
        #expect(code([Filter.Instruction](repeating: nothing, count: 4095) + [accept]) == nil)
        #expect(code([Filter.Instruction](repeating: nothing, count: 4096) + [accept]) == EINVAL)
        #expect(code([Filter.Instruction](repeating: nothing, count: 70_000) + [accept]) == EINVAL)
    }
}
