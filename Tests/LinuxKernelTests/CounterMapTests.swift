import Glibc
import Testing

@testable import LinuxKernel

/// Numbers shared with an eBPF program.
@Suite(.enabled(if: getuid() == 0, "needs root, or CAP_BPF: bpf(2)"))
struct CounterMapTests {
    @Test func `numbers are zero until written`() throws {
        let map = try CounterMap(count: 3)
        #expect(try (0..<3).map { try map.value(at: $0) } == [0, 0, 0])
        try map.set(.max, at: 2)
        try map.set(7, at: 0)
        #expect(try (0..<3).map { try map.value(at: $0) } == [7, 0, .max])
        #expect(fcntl(map.descriptor.rawValue, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test func `an empty map and an index past the end are errors`() throws {
        #expect(throws: SystemError.self) { _ = try CounterMap(count: 0) }
        let map = try CounterMap(count: 1)
        let error = #expect(throws: SystemError.self) { _ = try map.value(at: 1) }
        #expect(error?.code == ENOENT)
        #expect(throws: SystemError.self) { try map.set(1, at: 1) }
    }
}
