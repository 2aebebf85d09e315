import FastAFPacket
import Foundation
import LinuxKernel
import Testing

/// A real NIC's timestamping, shared by connections.
@Suite(.lab, .serialized)
struct LabSharedStampingTests {
    private var stateFiles: [String] { (try? FileManager.default.contentsOfDirectory(atPath: "/run/probe")) ?? [] }

    @Test("The last of the connections on a NIC and its VLAN restores the NIC", arguments: [false, true])
    func vlan(closesVLANFirst: Bool) throws {
        try LabNIC.withVLAN(named: "link9") {
            let link = try LabNIC.interface
            #expect(try HardwareStampingConfiguration(of: link) == .off)
            let onLink = try LabNIC.connect()
            let onVLAN = try PacketConn.listen(on: Interface(named: "link9"), etherType: testEtherType)
            let set = HardwareStamping.switchedOn(
                HardwareStampingConfiguration(transmitType: 1, receiveFilter: 0), previous: .off)
            #expect(onLink.hardwareStamping == set && onVLAN.hardwareStamping == set)
            #expect(onLink.warnings.isEmpty && onVLAN.warnings.isEmpty && stateFiles.count == 1)
            (closesVLANFirst ? onVLAN : onLink).close()
            #expect(try HardwareStampingConfiguration(of: link) == set.configuration)
            (closesVLANFirst ? onLink : onVLAN).close()
            #expect(try HardwareStampingConfiguration(of: link) == .off)
            #expect(stateFiles.isEmpty)
        }
    }
}
