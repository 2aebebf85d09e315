import Glibc

/// The owner of memory shared with the kernel through a descriptor, which unmaps it exactly once, at the end of its
/// lifetime.
///
/// The mapping outlives the descriptor and keeps the underlying object alive. Source: mmap(2).
package struct Mapping: ~Copyable, @unchecked Sendable {
    // @unchecked: the memory belongs to the owner and the kernel; the owner decides which of its threads may access it.
    package let base: UnsafeMutableRawPointer
    package let byteCount: Int

    /// Maps `byteCount` bytes from the start of the descriptor's object, for reading and writing.
    ///
    /// - Throws: ``SystemError`` with mmap(2)'s errno.
    package init(of descriptor: borrowing Descriptor, byteCount: Int) throws(SystemError) {
        let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.rawValue, 0)
        // MAP_FAILED is a macro that Swift does not import.
        guard let memory, Int(bitPattern: memory) != -1 else {
            throw SystemError("map the ring", code: errno)
        }
        base = memory
        self.byteCount = byteCount
    }

    deinit { munmap(base, byteCount) }
}
