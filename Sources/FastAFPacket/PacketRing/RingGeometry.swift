import CLinux
import Glibc
import LinuxKernel

/// The shape of a ring's memory: blocks one after the other, and in each, for v1 and v2, frames.
@usableFromInline
struct RingGeometry: Sendable {
    @usableFromInline let version: PacketRing.Version
    @usableFromInline let frameSize: Int
    @usableFromInline let blockSize: Int
    @usableFromInline let blockCount: Int
    @usableFromInline let framesPerBlock: Int

    var byteCount: Int { blockSize * blockCount }

    /// What the kernel would refuse as EINVAL, named. Source: packet_set_ring() in net/packet/af_packet.c.
    init(_ configuration: PacketRing.Configuration, version: PacketRing.Version) throws(SystemError) {
        let (frame, block, count) = (configuration.frameSize, configuration.blockSize, configuration.blockCount)
        let page = Int(getpagesize())
        let remedy: String? =
            if frame < 128 || !frame.isMultiple(of: Int(TPACKET_ALIGNMENT)) {
                "A frame's size is a multiple of 16, from 128 bytes on; \(frame) is not."
            } else if block < frame || !block.isMultiple(of: page) || block > 1 << 30 {
                "A block's size is a multiple of \(page) bytes (the page), holds a frame of \(frame), and is at most "
                    + "1 GiB; \(block) is not."
            } else if count < 1 || count > (1 << 36) / block {
                "There is at least one block, and no more than 64 GiB of them; \(count) of \(block) bytes is not that."
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

    /// Where frame `index` of the whole ring begins (v1, v2): blocks may have a rest behind their last frame.
    @inlinable
    func frameOffset(_ index: Int) -> Int {
        let (block, frame) = index.quotientAndRemainder(dividingBy: framesPerBlock)
        return block &* blockSize &+ frame &* frameSize
    }
}
