// Sources: packet(7), recvmmsg(2), Documentation/networking/timestamping.rst.
#define _GNU_SOURCE
#include "packet-socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { buffer_bytes = 4 << 20 };
static const int report = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RAW_HARDWARE;

volatile bool ended;

_Noreturn void fail(const char *operation) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, operation, strerror(errno));
    exit(1);
}

void check(const char *operation, int result) {
    if (result < 0) fail(operation);
}

void set_int(int socket, const char *operation, int level, int name, int value) {
    check(operation, setsockopt(socket, level, name, &value, sizeof value));
}

int64_t time_of(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * second + time.tv_nsec;
}

int interface_index(const char *interface) {
    int index = (int)if_nametoindex(interface);
    if (index == 0) fail(interface);
    return index;
}

void write_ethernet_header(uint8_t *frame, const char *interface, const uint8_t peer[6], uint16_t ethertype) {
    struct ifreq request = { 0 };
    strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    check("open a UDP socket", any);
    check("read the interface's MAC", ioctl(any, SIOCGIFHWADDR, &request));
    close(any);
    memcpy(frame, peer, 6);
    memcpy(frame + 6, request.ifr_hwaddr.sa_data, 6);
    frame[12] = (uint8_t)(ethertype >> 8);
    frame[13] = (uint8_t)ethertype;
}

int open_packet_socket(void) {
    int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    check("open a packet socket", descriptor);
    set_int(descriptor, "grow the receive buffer", SOL_SOCKET, SO_RCVBUFFORCE, buffer_bytes);
    return descriptor;
}

static void request_stamps(int socket, int flags) {
    int restricted = flags | only_requested_stamps;
    if (setsockopt(socket, SOL_SOCKET, timestamping_new, &restricted, sizeof restricted) == 0) return;
    set_int(socket, "request timestamps", SOL_SOCKET, timestamping_new, flags);
}

void request_receive_stamps(int socket) {
    request_stamps(socket, report | SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_RX_HARDWARE);
}

void request_transmit_stamps(int socket, int kinds) {
    request_stamps(
        socket, report | kinds | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY | SOF_TIMESTAMPING_OPT_TX_SWHW);
}

void prepare_receiver(int socket) {
    set_int(socket, "request auxiliary data", SOL_PACKET, PACKET_AUXDATA, 1);
    set_int(socket, "exclude frames sent by this host", SOL_PACKET, ignore_outgoing, 1);
}

void bind_to(int socket, int interface, uint16_t ethertype) {
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ethertype), .sll_ifindex = interface };
    check("bind to the interface", bind(socket, (struct sockaddr *)&address, sizeof address));
}

void make_batch(struct batch *batch, unsigned int packet_room) {
    batch->packet_room = packet_room;
    batch->headers = calloc(batch_size, sizeof *batch->headers);
    batch->vectors = calloc(batch_size, sizeof *batch->vectors);
    batch->names = calloc(batch_size, name_bytes);
    batch->control = calloc(batch_size, control_bytes);
    batch->packets = malloc((size_t)batch_size * packet_room + 1);
    if (!batch->headers || !batch->vectors || !batch->names || !batch->control || !batch->packets) fail("allocate");
    memset(batch->packets, 0, (size_t)batch_size * packet_room + 1); // no page fault later
    for (unsigned int index = 0; index < batch_size; index++) {
        batch->vectors[index].iov_base = packet_of(batch, index);
        batch->vectors[index].iov_len = packet_room;
        batch->headers[index].msg_hdr.msg_iov = &batch->vectors[index];
        batch->headers[index].msg_hdr.msg_iovlen = packet_room > 0;
    }
}

uint8_t *packet_of(const struct batch *batch, unsigned int index) {
    return batch->packets + (size_t)index * batch->packet_room;
}

static void *control_of(const struct batch *batch, unsigned int index) {
    return batch->control + (size_t)index * control_bytes;
}

unsigned int receive_batch(int socket, struct batch *batch, int flags) {
    for (unsigned int index = 0; index < batch_size; index++) {
        struct msghdr *header = &batch->headers[index].msg_hdr;
        header->msg_name = batch->names + (size_t)index * name_bytes;
        header->msg_namelen = name_bytes;
        header->msg_control = control_of(batch, index);
        header->msg_controllen = control_bytes;
        header->msg_flags = 0;
    }
    if ((flags & MSG_WAITFORONE) == 0) flags |= MSG_DONTWAIT;
    int received = recvmmsg(socket, batch->headers, batch_size, flags, NULL);
    if (received < 0 && errno != EAGAIN && errno != EINTR) fail("receive");
    return received < 0 ? 0 : (unsigned int)received;
}

void set_id(struct batch *batch, unsigned int index, uint32_t id) {
    struct msghdr *header = &batch->headers[index].msg_hdr;
    header->msg_control = control_of(batch, index);
    header->msg_controllen = CMSG_SPACE(sizeof id);
    struct cmsghdr *message = CMSG_FIRSTHDR(header);
    message->cmsg_level = SOL_SOCKET;
    message->cmsg_type = timestamp_id;
    message->cmsg_len = CMSG_LEN(sizeof id);
    memcpy(CMSG_DATA(message), &id, sizeof id);
}

void clear_id(struct batch *batch, unsigned int index) {
    batch->headers[index].msg_hdr.msg_control = NULL;
    batch->headers[index].msg_hdr.msg_controllen = 0;
}

long number(const char *text, long least, long most) {
    char *rest;
    long value = strtol(text ? text : "", &rest, 10);
    if (!text || *text == 0 || *rest != 0 || value < least || value > most) usage();
    return value;
}

void mac_address(const char *text, uint8_t mac[6]) {
    const char *format = "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx";
    if (!text || sscanf(text, format, mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6) usage();
}

void prepare_thread(int cpu) {
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((unsigned int)cpu, &set);
        if (sched_setaffinity(0, sizeof set, &set) < 0) fail("pin to the CPU");
    }
    check("set the timer slack", prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0));
}

static void end(int signal) {
    (void)signal;
    ended = true;
}

void end_at_signals(void) {
    struct sigaction action = { .sa_handler = end };
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}
