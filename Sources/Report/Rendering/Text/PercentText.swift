/// A share of counts, 0 to 1 or a few times that, as "12.50 %".
func percentText(_ share: Double) -> String {
    guard share >= 0, share < 1e9 else { return "? %" }
    return fixedPointText(UInt64((share * 10_000).rounded()), decimals: 2) + " %"
}

/// A part of a whole in percent. What is there is never rounded to zero, and what is missing never to a hundred:
/// "<0.01 %", ">99.99 %".
func percentText(_ part: UInt64, of whole: UInt64) -> String {
    guard whole > 0 else { return "? %" }
    let share = Double(part) / Double(whole)
    if part > 0, share < 0.00005 { return "<0.01 %" }
    if part < whole, share >= 0.99995 { return ">99.99 %" }
    return percentText(share)
}
