// Decodes one psample message repeatedly, in plain C: the floor of the benchmark `scripts/bench netlink`.
//
//     sample-decode FILE COUNT
//
// FILE holds one netlink message, header included. The length and size of every attribute are checked, and its value is
// stored; the data is referenced in place. Prints one line of JSON. Its sum covers the values read, so that the
// compiler cannot skip reading them.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/psample.h>

// Newer than the oldest headers that this builds with.
#define USER_COOKIE 15
#define SAMPLE_PROBABILITY 16

struct tunnel {
    uint64_t id;
    uint32_t ipv4_source, ipv4_destination;
    uint8_t ipv6_source[16], ipv6_destination[16];
    uint16_t source_port, destination_port;
    uint8_t tos, ttl;
    bool dont_fragment, checksum, management, bridged;
};

struct sample {
    uint32_t present;
    uint32_t input, output, original_size, group, sequence, rate, references;
    uint16_t traffic_class, protocol;
    uint64_t occupancy, latency, timestamp;
    bool is_probability;
    const unsigned char *data, *cookie;
    size_t length, cookie_length;
    struct tunnel tunnel;
};

#define READ(field, type)                                    \
    do {                                                     \
        type value;                                          \
        if (size != sizeof value) return false;              \
        memcpy(&value, payload, sizeof value);               \
        (field) = value;                                     \
    } while (0)
#define READ_INTERFACE(field)                                \
    do {                                                     \
        if (size == 2) READ(field, uint16_t);                \
        else READ(field, uint32_t);                          \
    } while (0)
#define READ_BIG(field, type, swap)                          \
    do {                                                     \
        type value;                                          \
        if (size != sizeof value) return false;              \
        memcpy(&value, payload, sizeof value);               \
        (field) = swap(value);                               \
    } while (0)

// Reads the next attribute. Returns 1, or 0 at the end, or -1 if the attribute is truncated.
static int next(const unsigned char **rest, size_t *left, uint16_t *type, const unsigned char **payload, size_t *size) {
    if (*left == 0) return 0;
    struct nlattr header;
    if (*left < sizeof header) return -1;
    memcpy(&header, *rest, sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > *left) return -1;
    *type = header.nla_type & NLA_TYPE_MASK;
    *payload = *rest + sizeof header;
    *size = header.nla_len - sizeof header;
    size_t step = NLA_ALIGN(header.nla_len);
    if (step > *left) step = *left;
    *rest += step;
    *left -= step;
    return 1;
}

static bool decode_tunnel(const unsigned char *rest, size_t left, struct tunnel *out) {
    uint16_t type;
    const unsigned char *payload;
    size_t size;
    int more;
    while ((more = next(&rest, &left, &type, &payload, &size)) > 0) {
        switch (type) {
        case PSAMPLE_TUNNEL_KEY_ATTR_ID: READ_BIG(out->id, uint64_t, __builtin_bswap64); break;
        case PSAMPLE_TUNNEL_KEY_ATTR_IPV4_SRC: READ_BIG(out->ipv4_source, uint32_t, __builtin_bswap32); break;
        case PSAMPLE_TUNNEL_KEY_ATTR_IPV4_DST: READ_BIG(out->ipv4_destination, uint32_t, __builtin_bswap32); break;
        case PSAMPLE_TUNNEL_KEY_ATTR_IPV6_SRC:
            if (size != 16) return false;
            memcpy(out->ipv6_source, payload, 16);
            break;
        case PSAMPLE_TUNNEL_KEY_ATTR_IPV6_DST:
            if (size != 16) return false;
            memcpy(out->ipv6_destination, payload, 16);
            break;
        case PSAMPLE_TUNNEL_KEY_ATTR_TOS: READ(out->tos, uint8_t); break;
        case PSAMPLE_TUNNEL_KEY_ATTR_TTL: READ(out->ttl, uint8_t); break;
        case PSAMPLE_TUNNEL_KEY_ATTR_DONT_FRAGMENT: out->dont_fragment = true; break;
        case PSAMPLE_TUNNEL_KEY_ATTR_CSUM: out->checksum = true; break;
        case PSAMPLE_TUNNEL_KEY_ATTR_OAM: out->management = true; break;
        case PSAMPLE_TUNNEL_KEY_ATTR_IPV4_INFO_BRIDGE: out->bridged = true; break;
        case PSAMPLE_TUNNEL_KEY_ATTR_TP_SRC: READ_BIG(out->source_port, uint16_t, __builtin_bswap16); break;
        case PSAMPLE_TUNNEL_KEY_ATTR_TP_DST: READ_BIG(out->destination_port, uint16_t, __builtin_bswap16); break;
        default: break;
        }
    }
    return more == 0;
}

