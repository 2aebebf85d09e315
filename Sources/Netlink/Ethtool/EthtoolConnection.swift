import CLinux
import Glibc
import LinuxKernel

/// A connection to the kernel's ethtool family, for an interface's timestamping capabilities, counters and
/// configuration.
///
/// Source: Documentation/networking/ethtool-netlink.rst, net/ethtool/tsinfo.c, net/ethtool/tsconfig.c.
public final class EthtoolConnection {
    private let connection: NetlinkConnection
    private let family: GenericFamily

    /// Opens a connection in the calling thread's network namespace, or in another one.
    ///
    /// - Throws: ``NetlinkError`` with code ENOENT if the kernel lacks the family (before 5.6).
    public convenience init(namespace: String? = nil) throws(NetlinkError) {
        let connection: NetlinkConnection
        do throws(SystemError) {
            connection = try NetlinkConnection(protocol: NETLINK_GENERIC, namespace: namespace)
        } catch {
            throw NetlinkError("open a generic netlink socket", .socket(error))
        }
        try self.init(connection)
    }

    package init(_ connection: NetlinkConnection) throws(NetlinkError) {
        self.connection = connection
        family = try connection.genericFamily(ETHTOOL_GENL_NAME)
    }

    /// Reads the interface's advertised timestamping capabilities, and the driver's counters if it keeps any
    /// (Linux 6.10).
    ///
    /// No privilege is needed. Source: ETHTOOL_MSG_TSINFO_GET.
    /// - Throws: ``NetlinkError`` with code ENODEV if the interface does not exist.
    public func stampingInformation(of interfaceIndex: Int32) throws(NetlinkError) -> StampingInformation {
        let operation: StaticString = "read the timestamping capabilities"
        let statistics = Flags.compactBitsets | Flags.statistics
        do throws(NetlinkError) {
            return try information(operation, request(ETHTOOL_MSG_TSINFO_GET, interfaceIndex, statistics))
        } catch  where [EINVAL, EOPNOTSUPP].contains(error.code) {
            // Kernels before 6.10 reject the statistics flag for this command.
            return try information(
                operation, request(ETHTOOL_MSG_TSINFO_GET, interfaceIndex, Flags.compactBitsets))
        }
    }

    private func information(
        _ operation: StaticString, _ message: MessageWriter
    ) throws(NetlinkError) -> StampingInformation {
        try single(operation, message) { message throws(NetlinkFormatError) in try StampingInformation(message) }
    }

    /// Reads the NIC's timestamping configuration. No privilege is needed.
    ///
    /// Source: ETHTOOL_MSG_TSCONFIG_GET, Linux 6.14.
    /// - Throws: ``NetlinkError`` with code EOPNOTSUPP if the kernel or the driver does not support it.
    public func stampingConfiguration(of interfaceIndex: Int32) throws(NetlinkError) -> StampingConfiguration {
        let message = request(Int(CL_ETHTOOL_MSG_TSCONFIG_GET), interfaceIndex, Flags.compactBitsets)
        return try single("read the timestamping configuration", message) { message throws(NetlinkFormatError) in
            try StampingConfiguration(message)
        }
    }

    /// Sets the NIC's timestamping configuration. It affects every user of the NIC, so restore it afterwards. Needs
    /// CAP_NET_ADMIN.
    ///
    /// Source: ETHTOOL_MSG_TSCONFIG_SET, Linux 6.14.
    /// - Returns: the configuration that the driver applied, which may timestamp more than requested.
    public func setStampingConfiguration(
        _ configuration: StampingConfiguration, of interfaceIndex: Int32
    ) throws(NetlinkError) -> StampingConfiguration {
        var message = request(Int(CL_ETHTOOL_MSG_TSCONFIG_SET), interfaceIndex, Flags.compactBitsets)
        configuration.put(into: &message.attributes)
        return try single("set the timestamping configuration", message) { message throws(NetlinkFormatError) in
            try StampingConfiguration(message)
        }
    }

    private enum Flags {
        static let compactBitsets = UInt32(ETHTOOL_FLAG_COMPACT_BITSETS)
        static let statistics = UInt32(ETHTOOL_FLAG_STATS)
    }

    private func request(_ command: Int, _ interfaceIndex: Int32, _ flags: UInt32) -> MessageWriter {
        var message = MessageWriter(family, command: command)
        // The header is attribute 1 of every request and reply of the family.
        message.attributes.putNested(UInt16(CL_ETHTOOL_A_TSCONFIG_HEADER)) { header in
            header.put(UInt16(ETHTOOL_A_HEADER_DEV_INDEX), interfaceIndex)
            header.put(UInt16(ETHTOOL_A_HEADER_FLAGS), flags)
        }
        return message
    }

    private func single<Reply>(
        _ operation: StaticString, _ message: MessageWriter, _ decode: NetlinkConnection.Decoder<Reply>
    ) throws(NetlinkError) -> Reply {
        let identifier = family.identifier
        let replies = try connection.request(operation, message) { message throws(NetlinkFormatError) -> Reply? in
            message.type == identifier ? try decode(message) : nil
        }
        guard let reply = replies.first else { throw NetlinkError(operation, .empty) }
        return reply
    }
}
