import Foundation
import LinuxKernel
import Synchronization
import Testing

/// A call on a separate thread, so that a test can see that the call waits, and never hangs with it.
final class Background<Value: Sendable, Failure: Error>: Sendable {
    private let task = Mutex<String?>(nil)
    private let outcome = Mutex<Result<Value, Failure>?>(nil)
    private let finished = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () throws(Failure) -> Value) {
        Thread.detachNewThread { [self] in
            task.withLock { $0 = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self") }
            let result: Result<Value, Failure>
            do throws(Failure) { result = .success(try body()) } catch { result = .failure(error) }
            outcome.withLock { $0 = result }
            finished.signal()
        }
    }

    /// Returns once the thread waits in epoll_pwait2(2) or ppoll(2).
    func untilBlocked() throws {
        let end = soon()
        while ClockID.monotonic.now() < end {
            if let task = task.withLock({ $0 }),
                let call = try? String(contentsOfFile: "/proc/\(task)/syscall", encoding: .utf8),
                let number = call.split(separator: " ").first, ["441", "271", "73"].contains(number)
            {
                return
            }
            usleep(200)
        }
        Issue.record("the call does not wait")
    }

    /// The call's result, waiting up to `seconds` for it.
    func result(within seconds: Double = 5) throws -> Result<Value, Failure> {
        let isFinished = finished.wait(timeout: .now() + seconds) == .success
        return try #require(isFinished ? outcome.withLock { $0 } : nil, "the call still waits")
    }

}

extension Background where Failure == SystemError {
    /// The errno of the error that the call threw; `nil` if it threw none.
    func errorCode(within seconds: Double = 5) throws -> Int32? {
        if case .failure(let error) = try result(within: seconds) { error.code } else { nil }
    }
}

/// Returns whether `condition` becomes true within five seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    let end = soon()
    while ClockID.monotonic.now() < end {
        if condition() { return true }
        usleep(1000)
    }
    return false
}

/// The error that `body` throws; `nil` if it throws none.
func failure(_ body: () throws(SystemError) -> Void) -> SystemError? {
    do throws(SystemError) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// The errno of the error that `body` throws; `nil` if it throws none.
func errorCode(_ body: () throws(SystemError) -> Void) -> Int32? { failure(body)?.code }
