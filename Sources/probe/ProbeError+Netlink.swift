import Netlink

extension ProbeError {
    /// An error from netlink: `noPrivilege` for a missing capability, `internalFault` otherwise.
    init(_ error: NetlinkError) {
        self =
            [ErrorCode.notPermitted, ErrorCode.accessDenied].contains(error.code)
            ? .noPrivilege("\(error)") : .internalFault("\(error)")
    }

    /// Runs a netlink operation.
    static func netlink<Result: ~Copyable>(
        _ body: () throws(NetlinkError) -> Result
    ) throws(ProbeError) -> Result {
        do throws(NetlinkError) {
            return try body()
        } catch {
            throw ProbeError(error)
        }
    }
}
