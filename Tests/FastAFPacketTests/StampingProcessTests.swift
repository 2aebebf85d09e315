import Foundation
import LinuxKernel
import Synchronization
import Testing

@testable import FastAFPacket

/// Users of a NIC's timestamping in several processes, or that start and end at once.
struct StampingProcessTests {
    /// The directory and the NIC of a test with child processes, which only know their parent's process id.
    private static func shared(_ test: String, parent: pid_t) -> (path: String, nic: FileNIC) {
        let path = "/tmp/probe-stamping-\(parent)-\(test)"
        return (path, FileNIC(path: path + ".nic"))
    }

    private static func acquire(_ path: String, _ nic: FileNIC) -> StampingLease {
        StampingLease.acquire(
            StampingLeaseTests.all, device: nic.device,
            place: .success(StampingState.Place(directory: path, namespace: 7, index: 3)))
    }

    /// Becomes a user in a child process, and ends with SIGKILL.
    private static func acquireAndDie(_ test: String) {
        let (path, nic) = shared(test, parent: getppid())
        let lease = acquire(path, nic)
        guard lease.stamping == .switchedOn(StampingLeaseTests.allOn, previous: .off), lease.obstacle == nil else {
            exit(1)
        }
        kill(getpid(), SIGKILL)
    }

    @Test("When one of two processes is killed, the other one restores the NIC")
    func killedBeside() async throws {
        let (path, nic) = Self.shared("beside", parent: getpid())
        let directory = StampingDirectory(path)
        defer { try? FileManager.default.removeItem(atPath: nic.path) }
        try #require(nic.set(.off))
        let lease = Self.acquire(path, nic)
        await #expect(processExitsWith: .signal(SIGKILL)) { Self.acquireAndDie("beside") }
        #expect(nic.now == StampingLeaseTests.allOn)
        lease.release(to: nic.device)
        #expect(nic.now == .off && directory.files.isEmpty)
    }

    @Test("After the only process was killed, the next one restores the NIC")
    func killedAlone() async throws {
        let (path, nic) = Self.shared("alone", parent: getpid())
        let directory = StampingDirectory(path)
        defer { try? FileManager.default.removeItem(atPath: nic.path) }
        try #require(nic.set(.off))
        await #expect(processExitsWith: .signal(SIGKILL)) { Self.acquireAndDie("alone") }
        #expect(nic.now == StampingLeaseTests.allOn && directory.files == ["nic-7-3"])
        let lease = Self.acquire(path, nic)
        #expect(lease.stamping == .switchedOn(StampingLeaseTests.allOn, previous: .off))
        lease.release(to: nic.device)
        #expect(nic.now == .off && directory.files.isEmpty)
    }

    @Test(
        "Users that start and end at once always have timestamping on, and the last one restores it", arguments: 0..<4)
    func race(seed: UInt64) throws {
        let nic = SimulatedNIC()
        let directory = StampingDirectory()
        let place = directory.place
        // Users that found timestamping off during their use, and rounds in which it was restored.
        let failures = Atomic<Int>(0)
        let threads = (0..<6).map { number in
            Background { () -> Void in
                var random = SeededGenerator(seed: seed << 8 | UInt64(number))
                for _ in 0..<200 {
                    let lease = StampingLease.acquire(
                        StampingLeaseTests.all, device: nic.device, place: .success(place))
                    let isRight =
                        lease.stamping == .switchedOn(StampingLeaseTests.allOn, previous: .off)
                        && lease.obstacle == nil
                    for _ in 0..<Int.random(in: 1...20, using: &random) {
                        if !isRight || nic.now != StampingLeaseTests.allOn {
                            failures.wrappingAdd(1, ordering: .relaxed)
                        }
                    }
                    // Some are killed.
                    if Int.random(in: 0..<8, using: &random) > 0 { lease.release(to: nic.device) }
                }
            }
        }
        for thread in threads { _ = try thread.result(within: 60) }
        #expect(failures.load(ordering: .relaxed) == 0, "seed \(seed)")
        // The last ones may have been killed.
        StampingLease.acquire(StampingLeaseTests.all, device: nic.device, place: .success(place))
            .release(to: nic.device)
        #expect(nic.now == .off && directory.files.isEmpty, "seed \(seed)")
        let rounds = (0..<nic.written.count / 2).flatMap { _ in [StampingLeaseTests.allOn, .off] }
        #expect(nic.written == rounds && !rounds.isEmpty, "seed \(seed)")
    }
}
