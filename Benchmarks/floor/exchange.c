// The floor of an exchange: the kernel's cost, independent of the application. A sender keeps frames of probe's size in
// flight, or sends them at a rate; a reflector returns each one. Both read SCHED and driver transmit timestamps of
// every packet they send and the kernel receive timestamp of every packet they receive. No STAMP, no records, no log.
//
//     exchange reflector INTERFACE [--cpu N]                          until SIGTERM
//     exchange sender INTERFACE PEER-MAC [--cpu N] [--seconds N] [--window N | --rate N]
//
// Each runs in a separate network namespace, with 192.0.2.1 (sender) and 192.0.2.2 on a veth pair. At the end each
// prints its results as one line of JSON; times are integers in nanoseconds.
#define _GNU_SOURCE
#include "flight.h"
#include "times.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Without a reply for this time, the packets in flight are lost.
static const int64_t reply_timeout_ns = 200000000;

struct options {
    const char *interface;
    uint8_t peer[6];
    int cpu;
    long seconds;
    long window;
    long rate;
};

static struct stamped_socket link_socket;

static void run_reflector(const struct options *options) {
    stamped_socket_open(&link_socket, options->interface, reflector_port);
    int64_t first = 0, last = 0, cpu = time_of(CLOCK_THREAD_CPUTIME_ID);
    while (!ended) {
        unsigned int received = stamped_socket_receive(&link_socket, 0);
        stamped_socket_return(&link_socket, received);
        stamped_socket_drain(&link_socket);
        if (received > 0) {
            last = time_of(CLOCK_MONOTONIC);
            if (first == 0) first = last;
        } else {
            stamped_socket_wait(&link_socket, second / 10); // bounded: a signal may arrive just before it
        }
    }
    stamped_socket_drain(&link_socket);
    cpu = time_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
    stamped_socket_print(&link_socket, "reflector", link_socket.account.sent, last - first, cpu);
    puts("}");
}

// The number of packets that may be sent now: those whose time has come, or the rest of the window.
static unsigned int allowed(const struct options *options, const struct flight *flight, int64_t elapsed) {
    int64_t count;
    if (options->rate > 0) {
        // Packet n is due at n / rate.
        count = elapsed / second * options->rate + elapsed % second * options->rate / second + 1 - flight->next;
    } else {
        count = options->window - flight->in_flight;
    }
    return (unsigned int)(count < 0 ? 0 : count > batch_size ? batch_size : count);
}

static void run_sender(const struct options *options) {
    stamped_socket_open(&link_socket, options->interface, sender_port);
    write_probes(&link_socket, options->interface, options->peer);
    struct times lateness;
    make_times(&lateness, options->rate > 0 ? (size_t)(options->rate * (options->seconds + 1)) : 0);

    struct flight flight = { 0 };
    int64_t cpu = time_of(CLOCK_THREAD_CPUTIME_ID), start = time_of(CLOCK_MONOTONIC), now = start, heard = start;
    const int64_t stop = start + options->seconds * second;
    while (!ended) {
        now = time_of(CLOCK_MONOTONIC);
        unsigned int count = now < stop ? allowed(options, &flight, now - start) : 0;
        for (unsigned int index = 0; index < count && options->rate > 0; index++) {
            add_time(&lateness, now - start - due(options->rate, flight.next + index));
        }
        if (count > 0) send_probes(&flight, &link_socket, count);
        stamped_socket_drain(&link_socket);
        if (receive_replies(&flight, &link_socket) > 0 || flight.in_flight == count) heard = now;
        if (now - heard > reply_timeout_ns) {
            lose_probes(&flight);
            heard = now;
        }
        if (now >= stop && flight.in_flight == 0) break;
        int64_t wait = reply_timeout_ns;
        if (now < stop) {
            now = time_of(CLOCK_MONOTONIC);
            if (options->rate > 0) wait = start + due(options->rate, flight.next) - now;
            if (allowed(options, &flight, now - start) > 0) continue;
        }
        if (wait > 0) stamped_socket_wait(&link_socket, wait);
    }
    cpu = time_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
    while (!stamped_socket_is_settled(&link_socket) && stamped_socket_wait(&link_socket, reply_timeout_ns)) {
        stamped_socket_drain(&link_socket);
    }
    stamped_socket_print(&link_socket, "sender", flight.exchanges, now - start, cpu);
    printf(",\"lost\":%lu,\"strays\":%lu", flight.lost, flight.strays);
    print_times("send_lateness_ns", &lateness);
    puts("}");
}

// MARK: command line

_Noreturn void usage(void) {
    fputs("usage: exchange reflector INTERFACE [--cpu N]\n"
          "       exchange sender INTERFACE PEER-MAC [--cpu N] [--seconds N] [--window N | --rate N]\n", stderr);
    exit(64);
}

int main(int argc, char **argv) {
    struct options options = { .cpu = -1, .seconds = 5, .window = 64 };
    if (argc < 3) usage();
    bool sends = strcmp(argv[1], "sender") == 0;
    if (!sends && strcmp(argv[1], "reflector") != 0) usage();
    options.interface = argv[2];
    int at = 3;
    if (sends) mac_address(argc > at ? argv[at++] : NULL, options.peer);
    for (; at < argc; at += 2) {
        if (strcmp(argv[at], "--cpu") == 0) options.cpu = (int)number(argv[at + 1], 0, CPU_SETSIZE - 1);
        else if (sends && strcmp(argv[at], "--seconds") == 0) options.seconds = number(argv[at + 1], 1, 600);
        else if (sends && strcmp(argv[at], "--window") == 0) options.window = number(argv[at + 1], 1, 1024);
        else if (sends && strcmp(argv[at], "--rate") == 0) options.rate = number(argv[at + 1], 1, 1000000);
        else usage();
    }
    prepare_thread(options.cpu);
    end_at_signals();
    if (sends) run_sender(&options);
    else run_reflector(&options);
}
