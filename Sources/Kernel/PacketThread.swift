import CLinux
import Glibc
import Synchronization

/// A thread of its own for code that paces or waits for packets: named, with the timer slack at its least, pinned to
/// one processor if asked.
///
/// Source: pthreads(7), PR_SET_TIMERSLACK in prctl(2).
public enum PacketThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a thread of its own and suspends the caller until it has returned.
    ///
    /// - Parameters:
    ///   - name: at most 15 bytes, seen in `top -H`.
    ///   - cpu: the processor to pin to; `nil` leaves the process's own set.
    /// - Returns: what `body` returns.
    /// - Throws: ``SystemError`` if the thread can't be made or pinned.
    public static func run<Value: Sendable>(
        named name: String, cpu: Int? = nil, _ body: @escaping @Sendable () -> Value
    ) async throws(SystemError) -> Value {
        let result: Result<Value, SystemError> = await withCheckedContinuation { continuation in
            do throws(SystemError) {
                try start(named: name) {
                    let pinned = cpu.map { cl_pin_thread(Int32(clamping: $0)) } ?? 0
                    if pinned < 0 {
                        let remedy = "Name a processor that `taskset -p $$` lists."
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

    /// Starts a detached thread.
    private static func start(named name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let boxed = Unmanaged.passRetained(
            Body {
                _ = cl_name_thread(String(name.prefix(15)))
                _ = cl_set_timer_slack(1)
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
