import NetworkAddresses
import PSample
import Report
import STAMPWire

extension SampleRecord {
    /// Creates a record from the kernel's values, without interface names and the packet's bytes.
    init(_ sample: Sample, missed: UInt32, received: Int64) {
        self.init(received: received)
        self.missed = missed
        timestamp = sample.timestamp
        group = sample.group
        sequence = sample.sequence
        rate = sample.rate
        isProbability = sample.isProbability
        originalSize = sample.originalSize
        latency = sample.latency
        trafficClass = sample.outputTrafficClass
        occupancy = sample.outputOccupancy
        protocolNumber = sample.protocolNumber
        tunnel = sample.tunnel?.members
    }
}

extension SampleRecord.STAMPPacket {
    /// - Parameter pivot: the approximate send time, in Unix nanoseconds, which resolves the timestamp's era.
    init(_ frame: STAMPFrame, near pivot: Int64) {
        // Without IP, MAC addresses are shown; the derived link-local addresses are internal.
        self.init(
            kind: frame.kind.rawValue, source: frame.hasIP ? "\(frame.source)" : "\(frame.sourceMAC)",
            sourcePort: frame.sourcePort,
            destination: frame.hasIP ? "\(frame.destination)" : "\(frame.destinationMAC)",
            destinationPort: frame.destinationPort, sequence: frame.sequence, probeSequence: frame.probeSequence,
            ssid: frame.ssid, sent: frame.sent(near: pivot))
    }
}

extension Tunnel {
    /// The tunnel's keys and values, without those that the kernel did not report.
    fileprivate var members: [(key: String, value: JSONValue)] {
        var members: [(key: String, value: JSONValue)] = []
        func add(_ key: String, _ number: (some FixedWidthInteger & UnsignedInteger)?) {
            if let number { members.append((key, .unsigned(UInt64(number)))) }
        }
        add("id", identifier)
        for (key, address) in [("source", source), ("destination", destination)] {
            if let address { members.append((key, .string("\(address)"))) }
        }
        add("tos", trafficClass)
        add("ttl", hopLimit)
        add("source_port", sourcePort)
        add("destination_port", destinationPort)
        for (key, isSet) in [
            ("dont_fragment", forbidsFragments), ("checksum", hasChecksum), ("oam", isManagement),
            ("bridged", isBridged),
        ] where isSet {
            members.append((key, .bool(true)))
        }
        if let options { members.append(("options", .string(options.rawValue))) }
        return members
    }
}
