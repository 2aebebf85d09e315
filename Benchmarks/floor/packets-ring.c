// Source: Documentation/networking/packet_mmap.rst.
#define _GNU_SOURCE
#include "packets.h"

#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>

enum {
    // The same values as in the Swift program. A block holds thousands of small frames; all blocks hold ten
    // milliseconds of a flood of long frames, so that a reader that another process delays for a while loses none.
    block_bytes = 1 << 20,
    block_count = 16,
    block_frame_bytes = 2048,
    block_timeout_ms = 10,
};

static uint8_t *map_ring(int descriptor) {
    struct tpacket_req3 request = {
        .tp_block_size = block_bytes,
        .tp_block_nr = block_count,
        .tp_frame_size = block_frame_bytes,
        .tp_frame_nr = block_bytes / block_frame_bytes * block_count,
        .tp_retire_blk_tov = block_timeout_ms,
    };
    set_int(descriptor, "choose the ring's version", SOL_PACKET, PACKET_VERSION, TPACKET_V3);
    check("set up the ring", setsockopt(descriptor, SOL_PACKET, PACKET_RX_RING, &request, sizeof request));
    uint8_t *ring = mmap(
        NULL, (size_t)block_bytes * block_count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
    if (ring == MAP_FAILED) fail("map the ring");
    return ring;
}

void run_ring(const struct options *options) {
    int descriptor = open_packet_socket();
    set_int(descriptor, "exclude frames sent by this host", SOL_PACKET, ignore_outgoing, 1);
    request_receive_stamps(descriptor);
    uint8_t *ring = map_ring(descriptor);
    bind_to(descriptor, interface_index(options->interface), test_ethertype);

    uint64_t packets = 0, sum = 0, unstamped = 0, waits = 0;
    struct measurement measurement = { 0 };
    for (unsigned int index = 0; measure(&measurement, options, packets); index = (index + 1) % block_count) {
        struct tpacket_block_desc *block = (void *)(ring + (size_t)index * block_bytes);
        while (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
            struct pollfd entry = { .fd = descriptor, .events = POLLIN | POLLERR };
            if (poll(&entry, 1, -1) < 0 && ended) return;
            waits++;
        }
        const struct tpacket3_hdr *packet = (void *)((uint8_t *)block + block->hdr.bh1.offset_to_first_pkt);
        const unsigned int count = block->hdr.bh1.num_pkts;
        for (unsigned int number = 0; number < count; number++) {
            sum += packet->tp_len + (uint64_t)packet->tp_sec * (uint64_t)second + packet->tp_nsec;
            unstamped += (packet->tp_status & TP_STATUS_TS_SOFTWARE) == 0;
            packet = (const void *)((const uint8_t *)packet + packet->tp_next_offset);
        }
        packets += count;
        __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    }
    print_measurement(&measurement, sum);
    printf(",\"drops\":%lu,\"unstamped\":%lu,\"waits\":%lu}\n", drops_of(descriptor), unstamped, waits);
}
