import LinuxKernel

/// The error that ends a command: a message with its remedy, and the exit code that `--help` documents.
enum ProbeError: Error, CustomStringConvertible {
    case usage(String)
    case noReply(String)
    case peerStopped(String)
    case noInterface(String)
    case noRoute(String)
    case noPrivilege(String)
    case portInUse(String)
    case file(String)
    case noHardwareStamps(String)
    case noSuchFlow(String)
    /// Peers of a run failed, with the exit code of the worst failure.
    case peerFailed(String, exitCode: Int32)
    case system(SystemError)
    case internalFault(String)

    var description: String {
        switch self {
        case .usage(let text), .noReply(let text), .peerStopped(let text), .noInterface(let text), .noRoute(let text),
            .noPrivilege(let text), .portInUse(let text), .file(let text), .noHardwareStamps(let text),
            .noSuchFlow(let text), .internalFault(let text):
            text
        case .peerFailed(let text, _): text
        case .system(let error): error.description
        }
    }

    var exitCode: Int32 {
        switch self {
        case .internalFault: 1
        case .noReply: 2
        case .noInterface: 3
        case .noRoute: 4
        case .noPrivilege: 5
        case .portInUse: 6
        case .file: 7
        case .noHardwareStamps: 8
        case .noSuchFlow: 9
        case .peerStopped: 10
        case .usage: 64
        case .peerFailed(_, let exitCode): exitCode
        case .system(let error):
            switch error.code {
            case ErrorCode.notPermitted, ErrorCode.accessDenied: 5
            case ErrorCode.noDevice, ErrorCode.noSuchAddress, ErrorCode.networkDown: 3
            case ErrorCode.addressInUse: 6
            default: 1
            }
        }
    }

    /// The exit codes, for `--help`.
    static let exitCodes = """
        EXIT CODES
          0   success
          1   any other error; see the message
          2   no reply was received
          3   no such interface, or it is down or went away
          4   no route to the peer, or no next hop
          5   a capability is missing; the message names it
          6   the UDP port is in use
          7   a file cannot be written, or already exists
          8   the NIC cannot provide the timestamps for --stamps hardware
          9   no such flow is tracked
          10  replies stopped before the run ended
          64  invalid options
        """

    /// Runs an operation that can fail with an errno.
    static func system<Result: ~Copyable>(
        _ body: () throws(SystemError) -> Result
    ) throws(ProbeError) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            throw .system(error)
        }
    }
}

/// The errno values that this target handles. They are defined here, so that it needs no C library.
enum ErrorCode {
    static let notPermitted: Int32 = 1
    static let noSuchAddress: Int32 = 6
    static let tryAgain: Int32 = 11
    static let accessDenied: Int32 = 13
    static let exists: Int32 = 17
    static let noDevice: Int32 = 19
    static let brokenPipe: Int32 = 32
    static let messageTooLong: Int32 = 90
    static let familyUnsupported: Int32 = 97
    static let addressInUse: Int32 = 98
    static let networkDown: Int32 = 100
    static let noBuffers: Int32 = 105
    static let timedOut: Int32 = 110
}
