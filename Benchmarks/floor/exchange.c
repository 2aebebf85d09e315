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
#include "stamped-socket.h"

#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum {
    sender_port = 50000,
    reflector_port = 862,
    sequence_offset = ethernet_bytes + ip_bytes + udp_bytes,
};
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

// MARK: frames

static void store16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t sum16(const uint8_t *bytes, size_t count) {
    uint32_t sum = 0;
    for (size_t index = 0; index + 1 < count; index += 2) sum += (uint32_t)bytes[index] << 8 | bytes[index + 1];
    return sum;
}

static uint16_t checksum(uint32_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void set_sequence(uint8_t *frame, uint32_t sequence) {
    // The complement that follows keeps the UDP checksum unchanged, which the kernel verifies for the socket that
    // reserves the port.
    uint32_t values[2] = { sequence, ~sequence };
    memcpy(frame + sequence_offset, values, sizeof values);
}

static bool has_sequence(const uint8_t *frame, uint32_t *sequence) {
    uint32_t values[2];
    memcpy(values, frame + sequence_offset, sizeof values);
    *sequence = values[0];
    return values[1] == ~values[0];
}

static void write_frame(uint8_t *frame, const struct options *options) {
    write_ethernet_header(frame, options->interface, options->peer, 0x0800);
    uint8_t *ip = frame + ethernet_bytes, *udp = ip + ip_bytes;
    const unsigned int udp_length = frame_bytes - ethernet_bytes - ip_bytes;
    ip[0] = 0x45;
    store16(ip + 2, ip_bytes + udp_length);
    store16(ip + 6, 0x4000); // don't fragment
    ip[8] = 255;
    ip[9] = IPPROTO_UDP;
    memcpy(ip + 12, (uint8_t[]){ 192, 0, 2, 1, 192, 0, 2, 2 }, 8);
    store16(ip + 10, checksum(sum16(ip, ip_bytes)));
    store16(udp, sender_port);
    store16(udp + 2, reflector_port);
    store16(udp + 4, udp_length);
    set_sequence(frame, 0);
    store16(udp + 6, checksum(sum16(ip + 12, 8) + IPPROTO_UDP + udp_length + sum16(udp, udp_length)));
}

static void swap(uint8_t *a, uint8_t *b, size_t count) {
    uint8_t held[8];
    memcpy(held, a, count);
    memcpy(a, b, count);
    memcpy(b, held, count);
}

// MARK: results

static void print_account(const char *role, uint64_t exchanges, int64_t duration, int64_t cpu) {
    const struct stamp_account *account = &link_socket.account;
    double seconds = (double)duration / (double)second;
    printf("{\"role\":\"%s\",\"exchanges\":%lu,\"seconds\":%.3f,\"exchanges_per_second\":%.0f,", role, exchanges,
           seconds, seconds > 0 ? (double)exchanges / seconds : 0);
    printf("\"sent\":%lu,\"sched\":%lu,\"snd\":%lu,\"unknown_stamps\":%lu,\"received_unstamped\":%lu,", account->sent,
           account->sched, account->snd, account->unknown, link_socket.unstamped);
    printf("\"cpu_ns\":%ld,\"cpu_ns_per_exchange\":%.0f", cpu,
           exchanges > 0 ? (double)cpu / (double)exchanges : 0);
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print_lateness(int64_t *lateness, size_t count) {
    if (count == 0) return;
    qsort(lateness, count, sizeof *lateness, ascending);
    printf(",\"send_lateness_ns\":{\"p50\":%ld,\"p99\":%ld,\"p999\":%ld,\"max\":%ld}", lateness[count / 2],
           lateness[count * 99 / 100], lateness[count * 999 / 1000], lateness[count - 1]);
}

// MARK: roles

// Returns one batch to its sender.
static unsigned int reflect(void) {
    unsigned int received = stamped_socket_receive(&link_socket), count = 0;
    for (unsigned int index = 0; index < received; index++) {
        if (link_socket.in.headers[index].msg_len != frame_bytes) continue;
        uint8_t *frame = memcpy(
            stamped_socket_out(&link_socket, count), stamped_socket_in(&link_socket, index), frame_bytes);
        swap(frame, frame + 6, 6);
        swap(frame + ethernet_bytes + 12, frame + ethernet_bytes + 16, 4);
        swap(frame + ethernet_bytes + ip_bytes, frame + ethernet_bytes + ip_bytes + 2, 2);
        count++;
    }
    if (count > 0) stamped_socket_send(&link_socket, count);
    return received;
}

static void run_reflector(const struct options *options) {
    stamped_socket_open(&link_socket, options->interface, reflector_port);
    int64_t first = 0, last = 0, cpu = time_of(CLOCK_THREAD_CPUTIME_ID);
    while (!ended) {
        unsigned int received = reflect();
        stamped_socket_drain(&link_socket);
        if (received > 0) {
            last = time_of(CLOCK_MONOTONIC);
            if (first == 0) first = last;
        } else {
            stamped_socket_wait(&link_socket, second / 10); // bounded: a signal may arrive just before it
        }
    }
    stamped_socket_drain(&link_socket);
    print_account("reflector", link_socket.account.sent, last - first, time_of(CLOCK_THREAD_CPUTIME_ID) - cpu);
    puts("}");
}

struct flight {
    uint32_t next;      // the sequence of the next packet
    uint32_t oldest;    // earlier ones are returned or lost
    uint32_t in_flight;
    uint64_t exchanges;
    uint64_t lost;
    uint64_t strays;
};

static unsigned int receive_replies(struct flight *flight) {
    unsigned int received = stamped_socket_receive(&link_socket);
    for (unsigned int index = 0; index < received; index++) {
        uint32_t sequence;
        // A veth keeps the order, so a reply that is not the next one shows a loss.
        if (link_socket.in.headers[index].msg_len != frame_bytes ||
            !has_sequence(stamped_socket_in(&link_socket, index), &sequence) ||
            sequence - flight->oldest >= flight->in_flight) {
            flight->strays++;
            continue;
        }
        uint32_t gone = sequence - flight->oldest;
        flight->lost += gone;
        flight->in_flight -= gone + 1;
        flight->oldest = sequence + 1;
        flight->exchanges++;
    }
    return received;
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

static int64_t due(const struct options *options, uint32_t sequence) {
    return sequence / options->rate * second + sequence % options->rate * second / options->rate;
}

static void send_probes(struct flight *flight, unsigned int count) {
    for (unsigned int index = 0; index < count; index++) {
        set_sequence(stamped_socket_out(&link_socket, index), flight->next++);
    }
    flight->in_flight += count;
    stamped_socket_send(&link_socket, count);
}

static void run_sender(const struct options *options) {
    stamped_socket_open(&link_socket, options->interface, sender_port);
    write_frame(stamped_socket_out(&link_socket, 0), options);
    for (unsigned int index = 1; index < batch_size; index++) {
        memcpy(stamped_socket_out(&link_socket, index), stamped_socket_out(&link_socket, 0), frame_bytes);
    }
    size_t room = options->rate > 0 ? (size_t)(options->rate * (options->seconds + 1)) : 0, measured = 0;
    int64_t *lateness = malloc(room * sizeof *lateness + 1);
    if (!lateness) fail("allocate");
    memset(lateness, 1, room * sizeof *lateness + 1); // no page fault later

    struct flight flight = { 0 };
    int64_t cpu = time_of(CLOCK_THREAD_CPUTIME_ID), start = time_of(CLOCK_MONOTONIC), now = start, heard = start;
    const int64_t stop = start + options->seconds * second;
    while (!ended) {
        now = time_of(CLOCK_MONOTONIC);
        unsigned int count = now < stop ? allowed(options, &flight, now - start) : 0;
        for (unsigned int index = 0; index < count && measured < room; index++) {
            lateness[measured++] = now - start - due(options, flight.next + index);
        }
        if (count > 0) send_probes(&flight, count);
        stamped_socket_drain(&link_socket);
        if (receive_replies(&flight) > 0 || flight.in_flight == count) heard = now;
        if (now - heard > reply_timeout_ns) {
            flight.lost += flight.in_flight;
            flight.oldest = flight.next;
            flight.in_flight = 0;
            heard = now;
        }
        if (now >= stop && flight.in_flight == 0) break;
        int64_t wait = reply_timeout_ns;
        if (now < stop) {
            now = time_of(CLOCK_MONOTONIC);
            if (options->rate > 0) wait = start + due(options, flight.next) - now;
            if (allowed(options, &flight, now - start) > 0) continue;
        }
        if (wait > 0) stamped_socket_wait(&link_socket, wait);
    }
    cpu = time_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
    while (!stamped_socket_is_settled(&link_socket) && stamped_socket_wait(&link_socket, reply_timeout_ns)) {
        stamped_socket_drain(&link_socket);
    }
    print_account("sender", flight.exchanges, now - start, cpu);
    printf(",\"lost\":%lu,\"strays\":%lu", flight.lost, flight.strays);
    print_lateness(lateness, measured);
    puts("}");
    free(lateness);
}

// MARK: command line

_Noreturn void usage(void) {
    fputs("usage: exchange reflector INTERFACE [--cpu N]\n"
          "       exchange sender INTERFACE PEER-MAC [--cpu N] [--seconds N] [--window N | --rate N]\n", stderr);
    exit(64);
}

static void prepare_thread(int cpu) {
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((unsigned int)cpu, &set);
        if (sched_setaffinity(0, sizeof set, &set) < 0) fail("pin to the CPU");
    }
    if (prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0) < 0) fail("set the timer slack");
    end_at_signals();
}

int main(int argc, char **argv) {
    struct options options = { .cpu = -1, .seconds = 5, .window = 64 };
    if (argc < 3) usage();
    bool sends = strcmp(argv[1], "sender") == 0;
    if (!sends && strcmp(argv[1], "reflector") != 0) usage();
    options.interface = argv[2];
    int at = 3;
    if (sends) {
        mac_address(argc > at ? argv[at++] : NULL, options.peer);
    }
    for (; at < argc; at += 2) {
        if (strcmp(argv[at], "--cpu") == 0) options.cpu = (int)number(argv[at + 1], 0, CPU_SETSIZE - 1);
        else if (sends && strcmp(argv[at], "--seconds") == 0) options.seconds = number(argv[at + 1], 1, 600);
        else if (sends && strcmp(argv[at], "--window") == 0) options.window = number(argv[at + 1], 1, 1024);
        else if (sends && strcmp(argv[at], "--rate") == 0) options.rate = number(argv[at + 1], 1, 1000000);
        else usage();
    }
    prepare_thread(options.cpu);
    if (sends) run_sender(&options);
    else run_reflector(&options);
}
