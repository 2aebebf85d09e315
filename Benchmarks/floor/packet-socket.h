// Packet sockets with timestamps, and batches for them: the system calls that FastAFPacket makes, and nothing else.
//
// A failure ends the process with a message.
#ifndef PACKET_SOCKET_H
#define PACKET_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

enum {
    batch_size = 64,
    ethernet_bytes = 14,
    control_bytes = 256,
    name_bytes = 32,
    // IEEE 802 local experimental 1, which the kernel neither sends nor receives.
    test_ethertype = 0x88b5,
    // Newer than the oldest headers that this builds with.
    timestamping_new = 65,        // SO_TIMESTAMPING_NEW, Linux 5.1
    timestamp_id = 81,            // SCM_TS_OPT_ID, 6.13
    only_requested_stamps = 1 << 17, // SOF_TIMESTAMPING_OPT_RX_FILTER, 6.12
    ignore_outgoing = 23,         // PACKET_IGNORE_OUTGOING, 4.20
};
static const int64_t second = 1000000000;

// Headers, vectors, names, control data and packets of one recvmmsg or sendmmsg.
struct batch {
    struct mmsghdr *headers;
    struct iovec *vectors;
    uint8_t *names;
    uint8_t *control;
    uint8_t *packets;
    unsigned int packet_room;
};

// struct scm_timestamping64: software, always zero, raw hardware.
struct stamps {
    int64_t times[3][2];
};

_Noreturn void fail(const char *operation);
void check(const char *operation, int result);
void set_int(int socket, const char *operation, int level, int name, int value);

// Nanoseconds.
int64_t time_of(clockid_t clock);

int interface_index(const char *interface);

// The header of a frame from the interface to `peer`.
void write_ethernet_header(uint8_t *frame, const char *interface, const uint8_t peer[6], uint16_t ethertype);

// An unbound packet socket with the receive buffer size that FastAFPacket requests.
int open_packet_socket(void);
void request_receive_stamps(int socket);
void request_transmit_stamps(int socket, int kinds);
// Requests auxiliary data, and excludes frames that this host sends.
void prepare_receiver(int socket);
void bind_to(int socket, int interface, uint16_t ethertype);

// With `packet_room` 0 the batch receives only timestamps.
void make_batch(struct batch *batch, unsigned int packet_room);
uint8_t *packet_of(const struct batch *batch, unsigned int index);

// Receives up to a batch of ready packets, without waiting, or with MSG_WAITFORONE after waiting for the first.
unsigned int receive_batch(int socket, struct batch *batch, int flags);

// Sets or removes the id of the timestamps of the packet at `index`.
void set_id(struct batch *batch, unsigned int index, uint32_t id);
void clear_id(struct batch *batch, unsigned int index);

// Pins the thread to a processor, unless that is negative, and lets its waits end at the requested time.
void prepare_thread(int cpu);

// Defined by each program: prints its usage, and ends the process.
_Noreturn void usage(void);

// Parse a command-line argument; an invalid one calls usage().
long number(const char *text, long least, long most);
void mac_address(const char *text, uint8_t mac[6]);

// Sets `ended` on SIGTERM and SIGINT.
extern volatile bool ended;
void end_at_signals(void);

#endif
