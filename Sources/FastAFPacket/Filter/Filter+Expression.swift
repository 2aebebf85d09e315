import CPcap
import LinuxKernel

/// A filter expression that libpcap rejects, with libpcap's message and the position of the error.
public struct FilterError: Error, Hashable, Sendable, CustomStringConvertible {
    public let expression: String
    /// libpcap's message.
    public let message: String
    /// The position of the offending word in the expression, in characters; the expression's length if something is
    /// missing at its end, and 0 if the expression contradicts itself.
    public let position: Int

    public var description: String {
        let pointer = String(repeating: " ", count: position) + "^"
        return "filter: \(message), at character \(position + 1). See pcap-filter(7) for the language.\n"
            + "  \(expression)\n  \(pointer)"
    }
}

extension Filter {
    /// Compiles a pcap-filter(7) expression for Ethernet frames.
    ///
    /// - Throws: ``FilterError`` for an expression that libpcap rejects.
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
        // libpcap would stop at the zero byte and compile only what precedes it.
        if expression.utf8.contains(0) { return .failure(Rejection(message: "the expression contains a zero byte")) }
        // The snapshot length, libpcap's maximum: passing frames are cut to it.
        guard let handle = pcap_open_dead(DLT_EN10MB, 262144) else {
            return .failure(Rejection(message: "libpcap could not allocate memory"))
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

    /// Continuations that can complete a valid beginning of an expression.
    private static let continuations = [
        "", " 1", " ip", " 1.2.3.4", " ::1", " 2:0:0:0:0:1", " 1-2", " host 1.2.3.4", " proto 1", " 0] = 0", " = 0",
        " 1 = 0",
    ]
    /// The optimizer's message for a well-formed expression that contradicts itself.
    private static let contradiction = "rejects all packets"

    /// Finds the error, whose position libpcap does not report: the word that the message quotes, or otherwise the
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
