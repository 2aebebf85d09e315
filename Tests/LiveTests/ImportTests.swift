import Foundation
import Testing

/// Tests that other packages can import the libraries, with the manifest and the program that README.md shows, next to
/// modules of their own.
struct ImportTests {
    private static let checkout = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The Swift code under the heading "## Libraries" of README.md, block by block.
    private func codeBlocks() throws -> [String] {
        let text = try String(contentsOf: Self.checkout.appendingPathComponent("README.md"), encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## Libraries\n").dropFirst().first)
        return section.components(separatedBy: "\n## ")[0].components(separatedBy: "\n```swift\n").dropFirst().map {
            $0.components(separatedBy: "\n```")[0] + "\n"
        }
    }

    private func replacing(_ text: String, _ part: String, _ other: String) throws -> String {
        try #require(text.components(separatedBy: part).count == 2, "\(part) must be in it once:\n\(text)")
        return text.replacingOccurrences(of: part, with: other)
    }

    @Test(.timeLimit(.minutes(3)))
    func `README's program builds and runs in a package with modules named Addresses, Clocks, Kernel and Wire`() throws
    {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("imports\(getpid())")
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ text: String, _ path: String) throws {
            let file = folder.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        let blocks = try codeBlocks()
        try #require(blocks.count == 2, "a manifest and a program")
        let modules = ["Addresses", "Clocks", "Kernel", "Wire"]

        var manifest = try replacing(blocks[0], "\"../probe\"", "\"\(Self.checkout.path)\"")
        let targets = modules.map { ".target(name: \"\($0)\"), " }.joined()
        manifest = try replacing(manifest, "targets: [\n", "targets: [\n\(targets)\n")
        let names = modules.map { "\"\($0)\", " }.joined()
        manifest = try replacing(
            manifest, "            dependencies: [\n", "            dependencies: [\n\(names)\n")
        try write(manifest, "Package.swift")
        for module in modules {
            // Types named as those of the libraries: a module's name tells them apart.
            try write(
                """
                public enum \(module)Module { public static let name = "local \(module)" }
                public struct UDPFrame { public init() {} }

                """, "Sources/\(module)/\(module).swift")
        }
        try write(
            modules.map { "import \($0)\n" }.joined() + blocks[1]
                + modules.map { "print(\($0)Module.name, \($0).UDPFrame.self == STAMPWire.UDPFrame.self)\n" }.joined(),
            "Sources/packet-example/main.swift")

        // What it builds is its own, apart from SwiftPM's cache of the dependencies' repositories.
        let scratch = folder.appendingPathComponent("scratch").path
        let build = ["swift", "build", "--package-path", folder.path, "--scratch-path", scratch]
        try Command.run(build + ["--product", "packet-example", "--disable-index-store"])
        let path = try Command.run(build + ["--show-bin-path"]).trimmingCharacters(in: .whitespacesAndNewlines)
        let lines = try Command.run([path + "/packet-example"]).split(separator: "\n").map(String.init)
        try #require(lines.count == 7, "\(lines)")
        #expect(lines[0] == "probe 1, 192.0.2.1 to 192.0.2.2, 86 bytes")
        let age = try #require(lines[1].firstMatch(of: /sent (-?[0-9]+) ns ago, clock step since then: false/))
        #expect((-1...1_000_000_000).contains(try #require(Int(age.1))), "T1 has a resolution of 0.23 ns")
        let filter = try #require(lines[2].firstMatch(of: /([0-9]+) filter instructions for lo/))
        #expect(try #require(Int(filter.1)) >= 10)
        #expect(lines[3...] == modules.map { "local \($0) false" }[...])
    }
}
