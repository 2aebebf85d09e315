import Testing

/// `probe psample` as a process. Samples themselves need psample in the kernel: the lab has one.
@Suite(.serialized, .needsRoot)
struct PSampleCommandTests {
    @Test func `Without psample in the kernel it ends at once and tells what to do`() async throws {
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
