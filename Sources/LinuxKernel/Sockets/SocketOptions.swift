import Glibc

extension Descriptor {
    /// Sets a socket option whose value is a plain C type. Source: setsockopt(2).
    public func setOption<Value: BitwiseCopyable>(
        _ operation: StaticString, level: Int32, name: Int32, to value: Value
    ) throws(SystemError) {
        var copy = value
        let result = setsockopt(rawValue, level, name, &copy, socklen_t(MemoryLayout<Value>.size))
        try checkErrno(operation, result)
    }

    /// Reads a socket option into a plain C type, initialised to `initial`. Source: getsockopt(2).
    public func option<Value: BitwiseCopyable>(
        _ operation: StaticString, level: Int32, name: Int32, initial: Value
    ) throws(SystemError) -> Value {
        var value = initial
        var length = socklen_t(MemoryLayout<Value>.size)
        try checkErrno(operation, getsockopt(rawValue, level, name, &value, &length))
        return value
    }

    /// Requests a receive buffer of `bytes`, beyond the system's limit if the process has CAP_NET_ADMIN.
    ///
    /// - Returns: the granted size in bytes, including kernel bookkeeping (the kernel doubles the requested size).
    public func growReceiveBuffer(to bytes: Int32) throws(SystemError) -> Int32 {
        do throws(SystemError) {
            try setOption("force the receive buffer", level: SOL_SOCKET, name: SO_RCVBUFFORCE, to: bytes)
        } catch {
            try setOption("set the receive buffer", level: SOL_SOCKET, name: SO_RCVBUF, to: bytes)
        }
        return try option("read the receive buffer", level: SOL_SOCKET, name: SO_RCVBUF, initial: Int32(0))
    }
}
