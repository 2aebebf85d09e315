import Foundation
import LinuxKernel
import Synchronization
import Testing

@testable import FastAFPacket

/// A simulated NIC that records the configurations written to it.
final class SimulatedNIC: Sendable {
    private struct State {
        var now: HardwareStampingConfiguration
        var written: [HardwareStampingConfiguration] = []
        var widens: Int32?
        var readError: SystemError?
        var writeError: SystemError?
    }
    private let state: Mutex<State>

    init(_ now: HardwareStampingConfiguration = .off) { state = Mutex(State(now: now)) }

    var now: HardwareStampingConfiguration {
        get { state.withLock { $0.now } }
        set { state.withLock { $0.now = newValue } }
    }
    var written: [HardwareStampingConfiguration] { state.withLock { $0.written } }
    /// The filter that the driver substitutes for every requested filter.
    var widens: Int32? {
        get { state.withLock { $0.widens } }
        set { state.withLock { $0.widens = newValue } }
    }
    var readError: SystemError? {
        get { state.withLock { $0.readError } }
        set { state.withLock { $0.readError = newValue } }
    }
    var writeError: SystemError? {
        get { state.withLock { $0.writeError } }
        set { state.withLock { $0.writeError = newValue } }
    }

    var device: HardwareStamping.Device {
        HardwareStamping.Device(
            read: { [self] in state.withLock { nic in nic.readError.map { .failure($0) } ?? .success(nic.now) } },
            write: { [self] wanted in
                state.withLock { nic in
                    nic.written.append(wanted)
                    if let error = nic.writeError { return .failure(error) }
                    nic.now = wanted
                    if let widens = nic.widens, wanted.receiveFilter != 0 { nic.now.receiveFilter = widens }
                    return .success(nic.now)
                }
            })
    }
}

/// A simulated NIC whose configuration is in a file, so that processes share it.
struct FileNIC: Sendable {
    let path: String

    /// The configuration; `nil` if the file cannot be read.
    var now: HardwareStampingConfiguration? {
        let numbers = (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: " ").compactMap {
            Int32($0)
        }
        guard let numbers, numbers.count == 2 else { return nil }
        return HardwareStampingConfiguration(transmitType: numbers[0], receiveFilter: numbers[1])
    }

    func set(_ configuration: HardwareStampingConfiguration) -> Bool {
        let text = "\(configuration.transmitType) \(configuration.receiveFilter)"
        return (try? text.write(toFile: path, atomically: true, encoding: .utf8)) != nil
    }

    var device: HardwareStamping.Device {
        HardwareStamping.Device(
            read: { [self] in now.map { .success($0) } ?? .failure(SystemError("read the NIC", code: EIO)) },
            write: { [self] in set($0) ? .success($0) : .failure(SystemError("set the NIC", code: EIO)) })
    }
}

/// A NIC's place in a directory of its own, which is removed afterwards.
final class StampingDirectory: Sendable {
    let path: String

    /// - Parameter path: the directory's path; one that nothing else uses by default.
    init(_ path: String = "/tmp/probe-stamping-\(getpid())-\(UUID())") { self.path = path }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var place: StampingState.Place { StampingState.Place(directory: path, namespace: 7, index: 3) }

    var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }

    /// Puts a file in the state's place.
    func put(_ text: String) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        try text.write(toFile: place.path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: place.path)
    }
}
