import Testing

@testable import Report

@Suite struct PacketLabelsTests {
    @Test func `Packet kinds and directions have the labels of the log`() {
        #expect(PacketKind.allCases.map(\.text) == ["probe", "reply"])
        #expect(Direction.allCases.map(\.text) == ["out", "in"])
    }

    @Test func `Statuses have the labels of the log in the order in which they apply`() {
        #expect(
            PacketStatus.allCases.map(\.text)
                == ["corrupt", "duplicate", "late", "lost", "unknown", "reordered", "ok", "not-sent", ""])
    }

    @Test func `Timestamp kinds and reasons have the labels of the log`() {
        #expect(StampKind.allCases.map(\.text) == ["hardware", "software", "app"])
        #expect(
            MissingReason.allCases.map(\.text)
                == [
                    "unsupported", "late", "buffer", "driver", "not-received", "no-follow-up", "not-asked", "closed",
                    "in-flight", "never", "ptp-only",
                ])
    }

    @Test func `Only packets that arrived once and in time are in the delay statistics`() {
        #expect(PacketStatus.allCases.filter(\.isInDelayStatistics) == [.reordered, .ok])
    }

    @Test func `A record has no references, so that it can be passed through a ring`() {
        #expect(_isPOD(PacketRecord.self))
    }
}