static bool decode(const unsigned char *message, size_t length, struct sample *out) {
    memset(out, 0, sizeof *out);
    struct nlmsghdr header;
    size_t start = sizeof header + sizeof(struct genlmsghdr);
    if (length < start) return false;
    memcpy(&header, message, sizeof header);
    if (header.nlmsg_len < start || header.nlmsg_len > length) return false;
    const unsigned char *rest = message + start, *payload;
    size_t left = header.nlmsg_len - start, size;
    uint16_t type;
    int more;
    while ((more = next(&rest, &left, &type, &payload, &size)) > 0) {
        if (type < 32) out->present |= 1u << type;
        switch (type) {
        case PSAMPLE_ATTR_IIFINDEX: READ_INTERFACE(out->input); break;
        case PSAMPLE_ATTR_OIFINDEX: READ_INTERFACE(out->output); break;
        case PSAMPLE_ATTR_ORIGSIZE: READ(out->original_size, uint32_t); break;
        case PSAMPLE_ATTR_SAMPLE_GROUP: READ(out->group, uint32_t); break;
        case PSAMPLE_ATTR_GROUP_SEQ: READ(out->sequence, uint32_t); break;
        case PSAMPLE_ATTR_SAMPLE_RATE: READ(out->rate, uint32_t); break;
        case PSAMPLE_ATTR_GROUP_REFCOUNT: READ(out->references, uint32_t); break;
        case PSAMPLE_ATTR_OUT_TC: READ(out->traffic_class, uint16_t); break;
        case PSAMPLE_ATTR_OUT_TC_OCC: READ(out->occupancy, uint64_t); break;
        case PSAMPLE_ATTR_LATENCY: READ(out->latency, uint64_t); break;
        case PSAMPLE_ATTR_TIMESTAMP: READ(out->timestamp, uint64_t); break;
        case PSAMPLE_ATTR_PROTO: READ(out->protocol, uint16_t); break;
        case SAMPLE_PROBABILITY: out->is_probability = true; break;
        case PSAMPLE_ATTR_DATA: out->data = payload, out->length = size; break;
        case USER_COOKIE: out->cookie = payload, out->cookie_length = size; break;
        case PSAMPLE_ATTR_TUNNEL:
            if (!decode_tunnel(payload, size, &out->tunnel)) return false;
            break;
        default: break;
        }
    }
    return more == 0;
}

static int64_t thread_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int count, char **arguments) {
    unsigned char message[65536];
    FILE *file = count == 3 ? fopen(arguments[1], "rb") : NULL;
    size_t length = file ? fread(message, 1, sizeof message, file) : 0;
    long samples = count == 3 ? strtol(arguments[2], NULL, 10) : 0;
    if (!length || samples < 1) {
        fprintf(stderr, "usage: sample-decode FILE COUNT\n");
        return 64;
    }
    uint64_t sum = 0;
    int64_t start = thread_time();
    for (long number = 0; number < samples; number++) {
        struct sample sample;
        // The compiler must not know that the message is the same as before.
        __asm__ volatile("" : : "r"(message) : "memory");
        if (!decode(message, length, &sample)) return 1;
        __asm__ volatile("" : : "r"(&sample) : "memory");
        sum += sample.timestamp + sample.latency + sample.data[0] + sample.length + sample.tunnel.id;
    }
    printf("{\"samples\":%ld,\"cpu_ns\":%ld,\"sum\":%lu}\n", samples, (long)(thread_time() - start), (unsigned long)sum);
}
