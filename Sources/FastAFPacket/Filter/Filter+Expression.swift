import CPcap
import LinuxKernel

/// A filter expression that libpcap refuses: its own message, and where in the expression it went wrong.
public struct FilterError: Error, Hashable, Sendable, CustomStringConvertible {
    public let expression: String
    /// libpcap's words.
    public let message: String
    /// The offending word's offset in the expression, in characters; the expression's length where something is
    /// missing at its end, and 0 where it contradicts itself.
    public let position: Int

    public var description: String {
        let pointer = String(repeating: " ", count: position) + "^"
        return "filter: \(message), at character \(position + 1). pcap-filter(7) has the language.\n"
            + "  \(expression)\n  \(pointer)"
    }
}

extension Filter {
    /// Compiles a pcap-filter(7) expression for Ethernet frames.
    ///
    /// - Throws: ``FilterError`` for an expression that libpcap refuses.
    public init(expression: String) throws(FilterError) {
        switch Self.compile(expression) {
        case .success(let instructions):
            self.init(instructions: instructions)
        case .failure(let failure):
            throw FilterError(
                expression: expression, message: failure.message,
                position: Self.position(ofErrorIn: expression, message: failure.message))
        }
    }

    private struct Rejection: Error { let message: String }

    private static func compile(_ expression: String) -> Result<[Instruction], Rejection> {
        // libpcap would stop reading there, and compile half of what was asked.
        if expression.utf8.contains(0) { return .failure(Rejection(message: "the expression contains a zero byte")) }
        // The longest frame that libpcap knows: what passes the filter is cut to it.
        guard let handle = pcap_open_dead(DLT_EN10MB, 262144) else {
            return .failure(Rejection(message: "libpcap has no memory"))
        }
        defer { pcap_close(handle) }
        var program = bpf_program()
        guard pcap_compile(handle, &program, expression, 1, UInt32(0xffff_ffff)) == 0 else {
            return .failure(Rejection(message: String(cString: pcap_geterr(handle))))
        }
        defer { pcap_freecode(&program) }
        let raw = UnsafeBufferPointer(start: program.bf_insns, count: Int(program.bf_len))
        return .success(raw.map { Instruction(code: $0.code, jumpTrue: $0.jt, jumpFalse: $0.jf, k: $0.k) })
    }

    /// Ways in which a sound beginning of an expression may go on.
    private static let continuations = [
        "", " 1", " ip", " 1.2.3.4", " ::1", " 2:0:0:0:0:1", " 1-2", " host 1.2.3.4", " proto 1", " 0] = 0", " = 0",
        " 1 = 0",
    ]
    /// The optimizer's finding of an expression that is well formed and says two things that cannot both be.
    private static let contradiction = "rejects all packets"

    /// libpcap does not say where it stopped. A word that it quotes is found by itself; otherwise the error is at the
    /// first word after which no continuation compiles.
    private static func position(ofErrorIn expression: String, message: String) -> Int {
        if message.contains(contradiction) { return 0 }
        let words = words(of: expression)
        for word in words where message.contains("'\(word.text)'") || message.contains("\"\(word.text)\"") {
            return word.offset
        }
        var open = 0
        for word in words {
            open += word.text.filter { $0 == "(" }.count - word.text.filter { $0 == ")" }.count
            let closing = String(repeating: ")", count: max(0, open))
            let beginning = String(expression.prefix(word.offset + word.text.count))
            let viable = continuations.contains {
                switch compile(beginning + $0 + closing) {
                case .success: true
                case .failure(let refusal): refusal.message.contains(contradiction)
                }
            }
            if !viable { return word.offset }
        }
        return expression.count
    }

    private static func words(of expression: String) -> [(text: String, offset: Int)] {
        var words: [(text: String, offset: Int)] = []
        var current = ""
        for (offset, character) in expression.enumerated() {
            if !character.isWhitespace {
                current.append(character)
            } else if !current.isEmpty {
                words.append((current, offset - current.count))
                current = ""
            }
        }
        if !current.isEmpty { words.append((current, expression.count - current.count)) }
        return words
    }
}
