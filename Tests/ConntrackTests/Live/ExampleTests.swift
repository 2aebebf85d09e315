import Conntrack
import LinuxKernel
import Testing

// The function of docs/conntrack.md, word for word.

/// Records the translated flows of a namespace until the deadline.
func translations(in namespace: String?, until deadline: Int64) throws -> FlowTranslations {
    // Open the listener before reading the table, so that changes during the dump are received.
    let events = try ConntrackEvents(namespace: namespace)
    var translations = FlowTranslations()
    try ConntrackTable(namespace: namespace).dump { translations.record($0, at: ClockID.monotonic.now()) }
    while ClockID.monotonic.now() < deadline {
        _ = try events.next(until: deadline) { translations.record($0, at: ClockID.monotonic.now()) }
    }
    try events.finish()
    if events.account.lost > 0 { print("\(events.account.lost) events were lost") }
    return translations
}

@Suite(.enabled(if: LiveNamespace.isPossible, LiveNamespace.comment)) struct ExampleTests {
    @Test func `The translations in a table are found from both sides`() throws {
        let namespace = try LiveNamespace()
        try namespace.shell(
            """
            conntrack -I -p udp -t 90 -s 192.0.2.1 --sport 7 -d 203.0.113.1 --dport 862 -r 198.51.100.1 -q 192.0.2.1 \\
            --reply-port-src 862 --reply-port-dst 7
            """)
        var known = try translations(in: namespace.name, until: ClockID.monotonic.now())
        let outside = tuple(.udp, "192.0.2.1:7", "203.0.113.1:862")
        let inside = tuple(.udp, "192.0.2.1:7", "198.51.100.1:862")
        #expect(known.otherSide(of: outside, at: ClockID.monotonic.now()) == inside)
        #expect(known.otherSide(of: inside.inverted, at: ClockID.monotonic.now()) == outside.inverted)
    }
}
