import CLinux
import Glibc
import LinuxKernel
import Synchronization

/// The events of one kind that calls of a connection wait for, and the threads inside such calls.
///
/// Edge-triggered: a pending error queue would make poll(2) return for ever. The socket is watched from the first wait
/// on: until then no packet and no timestamp pays for it, each of which runs a callback of every queue that watches. Source:
/// ep_poll_callback() in fs/eventpoll.c.
struct WaitQueue: ~Copyable, Sendable {
    private let queue: Descriptor
    private let socket: Int32
    private let kind: UInt32
    private let watchesSocket = Atomic<Bool>(false)
    let threads = Atomic<Int>(0)

    /// - Parameters:
    ///   - socket: a number that stays the connection's for as long as there is this queue.
    ///   - kind: CL_EPOLL*.
    init(
        _ socket: Int32, _ kind: UInt32, closing: borrowing EventSignal, nudge: borrowing EventSignal
    ) throws(SystemError) {
        let queue = Descriptor(owning: try check("make an event queue", cl_epoll_create()))
        try check("watch for close", cl_epoll_add_edge(queue.rawValue, closing.descriptor.rawValue, UInt32(CL_EPOLLIN)))
        try check(
            "watch for deadlines", cl_epoll_add_edge(queue.rawValue, nudge.descriptor.rawValue, UInt32(CL_EPOLLIN)))
        self.queue = queue
        self.socket = socket
        self.kind = kind
    }

    /// Blocks until an event, or for `timeout` nanoseconds; below zero for ever.
    ///
    /// - Returns: how many events, or -errno.
    func wait(_ timeout: Int64) -> Int32 {
        if !watchesSocket.load(ordering: .acquiring) {
            // What is there already counts as an event.
            let result = cl_epoll_add_edge(queue.rawValue, socket, kind)
            // Another thread was first.
            if result < 0, result != -EEXIST { return result }
            watchesSocket.store(true, ordering: .releasing)
        }
        return cl_epoll_wait(queue.rawValue, timeout)
    }
}

extension PacketConn {
    /// Runs a call that may wait on `queue`.
    ///
    /// One event wakes one thread, which may leave more behind than it takes. So one that leaves lets the next look.
    func blocking<Value>(
        on queue: borrowing WaitQueue, _ call: () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        queue.threads.wrappingAdd(1, ordering: .sequentiallyConsistent)
        defer {
            if queue.threads.wrappingSubtract(1, ordering: .sequentiallyConsistent).newValue > 0 { nudge.raise() }
        }
        return try call()
    }

    /// Blocks until the queue has seen an event, or the deadline is over.
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
        if isDown.load(ordering: .relaxed) { timeout = timeout < 0 ? Self.downPeriod : min(timeout, Self.downPeriod) }
        let ready = queue.wait(timeout)
        if !isOpen { throw Self.closedError(operation) }
        if ready < 0, ready != -EINTR { throw SystemError(operation, code: -ready) }
    }
}
