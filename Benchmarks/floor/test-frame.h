// The frames of an exchange: Ethernet, IPv4, UDP, and as much payload as probe sends by default.
#ifndef TEST_FRAME_H
#define TEST_FRAME_H

#include "packet-socket.h"

enum {
    ip_bytes = 20,
    udp_bytes = 8,
    frame_bytes = ethernet_bytes + ip_bytes + udp_bytes + 252,
    sender_port = 50000,
    reflector_port = 862,
};

// Writes a frame from the interface to `peer`, from 192.0.2.1 to 192.0.2.2, with sequence 0.
void write_frame(uint8_t *frame, const char *interface, const uint8_t peer[6]);

void set_sequence(uint8_t *frame, uint32_t sequence);

// Returns false if the frame carries no sequence.
bool has_sequence(const uint8_t *frame, uint32_t *sequence);

// Turns a received frame into the reply to it.
void address_reply(uint8_t *frame);

#endif
