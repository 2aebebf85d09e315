import CLinux
import Glibc
import NetworkAddresses
import Testing

@testable import Netlink

@Suite struct RequestTests {
    private let peer = IPAddress.v4(0xC000_0202)

    /// Sends a request and returns the types of its replies.
    private func ask(_ connection: NetlinkConnection) throws(NetlinkError) -> [UInt16] {
        try connection.request("ask", MessageWriter(type: 30)) { message in message.type }
    }

    private func dump(_ connection: NetlinkConnection) throws(NetlinkError) -> [UInt16] {
        try connection.dump("read the table", MessageWriter(type: 22)) { message in message.type }
    }

    @Test func `A request asks for an acknowledgement and carries sequence and port`() throws {
        let kernel = ScriptedKernel([[Captured.ack], [Captured.ack]])
        let connection = kernel.connection
        _ = try ask(connection)
        _ = try ask(connection)
        #expect(kernel.requests[0] == bytes("10000000 1e00 0500 01000000 92100000"))
        #expect(kernel.requests[1] == bytes("10000000 1e00 0500 02000000 92100000"))
    }

    @Test func `Replies end at the acknowledgement`() throws {
        let kernel = ScriptedKernel([[Captured.neighbourStale, Captured.ack, Captured.routeOnLink]])
        #expect(try ask(kernel.connection) == [28])
    }

    @Test func `A reply and its acknowledgement may share a datagram`() throws {
        let kernel = ScriptedKernel([[Captured.neighbourStale + Captured.ack]])
        #expect(try ask(kernel.connection) == [28])
    }

    @Test func `A dump asks for the table and ends at NLMSG_DONE`() throws {
        let kernel = ScriptedKernel([[Captured.addresses, Captured.done]])
        #expect(try dump(kernel.connection) == [20, 20, 20])
        #expect(typeAndFlags(kernel.requests[0]) == (22, UInt16(NLM_F_REQUEST | NLM_F_DUMP)))
    }

    @Test func `Replies to another request are ignored`() throws {
        let stray = message(type: 24, sequence: 999)
        let strayError = message(
            type: NLMSG_ERROR, sequence: 998, payload: native(Int32(-EPERM)) + Captured.ack.prefix(16))
        let kernel = ScriptedKernel([[stray, strayError, Captured.neighbourStale, stray + Captured.ack]])
        #expect(try ask(kernel.connection) == [28])
    }

    @Test func `Replies to another port are ignored`() throws {
        let stray = message(type: 24, sequence: 7, portID: 4243)
        let strayError = message(
            type: NLMSG_ERROR, sequence: 7, portID: 4243, payload: native(Int32(-EPERM)) + Captured.ack.prefix(16))
        let kernel = ScriptedKernel([[stray, strayError, Captured.neighbourStale, Captured.ack]])
        #expect(try ask(kernel.connection) == [28])
    }

    @Test func `A no-operation message is ignored`() throws {
        let kernel = ScriptedKernel([[message(type: NLMSG_NOOP, sequence: 7) + Captured.neighbourStale, Captured.ack]])
        #expect(try ask(kernel.connection) == [28])
    }

    @Test func `A missing answer is a timeout`() throws {
        let kernel = ScriptedKernel([])
        let error = #expect(throws: NetlinkError.self) { try ask(kernel.connection) }
        #expect(error?.cause == .timedOut)
        #expect(error?.code == ETIMEDOUT)
        #expect(error?.description == "ask: the kernel did not answer in time")
    }

    @Test func `A dump without NLMSG_DONE is a timeout, not a short table`() throws {
        let kernel = ScriptedKernel([[Captured.addresses]])
        let error = #expect(throws: NetlinkError.self) { try dump(kernel.connection) }
        #expect(error?.cause == .timedOut)
    }

    @Test func `An errno is reported with the operation`() throws {
        let kernel = ScriptedKernel([[Captured.noRoute]])
        let error = #expect(throws: NetlinkError.self) { try ask(kernel.connection) }
        #expect(error?.code == ENETUNREACH)
        #expect(error?.kernelMessage == nil)
        #expect(error?.description == "ask: Network is unreachable")
    }

