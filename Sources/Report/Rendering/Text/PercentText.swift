/// Returns a share as a percentage, such as "12.50 %". Shares can exceed 1.
func percentText(_ share: Double) -> String {
    guard share >= 0, share < 1e9 else { return "? %" }
    return fixedPointText(UInt64((share * 10_000).rounded()), decimals: 2) + " %"
}

/// Returns a part of a whole as a percentage. Only an empty part is 0 %, and only the whole is 100 %; others are
/// rounded to "<0.01 %" and ">99.99 %".
func percentText(_ part: UInt64, of whole: UInt64) -> String {
    guard whole > 0 else { return "? %" }
    let share = Double(part) / Double(whole)
    if part > 0, share < 0.00005 { return "<0.01 %" }
    if part < whole, share >= 0.99995 { return ">99.99 %" }
    return percentText(share)
}
