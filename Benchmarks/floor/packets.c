// The floor of FastAFPacket: the same system calls with the same batches, and the same fields read, in the simplest C.
//
//     packets ring INTERFACE                    receives by a TPACKET_V3 ring; reads each packet's length and timestamp
//     packets receive INTERFACE                 the same by recvmmsg; reads address and VLAN tag too
//     packets latency INTERFACE [--spin]        from the kernel's timestamp to the reader, waiting or spinning
//     packets transmit INTERFACE --peer MAC     sends, and reads a timestamp of every packet
//
// Each takes [--packets N] [--warm-up N] [--frame-bytes N] and runs in a separate network namespace on a veth pair;
// flood.c sends the packets received. At the end it prints its results as one line of JSON; times are in nanoseconds.
#define _GNU_SOURCE
#include "packets.h"

#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void usage(void) {
    fputs("usage: packets ring|receive|latency|transmit INTERFACE [--peer MAC] [--spin] [--packets N] [--warm-up N]\n"
          "               [--frame-bytes N]\n", stderr);
    exit(64);
}

// The nanoseconds waited for a CPU; 0 if the kernel does not record them. Source: /proc/[pid]/schedstat in
// Documentation/scheduler/sched-stats.rst.
static int64_t time_waited(void) {
    long waited = 0;
    FILE *file = fopen("/proc/thread-self/schedstat", "re");
    if (!file) return 0;
    if (fscanf(file, "%*d %ld", &waited) != 1) waited = 0;
    fclose(file);
    return waited;
}

bool measure(struct measurement *measurement, const struct options *options, uint64_t packets) {
    if (!measurement->runs) {
        if (packets < options->warm_up) return !ended;
        *measurement = (struct measurement){ .first = packets, .waited = time_waited(), .runs = true };
        measurement->started = time_of(CLOCK_MONOTONIC);
        measurement->cpu = time_of(CLOCK_THREAD_CPUTIME_ID);
        return !ended;
    }
    measurement->packets = packets - measurement->first;
    if (measurement->packets < options->packets) return !ended;
    measurement->duration = time_of(CLOCK_MONOTONIC) - measurement->started;
    measurement->cpu = time_of(CLOCK_THREAD_CPUTIME_ID) - measurement->cpu;
    measurement->waited = time_waited() - measurement->waited;
    return false;
}

void print_measurement(const struct measurement *measurement, uint64_t sum) {
    printf("{\"packets\":%lu,\"duration_ns\":%ld,\"cpu_ns\":%ld,\"waited_ns\":%ld,\"sum\":%lu",
           measurement->packets, measurement->duration, measurement->cpu, measurement->waited, sum);
}

uint64_t drops_of(int socket) {
    struct tpacket_stats_v3 statistics = { 0 };
    socklen_t length = sizeof statistics;
    check("read the statistics", getsockopt(socket, SOL_PACKET, PACKET_STATISTICS, &statistics, &length));
    return statistics.tp_drops;
}

static const struct {
    const char *name;
    void (*run)(const struct options *);
} commands[] = {
    { "ring", run_ring }, { "receive", run_receive }, { "latency", run_latency }, { "transmit", run_transmit } };

int main(int argc, char **argv) {
    if (argc < 3) usage();
    struct options options = { .interface = argv[2], .frame_bytes = 64, .packets = 1000000 };
    for (int at = 3; at < argc; at++) {
        if (strcmp(argv[at], "--spin") == 0) options.spins = true;
        else if (strcmp(argv[at], "--peer") == 0) mac_address(argv[++at], options.peer);
        else if (strcmp(argv[at], "--packets") == 0) options.packets = (uint64_t)number(argv[++at], 1, 1000000000);
        else if (strcmp(argv[at], "--warm-up") == 0) options.warm_up = (uint64_t)number(argv[++at], 0, 1000000000);
        else if (strcmp(argv[at], "--frame-bytes") == 0) options.frame_bytes = number(argv[++at], 60, 1514);
        else usage();
    }
    end_at_signals();
    for (size_t index = 0; index < sizeof commands / sizeof commands[0]; index++) {
        if (strcmp(argv[1], commands[index].name) != 0) continue;
        commands[index].run(&options);
        return 0;
    }
    usage();
}
