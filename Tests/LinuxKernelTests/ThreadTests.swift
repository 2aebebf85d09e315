import Foundation
import Synchronization
import Testing

@testable import LinuxKernel

@Suite struct EventSignalTests {
    @Test func `a raised signal stays raised until it is cleared`() throws {
        let signal = try EventSignal()
        #expect(try !signal.descriptor.waitForInput(timeout: 0))
        signal.raise()
        signal.raise()
        #expect(try signal.descriptor.waitForInput(timeout: 0))
        #expect(try signal.descriptor.waitForInput(timeout: 0))
        signal.clear()
        #expect(try !signal.descriptor.waitForInput(timeout: 0))
    }

    @Test func `clearing a signal that is not raised has no effect`() throws {
        let signal = try EventSignal()
        signal.clear()
        signal.raise()
        #expect(try signal.descriptor.waitForInput(timeout: 0))
    }

    @Test func `a signal raised by another thread ends the wait`() throws {
        let signal = SharedSignal(try EventSignal())
        // Not a task: the wait blocks a thread of the pool that would run it.
        Thread.detachNewThread { signal.value.raise() }
        #expect(try signal.value.descriptor.waitForInput(timeout: 10_000_000_000))
    }

    @Test func `a wait without input ends after its timeout`() throws {
        let signal = try EventSignal()
        let start = ClockID.monotonic.now()
        #expect(try !signal.descriptor.waitForInput(timeout: 5_000_000))
        #expect(ClockID.monotonic.now() - start >= 5_000_000)
    }

    private final class SharedSignal: Sendable {
        let value: EventSignal
        init(_ value: consuming EventSignal) { self.value = value }
    }
}

/// Returns a file of the calling thread in /proc.
private func file(_ name: String) -> String {
    (try? String(contentsOfFile: "/proc/thread-self/\(name)", encoding: .utf8)) ?? ""
}

/// Returns the processors that the calling thread may use, such as "0-3,8".
private func allowedProcessors() -> String {
    let line = file("status").split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") } ?? ""
    return line.drop { !$0.isNumber }.description
}

@Suite struct PacketThreadTests {
    @Test func `the body runs on a separate thread, and the caller resumes after it`() async throws {
        let caller = file("stat")
        let seen = Mutex("")
        try await PacketThread.run(named: "body") {
            let stat = file("stat")
            seen.withLock { $0 = stat }
        }
        // The line starts with the thread's id.
        let number = seen.withLock { $0.prefix { $0 != " " } }
        #expect(!number.isEmpty)
        #expect(number != caller.prefix { $0 != " " })
    }

    @Test func `the thread has its name, truncated to 15 bytes`() async throws {
        let name = Mutex("")
        try await PacketThread.run(named: "a-name-of-more-than-fifteen") {
            let text = file("comm")
            name.withLock { $0 = text }
        }
        #expect(name.withLock { $0 } == "a-name-of-more-\n")
    }

    @Test func `a pinned thread stays on its processor`() async throws {
        let all = allowedProcessors()
        let cpu = try #require(Int(all.prefix { $0.isNumber }))
        let pinned = Mutex("")
        try await PacketThread.run(named: "pinned", cpu: cpu) {
            let allowed = allowedProcessors()
            pinned.withLock { $0 = allowed }
        }
        #expect(pinned.withLock { $0 } == "\(cpu)")
        #expect(allowedProcessors() == all)
    }

    @Test(arguments: [-1, 1023, 4096, .max, .min])
    func `a processor that does not exist throws EINVAL, and the body does not run`(cpu: Int) async {
        let ran = Atomic<Bool>(false)
        let error = await #expect(throws: SystemError.self) {
            try await PacketThread.run(named: "nowhere", cpu: cpu) { ran.store(true, ordering: .relaxed) }
        }
        #expect(error?.code == EINVAL)
        #expect(error?.remedy?.contains("taskset") == true)
        #expect(ran.load(ordering: .relaxed) == false)
    }
}