    @Test func `The kernel's explanation is reported`() throws {
        let kernel = ScriptedKernel([[Captured.badHeader]])
        let error = #expect(throws: NetlinkError.self) { try ask(kernel.connection) }
        #expect(error?.cause == .refused(EINVAL))
        #expect(error?.kernelMessage == "Invalid values in header for neighbor get request")
        #expect(
            error?.description == "ask: Invalid argument: the kernel says "
                + "\"Invalid values in header for neighbor get request\"")
    }

    @Test func `The offset of the rejected attribute is reported`() throws {
        let kernel = ScriptedKernel([[Captured.badAttribute]])
        let error = #expect(throws: NetlinkError.self) { try ask(kernel.connection) }
        #expect(error?.cause == .refused(ERANGE))
        #expect(error?.kernelMessage == "Attribute failed policy validation")
        #expect(error?.offset == 36)
        #expect(error?.description.hasSuffix("(the attribute at byte 36 of the request)") == true)
    }

    @Test func `An explanation after a capped request is found`() throws {
        let text = bytes("0800 0100 6e6f2100")
        let capped = message(
            type: NLMSG_ERROR, flags: NLM_F_CAPPED | NLM_F_ACK_TLVS, sequence: 7,
            payload: native(Int32(-EPERM)) + bytes("ff000000 1e00 0500 07000000 92100000") + text)
        let error = #expect(throws: NetlinkError.self) { try ask(ScriptedKernel([[capped]]).connection) }
        #expect(error?.kernelMessage == "no!")
        #expect(error?.description.contains("CAP_NET_ADMIN") == true)
    }

    @Test func `A missing attribute is reported`() throws {
        let missing = message(
            type: NLMSG_ERROR, flags: NLM_F_CAPPED | NLM_F_ACK_TLVS, sequence: 7,
            payload: native(Int32(-EINVAL)) + bytes("10000000 1e00 0500 07000000 92100000 0800 0500 0c000000"))
        let error = #expect(throws: NetlinkError.self) { try ask(ScriptedKernel([[missing]]).connection) }
        #expect(error?.missingAttribute == 12)
    }

    @Test func `A malformed explanation leaves the errno`() throws {
        let echoPastTheEnd = message(
            type: NLMSG_ERROR, flags: NLM_F_ACK_TLVS, sequence: 7,
            payload: native(Int32(-EBUSY)) + bytes("ffffffff 1e00 0500 07000000 92100000"))
        let brokenAttribute = message(
            type: NLMSG_ERROR, flags: NLM_F_ACK_TLVS | NLM_F_CAPPED, sequence: 7,
            payload: native(Int32(-EBUSY)) + bytes("10000000 1e00 0500 07000000 92100000 ffff 0100"))
        let noEcho = message(type: NLMSG_ERROR, flags: NLM_F_ACK_TLVS, sequence: 7, payload: native(Int32(-EBUSY)))
        for answer in [echoPastTheEnd, brokenAttribute, noEcho] {
            let error = #expect(throws: NetlinkError.self) { try ask(ScriptedKernel([[answer]]).connection) }
            #expect(error?.cause == .refused(EBUSY))
        }
    }

    @Test func `An error message without an errno is malformed`() throws {
        let empty = message(type: NLMSG_ERROR, sequence: 7, payload: [0, 0])
        let error = #expect(throws: NetlinkError.self) { try ask(ScriptedKernel([[empty]]).connection) }
        #expect(error?.cause == .malformed(.cutFixedHeader(bytes: 2, needed: 4)))
    }

    @Test func `An errno of Int32.min is an error and does not trap`() throws {
        let odd = message(type: NLMSG_DONE, sequence: 7, payload: native(Int32.min))
        let error = #expect(throws: NetlinkError.self) { try dump(ScriptedKernel([[odd]]).connection) }
        #expect(error?.cause == .refused(.max))
    }

    @Test func `NLMSG_DONE may carry an error`() throws {
        let kernel = ScriptedKernel([[Captured.addresses, Captured.doneNoDevice]])
        let error = #expect(throws: NetlinkError.self) { try dump(kernel.connection) }
        #expect(error?.cause == .refused(ENODEV))
    }

    @Test func `NLMSG_DONE may explain its error`() throws {
        let done = message(
            type: NLMSG_DONE, flags: NLM_F_MULTI | NLM_F_ACK_TLVS, sequence: 7,
            payload: native(Int32(-EINVAL)) + bytes("0800 0100 6e6f2100"))
        let error = #expect(throws: NetlinkError.self) { try dump(ScriptedKernel([[done]]).connection) }
        #expect(error?.kernelMessage == "no!")
    }

    @Test func `NLMSG_DONE may lack an errno`() throws {
        let kernel = ScriptedKernel([[Captured.addresses, message(type: NLMSG_DONE, sequence: 7)]])
        #expect(try dump(kernel.connection).count == 3)
    }

    @Test func `An interrupted dump is discarded and retried`() throws {
        let interrupted = message(type: 24, flags: NLM_F_MULTI | NLM_F_DUMP_INTR, sequence: 7)
        let kernel = ScriptedKernel([
            [interrupted, Captured.addresses, Captured.done], [Captured.addresses, Captured.done],
        ])
        #expect(try dump(kernel.connection) == [20, 20, 20])
        #expect(kernel.requests.count == 2)
        #expect(kernel.requests[0][8] == 1)
        #expect(kernel.requests[1][8] == 2)
    }

    @Test func `A dump that only NLMSG_DONE marks as interrupted is retried`() throws {
        let end = message(type: NLMSG_DONE, flags: NLM_F_DUMP_INTR, sequence: 7, payload: native(Int32(0)))
        let kernel = ScriptedKernel([[Captured.addresses, end], [Captured.done]])
        #expect(try dump(kernel.connection).isEmpty)
        #expect(kernel.requests.count == 2)
    }

    @Test func `A dump that is interrupted every time fails`() throws {
        let end = message(type: NLMSG_DONE, flags: NLM_F_DUMP_INTR, sequence: 7, payload: native(Int32(0)))
        let kernel = ScriptedKernel(Array(repeating: [end], count: 100))
        let error = #expect(throws: NetlinkError.self) { try dump(kernel.connection) }
        #expect(error?.cause == .interrupted(attempts: NetlinkConnection.dumpAttempts))
        #expect(kernel.requests.count == NetlinkConnection.dumpAttempts)
        #expect(error?.description == "read the table: the table changed during each of 8 attempts to read it")
    }

    @Test func `An answer longer than the buffer is reported after the rest has been read`() throws {
        let big = [UInt8](repeating: 0, count: NetlinkConnection.bufferLength + 1)
        let kernel = ScriptedKernel([[big, Captured.addresses, Captured.done], [Captured.done]])
        let connection = kernel.connection
        let error = #expect(throws: NetlinkError.self) { try dump(connection) }
        #expect(error?.cause == .truncated(bytes: NetlinkConnection.bufferLength + 1))
        #expect(try dump(connection).isEmpty)
    }

    @Test func `A malformed message is reported after the rest has been read`() throws {
        let kernel = ScriptedKernel([[Array(Captured.addresses.dropLast(4)), Captured.done], [Captured.done]])
        let connection = kernel.connection
        let error = #expect(throws: NetlinkError.self) { try dump(connection) }
        #expect(error?.cause == .malformed(.messageLength(80, available: 76)))
        #expect(try dump(connection).isEmpty)
    }

    @Test func `A reply that cannot be decoded is reported`() throws {
        let short = message(type: 28, sequence: 7, payload: [2, 0, 0, 0])
        let kernel = ScriptedKernel([[short, Captured.ack]])
        let error = #expect(throws: NetlinkError.self) { try kernel.connection.neighbour(peer, on: 2) }
        #expect(error?.cause == .malformed(.cutFixedHeader(bytes: 4, needed: 12)))
    }

    @Test func `A request that cannot be written is not sent`() throws {
        let kernel = ScriptedKernel([])
        var request = MessageWriter(type: 30)
        request.attributes.put(1, bytes: [UInt8](repeating: 0, count: 70000))
        let error = #expect(throws: NetlinkError.self) {
            try kernel.connection.request("ask", request) { message in message.type }
        }
        #expect(error?.cause == .malformed(.attributeTooLong(type: 1, bytes: 70004)))
        #expect(kernel.requests.isEmpty)
    }

    @Test func `A table that changes during a dump is read again from the start`() throws {
        var cut = Captured.addresses
        cut[6] |= UInt8(NLM_F_DUMP_INTR)
        let kernel = ScriptedKernel([[cut, Captured.done], [Captured.addresses, Captured.done]])
        var types: [UInt16] = []
        var restarts = 0
        try kernel.connection.dump("read the table", MessageWriter(type: 22)) {
            restarts += 1
            types = []
        } _: { message throws(NetlinkFormatError) in
            types.append(message.type)
        }
        #expect(types == [20, 20, 20])
        #expect(restarts == 1)
    }

    @Test func `A discarded dump counts its messages`() throws {
        let kernel = ScriptedKernel([[Captured.addresses, Captured.addresses, Captured.done]])
        #expect(try kernel.connection.discardDump("walk the table", MessageWriter(type: 22)) == 6)
    }

    @Test func `An error of the body is thrown after the rest of the dump has been read`() throws {
        let kernel = ScriptedKernel([[Captured.addresses, Captured.done], [Captured.addresses, Captured.done]])
        let connection = kernel.connection
        var seen = 0
        let error = #expect(throws: NetlinkError.self) {
            try connection.dump("read the table", MessageWriter(type: 22), startOver: {}) {
                _ throws(NetlinkFormatError) in
                seen += 1
                throw .missingAttribute(type: 9)
            }
        }
        #expect(error?.cause == .malformed(.missingAttribute(type: 9)))
        #expect(seen == 1)
        #expect(try dump(connection) == [20, 20, 20])
    }
}

