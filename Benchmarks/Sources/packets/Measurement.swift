import Glibc
import LinuxKernel

/// The thread's use of time for a number of packets after the warm-up.
struct Measurement {
    private let options: Options
    private var first = 0
    private var started: Int64 = 0
    private var packets = 0
    private var duration: Int64 = 0
    private var cpu: Int64 = 0
    /// Nanoseconds during which the thread was runnable while its CPU ran another thread.
    private var waited: Int64 = 0
    private(set) var isRunning = false

    init(_ options: Options) { self.options = options }

    /// Records progress after each batch, with all packets so far. Returns false once there are enough.
    mutating func continues(after total: Int) -> Bool {
        guard isRunning else {
            if total < options.warmUp { return true }
            isRunning = true
            first = total
            waited = Self.timeWaited()
            started = ClockID.monotonic.now()
            cpu = ClockID.threadCPU.now()
            return true
        }
        packets = total - first
        if packets < options.packets { return true }
        duration = ClockID.monotonic.now() - started
        cpu = ClockID.threadCPU.now() - cpu
        waited = Self.timeWaited() - waited
        return false
    }

    /// The nanoseconds waited for a CPU; 0 if the kernel does not record them. Source: /proc/[pid]/schedstat in
    /// Documentation/scheduler/sched-stats.rst.
    private static func timeWaited() -> Int64 {
        let file = Descriptor(owning: open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC))
        var bytes = [UInt8](repeating: 0, count: 128)
        let length = read(file.rawValue, &bytes, bytes.count)
        let fields = String(decoding: bytes.prefix(max(0, length)), as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? Int64(fields[1]) ?? 0 : 0
    }

    /// Prints the line of results.
    ///
    /// - Parameters:
    ///   - sum: a sum over the values read, so that the compiler cannot skip reading them.
    ///   - rest: further members.
    func report(sum: UInt64, _ rest: KeyValuePairs<StaticString, Int>) {
        // Piece by piece: a string's allocations would grow with the numbers in it.
        print("{\"packets\":", packets, separator: "", terminator: "")
        print(",\"duration_ns\":", duration, separator: "", terminator: "")
        print(",\"cpu_ns\":", cpu, separator: "", terminator: "")
        print(",\"waited_ns\":", waited, separator: "", terminator: "")
        print(",\"sum\":", sum, separator: "", terminator: "")
        for (name, value) in rest { print(",\"", name, "\":", value, separator: "", terminator: "") }
        print("}")
    }
}
