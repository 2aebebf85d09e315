import CLinux
import Conntrack
import Netlink
import NetworkAddresses

/// Parses hexadecimal digits; whitespace is ignored.
func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// Decodes each message of a datagram.
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

/// Decodes the flows of a datagram.
func flows(_ datagram: [UInt8]) throws(NetlinkFormatError) -> [Flow] {
    try decodeAll(datagram) { message throws(NetlinkFormatError) in try Flow(message) }
}

/// Decodes the flow of a message.
func flow(_ message: [UInt8]) throws -> Flow {
    let all = try flows(message)
    return all[0]
}

/// Parses an address literal of a test.
func address(_ text: String) -> IPAddress { IPAddress(text)! }

/// Makes a UDP or TCP tuple from ends such as "192.0.2.1:4000" or "[2001:db8::1]:4000".
func tuple(_ transport: TransportProtocol, _ source: String, _ destination: String) -> FlowTuple {
    func end(_ text: String) -> (IPAddress, UInt16) {
        let colon = text.lastIndex(of: ":")!
        let host = text[..<colon].filter { $0 != "[" && $0 != "]" }
        return (address(host), UInt16(text[text.index(after: colon)...])!)
    }
    let (from, to) = (end(source), end(destination))
    return FlowTuple(transport, from: from.0, port: from.1, to: to.0, port: to.1)
}

/// The message with other flags.
func flagged(_ message: [UInt8], _ flags: Int32) -> [UInt8] {
    var copy = message
    copy.replaceSubrange(6..<8, with: withUnsafeBytes(of: UInt16(flags), Array.init))
    return copy
}

/// The message with another type.
func typed(_ message: [UInt8], _ type: UInt16) -> [UInt8] {
    var copy = message
    copy.replaceSubrange(4..<6, with: withUnsafeBytes(of: type, Array.init))
    return copy
}
