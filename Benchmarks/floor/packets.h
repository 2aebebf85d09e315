// What the floors of the packet benchmarks share. The Swift program Benchmarks/Sources/packets has the same commands,
// options and results.
#ifndef PACKETS_H
#define PACKETS_H

#include "packet-socket.h"

enum { slot_bytes = 2048 };

struct options {
    const char *interface;
    uint8_t peer[6];
    bool spins;
    long frame_bytes;
    // Counted, and before them not counted.
    uint64_t packets;
    uint64_t warm_up;
};

// What the thread has used for how many packets, from the end of the warm-up on.
struct measurement {
    uint64_t first;
    uint64_t packets;
    int64_t started;
    int64_t duration;
    int64_t cpu;
    // How long it could have run while another thread had its processor.
    int64_t waited;
    bool runs;
};

// Called after each batch with all packets so far; false once there are enough.
bool measure(struct measurement *measurement, const struct options *options, uint64_t packets);

// Begins the line of results; the caller ends it. `sum` is of what was read, so that it was read.
void print_measurement(const struct measurement *measurement, uint64_t sum);

// Frames that found no room since the last call. Source: PACKET_STATISTICS in packet(7).
uint64_t drops_of(int socket);

void run_ring(const struct options *options);
void run_receive(const struct options *options);
void run_latency(const struct options *options);
void run_transmit(const struct options *options);

#endif
