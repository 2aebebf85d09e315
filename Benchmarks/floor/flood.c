// Floods an interface with frames without payload, or sends them at a rate, until SIGTERM: the input of packets.c and
// of Benchmarks/Sources/packets.
//
//     flood INTERFACE PEER-MAC [--frame-bytes N] [--rate N]
//
// At the end it prints the number of frames sent.
#define _GNU_SOURCE
#include "packet-socket.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

_Noreturn void usage(void) {
    fputs("usage: flood INTERFACE PEER-MAC [--frame-bytes N] [--rate N]\n", stderr);
    exit(64);
}

static int64_t time_due(int64_t start, uint64_t sent, long rate) {
    return start + (int64_t)(sent / (uint64_t)rate) * second + (int64_t)(sent % (uint64_t)rate) * second / rate;
}

static void wait_until(int64_t time) {
    struct timespec end = { time / second, time % second };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
}

int main(int argc, char **argv) {
    if (argc < 3) usage();
    uint8_t peer[6];
    long frame_bytes = 64, rate = 0;
    mac_address(argv[2], peer);
    for (int at = 3; at < argc; at += 2) {
        if (strcmp(argv[at], "--frame-bytes") == 0) frame_bytes = number(argv[at + 1], 60, 1514);
        else if (strcmp(argv[at], "--rate") == 0) rate = number(argv[at + 1], 1, 1000000);
        else usage();
    }
    end_at_signals();
    check("set the timer slack", prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0));

    int descriptor = open_packet_socket();
    set_int(descriptor, "bypass the packet scheduler", SOL_PACKET, PACKET_QDISC_BYPASS, 1);
    bind_to(descriptor, interface_index(argv[1]), 0);
    struct batch batch;
    make_batch(&batch, (unsigned int)frame_bytes);
    for (unsigned int index = 0; index < batch_size; index++) {
        write_ethernet_header(packet_of(&batch, index), argv[1], peer, test_ethertype);
    }

    // At a rate, frames are sent one at a time.
    const unsigned int count = rate > 0 ? 1 : batch_size;
    uint64_t sent = 0;
    const int64_t start = time_of(CLOCK_MONOTONIC);
    while (!ended) {
        if (rate > 0) wait_until(time_due(start, sent, rate));
        int taken = sendmmsg(descriptor, batch.headers, count, MSG_DONTWAIT);
        if (taken > 0) sent += (uint64_t)taken;
        // ENOBUFS: the reader's side has no room in its queue; ENETDOWN: the namespaces are being removed.
        else if (errno == ENETDOWN || errno == ENXIO) break;
        else if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) fail("send");
    }
    printf("{\"sent\":%lu,\"duration_ns\":%ld}\n", sent, time_of(CLOCK_MONOTONIC) - start);
}
