#define _GNU_SOURCE
#include "packets.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

// The time that a reader that has emptied its queue lets it fill again. Otherwise a faster reader would get smaller
// batches, and its cost per packet would not fall. With it batches are full, except one for each pause.
static const struct timespec pause_when_empty = { .tv_nsec = 1000000 };

struct packet {
    unsigned int length;
    int64_t stamp;
    uint8_t type;
    uint16_t vlan;
};

static struct packet read_packet(const struct batch *batch, unsigned int index) {
    struct msghdr *header = &batch->headers[index].msg_hdr;
    struct packet packet = { .length = batch->headers[index].msg_len };
    if (header->msg_namelen >= offsetof(struct sockaddr_ll, sll_addr)) {
        packet.type = ((const struct sockaddr_ll *)header->msg_name)->sll_pkttype;
    }
    for (struct cmsghdr *message = CMSG_FIRSTHDR(header); message; message = CMSG_NXTHDR(header, message)) {
        if (message->cmsg_level == SOL_SOCKET && message->cmsg_type == timestamping_new) {
            struct stamps stamps;
            if (message->cmsg_len < CMSG_LEN(sizeof stamps)) continue;
            memcpy(&stamps, CMSG_DATA(message), sizeof stamps);
            packet.stamp = stamps.times[0][0] * second + stamps.times[0][1];
        } else if (message->cmsg_level == SOL_PACKET && message->cmsg_type == PACKET_AUXDATA) {
            struct tpacket_auxdata data;
            if (message->cmsg_len < CMSG_LEN(sizeof data)) continue;
            memcpy(&data, CMSG_DATA(message), sizeof data);
            if (data.tp_status & TP_STATUS_VLAN_VALID) packet.vlan = data.tp_vlan_tci;
        }
    }
    return packet;
}

static int open_receiver(const struct options *options, struct batch *batch) {
    int descriptor = open_packet_socket();
    prepare_receiver(descriptor);
    request_receive_stamps(descriptor);
    bind_to(descriptor, interface_index(options->interface), test_ethertype);
    make_batch(batch, slot_bytes);
    return descriptor;
}

void run_receive(const struct options *options) {
    struct batch batch;
    int descriptor = open_receiver(options, &batch);
    uint64_t packets = 0, sum = 0, unstamped = 0, batches = 0;
    struct measurement measurement = { 0 };
    while (measure(&measurement, options, packets)) {
        unsigned int count = receive_batch(descriptor, &batch, MSG_TRUNC);
        for (unsigned int index = 0; index < count; index++) {
            struct packet packet = read_packet(&batch, index);
            sum += packet.length + (uint64_t)packet.stamp + packet.type + packet.vlan;
            unstamped += packet.stamp == 0;
        }
        packets += count;
        batches++;
        if (count < batch_size) nanosleep(&pause_when_empty, NULL);
    }
    print_measurement(&measurement, sum);
    printf(",\"drops\":%lu,\"unstamped\":%lu,\"batches\":%lu}\n", drops_of(descriptor), unstamped, batches);
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void run_latency(const struct options *options) {
    struct batch batch;
    int descriptor = open_receiver(options, &batch);
    // Edge-triggered, like PacketConn.
    int events = epoll_create1(EPOLL_CLOEXEC);
    check("create an event queue", events);
    struct epoll_event wanted = { .events = EPOLLIN | EPOLLET };
    check("watch the socket", epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &wanted));

    int64_t *latencies = malloc(options->packets * sizeof *latencies);
    if (!latencies) fail("allocate");
    memset(latencies, 1, options->packets * sizeof *latencies); // no page fault later
    uint64_t packets = 0, measured = 0, sum = 0, unstamped = 0;
    struct measurement measurement = { 0 };
    while (measure(&measurement, options, packets)) {
        unsigned int count = receive_batch(descriptor, &batch, MSG_TRUNC);
        if (count == 0 && !options->spins) {
            struct epoll_event happened[4];
            if (epoll_pwait2(events, happened, 4, NULL, NULL) < 0 && errno != EINTR) fail("wait");
        }
        for (unsigned int index = 0; index < count; index++) {
            struct packet packet = read_packet(&batch, index);
            int64_t latency = time_of(CLOCK_REALTIME) - packet.stamp;
            sum += packet.length;
            unstamped += packet.stamp == 0;
            if (measurement.runs && packet.stamp != 0 && measured < options->packets) latencies[measured++] = latency;
        }
        packets += count;
    }
    print_measurement(&measurement, sum);
    printf(",\"drops\":%lu,\"unstamped\":%lu", drops_of(descriptor), unstamped);
    if (measured > 0) {
        qsort(latencies, measured, sizeof *latencies, ascending);
        printf(",\"p50_ns\":%ld,\"p99_ns\":%ld,\"p99_9_ns\":%ld", latencies[measured / 2],
               latencies[measured * 99 / 100], latencies[measured * 999 / 1000]);
    }
    puts("}");
}
