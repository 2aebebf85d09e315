// Declarations common to the packet benchmarks' floors. The Swift program Benchmarks/Sources/packets has the same
// commands, options and results.
#ifndef PACKETS_H
#define PACKETS_H

#include "packet-socket.h"

enum { slot_bytes = 2048 };

struct options {
    const char *interface;
    uint8_t peer[6];
    bool spins;
    long frame_bytes;
    // The number of packets measured, after `warm_up` packets that are not.
    uint64_t packets;
    uint64_t warm_up;
};

// The thread's use of time for a number of packets after the warm-up.
struct measurement {
    uint64_t first;
    uint64_t packets;
    int64_t started;
    int64_t duration;
    int64_t cpu;
    // Nanoseconds during which the thread was runnable while its CPU ran another thread.
    int64_t waited;
    bool runs;
};

// Records progress after each batch, with all packets so far. Returns false once there are enough.
bool measure(struct measurement *measurement, const struct options *options, uint64_t packets);

// Begins the line of results; the caller ends it. `sum` is a sum over the values read, so that the compiler cannot skip
// reading them.
void print_measurement(const struct measurement *measurement, uint64_t sum);

// Frames dropped since the last call because the buffer was full. Source: PACKET_STATISTICS in packet(7).
uint64_t drops_of(int socket);

void run_ring(const struct options *options);
void run_receive(const struct options *options);
void run_latency(const struct options *options);
void run_transmit(const struct options *options);

#endif
