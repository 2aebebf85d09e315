// The floor of a paced session: the cheapest way found in which a process sends packets at a rate and another returns
// them, with SCHED and driver transmit timestamps of every packet and the kernel's receive timestamps.
//
//     paced reflector INTERFACE [--cpu N]                             until SIGTERM
//     paced sender INTERFACE PEER-MAC --rate N [--cpu N] [--seconds N]
//
// Waking a thread costs far more than a system call, so each thread wakes once for each packet: the sender for its
// deadline, the reflector for the packet. Replies and transmit timestamps, which the kernel took long before, wake
// nobody: they are read when the thread is awake. Namespaces and output are those of exchange.c.
#define _GNU_SOURCE
#include "flight.h"
#include "times.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum {
    // Transmit timestamps are read after this number of packets: a small share of what their buffer holds.
    drain_packets = 32,
    // Those of the last packets are read after this time without a packet. It is far above the period of the kernel's
    // tick: a shorter timeout has the timer hardware programmed for each packet.
    idle_us = 100000,
    // The ages of received packets that a reflector keeps.
    age_room = 1 << 22,
};
// Without a reply for this time after the last packet, the packets in flight are lost.
static const int64_t reply_timeout_ns = 200000000;

struct options {
    const char *interface;
    uint8_t peer[6];
    int cpu;
    long seconds;
    long rate;
};

static struct stamped_socket link_socket;
static struct times ages;

// Records the time that the packets of the last receive waited for this program.
static void add_ages(unsigned int received) {
    if (received == 0) return;
    int64_t now = time_of(CLOCK_REALTIME);
    for (unsigned int index = 0; index < received; index++) {
        if (link_socket.received_at[index] != 0) add_time(&ages, now - link_socket.received_at[index]);
    }
}

static void drain_if_many(void) {
    if (link_socket.undrained >= drain_packets) stamped_socket_drain(&link_socket);
}

static void run_reflector(const struct options *options) {
    stamped_socket_open(&link_socket, options->interface, reflector_port);
    struct timeval idle = { .tv_usec = idle_us };
    check("set the timeout", setsockopt(link_socket.receiver, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle));
    make_times(&ages, age_room);
    int64_t first = 0, last = 0, cpu = time_of(CLOCK_PROCESS_CPUTIME_ID);
    while (!ended) {
        unsigned int received = stamped_socket_receive(&link_socket, MSG_WAITFORONE);
        if (received == 0) {
            if (link_socket.undrained > 0) stamped_socket_drain(&link_socket);
            continue;
        }
        add_ages(received);
        stamped_socket_return(&link_socket, received);
        drain_if_many();
        last = time_of(CLOCK_MONOTONIC);
        if (first == 0) first = last;
    }
    cpu = time_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    stamped_socket_drain(&link_socket);
    stamped_socket_print(&link_socket, "reflector", link_socket.account.sent, last - first, cpu);
    print_times("reception_to_application_ns", &ages);
    puts("}");
}

static void sleep_until(int64_t time) {
    struct timespec deadline = { time / second, time % second };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL);
}

static void settle(struct flight *flight) {
    while (flight->in_flight > 0 || !stamped_socket_is_settled(&link_socket)) {
        if (!stamped_socket_wait(&link_socket, reply_timeout_ns)) break;
        stamped_socket_drain(&link_socket);
        receive_replies(flight, &link_socket);
    }
    lose_probes(flight);
}

static void run_sender(const struct options *options) {
    stamped_socket_open(&link_socket, options->interface, sender_port);
    write_probes(&link_socket, options->interface, options->peer);
    const uint64_t total = (uint64_t)(options->rate * options->seconds);
    struct times lateness;
    make_times(&lateness, total);
    make_times(&ages, total);

    struct flight flight = { 0 };
    int64_t cpu = time_of(CLOCK_PROCESS_CPUTIME_ID), start = time_of(CLOCK_MONOTONIC), now = start;
    while (!ended && flight.next < total) {
        now = time_of(CLOCK_MONOTONIC);
        unsigned int count = 0;
        for (; count < batch_size && flight.next + count < total; count++) {
            int64_t late = now - start - due(options->rate, flight.next + count);
            if (late < 0) break;
            add_time(&lateness, late);
        }
        if (count > 0) send_probes(&flight, &link_socket, count);
        drain_if_many();
        add_ages(receive_replies(&flight, &link_socket));
        if (flight.next < total) sleep_until(start + due(options->rate, flight.next));
    }
    cpu = time_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    settle(&flight);
    stamped_socket_print(&link_socket, "sender", flight.exchanges, now - start, cpu);
    printf(",\"lost\":%lu,\"strays\":%lu", flight.lost, flight.strays);
    print_times("send_lateness_ns", &lateness);
    print_times("reception_to_application_ns", &ages);
    puts("}");
}

_Noreturn void usage(void) {
    fputs("usage: paced reflector INTERFACE [--cpu N]\n"
          "       paced sender INTERFACE PEER-MAC --rate N [--cpu N] [--seconds N]\n", stderr);
    exit(64);
}

int main(int argc, char **argv) {
    struct options options = { .cpu = -1, .seconds = 5 };
    if (argc < 3) usage();
    bool sends = strcmp(argv[1], "sender") == 0;
    if (!sends && strcmp(argv[1], "reflector") != 0) usage();
    options.interface = argv[2];
    int at = 3;
    if (sends) mac_address(argc > at ? argv[at++] : NULL, options.peer);
    for (; at < argc; at += 2) {
        if (strcmp(argv[at], "--cpu") == 0) options.cpu = (int)number(argv[at + 1], 0, CPU_SETSIZE - 1);
        else if (sends && strcmp(argv[at], "--seconds") == 0) options.seconds = number(argv[at + 1], 1, 600);
        else if (sends && strcmp(argv[at], "--rate") == 0) options.rate = number(argv[at + 1], 1, 1000000);
        else usage();
    }
    if (sends && options.rate == 0) usage();
    prepare_thread(options.cpu);
    end_at_signals();
    if (sends) run_sender(&options);
    else run_reflector(&options);
}
