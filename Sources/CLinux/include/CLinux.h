// Linux declarations that Swift's Glibc module lacks: UAPI structures, macros as static inline functions, and calls
// that glibc hides behind _GNU_SOURCE. Every wrapper returns -errno on failure and implements no policy.
//
// _GNU_SOURCE must never be defined in this header: fd_set and the socket calls would then differ between modules.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/ethtool_netlink.h>
#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <linux/net_tstamp.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/psample.h>
#include <linux/rtnetlink.h>

// Constants newer than the oldest supported headers, under separate names: most of these are enum members, which
// #ifndef cannot test.
#define CL_SO_TIMESTAMPING_NEW 65           // asm-generic/socket.h, 5.1
#define CL_SCM_TS_OPT_ID 81                 // asm-generic/socket.h, 6.13
#define CL_SOF_OPT_RX_FILTER (1 << 17)      // linux/net_tstamp.h, 6.12
#define CL_PACKET_IGNORE_OUTGOING 23        // linux/if_packet.h, 4.20
#define CL_SO_NETNS_COOKIE 71               // asm-generic/socket.h, 5.14
#define CL_PSAMPLE_ATTR_USER_COOKIE 15          // linux/psample.h, 6.11
#define CL_PSAMPLE_ATTR_SAMPLE_PROBABILITY 16   // linux/psample.h, 6.11
#define CL_SOL_PACKET 263
#define CL_SOL_NETLINK 270
// linux/ethtool_netlink_generated.h: statistics 6.10, the rest 6.14.
#define CL_ETHTOOL_MSG_TSCONFIG_GET 46
#define CL_ETHTOOL_MSG_TSCONFIG_SET 47
#define CL_ETHTOOL_MSG_TSCONFIG_GET_REPLY 47
#define CL_ETHTOOL_MSG_TSCONFIG_SET_REPLY 48
#define CL_ETHTOOL_A_TSINFO_STATS 6
#define CL_ETHTOOL_A_TSINFO_HWTSTAMP_PROVIDER 7
#define CL_ETHTOOL_A_TS_STAT_TX_PKTS 1
#define CL_ETHTOOL_A_TS_STAT_TX_LOST 2
#define CL_ETHTOOL_A_TS_STAT_TX_ERR 3
#define CL_ETHTOOL_A_TS_STAT_TX_ONESTEP_PKTS_UNCONFIRMED 4
#define CL_ETHTOOL_A_TS_HWTSTAMP_PROVIDER_INDEX 1
#define CL_ETHTOOL_A_TS_HWTSTAMP_PROVIDER_QUALIFIER 2
#define CL_ETHTOOL_A_TSCONFIG_HEADER 1
#define CL_ETHTOOL_A_TSCONFIG_HWTSTAMP_PROVIDER 2
#define CL_ETHTOOL_A_TSCONFIG_TX_TYPES 3
#define CL_ETHTOOL_A_TSCONFIG_RX_FILTERS 4
#define CL_ETHTOOL_A_TSCONFIG_HWTSTAMP_FLAGS 5
#define CL_SO_MEMINFO 55                    // asm-generic/socket.h, 4.12

// struct mmsghdr, which <sys/socket.h> declares only under _GNU_SOURCE.
struct cl_mmsghdr {
    struct msghdr msg_hdr;
    unsigned int msg_len;
};

// struct scm_timestamping64: [0] software, [1] always zero, [2] raw hardware.
struct cl_stamp {
    int64_t seconds;
    int64_t nanoseconds;
};
struct cl_scm_timestamping64 {
    struct cl_stamp ts[3];
};

// struct sock_extended_err with ee_data as the only member of its union.
struct cl_extended_error {
    uint32_t ee_errno;
    uint8_t ee_origin;
    uint8_t ee_type;
    uint8_t ee_code;
    uint8_t ee_pad;
    uint32_t ee_info;
    uint32_t ee_data;
};

// struct in6_pktinfo, which <netinet/in.h> declares only under _GNU_SOURCE.
struct cl_in6_pktinfo {
    uint8_t address[16];
    uint32_t interface;
};

static inline size_t cl_cmsg_align(size_t length) { return CMSG_ALIGN(length); }
static inline size_t cl_cmsg_space(size_t length) { return CMSG_SPACE(length); }
static inline size_t cl_cmsg_len(size_t length) { return CMSG_LEN(length); }

int cl_recvmmsg(int fd, struct cl_mmsghdr *messages, unsigned int count, int flags);
int cl_sendmmsg(int fd, struct cl_mmsghdr *messages, unsigned int count, int flags);

// Receives one netlink datagram and returns its whole length, which may exceed the stored bytes. `port` is the sender's
// (0: the kernel), `namespace_id` that of the namespace it concerns under NETLINK_LISTEN_ALL_NSID, or -1.
int64_t cl_netlink_receive(int fd, void *buffer, size_t length, uint32_t *port, int32_t *namespace_id);

// timeout_ns < 0 waits without a limit.
int cl_ppoll(struct pollfd *descriptors, unsigned int count, int64_t timeout_ns);

int cl_eventfd(void);

