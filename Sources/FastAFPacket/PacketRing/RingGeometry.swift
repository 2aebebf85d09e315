import CLinux
import Glibc
import LinuxKernel

/// The geometry of a ring's memory: consecutive blocks, each divided into frames for v1 and v2.
@usableFromInline
struct RingGeometry: Sendable {
    @usableFromInline let version: PacketRing.Version
    @usableFromInline let frameSize: Int
    @usableFromInline let blockSize: Int
    @usableFromInline let blockCount: Int
    @usableFromInline let framesPerBlock: Int

    var byteCount: Int { blockSize * blockCount }

    /// Checks the geometry as the kernel would, and names the rule where the kernel returns only EINVAL. Source:
    /// packet_set_ring() in net/packet/af_packet.c.
    init(_ configuration: PacketRing.Configuration, version: PacketRing.Version) throws(SystemError) {
        let (frame, block, count) = (configuration.frameSize, configuration.blockSize, configuration.blockCount)
        let page = Int(getpagesize())
        let remedy: String? =
            if frame < 128 || !frame.isMultiple(of: Int(TPACKET_ALIGNMENT)) {
                "frameSize \(frame) is invalid: use a multiple of 16, at least 128."
            } else if block < frame || !block.isMultiple(of: page) || block > 1 << 30 {
                "blockSize \(block) is invalid: use a multiple of the page size, \(page) bytes, at least the frame "
                    + "size, \(frame), and at most 1 GiB."
            } else if count < 1 || count > (1 << 36) / block {
                "blockCount \(count) is invalid: use at least 1, and at most 64 GiB of blocks of \(block) bytes."
            } else {
                nil
            }
        if let remedy { throw SystemError("set up the ring", code: EINVAL, remedy: remedy) }
        self.init(version: version, frameSize: frame, blockSize: block, blockCount: count)
    }

    init(version: PacketRing.Version, frameSize: Int, blockSize: Int, blockCount: Int) {
        self.version = version
        self.frameSize = frameSize
        self.blockSize = blockSize
        self.blockCount = blockCount
        framesPerBlock = blockSize / frameSize
    }

    /// The offset of frame `index` of the whole ring (v1, v2). A block may have unused bytes after its last frame.
    @inlinable
    func frameOffset(_ index: Int) -> Int {
        let (block, frame) = index.quotientAndRemainder(dividingBy: framesPerBlock)
        return block &* blockSize &+ frame &* frameSize
    }
}
