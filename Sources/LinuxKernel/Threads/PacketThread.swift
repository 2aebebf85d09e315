import CLinux
import Glibc
import Synchronization

/// A dedicated thread for code that sends on a schedule or waits for packets: named, with the smallest timer slack, and
/// optionally pinned to one processor.
///
/// Source: pthreads(7), PR_SET_TIMERSLACK in prctl(2).
public enum PacketThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a dedicated thread and suspends the caller until it returns.
    ///
    /// - Parameters:
    ///   - name: the thread's name, at most 15 bytes, as `top -H` shows it.
    ///   - cpu: the processor to pin the thread to; `nil` keeps the process's affinity.
    ///   - isUrgent: true to run as soon as the thread wakes, before threads that work in the background.
    /// - Returns: the result of `body`.
    /// - Throws: ``SystemError`` if the thread can't be created or pinned.
    public static func run<Value: Sendable>(
        named name: String, cpu: Int? = nil, isUrgent: Bool = false, _ body: @escaping @Sendable () -> Value
    ) async throws(SystemError) -> Value {
        let result: Result<Value, SystemError> = await withCheckedContinuation { continuation in
            do throws(SystemError) {
                try start(named: name, isUrgent: isUrgent) {
                    let pinned = cpu.map { cl_pin_thread(Int32(clamping: $0)) } ?? 0
                    if pinned < 0 {
                        let remedy = "Choose a processor that `taskset -cp $$` lists."
                        let error = SystemError("pin the thread", code: -pinned, remedy: remedy)
                        return continuation.resume(returning: .failure(error))
                    }
                    continuation.resume(returning: .success(body()))
                }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    /// The shortest slice that the kernel accepts, in nanoseconds. Source: sched_setattr(2), __setparam_fair() in
    /// kernel/sched.
    private static let shortestSlice: UInt64 = 100_000

    /// Starts a detached thread.
    private static func start(named name: String, isUrgent: Bool, _ body: @escaping @Sendable () -> Void)
        throws(SystemError)
    {
        let boxed = Unmanaged.passRetained(
            Body {
                _ = cl_name_thread(String(name.prefix(15)))
                _ = cl_set_timer_slack(1)
                // A thread with short slices gets the processor as soon as it wakes (Linux 6.12); it never runs long.
                if isUrgent { _ = cl_set_slice(shortestSlice) }
                body()
            })
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, boxed.toOpaque())
        pthread_attr_destroy(&attributes)
        if code != 0 {
            boxed.release()
            throw SystemError("start a thread", code: code)
        }
    }
}
