#define _GNU_SOURCE
#include "test-frame.h"

#include <netinet/in.h>
#include <string.h>

enum { sequence_offset = ethernet_bytes + ip_bytes + udp_bytes };

static void store16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t sum16(const uint8_t *bytes, size_t count) {
    uint32_t sum = 0;
    for (size_t index = 0; index + 1 < count; index += 2) sum += (uint32_t)bytes[index] << 8 | bytes[index + 1];
    return sum;
}

static uint16_t checksum(uint32_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

void set_sequence(uint8_t *frame, uint32_t sequence) {
    // The complement that follows keeps the UDP checksum unchanged, which the kernel verifies for the socket that
    // reserves the port.
    uint32_t values[2] = { sequence, ~sequence };
    memcpy(frame + sequence_offset, values, sizeof values);
}

bool has_sequence(const uint8_t *frame, uint32_t *sequence) {
    uint32_t values[2];
    memcpy(values, frame + sequence_offset, sizeof values);
    *sequence = values[0];
    return values[1] == ~values[0];
}

void write_frame(uint8_t *frame, const char *interface, const uint8_t peer[6]) {
    write_ethernet_header(frame, interface, peer, 0x0800);
    uint8_t *ip = frame + ethernet_bytes, *udp = ip + ip_bytes;
    const unsigned int udp_length = frame_bytes - ethernet_bytes - ip_bytes;
    ip[0] = 0x45;
    store16(ip + 2, ip_bytes + udp_length);
    store16(ip + 6, 0x4000); // don't fragment
    ip[8] = 255;
    ip[9] = IPPROTO_UDP;
    memcpy(ip + 12, (uint8_t[]){ 192, 0, 2, 1, 192, 0, 2, 2 }, 8);
    store16(ip + 10, checksum(sum16(ip, ip_bytes)));
    store16(udp, sender_port);
    store16(udp + 2, reflector_port);
    store16(udp + 4, udp_length);
    set_sequence(frame, 0);
    store16(udp + 6, checksum(sum16(ip + 12, 8) + IPPROTO_UDP + udp_length + sum16(udp, udp_length)));
}

static void swap(uint8_t *a, uint8_t *b, size_t count) {
    uint8_t held[8];
    memcpy(held, a, count);
    memcpy(a, b, count);
    memcpy(b, held, count);
}

void address_reply(uint8_t *frame) {
    swap(frame, frame + 6, 6);
    swap(frame + ethernet_bytes + 12, frame + ethernet_bytes + 16, 4);
    swap(frame + ethernet_bytes + ip_bytes, frame + ethernet_bytes + ip_bytes + 2, 2);
}
