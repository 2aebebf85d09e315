import Testing

/// Tests the command `probe psample`. Samples need psample in the kernel: scripts/lab-test tests them in virtual
/// machines.
@Suite(.serialized, .needsRoot)
struct PSampleCommandTests {
    @Test func `Without psample in the kernel it exits at once and names the remedy`() async throws {
        try await Lab.with { lab in
            for more in [[], ["--list"]] {
                let process = try lab.start(.a, ["psample", "--duration", "1ms"].prefix(more.isEmpty ? 3 : 1) + more)
                let code = try await process.exit()
                if code == 0 {
                    print("this kernel has psample: \(process.output)")
                    #expect(process.output.contains(more.isEmpty ? "0 samples" : "sample group"))
                } else {
                    #expect(code == 1 && process.errors.contains("modprobe psample"), "\(process.errors)")
                    #expect(process.output.isEmpty)
                }
            }
        }
    }
}
