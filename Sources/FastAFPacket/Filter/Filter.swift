import CLinux
import Glibc
import LinuxKernel

/// A classic BPF program for a socket. Source: SO_ATTACH_FILTER in socket(7), linux/filter.h.
public struct Filter: Hashable, Sendable {
    /// One instruction: struct sock_filter.
    public typealias Instruction = FilterInstruction

    public var instructions: [Instruction]

    public init(instructions: [Instruction]) { self.instructions = instructions }

    /// Lets nothing through: for a socket that only holds a port.
    public static let dropAll = Filter(instructions: [Instruction(code: UInt16(BPF_RET | BPF_K), k: 0)])
}

extension Descriptor {
    /// Puts `filter` on the socket, in the place of any other.
    ///
    /// - Throws: `SystemError` EINVAL for a program that the kernel refuses (empty, too long, a jump out of it).
    package func attach(_ filter: Filter) throws(SystemError) {
        try set(filter.instructions, "attach the filter")
    }
}
