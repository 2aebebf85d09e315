// The packets of a sender that are on their way.
#ifndef FLIGHT_H
#define FLIGHT_H

#include "stamped-socket.h"

struct flight {
    uint32_t next;      // the sequence of the next packet
    uint32_t oldest;    // earlier ones are returned or lost
    uint32_t in_flight;
    uint64_t exchanges;
    uint64_t lost;
    uint64_t strays;
};

// Writes the frames that a sender on the interface sends to `peer`.
void write_probes(struct stamped_socket *socket, const char *interface, const uint8_t peer[6]);

// Sends the next `count` packets.
void send_probes(struct flight *flight, struct stamped_socket *socket, unsigned int count);

// Receives up to a batch of replies, without waiting. Returns the number of packets.
unsigned int receive_replies(struct flight *flight, struct stamped_socket *socket);

// Counts the packets in flight as lost.
void lose_probes(struct flight *flight);

#endif
