import Glibc
import Testing

@testable import LinuxKernel

/// Programs that the kernel loads or refuses.
@Suite(.enabled(if: getuid() == 0, "needs root, or CAP_BPF: bpf(2)"))
struct SocketFilterProgramTests {
    private typealias Instruction = SocketFilterProgram.Instruction

    /// r0 = 7; exit.
    private let sound = [Instruction(code: 0xB7, immediate: 7), Instruction(code: 0x95)]

    @Test func `a sound program is loaded, and let go of with its owner`() throws {
        let number: Int32
        do {
            let program = try SocketFilterProgram(sound)
            number = program.descriptor.rawValue
            #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
        }
        // Unless another test has opened something meanwhile.
        var path = [CChar](repeating: 0, count: 64)
        let length = readlink("/proc/self/fd/\(number)", &path, 63)
        let target = String(decoding: path.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(!target.contains("bpf-prog"))
    }

    @Test func `a program that the verifier refuses brings its words`() throws {
        // Reads r3, which nobody has written; and ends without an exit.
        for code in [[Instruction(code: 0xBF, source: 3), Instruction(code: 0x95)], [Instruction(code: 0xB7)]] {
            let error = try #require(throws: SystemError.self) { _ = try SocketFilterProgram(code) }
            #expect(error.code == EACCES || error.code == EINVAL)
            #expect(error.remedy?.contains("verifier says") == true, "\(error)")
        }
    }

    @Test func `no instructions, and too many, are refused`() {
        #expect(throws: SystemError.self) { _ = try SocketFilterProgram([]) }
        let endless = [Instruction](repeating: Instruction(code: 0xB7), count: 1_100_000)
        #expect(throws: SystemError.self) { _ = try SocketFilterProgram(endless) }
    }

    @Test func `registers stand in four bits each`() {
        #expect(Instruction(code: 0, destination: 6, source: 1).registers == 0x16)
        #expect(MemoryLayout<SocketFilterProgram.Instruction>.size == 8)
    }
}
