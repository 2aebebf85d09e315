import Glibc
import LinuxKernel

/// Runs `body` on a separate thread without the given capabilities, and returns the error that it throws.
func errorWithout(
    _ capabilities: Host.Capability..., body: @escaping @Sendable () throws(SystemError) -> Void
) throws -> SystemError? {
    let thread = Background { () throws(SystemError) in
        try discard(capabilities)
        try body()
    }
    if case .failure(let error) = try thread.result() { return error }
    return nil
}

/// Drops capabilities from the calling thread only: capset(2), which Swift's Glibc module does not import.
private func discard(_ capabilities: [Host.Capability]) throws(SystemError) {
    typealias Call = @convention(c) (UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Int32
    // Version 3 of the interface; effective, permitted and inheritable sets in two halves.
    var header: (UInt32, Int32) = (0x2008_0522, 0)
    var sets = (SIMD4<UInt32>(), SIMD2<UInt32>())
    guard let get = dlsym(nil, "capget"), let set = dlsym(nil, "capset"),
        unsafeBitCast(get, to: Call.self)(&header, &sets) == 0
    else { throw SystemError("read the capabilities", code: errno) }
    let mask = ~capabilities.reduce(UInt32(0)) { $0 | 1 << UInt32($1.rawValue) }
    sets.0[0] &= mask
    sets.0[1] &= mask
    guard unsafeBitCast(set, to: Call.self)(&header, &sets) == 0 else {
        throw SystemError("drop capabilities", code: errno)
    }
}
