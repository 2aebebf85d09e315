import Glibc
import LinuxKernel
import Netlink
import PSample

/// The netlink libraries used as an application uses them, for `scripts/bench netlink`.
@main
enum Main {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        do throws(NetlinkFormatError) {
            guard arguments.count == 3, arguments.first == "sample",
                let bytes = contents(of: arguments[1 + arguments.startIndex]),
                let count = Int(arguments[2 + arguments.startIndex]), count > 0
            else {
                end(64, "usage: netlink sample FILE COUNT")
            }
            try decode(bytes, count)
        } catch {
            end(1, "netlink: \(error)")
        }
    }

    /// Decodes the file's one message repeatedly, as a subscription does, and prints the same line as the C program
    /// Benchmarks/floor/sample-decode.c.
    private static func decode(_ bytes: [UInt8], _ count: Int) throws(NetlinkFormatError) {
        var received = ReceivedSample()
        var sum: UInt64 = 0
        let start = ClockID.threadCPU.now()
        let failure = bytes.withUnsafeBytes { datagram -> NetlinkFormatError? in
            do throws(NetlinkFormatError) {
                for _ in 0..<count { sum &+= try Self.sum(datagram, &received) }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        let spent = ClockID.threadCPU.now() - start
        print("{\"samples\":", count, ",\"cpu_ns\":", spent, ",\"sum\":", sum, "}", separator: "")
    }

    /// Not inlined, so that the compiler cannot skip a decoding as equal to the one before.
    @inline(never)
    private static func sum(
        _ datagram: UnsafeRawBufferPointer, _ received: inout ReceivedSample
    ) throws(NetlinkFormatError) -> UInt64 {
        var sum: UInt64 = 0
        var messages = MessageReader(datagram)
        while let message = messages.next() {
            try received.decode(message)
            sum =
                UInt64(bitPattern: received.sample.timestamp ?? 0) &+ (received.sample.latency ?? 0)
                &+ (received.sample.tunnel?.identifier ?? 0)
            received.withData { data in
                guard data.byteCount > 0 else { return }
                sum &+= UInt64(data.unsafeLoad(fromByteOffset: 0, as: UInt8.self)) &+ UInt64(data.byteCount)
            }
        }
        return sum
    }

    private static func contents(of path: String) -> [UInt8]? {
        let file = Descriptor(owning: open(path, O_RDONLY | O_CLOEXEC))
        var bytes = [UInt8](repeating: 0, count: 65536)
        let length = read(file.rawValue, &bytes, bytes.count)
        return length > 0 ? Array(bytes.prefix(length)) : nil
    }

    private static func end(_ code: Int32, _ text: String) -> Never {
        // If this write fails, the exit code still reports the error.
        try? OutputFile.standardError().write(Array("\(text)\n".utf8))
        exit(code)
    }
}
