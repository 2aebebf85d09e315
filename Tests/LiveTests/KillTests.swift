import Foundation
import LinuxKernel
import Report
import Testing

/// What is left of the log when the probe is killed.
@Suite(.needsRoot)
struct KillTests {
    /// Probes a second. At the slow rate rows fill no buffer: only the time makes them leave.
    private static let rates = [50, 50, 500, 500]
    private static let killsPerLab = 5
    /// A row is at most so old when it is in the file.
    private static let timeout: Int64 = 1_500_000_000

    @Test func `Killed at 20 random moments, the log ends in a whole line at most 1.5 s old each time`() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for rate in Self.rates {
                group.addTask {
                    try await Lab.with { lab in
                        _ = try await lab.startReflect(.b)
                        for number in 0..<Self.killsPerLab { try await killOnce(lab, rate, number) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func killOnce(_ lab: Lab, _ rate: Int, _ number: Int) async throws {
        let log = lab.file("killed-\(number).csv")
        let process = try lab.start(
            .a,
            ["run", "--interface", Lab.interface, "--peer", Lab.ipv4(.b), "--rate", "\(rate)", "--quiet", "--log", log])
        try await process.waitForError("The peer answers")
        let began = ClockID.realtime.now()
        // The moment is what is tested: most are late enough for rows to have grown too old.
        let moment = Int64.random(in: 50_000_000...3_500_000_000)
        try await Task.sleep(for: .nanoseconds(moment))
        let killed = ClockID.realtime.now()
        process.signal(SIGKILL)
        #expect(try await process.exit() == 128 + SIGKILL)

        // A cut last line would be an error.
        let rows = try Log(log).rows
        let newest = rows.suffix(20).compactMap(\.transmitApp).max() ?? began
        #expect(
            killed - newest <= Self.timeout, "at \(rate)/s killed after \(killed - began) ns with \(rows.count) rows")
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
