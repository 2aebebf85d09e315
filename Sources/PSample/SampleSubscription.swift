import CLinux
import Glibc
import LinuxKernel
import Netlink

/// Receives the kernel's packet samples of one network namespace.
///
///     let subscription = try SampleSubscription(groups: [5])
///     _ = try subscription.receive(until: deadline) { received, missed in
///         … received.sample … received.withData { bytes in … }
///     } event: { event in
///         …
///     }
///
/// Not for concurrent use by two threads. It needs CAP_NET_ADMIN and the kernel module psample. A group belongs to one
/// network namespace and is not received in another. Source: net/psample/psample.c.
public final class SampleSubscription {
    /// The sequence of each group received so far, by group number.
    public private(set) var sequences: [UInt32: GroupSequence] = [:]
    /// Notifications of the selected groups that this socket has dropped, as counted by the kernel.
    public private(set) var dropped: UInt64 = 0

    private let connection: NetlinkConnection
    private let family: GenericFamily
    private let wanted: Set<UInt32>?
    private var lastDrops: UInt32 = 0
    /// Storage reused for every sample.
    private var received = ReceivedSample()

    /// Maximum datagrams that one call of ``receive(until:atMost:_:event:)`` reads, so that the caller gets to its
    /// other work under load.
    public static let batch = 64

    /// Opens a socket and joins both of psample's multicast groups, "config" and "packets".
    ///
    /// - Parameters:
    ///   - groups: the groups whose samples to receive; `nil` for all.
    ///   - namespace: a name that `ip netns list` shows, or the path of a namespace's file; `nil` for the calling
    ///     thread's namespace.
    ///   - receiveBuffer: the size of the receive buffer to request, in bytes; above net.core.rmem_max if permitted.
    /// - Throws: ``NetlinkError`` with code ENOENT if the kernel has no psample support, EPERM without CAP_NET_ADMIN.
    public convenience init(
        groups: Set<UInt32>? = nil, namespace: String? = nil, receiveBuffer: Int = 8 << 20
    ) throws(NetlinkError) {
        let connection = try Self.connection(in: namespace)
        let family = try Self.family(connection)
        do throws(SystemError) {
            _ = try connection.setReceiveBuffer(receiveBuffer)
            if let groups, groups.count <= SampleFilter.limit {
                try connection.attach(SampleFilter.program(family: family.identifier, groups: groups))
            }
            for name in [PSAMPLE_NL_MCGRP_CONFIG_NAME, PSAMPLE_NL_MCGRP_SAMPLE_NAME] {
                if let group = family.groups[name] { try connection.join(group: group) }
            }
        } catch {
            var failure = NetlinkError("subscribe to psample", .socket(error))
            if error.code == EPERM { failure.remedy = "Run as root, or grant CAP_NET_ADMIN with `setcap`." }
            throw failure
        }
        self.init(connection, family, groups: groups)
    }

    package init(_ connection: NetlinkConnection, _ family: GenericFamily, groups: Set<UInt32>?) {
        self.connection = connection
        self.family = family
        wanted = groups
    }

    /// Lists a namespace's groups. No privilege is needed.
    ///
    /// - Throws: ``NetlinkError`` with code ENOENT if the kernel has no psample support.
    public static func groups(namespace: String? = nil) throws(NetlinkError) -> [SampleGroup] {
        try groups(connection(in: namespace))
    }

    package static func groups(_ connection: NetlinkConnection) throws(NetlinkError) -> [SampleGroup] {
        let family = try family(connection)
        let request = MessageWriter(family, command: PSAMPLE_CMD_GET_GROUP.rawValue)
        return try connection.dump("list the sample groups", request) { message throws(NetlinkFormatError) in
            message.type == family.identifier ? try SampleGroup(decoding: message) : nil
        }
    }

