import Testing

@testable import probe

@Suite struct RunOutputsTests {
    private func rejects(_ paths: String?...) -> Bool {
        do {
            try RunOutputs.refuseSame(paths)
            return false
        } catch {
            return error.exitCode == 64
        }
    }

    @Test func `One file for two outputs is rejected, however its path is written`() {
        #expect(rejects("a.csv", "a.csv.json", "a.csv"))
        #expect(rejects("a.csv", "a.csv.json", "a.csv.json"))
        #expect(rejects("./a.csv", "x/../a.csv"))
        #expect(rejects("/tmp//a.csv", "/tmp/./a.csv"))
        #expect(rejects("../a.csv", "./../a.csv"))
    }

    @Test func `Different paths are accepted`() {
        #expect(!rejects("a.csv", "a.csv.json", "a-histogram.csv"))
        #expect(!rejects("/a.csv", "a.csv", nil, nil))
        #expect(!rejects("../a.csv", "../../a.csv"))
        #expect(!rejects(nil, nil, "a.csv"))
    }
}
