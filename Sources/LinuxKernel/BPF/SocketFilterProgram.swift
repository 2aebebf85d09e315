import CLinux
import Glibc

/// A loaded eBPF program of type socket filter. It lives as long as this owner or a socket holds it.
///
/// Needs root or CAP_BPF if `kernel.unprivileged_bpf_disabled` is set, as on most systems. Source: bpf(2).
public struct SocketFilterProgram: ~Copyable, Sendable {
    /// One instruction: struct bpf_insn. Source: Documentation/bpf/standardization/instruction-set.rst.
    public struct Instruction: Hashable, Sendable, BitwiseCopyable {
        public var code: UInt8
        /// The destination register in the low four bits, the source register in the high four.
        public var registers: UInt8
        public var offset: Int16
        public var immediate: Int32

        public init(code: UInt8, destination: UInt8 = 0, source: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0) {
            self.code = code
            registers = destination & 15 | source << 4
            self.offset = offset
            self.immediate = immediate
        }
    }

    package let descriptor: Descriptor

    /// Takes ownership of the descriptor of a program that is already loaded.
    public init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Loads a program.
    ///
    /// - Throws: ``SystemError``: EPERM without CAP_BPF; EINVAL or EACCES for a program that the verifier rejects, with
    ///   its last message as the remedy; ENOSYS on a kernel without bpf(2).
    public init(_ instructions: [Instruction]) throws(SystemError) {
        var log = [UInt8](repeating: 0, count: 16384)
        let result = instructions.withUnsafeBytes { code in
            log.withUnsafeMutableBytes { log in
                cl_bpf_load_socket_filter(
                    code.baseAddress, UInt32(instructions.count), log.baseAddress, UInt32(log.count))
            }
        }
        guard result >= 0 else { throw Self.failure(-result, log) }
        descriptor = Descriptor(owning: result)
    }

    private static func failure(_ code: Int32, _ log: [UInt8]) -> SystemError {
        let error = SystemError("load the eBPF program", code: code)
        if code == EPERM {
            return error.advising(
                "Loading needs CAP_BPF: run as root, or use `setcap cap_bpf,cap_net_raw+ep` on the executable.")
        }
        // The last line of the log is the verifier's statistics; the one before it gives the reason.
        let lines = String(decoding: log.prefix { $0 != 0 }, as: UTF8.self).split(separator: "\n")
        let last = lines.last { !$0.hasPrefix("processed ") }
        return last.map { error.advising("The verifier reports: \($0)") } ?? error
    }
}