    /// Waits for samples and delivers those that have arrived.
    ///
    /// Nothing is allocated per sample. Lost samples and malformed messages are events, not errors: call it again.
    /// - Parameters:
    ///   - deadline: the time to stop waiting, in CLOCK_MONOTONIC nanoseconds.
    ///   - limit: the maximum number of datagrams to read. The kernel sends one sample in each.
    ///   - body: called with each sample of a selected group and the number of samples missed immediately before it.
    ///   - event: called with each other notification.
    /// - Returns: `false` if the deadline passed and nothing arrived.
    /// - Throws: ``NetlinkError`` if the socket fails.
    public func receive(
        until deadline: Int64, atMost limit: Int = batch,
        _ body: (_ received: borrowing ReceivedSample, _ missed: UInt32) -> Void,
        event: (SampleEvent) -> Void
    ) throws(NetlinkError) -> Bool {
        for count in 0..<max(1, min(limit, Self.batch)) {
            do throws(NetlinkError) {
                let deadline = count == 0 ? deadline : 0
                guard let datagram = try connection.receive("receive samples", until: deadline) else {
                    return count > 0
                }
                receive(datagram, body, event)
            } catch {
                switch error.cause {
                case .socket(let cause) where cause.code == ENOBUFS: event(.overrun(lost: updateDropped()))
                case .truncated(let bytes):
                    event(.malformed(.messageLength(bytes, available: NetlinkConnection.bufferLength)))
                default: throw error
                }
            }
        }
        return true
    }

    /// Updates ``dropped`` from the socket's counter.
    ///
    /// - Returns: the increase since the last update.
    @discardableResult
    public func updateDropped() -> UInt32 {
        guard let drops = try? connection.drops() else { return 0 }
        let new = drops &- lastDrops
        lastDrops = drops
        dropped &+= UInt64(new)
        return new
    }

    private func receive(
        _ datagram: NetlinkDatagram, _ body: (borrowing ReceivedSample, UInt32) -> Void, _ event: (SampleEvent) -> Void
    ) {
        var messages = datagram.messages
        while let message = messages.next() {
            guard message.type == family.identifier else { continue }
            do throws(NetlinkFormatError) {
                switch psample_command(UInt32(try message.fixed(as: genlmsghdr.self).cmd)) {
                case PSAMPLE_CMD_SAMPLE:
                    try received.decode(message)
                    handleSample(body)
                case PSAMPLE_CMD_NEW_GROUP:
                    let group = try SampleGroup(decoding: message)
                    guard isWanted(group.number) else { break }
                    if let number = group.number { sequences[number, default: GroupSequence()].restart() }
                    event(.groupAdded(group))
                case PSAMPLE_CMD_DEL_GROUP:
                    let group = try SampleGroup(decoding: message)
                    if isWanted(group.number) { event(.groupRemoved(group)) }
                default: break
                }
            } catch {
                event(.malformed(error))
            }
        }
        if let error = messages.error { event(.malformed(error)) }
    }

    private func handleSample(_ body: (borrowing ReceivedSample, UInt32) -> Void) {
        guard isWanted(received.sample.group) else { return }
        var missed: UInt32 = 0
        if let group = received.sample.group, let sequence = received.sample.sequence {
            missed = sequences[group, default: GroupSequence()].receive(sequence)
        }
        body(received, missed)
    }

    private func isWanted(_ group: UInt32?) -> Bool {
        guard let wanted else { return true }
        return group.map(wanted.contains) ?? false
    }

    private static func connection(in namespace: String?) throws(NetlinkError) -> NetlinkConnection {
        do throws(SystemError) {
            return try NetlinkConnection(protocol: NETLINK_GENERIC, namespace: namespace)
        } catch {
            throw NetlinkError("open a generic netlink socket", .socket(error))
        }
    }

    private static func family(_ connection: NetlinkConnection) throws(NetlinkError) -> GenericFamily {
        do throws(NetlinkError) {
            return try connection.genericFamily(PSAMPLE_GENL_NAME)
        } catch  where error.code == ENOENT {
            var failure = error
            failure.remedy =
                "The kernel has no psample support. Load the module with `modprobe psample` (CONFIG_PSAMPLE)."
            throw failure
        }
    }
}
