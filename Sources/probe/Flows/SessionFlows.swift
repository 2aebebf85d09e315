import Addresses
import Conntrack
import Kernel
import Report

/// Turns what the kernel tells of flows into what has changed for a session. No sockets, no clocks.
struct SessionFlows {
    /// The port that reflectors listen on, here and there.
    let port: UInt16
    /// The port that the own session sends from; nil where there is none.
    let ownPort: UInt16?

    /// A flow, wherever it is tracked. Its translation is no part of it.
    private struct Key: Hashable {
        var original: FlowTuple
        var zone: UInt16?
        var namespace: Int32?
    }

    private struct State: Equatable {
        var isConfirmed: Bool
        var isReplied: Bool
        var translated: FlowTuple?
        var isGone = false
    }

    private var states: [Key: State] = [:]
    /// Flows that there was no room for.
    private(set) var leftOut: UInt64 = 0

    init(port: UInt16, ownPort: UInt16?) {
        self.port = port
        self.ownPort = ownPort
    }

    /// Takes what the kernel tells.
    ///
    /// - Returns: what is new about it; nil for flows of other ports, and where nothing has changed.
    mutating func take(_ kind: FlowChange.Kind, _ flow: Flow, at time: Int64) -> FlowChange? {
        guard flow.original.transport == .udp, isOurs(flow.original) || isOurs(flow.reply) else { return nil }
        let key = Key(original: flow.original, zone: flow.zone ?? flow.originalZone, namespace: flow.namespaceID)
        let before = states[key]
        if before == nil, states.count >= FlowHistory.limit {
            leftOut &+= 1
            return nil
        }
        var state = State(
            isConfirmed: flow.status?.contains(.confirmed) ?? true, isReplied: !flow.isUnreplied,
            translated: flow.isTranslated ? flow.translated : nil)
        state.isGone = kind == .gone
        // An event of its end tells less than is known.
        if state.isGone, let before { state.isReplied = state.isReplied || before.isReplied }
        states[key] = state
        if state == before { return nil }
        let isRetranslated = before.map { $0.translated != state.translated } ?? false
        return FlowChange(
            before == nil || kind == .gone || before?.isGone == true ? kind : .changed, noticed: time,
            isOwnSession: isOwn(flow), namespace: flow.namespaceID, original: text(flow.original),
            translated: state.translated.map(text),
            translatedBefore: isRetranslated ? text(before?.translated ?? flow.original) : nil,
            isConfirmed: state.isConfirmed, isReplied: state.isReplied)
    }

    private func isOurs(_ tuple: FlowTuple) -> Bool { tuple.sourcePort == port || tuple.destinationPort == port }

    private func isOwn(_ flow: Flow) -> Bool {
        guard let ownPort else { return false }
        return [flow.original, flow.reply].contains { $0.sourcePort == ownPort || $0.destinationPort == ownPort }
    }

    private func text(_ tuple: FlowTuple) -> String {
        "\(end(tuple.source, tuple.sourcePort)) > \(end(tuple.destination, tuple.destinationPort))"
    }
}

private func end(_ address: IPAddress, _ port: UInt16?) -> String {
    "\(SocketAddress(address, port: port ?? 0))"
}
