import Conntrack
import LinuxKernel
import NetworkAddresses
import Report

/// Turns what the kernel tells of flows into what has changed for a session. No sockets, no clocks.
struct SessionFlows {
    /// The port that reflectors listen on, here and there.
    let port: UInt16
    /// The port that the own session sends from; nil where there is none.
    let localPort: UInt16?
    /// This host's own.
    var addresses: Set<IPAddress>

    /// A flow, wherever it is tracked. Its translation is no part of it.
    private struct Key: Hashable {
        var original: FlowTuple
        var zone: UInt16?
        var namespace: Int32?
    }

    private struct State {
        var isConfirmed: Bool
        var isReplied: Bool
        var translated: FlowTuple?
        var isGone = false
        var noticed: Int64

        func isSame(as other: State) -> Bool {
            isConfirmed == other.isConfirmed && isReplied == other.isReplied && translated == other.translated
                && isGone == other.isGone
        }
    }

    private var states: [Key: State] = [:]
    /// Flows that there was no room for.
    private(set) var leftOut: UInt64 = 0

    /// How long a flow that is gone is remembered: the same ports may mean another one later. Nanoseconds.
    static let memory: Int64 = 600_000_000_000

    init(port: UInt16, localPort: UInt16?, addresses: Set<IPAddress>) {
        self.port = port
        self.localPort = localPort
        self.addresses = addresses
    }

    /// Takes what the kernel tells.
    ///
    /// - Returns: what is new about it; nil for flows of other ports and hosts, and where nothing has changed.
    mutating func take(_ kind: FlowChange.Kind, _ flow: Flow, at time: Int64) -> FlowChange? {
        guard flow.original.transport == .udp, let isLocal = isLocal(flow) else { return nil }
        let key = Key(original: flow.original, zone: flow.zone ?? flow.originalZone, namespace: flow.namespaceID)
        var before = states[key]
        if let known = before, known.isGone, time - known.noticed > Self.memory { before = nil }
        guard before != nil || makeRoom() else {
            leftOut &+= 1
            return nil
        }
        var state = State(
            isConfirmed: flow.status?.contains(.confirmed) ?? true, isReplied: !flow.isUnreplied,
            translated: flow.isTranslated ? flow.translated : nil, noticed: time)
        state.isGone = kind == .gone
        // An event of its end tells less than is known.
        if state.isGone, let before { state.isReplied = state.isReplied || before.isReplied }
        states[key] = state
        if let before, state.isSame(as: before) { return nil }
        let isRetranslated = before.map { $0.translated != state.translated } ?? false
        return FlowChange(
            before == nil || kind == .gone || before?.isGone == true ? kind : .changed, noticed: time,
            isLocalSession: isLocal, namespace: flow.namespaceID, original: text(flow.original),
            translated: state.translated.map(text),
            translatedBefore: isRetranslated ? text(before?.translated ?? flow.original) : nil,
            isConfirmed: state.isConfirmed, isReplied: state.isReplied)
    }

    /// Forgets the flow that has been gone longest, where there are too many.
    private mutating func makeRoom() -> Bool {
        guard states.count >= FlowHistory.limit else { return true }
        let longestGone = states.filter(\.value.isGone).min { $0.value.noticed < $1.value.noticed }
        guard let longestGone else { return false }
        states[longestGone.key] = nil
        return true
    }

    /// Whether it is the own session's flow or one that this host answers; nil for flows of others, of earlier runs, and
    /// those that merely pass through.
    private func isLocal(_ flow: Flow) -> Bool? {
        if let localPort, hasEnd(flow, localPort), isOfPort(flow) { return true }
        return hasEnd(flow, port) ? false : nil
    }

    private func isOfPort(_ flow: Flow) -> Bool {
        [flow.original, flow.reply].contains { $0.sourcePort == port || $0.destinationPort == port }
    }

    /// Whether one of the flow's ends, before translation or after, is this port of this host.
    private func hasEnd(_ flow: Flow, _ port: UInt16) -> Bool {
        [flow.original, flow.reply].contains { tuple in
            (tuple.sourcePort == port && addresses.contains(tuple.source))
                || (tuple.destinationPort == port && addresses.contains(tuple.destination))
        }
    }

    private func text(_ tuple: FlowTuple) -> String {
        "\(end(tuple.source, tuple.sourcePort)) > \(end(tuple.destination, tuple.destinationPort))"
    }
}

private func end(_ address: IPAddress, _ port: UInt16?) -> String {
    "\(SocketAddress(address, port: port ?? 0))"
}
