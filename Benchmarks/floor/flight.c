#define _GNU_SOURCE
#include "flight.h"

void write_probes(struct stamped_socket *socket, const char *interface, const uint8_t peer[6]) {
    for (unsigned int index = 0; index < batch_size; index++) {
        write_frame(stamped_socket_out(socket, index), interface, peer);
    }
}

void send_probes(struct flight *flight, struct stamped_socket *socket, unsigned int count) {
    for (unsigned int index = 0; index < count; index++) {
        set_sequence(stamped_socket_out(socket, index), flight->next++);
    }
    flight->in_flight += count;
    stamped_socket_send(socket, count);
}

unsigned int receive_replies(struct flight *flight, struct stamped_socket *socket) {
    unsigned int received = stamped_socket_receive(socket, 0);
    for (unsigned int index = 0; index < received; index++) {
        uint32_t sequence;
        // A veth keeps the order, so a reply that is not the next one shows a loss.
        if (socket->in.headers[index].msg_len != frame_bytes ||
            !has_sequence(stamped_socket_in(socket, index), &sequence) ||
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

void lose_probes(struct flight *flight) {
    flight->lost += flight->in_flight;
    flight->oldest = flight->next;
    flight->in_flight = 0;
}
