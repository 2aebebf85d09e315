/// A share of counts, 0 to 1 or a few times that, as "12.50 %".
func percentText(_ share: Double) -> String {
    guard share >= 0, share < 1e9 else { return "? %" }
    return fixedPointText(UInt64((share * 10_000).rounded()), decimals: 2) + " %"
}
