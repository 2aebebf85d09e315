// The two packet sockets of one half of an exchange, with timestamps of every packet: the system calls of
// FastAFPacket's PacketConn and nothing else.
#ifndef STAMPED_SOCKET_H
#define STAMPED_SOCKET_H

#include "test-frame.h"

enum {
    // The same room for one received packet as in probe, for any MTU.
    slot_bytes = 16384,
    // The number of packets that may wait for timestamps: far more than the timestamps' buffer holds.
    tracked_packets = 1 << 16,
};

// The outcome of the transmit timestamps that the sends requested.
struct stamp_account {
    uint64_t sent;
    uint64_t sched;
    uint64_t snd;
    // Timestamps that matched no sent packet, and duplicates.
    uint64_t unknown;
};

struct stamped_socket {
    int receiver;
    int sender;
    int port_reservation;
    // True if the kernel accepts ids with the sends (SCM_TS_OPT_ID); otherwise it counts them.
    bool gives_ids;
    uint32_t next_id;
    struct batch in, out, stamps;
    struct stamp_account account;
    // Sends since the last drain.
    unsigned int undrained;
    // The kernel receive timestamps of the last receive, 0 if there is none.
    int64_t received_at[batch_size];
    // Packets received without a kernel receive timestamp.
    uint64_t unstamped;
    // A bit for each timestamp that a packet has had, by its id.
    uint8_t had[tracked_packets];
};

// Opens both sockets on the interface and reserves the UDP port, so that the kernel answers no packet. Ends the process
// with a message on failure.
void stamped_socket_open(struct stamped_socket *socket, const char *interface, uint16_t port);

// The memory of the frame at `index` of the next send, or of the last receive.
uint8_t *stamped_socket_out(struct stamped_socket *socket, unsigned int index);
uint8_t *stamped_socket_in(struct stamped_socket *socket, unsigned int index);

// Sends the first `count` frames, each with the next id.
void stamped_socket_send(struct stamped_socket *socket, unsigned int count);

// Receives up to a batch of ready packets, and reads the timestamp of each. Waits for the first packet if the flags have
// MSG_WAITFORONE.
unsigned int stamped_socket_receive(struct stamped_socket *socket, int flags);

// Returns the packets of the last receive to their sender. Returns their number.
unsigned int stamped_socket_return(struct stamped_socket *socket, unsigned int received);

// Reads every transmit timestamp that is ready.
void stamped_socket_drain(struct stamped_socket *socket);

// Returns whether every packet sent has had both timestamps.
bool stamped_socket_is_settled(const struct stamped_socket *socket);

// Prints the fields that every half of an exchange has, and leaves the JSON object open.
void stamped_socket_print(
    const struct stamped_socket *socket, const char *role, uint64_t exchanges, int64_t duration, int64_t cpu);

// Waits for packets or timestamps until the timeout. Returns false after the timeout or a signal.
bool stamped_socket_wait(struct stamped_socket *socket, int64_t timeout_ns);

#endif
