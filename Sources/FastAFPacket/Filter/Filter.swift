import CLinux
import Glibc
import LinuxKernel

/// A classic BPF program for a socket. Source: SO_ATTACH_FILTER in socket(7), linux/filter.h.
public struct Filter: Hashable, Sendable {
    /// One instruction: struct sock_filter.
    public typealias Instruction = FilterInstruction

    public var instructions: [Instruction]

    public init(instructions: [Instruction]) { self.instructions = instructions }

    /// A filter that drops everything, for a socket that only reserves a port.
    public static let dropAll = Filter(instructions: [Instruction(code: UInt16(BPF_RET | BPF_K), k: 0)])
}

extension Descriptor {
    /// Replaces the socket's filter with `filter`.
    ///
    /// - Throws: `SystemError` EINVAL for a program that the kernel rejects (empty, too long, or with a jump past its
    ///   end).
    package func attach(_ filter: Filter) throws(SystemError) {
        try set(filter.instructions, "attach the filter")
    }
}
