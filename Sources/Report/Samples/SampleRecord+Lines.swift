extension SampleRecord {
    /// The sample as one line of text.
    public func text() -> String {
        var line = timestampText(timestamp ?? received)
        func add(_ text: String) { line += "  " + text }
        if let group { add("group \(group)") }
        if let sequence { add("seq \(sequence)") }
        if missed > 0 { add("(\(missed) missed)") }
        if let rate { add(Self.rateText(rate, isProbability: isProbability)) }
        if let input { add("in \(input)") }
        if let output { add("out \(output)") }
        add(originalSize.map { "\(capturedSize) of \($0) B" } ?? "\(capturedSize) B")
        if let latency { add("latency \(exactDurationText(Int64(clamping: latency)))") }
        if let trafficClass { add("tc \(trafficClass)") }
        if let occupancy { add("occupancy \(occupancy) B") }
        if let cookie { add("cookie \(hexadecimalText(cookie))") }
        if let tunnel {
            add("tunnel " + JSONValue.object(tunnel).compact)
        }
        if let stamp {
            let number = stamp.kind == "probe" ? "\(stamp.sequence)" : "\(stamp.probeSequence.map { "\($0)" } ?? "?")"
            add("STAMP \(stamp.kind) \(number) \(stamp.from) > \(stamp.to)")
            if let ssid = stamp.ssid { add("ssid \(ssid)") }
            if let sinceSent { add("\(exactDurationText(sinceSent)) after its send time") }
        } else if let protocolNumber {
            add("0x" + hexadecimalText([UInt8(protocolNumber >> 8), UInt8(truncatingIfNeeded: protocolNumber)]))
        }
        return line + "\n"
    }

    /// The sample as one line of JSON. Values that the kernel did not report are null.
    public func json() -> String {
        var members: [(key: String, value: JSONValue)] = []
        func add(_ key: String, _ value: JSONValue?) { members.append((key, value ?? .null)) }
        add("type", .string("sample"))
        add("timestamp_ns", timestamp.map { .integer($0) })
        add("received_ns", .integer(received))
        add("group", group.map { .integer(Int64($0)) })
        add("sequence", sequence.map { .integer(Int64($0)) })
        add("missed", .integer(Int64(missed)))
        add("rate", rate.map { .integer(Int64($0)) })
        add("rate_is_probability", .bool(isProbability))
        add("input", input.map { .string($0) })
        add("output", output.map { .string($0) })
        add("original_size", originalSize.map { .integer(Int64($0)) })
        add("captured_size", .integer(Int64(capturedSize)))
        add("latency_ns", latency.map { .unsigned($0) })
        add("out_tc", trafficClass.map { .integer(Int64($0)) })
        add("out_tc_occupancy_bytes", occupancy.map { .unsigned($0) })
        add("protocol", protocolNumber.map { .integer(Int64($0)) })
        add("user_cookie", cookie.map { .string(hexadecimalText($0)) })
        add("tunnel", tunnel.map { .object($0) })
        add("stamp", stamp?.jsonValue)
        return JSONValue.object(members).compact + "\n"
    }
}

extension SampleRecord.STAMPPacket {
    fileprivate var from: String { endpointText(source, sourcePort) }
    fileprivate var to: String { endpointText(destination, destinationPort) }

    fileprivate var jsonValue: JSONValue {
        .object([
            ("kind", .string(kind)), ("source", .string(source)), ("source_port", .integer(Int64(sourcePort))),
            ("destination", .string(destination)), ("destination_port", .integer(Int64(destinationPort))),
            ("sequence", .integer(Int64(sequence))),
            ("probe_sequence", probeSequence.map { .integer(Int64($0)) } ?? .null),
            ("ssid", ssid.map { .integer(Int64($0)) } ?? .null), ("sent_ns", sent.map { .integer($0) } ?? .null),
        ])
    }
}

/// Address and port, with an IPv6 address in brackets (RFC 3986 section 3.2.2).
func endpointText(_ address: String, _ port: UInt16) -> String {
    address.utf8.contains(UInt8(ascii: ":")) ? "[\(address)]:\(port)" : "\(address):\(port)"
}
