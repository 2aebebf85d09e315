// The two packet sockets of one half of an exchange, with stamps of every packet: the system calls of FastAFPacket's
// PacketConn and nothing else.
#ifndef STAMPED_SOCKET_H
#define STAMPED_SOCKET_H

#include "packet-socket.h"

enum {
    // Ethernet, IPv4, UDP, and 252 bytes for the UDP's payload.
    ip_bytes = 20,
    udp_bytes = 8,
    frame_bytes = ethernet_bytes + ip_bytes + udp_bytes + 252,
    // Room for what one receive takes, as probe has it: any MTU's.
    slot_bytes = 16384,
    // Packets whose stamps may be outstanding: far above what the stamps' buffer holds.
    tracked_packets = 1 << 16,
};

// What became of the transmit stamps that the sends asked for.
struct stamp_account {
    uint64_t sent;
    uint64_t sched;
    uint64_t snd;
    // Stamps of no packet that was sent, or a second one.
    uint64_t unknown;
};

struct stamped_socket {
    int receiver;
    int sender;
    int port_holder;
    // Whether the kernel takes ids with the sends (SCM_TS_OPT_ID); it counts them otherwise.
    bool gives_ids;
    uint32_t next_id;
    struct batch in, out, stamps;
    struct stamp_account account;
    // Packets received without a software stamp.
    uint64_t unstamped;
    // A bit for each stamp that a packet has had, by its id.
    uint8_t had[tracked_packets];
};

// Opens both sockets on the interface and holds the UDP port, so that the kernel answers no packet. Ends the process
// with a message on failure.
void stamped_socket_open(struct stamped_socket *socket, const char *interface, uint16_t port);

// The place of the frame at `index` of the next send, or of the last receive.
uint8_t *stamped_socket_out(struct stamped_socket *socket, unsigned int index);
uint8_t *stamped_socket_in(struct stamped_socket *socket, unsigned int index);

// Sends the first `count` frames, each with the id that follows the last.
void stamped_socket_send(struct stamped_socket *socket, unsigned int count);

// Receives what is there, up to a batch; reads the stamp of each packet.
unsigned int stamped_socket_receive(struct stamped_socket *socket);

// Reads every transmit stamp that is there.
void stamped_socket_drain(struct stamped_socket *socket);

// Whether every packet sent has had both stamps.
bool stamped_socket_is_settled(const struct stamped_socket *socket);

// Waits for packets or stamps until the timeout; false after it, or after a signal.
bool stamped_socket_wait(struct stamped_socket *socket, int64_t timeout_ns);

#endif
