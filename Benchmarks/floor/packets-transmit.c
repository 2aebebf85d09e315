#define _GNU_SOURCE
#include "packets.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { book_size = 1 << 12 };
// The timeout for a timestamp.
static const int stamp_timeout_ms = 1000;

// The outcome of every send. An entry's index is its id's low bits.
struct book {
    struct {
        uint32_t id;
        bool waiting;
        int64_t sent_at;
    } entries[book_size];
    uint64_t sent;
    uint64_t stamped;
    uint64_t unknown;
};
static struct book book;

static void record_send(uint32_t id, int64_t time) {
    book.entries[id % book_size].id = id;
    book.entries[id % book_size].waiting = true;
    book.entries[id % book_size].sent_at = time;
    book.sent++;
}

static void record_stamp(uint32_t id) {
    if (book.entries[id % book_size].id != id || !book.entries[id % book_size].waiting) {
        book.unknown++;
        return;
    }
    book.entries[id % book_size].waiting = false;
    book.stamped++;
}

// Returns the sum of the timestamps.
static uint64_t read_stamps(const struct batch *batch, unsigned int count) {
    uint64_t sum = 0;
    for (unsigned int index = 0; index < count; index++) {
        struct msghdr *header = &batch->headers[index].msg_hdr;
        int64_t stamp = 0;
        for (struct cmsghdr *message = CMSG_FIRSTHDR(header); message; message = CMSG_NXTHDR(header, message)) {
            if (message->cmsg_level == SOL_SOCKET && message->cmsg_type == timestamping_new) {
                struct stamps stamps;
                if (message->cmsg_len < CMSG_LEN(sizeof stamps)) continue;
                memcpy(&stamps, CMSG_DATA(message), sizeof stamps);
                stamp = stamps.times[0][0] * second + stamps.times[0][1];
            } else if (message->cmsg_level == SOL_PACKET && message->cmsg_type == PACKET_TX_TIMESTAMP) {
                struct sock_extended_err error;
                if (message->cmsg_len < CMSG_LEN(sizeof error)) continue;
                memcpy(&error, CMSG_DATA(message), sizeof error);
                if (stamp == 0 || error.ee_errno != ENOMSG || error.ee_origin != SO_EE_ORIGIN_TIMESTAMPING ||
                    error.ee_info != SCM_TSTAMP_SND) continue;
                record_stamp(error.ee_data);
                sum += (uint64_t)stamp;
            }
        }
    }
    return sum;
}

static void send_batch(int descriptor, struct batch *batch) {
    for (unsigned int done = 0; done < batch_size && !ended;) {
        int sent = sendmmsg(descriptor, batch->headers + done, batch_size - done, MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        check("send", sent);
        done += (unsigned int)sent;
    }
}

void run_transmit(const struct options *options) {
    int descriptor = open_packet_socket();
    request_transmit_stamps(descriptor, SOF_TIMESTAMPING_TX_SOFTWARE);
    bind_to(descriptor, interface_index(options->interface), 0);
    struct batch out, stamps;
    make_batch(&out, (unsigned int)options->frame_bytes);
    make_batch(&stamps, 0);
    uint8_t frame[1514] = { 0 };
    write_ethernet_header(frame, options->interface, options->peer, test_ethertype);

    uint32_t id = 0;
    uint64_t sum = 0;
    struct measurement measurement = { 0 };
    while (measure(&measurement, options, book.stamped)) {
        for (unsigned int index = 0; index < batch_size; index++) {
            memcpy(packet_of(&out, index), frame, (size_t)options->frame_bytes);
            out.vectors[index].iov_len = (size_t)options->frame_bytes;
            set_id(&out, index, id + index);
        }
        send_batch(descriptor, &out);
        int64_t now = time_of(CLOCK_MONOTONIC);
        for (unsigned int index = 0; index < batch_size; index++) record_send(id + index, now);
        id += batch_size;
        while (book.stamped < book.sent) {
            unsigned int count = receive_batch(descriptor, &stamps, MSG_ERRQUEUE);
            sum += read_stamps(&stamps, count);
            if (count > 0) continue;
            struct pollfd entry = { .fd = descriptor };
            if (poll(&entry, 1, stamp_timeout_ms) <= 0) break;
        }
        if (book.stamped < book.sent) break; // the results say so
    }
    print_measurement(&measurement, sum);
    printf(",\"drops\":0,\"sent\":%lu,\"stamped\":%lu,\"unknown_stamps\":%lu}\n", book.sent, book.stamped,
           book.unknown);
}
