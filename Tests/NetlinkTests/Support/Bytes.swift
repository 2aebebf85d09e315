import CLinux

@testable import Netlink

/// Parses hexadecimal digits; whitespace is ignored.
func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// Decodes each message of a datagram; throws the reader's error.
func decodeAll<Value>(
    _ datagram: [UInt8], _ decode: (NetlinkMessage) throws(NetlinkFormatError) -> Value?
) throws(NetlinkFormatError) -> [Value] {
    let result: Result<[Value], NetlinkFormatError> = datagram.withUnsafeBytes { raw in
        do throws(NetlinkFormatError) {
            var values: [Value] = []
            var reader = MessageReader(raw)
            while let message = reader.next() {
                if let value = try decode(message) { values.append(value) }
            }
            if let error = reader.error { throw error }
            return .success(values)
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}

/// Calls `body` with the reader at each attribute, and returns the reader's error.
func walk(
    _ attributes: [UInt8], order: ByteOrder = .host, _ body: (inout AttributeReader) -> Void
) -> NetlinkFormatError? {
    attributes.withUnsafeBytes { raw in
        var reader = AttributeReader(raw, order: order)
        while reader.next() { body(&reader) }
        return reader.error
    }
}

/// The bytes of a message with the given payload.
func message(
    type: Int32, flags: Int32 = 0, sequence: UInt32, portID: UInt32 = ScriptedKernel.portID, payload: [UInt8] = []
) -> [UInt8] {
    let header = nlmsghdr(
        nlmsg_len: UInt32(16 + payload.count), nlmsg_type: UInt16(type), nlmsg_flags: UInt16(flags),
        nlmsg_seq: sequence, nlmsg_pid: portID)
    var bytes = withUnsafeBytes(of: header, Array.init) + payload
    while bytes.count % 4 != 0 { bytes.append(0) }
    return bytes
}

/// The bytes of a number in host byte order.
func native<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value, Array.init) }
