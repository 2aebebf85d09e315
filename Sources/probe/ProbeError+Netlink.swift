import Netlink

extension ProbeError {
    /// An error of the kernel's answers: what a missing capability, or anything else, makes of the exit code.
    init(_ error: NetlinkError) {
        self =
            [ErrorCode.notPermitted, ErrorCode.accessDenied].contains(error.code)
            ? .noPrivilege("\(error)") : .internalFault("\(error)")
    }

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
