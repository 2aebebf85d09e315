import Foundation
import LinuxKernel
import Report
import Testing

/// Tests the log of a run that is killed.
@Suite(.needsRoot)
struct KillTests {
    /// Probes per second, one lab each. At the low rate rows never fill a buffer: only their age gets them written.
    private static let rates = [50, 50, 500, 500]
    private static let killsPerLab = 5
    /// The age, in nanoseconds, by which a row must be in the file.
    private static let maximumAge: Int64 = 1_500_000_000

    @Test func `Killed after any number of probes, a run leaves a log that ends with a whole line at most 1.5 s old`()
        async throws
    {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (seed, rate) in Self.rates.enumerated() {
                group.addTask {
                    var random = RepeatableRandom(seed: UInt64(seed))
                    // From 0.05 s to 3.5 s of probes: in most runs, rows have reached the maximum age.
                    let frames = (0..<Self.killsPerLab).map { _ in
                        Int.random(in: rate / 20...rate * 7 / 2, using: &random)
                    }
                    try await Lab.with { lab in
                        _ = try await lab.startReflect(.b)
                        for (number, frames) in frames.enumerated() {
                            try await killOnce(lab, rate, after: frames, number)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Kills a run once its interface has sent `frames` more frames, and checks its log.
    private func killOnce(_ lab: Lab, _ rate: Int, after frames: Int, _ number: Int) async throws {
        let log = lab.file("killed-\(number).csv")
        let process = try lab.start(
            .a,
            ["run", "--interface", Lab.interface, "--peer", Lab.ipv4(.b), "--rate", "\(rate)", "--quiet", "--log", log])
        try await process.waitForError("The peer is up")
        let began = ClockID.realtime.now()
        let first = try process.transmittedFrames(Lab.interface)
        try await waitFor("\(frames) frames; standard error: \(process.errors)", within: 20) {
            try process.transmittedFrames(Lab.interface) >= first + frames ? () : nil
        }
        let killed = ClockID.realtime.now()
        process.signal(SIGKILL)
        #expect(try await process.exit() == 128 + SIGKILL)

        // Throws if the last line is cut.
        let rows = try Log(log).rows
        let newest = rows.suffix(20).compactMap(\.transmitApp).max() ?? began
        #expect(
            killed - newest <= Self.maximumAge,
            "at \(rate)/s killed after \(frames) frames, \(killed - began) ns, with \(rows.count) rows")
        if let last = rows.last {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: log))
            #expect(bytes.last == UInt8(ascii: "\n"))
            var written: [UInt8] = []
            var writer = RowWriter()
            writer.append(last, to: &written)
            #expect(bytes.suffix(written.count).elementsEqual(written), "the last line is not a whole row")
        }
    }
}
