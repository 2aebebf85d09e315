import Glibc
import Testing

@testable import LinuxKernel

/// Programs that the kernel loads or rejects.
@Suite(.enabled(if: getuid() == 0, "needs root, or CAP_BPF: bpf(2)"))
struct SocketFilterProgramTests {
    private typealias Instruction = SocketFilterProgram.Instruction

    /// r0 = 7; exit.
    private let valid = [Instruction(code: 0xB7, immediate: 7), Instruction(code: 0x95)]

    @Test func `a valid program is loaded, and unloaded with its owner`() throws {
        let number: Int32
        do {
            let program = try SocketFilterProgram(valid)
            number = program.descriptor.rawValue
            #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
        }
        // Another test may have opened a file under this number meanwhile.
        var path = [CChar](repeating: 0, count: 64)
        let length = readlink("/proc/self/fd/\(number)", &path, 63)
        let target = String(decoding: path.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(!target.contains("bpf-prog"))
    }

    @Test func `a rejected program throws the verifier's message`() throws {
        // One reads r3, which is uninitialised; the other lacks an exit.
        for code in [[Instruction(code: 0xBF, source: 3), Instruction(code: 0x95)], [Instruction(code: 0xB7)]] {
            let error = try #require(throws: SystemError.self) { _ = try SocketFilterProgram(code) }
            #expect(error.code == EACCES || error.code == EINVAL)
            #expect(error.remedy?.contains("verifier reports") == true, "\(error)")
        }
    }

    @Test func `an empty program and an oversized one are rejected`() {
        #expect(throws: SystemError.self) { _ = try SocketFilterProgram([]) }
        let endless = [Instruction](repeating: Instruction(code: 0xB7), count: 1_100_000)
        #expect(throws: SystemError.self) { _ = try SocketFilterProgram(endless) }
    }

    @Test func `an instruction has four bits for each register`() {
        #expect(Instruction(code: 0, destination: 6, source: 1).registers == 0x16)
        #expect(MemoryLayout<SocketFilterProgram.Instruction>.size == 8)
    }
}
