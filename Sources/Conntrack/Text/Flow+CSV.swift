import NetworkAddresses

extension Flow {
    /// The header line. New columns are only added at the end.
    static let csvHeader: StaticString = """
        time_ns,event,nsid,protocol,source,source_port,destination,destination_port,icmp_type,icmp_code,icmp_id,\
        reply_source,reply_source_port,reply_destination,reply_destination_port,reply_icmp_type,reply_icmp_code,\
        reply_icmp_id,translated,status,tcp_state,timeout_s,mark,zone,original_zone,reply_zone,id,use,packets,bytes,\
        reply_packets,reply_bytes,start_ns,stop_ns

        """

    /// Appends a row. Absent values are empty.
    func appendCSV(to bytes: inout ByteText, event: FlowEvent.Kind?, at time: Int64) {
        bytes.append(signed: time)
        bytes.append(column: event?.name)
        bytes.append(UInt8(ascii: ","))
        if let namespaceID { bytes.append(signed: Int64(namespaceID)) }
        if let name = original.transport.name {
            bytes.append(column: name)
        } else {
            bytes.append(column: UInt64(original.transport.rawValue))
        }
        original.appendCSV(to: &bytes)
        reply.appendCSV(to: &bytes)
        bytes.appendColumn(translatedEnds.rawValue, TranslatedEnds.names)
        bytes.appendColumn(status?.rawValue ?? 0, FlowStatus.names)
        bytes.append(column: tcpState?.name)
        for value in [timeout, mark] { bytes.append(column: value.map(UInt64.init)) }
        bytes.append(column: zone.map(UInt64.init))
        bytes.append(column: originalZone.map(UInt64.init))
        bytes.append(column: replyZone.map(UInt64.init))
        bytes.append(column: id.map(UInt64.init))
        bytes.append(column: use.map(UInt64.init))
        bytes.append(column: originalCounters?.packets)
        bytes.append(column: originalCounters?.bytes)
        bytes.append(column: replyCounters?.packets)
        bytes.append(column: replyCounters?.bytes)
        bytes.append(column: startTime.map { UInt64(clamping: $0) })
        bytes.append(column: stopTime.map { UInt64(clamping: $0) })
        bytes.append(UInt8(ascii: "\n"))
    }
}

extension FlowTuple {
    fileprivate func appendCSV(to bytes: inout ByteText) {
        bytes.append(UInt8(ascii: ","))
        bytes.append(source)
        bytes.append(column: sourcePort.map(UInt64.init))
        bytes.append(UInt8(ascii: ","))
        bytes.append(destination)
        bytes.append(column: destinationPort.map(UInt64.init))
        guard case .icmp(let type, let code, let identifier) = selector else { return bytes.append(",,,") }
        bytes.append(column: UInt64(type))
        bytes.append(column: UInt64(code))
        bytes.append(column: UInt64(identifier))
    }
}

extension ByteText {
    fileprivate mutating func append(column value: UInt64?) {
        append(UInt8(ascii: ","))
        if let value { append(decimal: value) }
    }

    fileprivate mutating func append(column text: StaticString?) {
        append(UInt8(ascii: ","))
        if let text { append(text) }
    }

    fileprivate mutating func appendColumn(_ set: some FixedWidthInteger, _ names: [StaticString]) {
        append(UInt8(ascii: ","))
        forEachBit(of: set, separator: UInt8(ascii: "+")) { bytes, bit in
            if bit < names.count { bytes.append(names[bit]) } else { bytes.append(decimal: UInt64(bit)) }
        }
    }
}