@Suite struct ReceiveTests {
    private func connection(receiving datagrams: [[UInt8]]) -> NetlinkConnection {
        NetlinkConnection(portID: ScriptedKernel.portID, notifications: datagrams) { _ in [] }
    }

    private func types(_ datagram: NetlinkDatagram?) -> [UInt16]? {
        guard var messages = datagram?.messages else { return nil }
        var types: [UInt16] = []
        while let message = messages.next() { types.append(message.type) }
        return types
    }

    @Test func `Notifications are received one datagram at a time`() throws {
        let connection = connection(receiving: [Captured.neighbourStale + Captured.neighbourPermanentIPv6])
        #expect(types(try connection.receive("listen", until: 0)) == [28, 28])
        #expect(types(try connection.receive("listen", until: 0)) == nil)
    }

    @Test func `A datagram is stored in the caller's buffer`() throws {
        let connection = connection(receiving: [Captured.neighbourStale, Captured.addresses])
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Captured.neighbourStale.count, alignment: 4)
        defer { buffer.deallocate() }
        let datagram = try #require(try connection.receive("listen", into: buffer, until: 0))
        #expect(datagram.bytes.baseAddress == UnsafeRawPointer(buffer.baseAddress))
        #expect(Array(buffer) == Captured.neighbourStale)
        let error = #expect(throws: NetlinkError.self) { try connection.receive("listen", into: buffer, until: 0) }
        #expect(error?.cause == .truncated(bytes: Captured.addresses.count))
        #expect(error?.code == EMSGSIZE)
    }

    @Test func `The largest attributes with their headers fit in the connection's buffer`() throws {
        let connection = connection(receiving: [
            message(type: 0x20, sequence: 0, payload: .init(repeating: 0, count: 65539))
        ])
        #expect(types(try connection.receive("listen", until: 0)) == [0x20])
    }

    @Test func `Queued datagrams are discarded and counted`() throws {
        let connection = connection(receiving: [Captured.neighbourStale, Captured.addresses])
        #expect(try connection.discardReceived("discard notifications") == 2)
        #expect(types(try connection.receive("listen", until: 0)) == nil)
    }
}
