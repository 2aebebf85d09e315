import NetworkAddresses

extension Flow {
    /// Appends an object and a newline. No value needs escaping.
    func appendJSON(to bytes: inout ByteText, event: FlowEvent.Kind?, at time: Int64) {
        bytes.append("{\"type\":\"flow\",\"time_ns\":")
        bytes.append(signed: time)
        bytes.append(",\"event\":")
        bytes.append(quoted: event?.name)
        bytes.append(",\"nsid\":")
        if let namespaceID { bytes.append(signed: Int64(namespaceID)) } else { bytes.append("null") }
        bytes.append(",\"protocol\":")
        bytes.append(quoted: original.transport.name)
        bytes.append(",\"protocol_number\":", UInt64(original.transport.rawValue))
        bytes.append(",\"original\":")
        original.appendJSON(to: &bytes, originalCounters, originalZone)
        bytes.append(",\"reply\":")
        reply.appendJSON(to: &bytes, replyCounters, replyZone)
        bytes.append(",\"translated\":[")
        bytes.appendList(translatedEnds.rawValue, TranslatedEnds.names)
        bytes.append("],\"status\":")
        if let status {
            bytes.append(UInt8(ascii: "["))
            bytes.appendList(status.rawValue, FlowStatus.names)
            bytes.append(UInt8(ascii: "]"))
        } else {
            bytes.append("null")
        }
        bytes.append(",\"tcp_state\":")
        bytes.append(quoted: tcpState?.name)
        bytes.append(",\"timeout_s\":", timeout.map(UInt64.init))
        bytes.append(",\"mark\":", mark.map(UInt64.init))
        bytes.append(",\"zone\":", zone.map(UInt64.init))
        bytes.append(",\"id\":", id.map(UInt64.init))
        bytes.append(",\"use\":", use.map(UInt64.init))
        bytes.append(",\"start_ns\":", startTime.map { UInt64(clamping: $0) })
        bytes.append(",\"stop_ns\":", stopTime.map { UInt64(clamping: $0) })
        bytes.append("}\n")
    }
}

extension FlowTuple {
    fileprivate func appendJSON(to bytes: inout ByteText, _ counters: Flow.Counters?, _ zone: UInt16?) {
        bytes.append("{\"source\":\"")
        bytes.append(source)
        bytes.append("\",\"destination\":\"")
        bytes.append(destination)
        bytes.append(UInt8(ascii: "\""))
        switch selector {
        case .ports(let source, let destination):
            bytes.append(",\"source_port\":", UInt64(source))
            bytes.append(",\"destination_port\":", UInt64(destination))
        case .icmp(let type, let code, let identifier):
            bytes.append(",\"icmp_type\":", UInt64(type))
            bytes.append(",\"icmp_code\":", UInt64(code))
            bytes.append(",\"icmp_id\":", UInt64(identifier))
        case .none: break
        }
        bytes.append(",\"zone\":", zone.map(UInt64.init))
        bytes.append(",\"packets\":", counters?.packets)
        bytes.append(",\"bytes\":", counters?.bytes)
        bytes.append(UInt8(ascii: "}"))
    }
}

extension ByteText {
    fileprivate mutating func append(quoted text: StaticString?) {
        guard let text else { return append("null") }
        append(UInt8(ascii: "\""))
        append(text)
        append(UInt8(ascii: "\""))
    }

    fileprivate mutating func append(_ key: StaticString, _ value: UInt64?) {
        append(key)
        if let value { append(decimal: value) } else { append("null") }
    }

    /// Appends the names of the set bits, or the numbers of bits without a name.
    fileprivate mutating func appendList(_ set: some FixedWidthInteger, _ names: [StaticString]) {
        forEachBit(of: set, separator: UInt8(ascii: ",")) { bytes, bit in
            bytes.append(UInt8(ascii: "\""))
            if bit < names.count { bytes.append(names[bit]) } else { bytes.append(decimal: UInt64(bit)) }
            bytes.append(UInt8(ascii: "\""))
        }
    }
}