// A timer of CLOCK_MONOTONIC, and its absolute time in nanoseconds.
int cl_timerfd_create(void);
int cl_timerfd_set(int timer, int64_t time_ns);
int cl_epoll_create(void);
int cl_epoll_add_edge(int epoll, int fd, uint32_t events);
int cl_epoll_wait(int epoll, int64_t timeout_ns);
#define CL_EPOLLIN 0x001u
#define CL_EPOLLPRI 0x002u
#define CL_EPOLLERR 0x008u
#define CL_EPOLLOUT 0x004u

// Makes `fd` a duplicate of `source` (dup3 with O_CLOEXEC). The file that `fd` referred to is closed.
int cl_replace(int source, int fd);

int cl_pin_thread(int cpu);
int cl_set_timer_slack(unsigned long nanoseconds);
int cl_name_thread(const char *name);

// Requests slices of this many nanoseconds for the calling thread and keeps its policy and niceness.
int cl_set_slice(uint64_t nanoseconds);

int cl_enter_network_namespace(int fd);

struct cl_interface {
    int32_t index;
    uint32_t flags;
    int32_t mtu;
    uint16_t hardware_type;
    uint8_t hardware_address[8];
};
int cl_interface_by_name(const char *name, struct cl_interface *out);

struct cl_ts_info {
    uint32_t so_timestamping;
    uint32_t tx_types;
    uint32_t rx_filters;
    int32_t phc_index;
};
int cl_ts_info(const char *name, struct cl_ts_info *out);

struct cl_hwtstamp {
    int32_t flags;
    int32_t tx_type;
    int32_t rx_filter;
};
// Read or set the configuration of the interface with this index, in the network namespace of the socket `fd`.
int cl_hwtstamp_get(int fd, int interface, struct cl_hwtstamp *out);
int cl_hwtstamp_set(int fd, int interface, struct cl_hwtstamp *config);

// Returns the index of the interface that a VLAN interface is on, in the network namespace of the socket `fd`; -ENODEV
// if `interface` is no VLAN, or its NIC is not in that namespace. Loads the module 8021q if the kernel lacks it.
int cl_vlan_parent(int fd, int interface);

enum cl_lock { CL_UNLOCK, CL_LOCK_SHARED, CL_LOCK_EXCLUSIVE };
// Locks one byte of a file for the open file description of `fd`, or releases it, without waiting (F_OFD_SETLK in
// fcntl(2)). -EAGAIN if another one holds it.
int cl_lock_byte(int fd, int64_t byte, enum cl_lock lock);

// One of a driver's statistics, as `ethtool -S` prints them. The name is truncated to 31 characters.
struct cl_statistic {
    char name[32];
    uint64_t value;
};
// Runs one SIOCETHTOOL request, to which `data` points; -errno on failure. NULL selects the kernel.
typedef int cl_ethtool_call(const char *name, void *data);
// Reads all statistics and returns their number. The caller passes *out to free().
int cl_statistics(const char *name, cl_ethtool_call *call, struct cl_statistic **out);
// More than any driver has.
#define CL_STATISTICS_MAX 65536

// An interface driver's description of itself, as `ethtool -i` prints it. Fields that it leaves out are empty.
struct cl_driver {
    char name[32];
    char version[32];
    char firmware[32];
    char bus[32];
};
int cl_driver(const char *name, struct cl_driver *out);

// Current and largest sizes of the receive and transmit rings, in descriptors, as `ethtool -g` prints them.
struct cl_rings {
    uint32_t receive;
    uint32_t receive_max;
    uint32_t transmit;
    uint32_t transmit_max;
};
int cl_rings(const char *name, struct cl_rings *out);

struct cl_clock_quality {
    int32_t unsynchronized;
    int64_t maximum_error_us;
    int64_t estimated_error_us;
    int32_t tai_offset;
};
int cl_clock_quality(struct cl_clock_quality *out);

// Returns 1 if the calling process has the capability in its effective set, otherwise 0.
int cl_has_capability(int capability);
#define CL_CAP_NET_BIND_SERVICE 10
#define CL_CAP_NET_ADMIN 12
#define CL_CAP_NET_RAW 13

// A PTP hardware clock and the system clock, in nanoseconds: read between two readings of CLOCK_REALTIME, or, if the
// hardware captures both at one instant, with equal `before` and `after`.
struct cl_phc_bracket {
    int64_t before;
    int64_t phc;
    int64_t after;
};
#define CL_PHC_SAMPLES 25
// Each fills up to CL_PHC_SAMPLES brackets and returns their number: by PTP_SYS_OFFSET_PRECISE, _EXTENDED, and plain.
int cl_phc_precise(int fd, struct cl_phc_bracket *out);
int cl_phc_extended(int fd, struct cl_phc_bracket *out);
int cl_phc_plain(int fd, struct cl_phc_bracket *out);

// Loads an eBPF program of type socket filter, with the verifier's messages in `log`. Returns its descriptor.
int cl_bpf_load_socket_filter(const void *instructions, unsigned int count, void *log, unsigned int log_size);

// Creates an eBPF array of `count` 64-bit numbers. Returns its descriptor.
int cl_bpf_array_create(uint32_t count);
int cl_bpf_map_read(int map, uint32_t index, uint64_t *value);
int cl_bpf_map_write(int map, uint32_t index, uint64_t value);

#endif
