import CLinux
import Glibc
import Kernel

/// A classic BPF program for a socket. Source: SO_ATTACH_FILTER in socket(7), linux/filter.h.
public struct Filter: Hashable, Sendable {
    /// One instruction: struct sock_filter.
    public struct Instruction: Hashable, Sendable {
        public var code: UInt16
        public var jumpTrue: UInt8
        public var jumpFalse: UInt8
        public var k: UInt32

        public init(code: UInt16, jumpTrue: UInt8 = 0, jumpFalse: UInt8 = 0, k: UInt32) {
            self.code = code
            self.jumpTrue = jumpTrue
            self.jumpFalse = jumpFalse
            self.k = k
        }
    }

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
        try set(filter, "attach the filter", level: SOL_SOCKET, name: SO_ATTACH_FILTER)
    }

    /// Sets an option that takes a classic BPF program.
    func set(_ filter: Filter, _ operation: StaticString, level: Int32, name: Int32) throws(SystemError) {
        guard filter.instructions.count <= UInt16.max else {
            throw SystemError(operation, code: EINVAL, remedy: "The kernel takes at most 4096 instructions.")
        }
        var program = filter.instructions.map {
            sock_filter(code: $0.code, jt: $0.jumpTrue, jf: $0.jumpFalse, k: $0.k)
        }
        let result = program.withUnsafeMutableBufferPointer { buffer in
            var fprog = sock_fprog(len: UInt16(buffer.count), filter: buffer.baseAddress)
            return setsockopt(rawValue, level, name, &fprog, socklen_t(MemoryLayout<sock_fprog>.size))
        }
        try checkErrno(operation, result)
    }
}
