import Glibc
import NetworkAddresses

extension Flow {
    /// Appends the flow as a line in the format of `conntrack -L`, followed by `nsid=7` if it belongs to another
    /// namespace than the listener's.
    ///
    /// Helpers, labels, security contexts and the states of protocols other than TCP are omitted.
    /// - Parameter now: the time to compute the flow's age, in CLOCK_REALTIME nanoseconds.
    func appendText(to bytes: inout ByteText, _ details: FlowWriter.Details, now: Int64) {
        if details.contains(.family) { bytes.append(original.source.isIPv4 ? "ipv4     2 " : "ipv6     10 ") }
        bytes.append(padded: original.transport.name ?? "unknown")
        bytes.append(decimal: UInt64(original.transport.rawValue))
        bytes.append(UInt8(ascii: " "))
        if let timeout {
            bytes.append(decimal: UInt64(timeout))
            bytes.append(UInt8(ascii: " "))
        }
        if let tcpState {
            bytes.append(tcpState.name)
            bytes.append(UInt8(ascii: " "))
        }
        original.appendText(to: &bytes)
        if let originalZone { bytes.append("zone-orig=", UInt64(originalZone)) }
        originalCounters?.appendText(to: &bytes)
        if isUnreplied { bytes.append("[UNREPLIED] ") }
        reply.appendText(to: &bytes)
        if let replyZone { bytes.append("zone-reply=", UInt64(replyZone)) }
        replyCounters?.appendText(to: &bytes)
        appendMark(to: &bytes)
        if let mark { bytes.append("mark=", UInt64(mark)) }
        if let zone { bytes.append("zone=", UInt64(zone)) }
        appendTimes(to: &bytes, details, now)
        if let use { bytes.append("use=", UInt64(use)) }
        if details.contains(.id), let id { bytes.append("id=", UInt64(id)) }
        if let namespaceID {
            bytes.append("nsid=")
            bytes.append(signed: Int64(namespaceID))
            bytes.append(UInt8(ascii: " "))
        }
        // Replaces the space after the last field.
        bytes.next[-1] = UInt8(ascii: "\n")
    }

    private func appendMark(to bytes: inout ByteText) {
        guard let status else { return }
        if status.contains(.hardwareOffloaded) {
            bytes.append("[HW_OFFLOAD] ")
        } else if status.contains(.offloaded) {
            bytes.append("[OFFLOAD] ")
        } else if status.contains(.assured) {
            bytes.append("[ASSURED] ")
        }
    }

    private func appendTimes(to bytes: inout ByteText, _ details: FlowWriter.Details, _ now: Int64) {
        guard let startTime else { return }
        let second: Int64 = 1_000_000_000
        bytes.append("delta-time=")
        bytes.append(signed: (stopTime ?? now) / second - startTime / second)
        bytes.append(UInt8(ascii: " "))
        guard details.contains(.times) else { return }
        bytes.append("[start=", date: startTime)
        if let stopTime { bytes.append("[stop=", date: stopTime) }
    }
}

extension FlowTuple {
    fileprivate func appendText(to bytes: inout ByteText) {
        bytes.append("src=")
        bytes.append(source)
        bytes.append(" dst=")
        bytes.append(destination)
        bytes.append(UInt8(ascii: " "))
        switch selector {
        case .ports(let source, let destination) where transport == .gre:
            bytes.append("srckey=0x")
            bytes.append(hexadecimal: source)
            bytes.append(" dstkey=0x")
            bytes.append(hexadecimal: destination)
            bytes.append(UInt8(ascii: " "))
        case .ports(let source, let destination):
            bytes.append("sport=", UInt64(source))
            bytes.append("dport=", UInt64(destination))
        case .icmp(let type, let code, let identifier):
            bytes.append("type=", UInt64(type))
            bytes.append("code=", UInt64(code))
            bytes.append("id=", UInt64(identifier))
        case .none: break
        }
    }
}

extension Flow.Counters {
    fileprivate func appendText(to bytes: inout ByteText) {
        bytes.append("packets=", packets)
        bytes.append("bytes=", self.bytes)
    }
}

extension ByteText {
    /// Appends `name`, padded to eight characters, and a space.
    fileprivate mutating func append(padded name: StaticString) {
        append(name)
        for _ in name.utf8CodeUnitCount..<max(9, name.utf8CodeUnitCount + 1) { append(UInt8(ascii: " ")) }
    }

    fileprivate mutating func append(_ name: StaticString, _ value: UInt64) {
        append(name)
        append(decimal: value)
        append(UInt8(ascii: " "))
    }

    /// Appends a local date in the format of asctime(3): "Sat Nov 21 19:55:12 2026".
    fileprivate mutating func append(_ name: StaticString, date: Int64) {
        var seconds = time_t(date / 1_000_000_000)
        var parts = tm()
        append(name)
        if localtime_r(&seconds, &parts) != nil {
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
                let length = strftime(text.baseAddress, text.count, "%a %b %e %H:%M:%S %Y", &parts)
                for byte in text[..<length] { append(UInt8(bitPattern: byte)) }
            }
        }
        append("] ")
    }
}
