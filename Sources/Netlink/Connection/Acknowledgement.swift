import CLinux

/// The result in an NLMSG_ERROR or NLMSG_DONE: success, or an errno with the kernel's explanation.
///
/// Source: Documentation/userspace-api/netlink/intro.rst of the kernel, "Extended ACK".
struct Acknowledgement {
    /// 0 for success, otherwise a positive errno.
    var code: Int32 = 0
    var text: String?
    var offset: Int?
    var missingAttribute: UInt32?

    init(_ message: NetlinkMessage) throws(NetlinkFormatError) {
        let isError = Int32(message.type) == NLMSG_ERROR
        // NLMSG_DONE of families that never fail has no errno.
        if !isError, message.payload.isEmpty { return }
        let result = try message.fixed(as: Int32.self)
        code = result == .min ? .max : abs(result)
        // A malformed explanation must not hide the errno, so its errors are ignored and its valid part is kept.
        guard message.hasFlag(NLM_F_ACK_TLVS) else { return }
        var start = MemoryLayout<Int32>.size
        if isError {
            // The kernel echoes the request before the attributes: all of it, or only its header (NLM_F_CAPPED).
            guard let request = (try? message.fixed(as: nlmsgerr.self))?.msg else { return }
            let echoed = message.hasFlag(NLM_F_CAPPED) ? NetlinkMessage.headerLength : Int(request.nlmsg_len)
            guard echoed >= NetlinkMessage.headerLength, echoed <= message.payload.count - start else { return }
            start += netlinkAligned(echoed)
        }
        var reader = message.attributes(from: start)
        while reader.next() {
            switch UInt32(reader.type) {
            case NLMSGERR_ATTR_MSG.rawValue: text = reader.string()
            case NLMSGERR_ATTR_OFFS.rawValue: offset = reader.integer(as: UInt32.self).map(Int.init)
            case NLMSGERR_ATTR_MISS_TYPE.rawValue: missingAttribute = reader.integer(as: UInt32.self)
            default: break
            }
        }
    }

    /// The failure as an error; `nil` for success.
    func error(_ operation: StaticString) -> NetlinkError? {
        guard code != 0 else { return nil }
        var error = NetlinkError(operation, .refused(code))
        error.kernelMessage = text
        error.offset = offset
        error.missingAttribute = missingAttribute
        return error
    }
}
