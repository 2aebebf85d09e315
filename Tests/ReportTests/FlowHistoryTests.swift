import Report
import Testing

@Suite struct FlowHistoryTests {
    private static let probes = "192.0.2.1:49152 > 203.0.113.1:862"

    private func change(
        _ kind: FlowChange.Kind, at time: Int64 = 0, _ original: String = probes, namespace: Int32? = nil,
        isLocal: Bool = true, translated: String? = nil, before: String? = nil, isReplied: Bool = true
    ) -> FlowChange {
        FlowChange(
            kind, noticed: time, isLocalSession: isLocal, namespace: namespace, original: original,
            translated: translated,
            translatedBefore: before, isConfirmed: true, isReplied: isReplied)
    }

    @Test func `A history without flows says so, or gives the reason`() {
        var history = FlowHistory()
        #expect(history.lines() == ["conntrack: no flow of this run was tracked here."])
        history = FlowHistory(unknown: "Not watched.")
        #expect(history.lines() == ["conntrack: Not watched."])
    }

    @Test func `A flow has a line with its latest state`() {
        var history = FlowHistory()
        history.add(change(.new, isReplied: false))
        history.add(change(.changed, at: 1))
        #expect(
            history.lines() == [
                "conntrack: 1 flow", "  own \(Self.probes): confirmed, replied, not translated",
            ])
        history.add(change(.gone, at: 1_700_000_000_000_000_000))
        #expect(history.lines()[1].hasSuffix(", ended at 2023-11-14T22:13:20.000000000Z"))
    }

    @Test func `A flow in another namespace is another flow`() {
        var history = FlowHistory()
        history.add(change(.new))
        history.add(change(.new, namespace: 3, isLocal: false, translated: "192.0.2.1:49152 > 198.51.100.1:862"))
        #expect(
            history.lines() == [
                "conntrack: 2 flows", "  own \(Self.probes): confirmed, replied, not translated",
                "  answered \(Self.probes) in namespace 3: confirmed, replied, translated to "
                    + "192.0.2.1:49152 > 198.51.100.1:862",
            ])
    }

    @Test func `A change of a translation has a line with its time and both translations`() {
        var history = FlowHistory()
        history.add(
            change(
                .changed, at: 1_700_000_000_000_000_000, translated: "192.0.2.1:49152 > 198.51.100.2:862",
                before: "192.0.2.1:49152 > 198.51.100.1:862"))
        #expect(
            history.lines().last
                == "  The translation of \(Self.probes) changed at 2023-11-14T22:13:20.000000000Z, from "
                + "192.0.2.1:49152 > 198.51.100.1:862 to 192.0.2.1:49152 > 198.51.100.2:862. It can explain a step in the "
                + "delay at that time.")
    }

    @Test func `Kept and shown changes are bounded, and all are counted`() {
        var history = FlowHistory()
        for number in 0..<1000 { history.add(change(.new, "\(number)")) }
        #expect(history.changes.count == 256 && history.flows.count == 256 && history.count == 1000)
        #expect(history.lines().count == 10)
        #expect(history.lines().last == "  and 248 more")
    }

    @Test func `An ended flow is evicted, and a late change of a translation is kept`() {
        var history = FlowHistory()
        for number in 0..<256 { history.add(change(number == 7 ? .gone : .new, "\(number)")) }
        history.add(change(.new, "late", translated: "b", before: "a"))
        #expect(history.flows.count == 256)
        #expect(history.flows.contains { $0.original == "late" } && !history.flows.contains { $0.original == "7" })
        #expect(!history.changes.contains { $0.original == "late" })
        #expect(history.retranslations.map(\.original) == ["late"])
        #expect(history.lines().last?.contains("The translation of late changed") == true)
    }

    @Test func `The JSON has all changes and the latest states`() {
        var history = FlowHistory()
        history.notes = ["a note"]
        history.add(change(.found, namespace: 3, isReplied: false))
        let state =
            #"{"event":"found","noticed":"1970-01-01T00:00:00.000000000Z","noticed_ns":0,"session":"own","namespace":3,"#
            + #""original":"192.0.2.1:49152 > 203.0.113.1:862","confirmed":true,"replied":false,"translated":null,"#
            + #""translated_before":null}"#
        #expect(
            history.jsonValue.compact
                == #"{"watched":true,"notes":["a note"],"changes":1,"events":[\#(state)],"retranslations":[],"flows":[\#(state)]}"#
        )
    }
}
