import Foundation
import Glibc
import LinuxKernel
import Testing

/// An ordinary IPv4 UDP socket in a side's namespace. It shares no code with the endpoints under test. Source: udp(7).
final class UDPEndpoint: Sendable {
    struct Datagram: Sendable {
        let payload: [UInt8]
        let source: sockaddr_in
    }

    let descriptor: Int32

    init(_ lab: Lab, _ side: Lab.Side, address: String = "0.0.0.0", port: UInt16 = 0) throws {
        descriptor = try NetworkNamespace.enter(lab.namespace(side)) { () throws(SystemError) in
            let descriptor = try checkErrno(
                "open the test's UDP socket", socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
            var local = Self.address(address, port)
            let result = withUnsafePointer(to: &local) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, 16) }
            }
            try checkErrno("bind the test's UDP socket", result)
            return descriptor
        }
    }

    deinit { close(descriptor) }

    static func address(_ text: String, _ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr(text)
        return address
    }

    /// The port to which the socket is bound.
    var port: UInt16 {
        get throws {
            var local = sockaddr_in()
            var length: socklen_t = 16
            let result = withUnsafeMutablePointer(to: &local) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            }
            try #require(result == 0)
            return UInt16(bigEndian: local.sin_port)
        }
    }

    func send(_ payload: [UInt8], to address: String, port: UInt16 = 862) {
        send(payload, to: Self.address(address, port))
    }

    func send(_ payload: [UInt8], to address: sockaddr_in) {
        var address = address
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, payload, payload.count, 0, $0, 16)
            }
        }
    }

    /// Returns the next datagram, or `nil` when none arrives in time.
    func receive(within milliseconds: Int32 = 2000) -> Datagram? {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, milliseconds) > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 65536)
        var source = sockaddr_in()
        var length: socklen_t = 16
        let count = withUnsafeMutablePointer(to: &source) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT), $0, &length)
            }
        }
        return count < 0 ? nil : Datagram(payload: Array(bytes[..<count]), source: source)
    }

    /// Sends a probe and returns the payload of its reply.
    func exchange(_ payload: [UInt8], _ address: String, port: UInt16 = 862) throws -> [UInt8] {
        send(payload, to: address, port: port)
        return try #require(receive(), "no reply").payload
    }
}

/// A reflector on its own thread, whose replies the test chooses.
final class ScriptedReflector: Sendable {
    private let thread: TestThread

    /// - Parameter answer: Called for each probe with its number in order of arrival; sends any number of replies.
    init(
        _ endpoint: UDPEndpoint,
        _ answer: @escaping @Sendable (_ number: Int, _ probe: [UInt8], _ source: sockaddr_in) -> Void
    ) {
        thread = TestThread { stop in
            var number = 0
            while true {
                var entries = [
                    pollfd(fd: endpoint.descriptor, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
                ]
                _ = poll(&entries, 2, -1)
                while let datagram = endpoint.receive(within: 0) {
                    answer(number, datagram.payload, datagram.source)
                    number += 1
                }
                if TestThread.mustEnd(stop) { return }
            }
        }
    }

    /// Ends the thread and waits until it has ended.
    func end() { thread.end() }
}

extension Lab {
    /// Starts `probe reflect` on `b` and waits until it answers probes.
    func startReflector(_ options: [String] = []) async throws -> ProbeProcess {
        let process = try start(
            .b, ["reflect", "--interface", Lab.interface, "--output", "json", "--quiet"] + options)
        try await process.waitForError("Answering")
        return process
    }

    /// Interrupts a process as Ctrl-C does, and returns its summary.
    func finish(_ process: ProbeProcess) async throws -> Summary {
        process.signal(SIGINT)
        return try await process.summary()
    }
}
