import Testing

@testable import probe

@Suite struct RunOutputsTests {
    private func refuses(_ paths: String?...) -> Bool {
        do {
            try RunOutputs.refuseSame(paths)
            return false
        } catch {
            return error.exitCode == 64
        }
    }

    @Test func `one file for two things is refused, however it is written`() {
        #expect(refuses("a.csv", "a.csv.json", "a.csv"))
        #expect(refuses("a.csv", "a.csv.json", "a.csv.json"))
        #expect(refuses("./a.csv", "x/../a.csv"))
        #expect(refuses("/tmp//a.csv", "/tmp/./a.csv"))
        #expect(refuses("../a.csv", "./../a.csv"))
    }

    @Test func `names of their local are taken`() {
        #expect(!refuses("a.csv", "a.csv.json", "a-histogram.csv"))
        #expect(!refuses("/a.csv", "a.csv", nil, nil))
        #expect(!refuses("../a.csv", "../../a.csv"))
        #expect(!refuses(nil, nil, "a.csv"))
    }
}
