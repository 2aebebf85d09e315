import ArgumentParser
import NetworkAddresses
import Testing

@testable import probe

@Suite struct DoctorCommandTests {
    @Test func `All arguments are optional, and names are interfaces`() throws {
        let bare = try DoctorCommand.parse([])
        #expect(bare.interfaces.isEmpty && bare.peer == nil && !bare.json)
        let full = try DoctorCommand.parse(["eth0", "--peer", "192.0.2.2", "--json"])
        #expect(full.interfaces == ["eth0"] && full.peer?.description == "192.0.2.2" && full.json)
        #expect(try DoctorCommand.parse(["eth0", "eth1"]).interfaces == ["eth0", "eth1"])
    }

    @Test(arguments: [["--peer", "192.0.2.2"], ["eth0", "eth1", "--peer", "192.0.2.2"], ["eth0", "--peer", "host"]])
    func `A peer that is no address, or without exactly one interface, is rejected`(_ arguments: [String]) {
        #expect {
            try DoctorCommand.parse(arguments)
        } throws: {
            DoctorCommand.exitCode(for: $0).rawValue == 64
        }
    }

    @Test func `The help shows an example, the frames it sends, and all exit codes`() throws {
        let help = Probe.helpMessage(for: DoctorCommand.self)
        let example = try #require(help.firstRange(of: "EXAMPLE"))
        let options = try #require(help.firstRange(of: "OPTIONS:"))
        #expect(example.lowerBound < options.lowerBound)
        for part in ["WHAT IT SENDS", "0x88B5", "Sync", "01-80-C2-00-00-0E", "port 862", "domain 127"] {
            #expect(help.contains(part), "\(part)")
        }
        for code in [0, 1, 2, 3, 4, 5, 6, 7, 64] {
            #expect(help.contains(try Regex("\n +\(code) +[a-z]")), "\(code)")
        }
    }
}
