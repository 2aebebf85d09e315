import CLinux
import Glibc

/// One instruction of a classic BPF program: struct sock_filter. Source: linux/filter.h.
public struct FilterInstruction: Hashable, Sendable {
    public var code: UInt16
    public var jumpTrue: UInt8
    public var jumpFalse: UInt8
    public var k: UInt32

    /// Creates an instruction. Jumps count from the next instruction.
    public init(code: UInt16, jumpTrue: UInt8 = 0, jumpFalse: UInt8 = 0, k: UInt32) {
        self.code = code
        self.jumpTrue = jumpTrue
        self.jumpFalse = jumpFalse
        self.k = k
    }
}

extension Descriptor {
    /// Sets an option whose value is a classic BPF program. Source: SO_ATTACH_FILTER in socket(7).
    ///
    /// - Throws: ``SystemError`` EINVAL for a program that the kernel rejects (empty, too long, or with a jump out of
    ///   it).
    package func set(
        _ instructions: [FilterInstruction], _ operation: StaticString, level: Int32 = SOL_SOCKET,
        name: Int32 = SO_ATTACH_FILTER
    ) throws(SystemError) {
        guard instructions.count <= UInt16.max else {
            throw SystemError(
                operation, code: EINVAL, remedy: "The kernel accepts at most 4096 instructions; shorten the filter.")
        }
        var program = instructions.map {
            sock_filter(code: $0.code, jt: $0.jumpTrue, jf: $0.jumpFalse, k: $0.k)
        }
        let result = program.withUnsafeMutableBufferPointer { buffer in
            var fprog = sock_fprog(len: UInt16(buffer.count), filter: buffer.baseAddress)
            return setsockopt(rawValue, level, name, &fprog, socklen_t(MemoryLayout<sock_fprog>.size))
        }
        try checkErrno(operation, result)
    }
}
