import CLinux
import Glibc
import LinuxKernel
import Synchronization

/// The events of one kind that calls on a connection wait for, and the threads inside such calls.
///
/// Edge-triggered: with a pending error queue poll(2) would always return at once. The socket is added at the first
/// wait. Until then no packet or timestamp pays the cost of the queue's callback. Source: ep_poll_callback() in
/// fs/eventpoll.c.
struct WaitQueue: ~Copyable, Sendable {
    private let queue: Descriptor
    private let socket: Int32
    private let kind: UInt32
    private let watchesSocket = Atomic<Bool>(false)
    let threads = Atomic<Int>(0)

    /// - Parameters:
    ///   - socket: a descriptor that the connection keeps for the queue's lifetime.
    ///   - kind: CL_EPOLL*.
    init(
        _ socket: Int32, _ kind: UInt32, closing: borrowing EventSignal, wakeUp: borrowing EventSignal
    ) throws(SystemError) {
        let queue = Descriptor(owning: try check("create an event queue", cl_epoll_create()))
        try check("watch for close", cl_epoll_add_edge(queue.rawValue, closing.descriptor.rawValue, UInt32(CL_EPOLLIN)))
        try check(
            "watch for deadlines", cl_epoll_add_edge(queue.rawValue, wakeUp.descriptor.rawValue, UInt32(CL_EPOLLIN)))
        self.queue = queue
        self.socket = socket
        self.kind = kind
    }

    /// Blocks until an event, or for `timeout` nanoseconds; a negative value waits indefinitely.
    ///
    /// - Returns: the number of events, or -errno.
    func wait(_ timeout: Int64) -> Int32 {
        if !watchesSocket.load(ordering: .acquiring) {
            // A condition that already holds counts as an event.
            let result = cl_epoll_add_edge(queue.rawValue, socket, kind)
            // Another thread added the socket first.
            if result < 0, result != -EEXIST { return result }
            watchesSocket.store(true, ordering: .releasing)
        }
        return cl_epoll_wait(queue.rawValue, timeout)
    }
}

extension PacketConn {
    /// Runs a call that may wait on `queue`.
    ///
    /// One event wakes one thread, which may leave events unhandled. A thread that leaves therefore wakes the next.
    func blocking<Value>(
        on queue: borrowing WaitQueue, _ call: () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        queue.threads.wrappingAdd(1, ordering: .sequentiallyConsistent)
        defer {
            if queue.threads.wrappingSubtract(1, ordering: .sequentiallyConsistent).newValue > 0 { wakeUp.raise() }
        }
        return try call()
    }

    /// Blocks until the queue has seen an event or the deadline has passed.
    ///
    /// - Throws: ETIMEDOUT after the deadline, EBADF once closed.
    func wait(
        _ operation: StaticString, _ queue: borrowing WaitQueue, deadline: borrowing Atomic<Int64>
    ) throws(SystemError) {
        if !isOpen { throw Self.closedError(operation) }
        let end = deadline.load(ordering: .acquiring)
        var timeout: Int64 = -1
        if end != .max {
            let now = ClockID.monotonic.now()
            if end <= now { throw SystemError(operation, code: ETIMEDOUT) }
            timeout = end - now
        }
        if isDown.load(ordering: .relaxed) {
            timeout = timeout < 0 ? Self.downPollIntervalNanoseconds : min(timeout, Self.downPollIntervalNanoseconds)
        }
        let ready = queue.wait(timeout)
        if !isOpen { throw Self.closedError(operation) }
        if ready < 0, ready != -EINTR { throw SystemError(operation, code: -ready) }
    }
}
