import CLinux
import Glibc
import LinuxKernel
import Netlink

/// Listens to the kernel's packet samples of one network namespace.
///
///     let subscription = try SampleSubscription(groups: [5])
///     _ = try subscription.receive(until: deadline) { received, missed in
///         … received.sample … received.withData { bytes in … }
///     } event: { event in
///         …
///     }
///
/// For one thread at a time. Needs CAP_NET_ADMIN, and the kernel's module psample. Groups belong to a network namespace:
/// who listens in another one hears nothing. Source: net/psample/psample.c.
public final class SampleSubscription {
    /// The numbers of each group that was heard of, and what is missing in them.
    public private(set) var sequences: [UInt32: GroupSequence] = [:]
    /// Notifications of the wanted groups that this socket has lost, by its own count.
    public private(set) var dropped: UInt64 = 0

    private let connection: NetlinkConnection
    private let family: GenericFamily
    private let wanted: Set<UInt32>?
    private var lastDrops: UInt32 = 0
    /// The one place into which all samples are decoded.
    private var received = ReceivedSample()

    /// What one call of ``receive(until:_:)`` takes at most: a flood must not keep its caller from its other work.
    public static let batch = 64

    /// Opens a socket and joins both of psample's multicast groups, "config" and "packets".
    ///
    /// - Parameters:
    ///   - groups: the groups whose samples are wanted; `nil` for all.
    ///   - namespace: a name that `ip netns list` shows, or the path of a namespace's file; `nil` for the thread's own.
    ///   - receiveBuffer: bytes to ask for, past the system's limit where the process may.
    /// - Throws: ``NetlinkError``: ENOENT where the kernel has no psample, EPERM without CAP_NET_ADMIN.
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

    /// The groups that the kernel has in a namespace. Anybody may ask.
    ///
    /// - Throws: ``NetlinkError`` with ENOENT as its code where the kernel has no psample.
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

    /// Waits for samples and gives what has come: one, or several at once.
    ///
    /// Nothing is allocated for a sample. That samples were lost, or that a message can't be read, is an event and no
    /// error: the next call goes on.
    /// - Parameters:
    ///   - deadline: CLOCK_MONOTONIC, nanoseconds.
    ///   - limit: datagrams to take at most. The kernel puts one sample into each.
    ///   - body: gets each sample of a wanted group, and how many of its group's before it have not come so far.
    ///   - event: gets what else there is to tell.
    /// - Returns: `false` when the time is over and nothing has come.
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
                case .socket(let cause) where cause.code == ENOBUFS: event(.overrun(lost: newDrops()))
                case .truncated(let bytes):
                    event(.malformed(.messageLength(bytes, available: NetlinkConnection.bufferLength)))
                default: throw error
                }
            }
        }
        return true
    }

    /// Brings ``dropped`` up to date.
    ///
    /// - Returns: what came to it.
    @discardableResult
    public func newDrops() -> UInt32 {
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
                    takeSample(body)
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

    private func takeSample(_ body: (borrowing ReceivedSample, UInt32) -> Void) {
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
            failure.remedy = "The kernel has no packet sampling: `modprobe psample` loads it (CONFIG_PSAMPLE)."
            throw failure
        }
    }
}
