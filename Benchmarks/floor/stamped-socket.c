// Sources: packet(7), recvmmsg(2), Documentation/networking/timestamping.rst.
#define _GNU_SOURCE
#include "stamped-socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    had_sched = 1,
    had_snd = 2,
};

static void filter_port(int socket, uint16_t port) {
    // "ip and udp and dst port N" as libpcap compiles it: first fragments only, options skipped.
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 8),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0x40000),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog filter = { .len = sizeof program / sizeof program[0], .filter = program };
    check("attach the filter", setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter));
}

static int reserve_port(uint16_t port) {
    int reservation = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    check("open a UDP socket", reservation);
    struct sock_filter program[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
    struct sock_fprog filter = { .len = 1, .filter = program };
    check("attach the filter", setsockopt(reservation, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter));
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    check("reserve the UDP port", bind(reservation, (struct sockaddr *)&address, sizeof address));
    return reservation;
}

void stamped_socket_open(struct stamped_socket *self, const char *interface, uint16_t port) {
    memset(self, 0, sizeof *self);
    int index = interface_index(interface);
    self->port_reservation = reserve_port(port);
    self->gives_ids = true;

    self->receiver = open_packet_socket();
    filter_port(self->receiver, port);
    prepare_receiver(self->receiver);
    request_receive_stamps(self->receiver);
    bind_to(self->receiver, index, ETH_P_IP);

    self->sender = open_packet_socket();
    request_transmit_stamps(self->sender, SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE);
    bind_to(self->sender, index, 0); // protocol 0: this half receives nothing

    make_batch(&self->in, slot_bytes);
    make_batch(&self->out, frame_bytes);
    make_batch(&self->stamps, 0);
}

uint8_t *stamped_socket_out(struct stamped_socket *self, unsigned int index) {
    return packet_of(&self->out, index);
}

uint8_t *stamped_socket_in(struct stamped_socket *self, unsigned int index) {
    return packet_of(&self->in, index);
}

void stamped_socket_send(struct stamped_socket *self, unsigned int count) {
    struct batch *batch = &self->out;
    for (unsigned int index = 0; index < count; index++) {
        if (self->gives_ids) set_id(batch, index, self->next_id + index);
        else clear_id(batch, index);
    }
    for (unsigned int done = 0; done < count;) {
        int sent = sendmmsg(self->sender, batch->headers + done, count - done, MSG_DONTWAIT);
        if (sent < 0 && errno == EINVAL && self->gives_ids && self->account.sent == 0) {
            // An older kernel: its count starts at 0 too, so the ids are the same.
            self->gives_ids = false;
            stamped_socket_send(self, count);
            return;
        }
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        check("send", sent);
        for (int index = 0; index < sent; index++) self->had[self->next_id++ % tracked_packets] = 0;
        self->account.sent += (uint64_t)sent;
        self->undrained += (unsigned int)sent;
        done += (unsigned int)sent;
    }
}

unsigned int stamped_socket_receive(struct stamped_socket *self, int flags) {
    unsigned int received = receive_batch(self->receiver, &self->in, MSG_TRUNC | flags);
    for (unsigned int index = 0; index < received; index++) {
        struct msghdr *header = &self->in.headers[index].msg_hdr;
        self->received_at[index] = 0;
        for (struct cmsghdr *message = CMSG_FIRSTHDR(header); message; message = CMSG_NXTHDR(header, message)) {
            if (message->cmsg_level != SOL_SOCKET || message->cmsg_type != timestamping_new) continue;
            struct stamps stamps;
            if (message->cmsg_len < CMSG_LEN(sizeof stamps)) continue;
            memcpy(&stamps, CMSG_DATA(message), sizeof stamps);
            self->received_at[index] = stamps.times[0][0] * second + stamps.times[0][1];
        }
        if (self->received_at[index] == 0) self->unstamped++;
    }
    return received;
}

unsigned int stamped_socket_return(struct stamped_socket *self, unsigned int received) {
    unsigned int count = 0;
    for (unsigned int index = 0; index < received; index++) {
        if (self->in.headers[index].msg_len != frame_bytes) continue;
        uint8_t *frame = memcpy(stamped_socket_out(self, count), stamped_socket_in(self, index), frame_bytes);
        address_reply(frame);
        count++;
    }
    if (count > 0) stamped_socket_send(self, count);
    return count;
}

static void record_stamp(struct stamped_socket *self, const struct sock_extended_err *error) {
    uint8_t bit = error->ee_info == SCM_TSTAMP_SCHED ? had_sched : error->ee_info == SCM_TSTAMP_SND ? had_snd : 0;
    // Unsigned: an id that is not among the last ones sent has a large age.
    uint32_t age = self->next_id - 1 - error->ee_data;
    uint8_t *had = &self->had[error->ee_data % tracked_packets];
    if (bit == 0 || age >= tracked_packets || age >= self->account.sent || (*had & bit) != 0) {
        self->account.unknown++;
        return;
    }
    *had |= bit;
    *(bit == had_sched ? &self->account.sched : &self->account.snd) += 1;
}

void stamped_socket_drain(struct stamped_socket *self) {
    unsigned int received;
    self->undrained = 0;
    do {
        received = receive_batch(self->sender, &self->stamps, MSG_ERRQUEUE);
        for (unsigned int index = 0; index < received; index++) {
            struct msghdr *header = &self->stamps.headers[index].msg_hdr;
            bool stamped = false;
            for (struct cmsghdr *message = CMSG_FIRSTHDR(header); message; message = CMSG_NXTHDR(header, message)) {
                if (message->cmsg_level == SOL_SOCKET && message->cmsg_type == timestamping_new) {
                    struct stamps stamps;
                    if (message->cmsg_len < CMSG_LEN(sizeof stamps)) continue;
                    memcpy(&stamps, CMSG_DATA(message), sizeof stamps);
                    stamped = stamps.times[0][0] != 0 || stamps.times[2][0] != 0;
                } else if (message->cmsg_level == SOL_PACKET && message->cmsg_type == PACKET_TX_TIMESTAMP) {
                    struct sock_extended_err error;
                    if (message->cmsg_len < CMSG_LEN(sizeof error)) continue;
                    memcpy(&error, CMSG_DATA(message), sizeof error);
                    if (stamped && error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING) record_stamp(self, &error);
                }
            }
        }
    } while (received == batch_size);
}

bool stamped_socket_is_settled(const struct stamped_socket *self) {
    return self->account.sched == self->account.sent && self->account.snd == self->account.sent;
}

void stamped_socket_print(
    const struct stamped_socket *self, const char *role, uint64_t exchanges, int64_t duration, int64_t cpu) {
    const struct stamp_account *account = &self->account;
    double seconds = (double)duration / (double)second;
    printf("{\"role\":\"%s\",\"exchanges\":%lu,\"seconds\":%.3f,\"exchanges_per_second\":%.0f,", role, exchanges,
           seconds, seconds > 0 ? (double)exchanges / seconds : 0);
    printf("\"sent\":%lu,\"sched\":%lu,\"snd\":%lu,\"unknown_stamps\":%lu,\"received_unstamped\":%lu,", account->sent,
           account->sched, account->snd, account->unknown, self->unstamped);
    printf("\"cpu_ns\":%ld,\"cpu_ns_per_exchange\":%.0f", cpu,
           exchanges > 0 ? (double)cpu / (double)exchanges : 0);
}

bool stamped_socket_wait(struct stamped_socket *self, int64_t timeout_ns) {
    struct pollfd entries[] = {
        { .fd = self->receiver, .events = POLLIN },
        { .fd = self->sender }, // timestamps set POLLERR, which is always reported
    };
    struct timespec timeout = { timeout_ns / 1000000000, timeout_ns % 1000000000 };
    int ready = ppoll(entries, 2, &timeout, NULL);
    if (ready < 0 && errno != EINTR) fail("wait");
    return ready > 0;
}
