import Glibc

/// The owner of memory that is shared with the kernel through a descriptor: unmapped exactly once, when the owner goes.
///
/// It keeps what the descriptor names alive, even when the descriptor is closed. Source: mmap(2).
package struct Mapping: ~Copyable, @unchecked Sendable {
    // @unchecked: the memory belongs to the owner and the kernel, and the owner says who of its threads may touch it.
    package let base: UnsafeMutableRawPointer
    package let byteCount: Int

    /// Maps `byteCount` bytes from the descriptor's start, to read and write.
    ///
    /// - Throws: ``SystemError`` with mmap(2)'s errno.
    package init(of descriptor: borrowing Descriptor, byteCount: Int) throws(SystemError) {
        let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.rawValue, 0)
        // MAP_FAILED, a macro that Swift does not see.
        guard let memory, Int(bitPattern: memory) != -1 else {
            throw SystemError("map the ring's memory", code: errno)
        }
        base = memory
        self.byteCount = byteCount
    }

    deinit { munmap(base, byteCount) }
}
