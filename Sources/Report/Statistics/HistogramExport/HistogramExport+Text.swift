extension HistogramExport {
    /// Returns the whole file: the header, and a line for each bucket that has counts.
    ///
    /// The percentile is the share of all values up to and including the bucket, in percent with six decimals,
    /// rounded down so that only the last bucket reaches 100.
    public func csv() -> [UInt8] {
        var bytes = Array(Self.header.utf8)
        bytes.append(UInt8(ascii: "\n"))
        for key in keys {
            let buckets = buckets(key)
            let total = buckets.reduce(0) { saturatingSum($0, $1.count) }
            var cumulative: UInt64 = 0
            for bucket in buckets {
                cumulative = saturatingSum(cumulative, bucket.count)
                bytes.appendHexadecimal(key.session)
                bytes.append(text: ",\(key.metric),\(key.direction)")
                for bound in [bucket.from, bucket.to] {
                    bytes.append(UInt8(ascii: ","))
                    bytes.appendDecimal(bound)
                }
                for count in [bucket.count, cumulative] {
                    bytes.append(UInt8(ascii: ","))
                    bytes.appendDecimal(count)
                }
                bytes.append(UInt8(ascii: ","))
                bytes.append(text: Self.percentileText(cumulative, of: total))
                bytes.append(UInt8(ascii: "\n"))
            }
        }
        return bytes
    }

    private static func percentileText(_ part: UInt64, of total: UInt64) -> String {
        guard total > 0 else { return "0.000000" }
        let millionths = UInt128(part) * 100_000_000 / UInt128(total)
        return fixedPointText(UInt64(truncatingIfNeeded: millionths), decimals: 6)
    }
}
