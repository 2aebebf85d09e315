import Testing

@testable import probe

@Suite struct NoticeBudgetTests {
    private static let second: Int64 = 1_000_000_000

    @Test func `Twenty notices are reported at once, and then two a second`() {
        var budget = NoticeBudget(at: 5)
        var reported = 0
        for _ in 0..<100 where budget.admits(at: 5) { reported += 1 }
        #expect(reported == 20 && budget.suppressed == 80)
        for _ in 0..<100 where budget.admits(at: 5 + 3 * Self.second) { reported += 1 }
        #expect(reported == 26 && budget.suppressed == 174)
        for _ in 0..<100 where budget.admits(at: 5 + 3600 * Self.second) { reported += 1 }
        #expect(reported == 46, "it never holds more than at the start")
    }

    @Test func `The suppressed notices are reported as one, when there is room for it`() {
        var budget = NoticeBudget(at: 0)
        #expect(budget.takeSuppressed(at: 0) == nil)
        for _ in 0..<25 { _ = budget.admits(at: 0) }
        #expect(budget.takeSuppressed(at: Self.second / 4) == nil)
        #expect(budget.takeSuppressed(at: Self.second / 2) == 5)
        #expect(budget.takeSuppressed(at: Self.second) == nil)
        #expect(budget.suppressed == 0)
    }
}
