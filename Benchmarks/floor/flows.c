// Starts UDP flows at a steady rate, each to a different destination, for the benchmark `scripts/bench netlink`.
//
//     flows RATE COUNT
//
// One datagram per flow, to 198.18.0.0/15 (RFC 2544) port 862, in batches of 64. Prints the number sent and the
// duration.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64
// The network's addresses; after them the port is incremented.
#define ADDRESSES 131072

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int count, char **arguments) {
    long rate = count == 3 ? strtol(arguments[1], NULL, 10) : 0, flows = count == 3 ? strtol(arguments[2], NULL, 10) : 0;
    if (rate < 1 || flows < 1) {
        fprintf(stderr, "usage: flows RATE COUNT\n");
        return 64;
    }
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int buffer = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    struct sockaddr_in to[BATCH] = { 0 };
    struct iovec part = { .iov_base = "", .iov_len = 1 };
    struct mmsghdr messages[BATCH] = { 0 };
    for (int i = 0; i < BATCH; i++)
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &to[i], .msg_namelen = sizeof to[i], .msg_iov = &part, .msg_iovlen = 1 };
    long sent = 0;
    int64_t start = now();
    while (sent < flows) {
        int wanted = flows - sent < BATCH ? (int)(flows - sent) : BATCH;
        for (int i = 0; i < wanted; i++) {
            long number = sent + i;
            to[i].sin_family = AF_INET;
            to[i].sin_addr.s_addr = htonl(0xC6120000u + (uint32_t)(number % ADDRESSES));
            to[i].sin_port = htons((uint16_t)(862 + number / ADDRESSES));
        }
        int done = sendmmsg(fd, messages, (unsigned)wanted, 0);
        if (done < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EINTR) {
            fprintf(stderr, "flows: %s\n", strerror(errno));
            return 1;
        }
        if (done > 0) sent += done;
        int64_t due = start + (int64_t)((double)sent * 1e9 / (double)rate), left = due - now();
        if (left > 0) nanosleep(&(struct timespec){ .tv_sec = left / 1000000000, .tv_nsec = left % 1000000000 }, NULL);
    }
    printf("{\"flows\":%ld,\"duration_ns\":%lld}\n", sent, (long long)(now() - start));
}
