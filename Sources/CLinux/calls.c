#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/if_vlan.h>
#include <linux/ptp_clock.h>
#include <linux/sockios.h>

_Static_assert(sizeof(struct cl_mmsghdr) == sizeof(struct mmsghdr), "cl_mmsghdr mirrors struct mmsghdr");
_Static_assert(offsetof(struct cl_mmsghdr, msg_len) == offsetof(struct mmsghdr, msg_len), "cl_mmsghdr.msg_len");

_Static_assert(sizeof(struct cl_extended_error) == sizeof(struct sock_extended_err), "cl_extended_error");
_Static_assert(sizeof(((struct cl_statistic *)0)->name) == ETH_GSTRING_LEN, "cl_statistic.name");
_Static_assert(sizeof(((struct cl_driver *)0)->name) == sizeof(((struct ethtool_drvinfo *)0)->driver), "cl_driver.name");
_Static_assert(
    sizeof(((struct cl_driver *)0)->bus) == sizeof(((struct ethtool_drvinfo *)0)->bus_info), "cl_driver.bus");
_Static_assert(sizeof(struct cl_in6_pktinfo) == sizeof(struct in6_pktinfo), "cl_in6_pktinfo");

int cl_recvmmsg(int fd, struct cl_mmsghdr *messages, unsigned int count, int flags) {
    int received = recvmmsg(fd, (struct mmsghdr *)messages, count, flags, NULL);
    return received < 0 ? -errno : received;
}

int cl_sendmmsg(int fd, struct cl_mmsghdr *messages, unsigned int count, int flags) {
    int sent = sendmmsg(fd, (struct mmsghdr *)messages, count, flags);
    return sent < 0 ? -errno : sent;
}

static struct timespec *timespec_of(int64_t ns, struct timespec *storage) {
    if (ns < 0) return NULL;
    storage->tv_sec = ns / 1000000000;
    storage->tv_nsec = ns % 1000000000;
    return storage;
}

int64_t cl_netlink_receive(int fd, void *buffer, size_t length, uint32_t *port, int32_t *namespace_id) {
    struct sockaddr_nl source = { 0 };
    struct iovec part = { .iov_base = buffer, .iov_len = length };
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(64)];
    struct msghdr message = {
        .msg_name = &source, .msg_namelen = sizeof source, .msg_iov = &part, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof control };
    ssize_t received = recvmsg(fd, &message, MSG_TRUNC);
    if (received < 0) return -errno;
    *port = source.nl_pid;
    *namespace_id = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != CL_SOL_NETLINK || c->cmsg_type != NETLINK_LISTEN_ALL_NSID) continue;
        if (c->cmsg_len >= CMSG_LEN(sizeof *namespace_id)) memcpy(namespace_id, CMSG_DATA(c), sizeof *namespace_id);
    }
    return received;
}

int cl_ppoll(struct pollfd *descriptors, unsigned int count, int64_t timeout_ns) {
    struct timespec storage;
    int ready = ppoll(descriptors, count, timespec_of(timeout_ns, &storage), NULL);
    return ready < 0 ? -errno : ready;
}

int cl_timerfd_create(void) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int cl_timerfd_set(int timer, int64_t time_ns) {
    struct itimerspec value = { 0 };
    // A time of zero would disarm the timer.
    (void)timespec_of(time_ns > 0 ? time_ns : 1, &value.it_value);
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &value, NULL) < 0 ? -errno : 0;
}

int cl_eventfd(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int cl_epoll_create(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int cl_epoll_add_edge(int epoll, int fd, uint32_t events) {
    struct epoll_event event = { .events = events | EPOLLET };
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int cl_epoll_wait(int epoll, int64_t timeout_ns) {
    struct timespec storage;
    struct epoll_event events[4];
    // Called by number: glibc has the wrapper only since 2.35.
    long ready = syscall(SYS_epoll_pwait2, epoll, events, 4, timespec_of(timeout_ns, &storage), NULL, 0);
    return ready < 0 ? -errno : (int)ready;
}

int cl_replace(int source, int fd) { return dup3(source, fd, O_CLOEXEC) < 0 ? -errno : 0; }

int cl_pin_thread(int cpu) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) return -EINVAL;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int cl_set_timer_slack(unsigned long nanoseconds) {
    return prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0) < 0 ? -errno : 0;
}

// struct sched_attr in its first version. <linux/sched/types.h> conflicts with glibc's <sched.h>.
struct thread_schedule {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

int cl_set_slice(uint64_t nanoseconds) {
    struct thread_schedule schedule = { 0 };
    if (syscall(SYS_sched_getattr, 0, &schedule, sizeof schedule, 0) < 0) return -errno;
    schedule.size = sizeof schedule;
    schedule.runtime = nanoseconds;
    return syscall(SYS_sched_setattr, 0, &schedule, 0) < 0 ? -errno : 0;
}

int cl_name_thread(const char *name) { return -pthread_setname_np(pthread_self(), name); }

int cl_enter_network_namespace(int fd) { return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0; }

// Runs one interface ioctl on a temporary socket: an ordinary datagram socket needs no privilege.
static int interface_ioctl(const char *name, unsigned long request, struct ifreq *ifr) {
    if (strlen(name) >= IFNAMSIZ) return -ENODEV;
    strcpy(ifr->ifr_name, name);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int result = ioctl(fd, request, ifr) < 0 ? -errno : 0;
    close(fd);
    return result;
}

int cl_interface_by_name(const char *name, struct cl_interface *out) {
    struct ifreq ifr = { 0 };
    int result = interface_ioctl(name, SIOCGIFINDEX, &ifr);
    if (result < 0) return result;
    out->index = ifr.ifr_ifindex;
    if ((result = interface_ioctl(name, SIOCGIFFLAGS, &ifr)) < 0) return result;
    out->flags = (uint16_t)ifr.ifr_flags;
    if ((result = interface_ioctl(name, SIOCGIFMTU, &ifr)) < 0) return result;
    out->mtu = ifr.ifr_mtu;
    if ((result = interface_ioctl(name, SIOCGIFHWADDR, &ifr)) < 0) return result;
    out->hardware_type = ifr.ifr_hwaddr.sa_family;
    memcpy(out->hardware_address, ifr.ifr_hwaddr.sa_data, sizeof out->hardware_address);
    return 0;
}

static int ethtool_call(const char *name, void *data) {
    struct ifreq ifr = { .ifr_data = data };
    return interface_ioctl(name, SIOCETHTOOL, &ifr);
}

int cl_ts_info(const char *name, struct cl_ts_info *out) {
    struct ethtool_ts_info info = { .cmd = ETHTOOL_GET_TS_INFO };
    int result = ethtool_call(name, &info);
    if (result < 0) return result;
    out->so_timestamping = info.so_timestamping;
    out->tx_types = info.tx_types;
    out->rx_filters = info.rx_filters;
    out->phc_index = info.phc_index;
    return 0;
}

static int hwtstamp(int fd, int interface, unsigned long request, struct cl_hwtstamp *config) {
    struct ifreq ifr = { .ifr_ifindex = interface };
    if (ioctl(fd, SIOCGIFNAME, &ifr) < 0) return -errno;
    struct hwtstamp_config kernel = {
        .flags = config->flags, .tx_type = config->tx_type, .rx_filter = config->rx_filter };
    ifr.ifr_data = (char *)&kernel;
    if (ioctl(fd, request, &ifr) < 0) return -errno;
    *config = (struct cl_hwtstamp){ kernel.flags, kernel.tx_type, kernel.rx_filter };
    return 0;
}

int cl_hwtstamp_get(int fd, int interface, struct cl_hwtstamp *out) {
    *out = (struct cl_hwtstamp){ 0 };
    return hwtstamp(fd, interface, SIOCGHWTSTAMP, out);
}

int cl_hwtstamp_set(int fd, int interface, struct cl_hwtstamp *config) {
    return hwtstamp(fd, interface, SIOCSHWTSTAMP, config);
}

int cl_vlan_parent(int fd, int interface) {
    struct ifreq ifr = { .ifr_ifindex = interface };
    if (ioctl(fd, SIOCGIFNAME, &ifr) < 0) return -errno;
    struct vlan_ioctl_args vlan = { .cmd = GET_VLAN_REALDEV_NAME_CMD };
    _Static_assert(sizeof vlan.device1 >= IFNAMSIZ && sizeof vlan.u.device2 >= IFNAMSIZ, "names in vlan_ioctl_args");
    memcpy(vlan.device1, ifr.ifr_name, IFNAMSIZ);
    if (ioctl(fd, SIOCGIFVLAN, &vlan) < 0) return -ENODEV;
    memcpy(ifr.ifr_name, vlan.u.device2, IFNAMSIZ);
    return ioctl(fd, SIOCGIFINDEX, &ifr) < 0 ? -errno : ifr.ifr_ifindex;
}

int cl_lock_byte(int fd, int64_t byte, enum cl_lock lock) {
    struct flock range = {
        .l_type = lock == CL_UNLOCK ? F_UNLCK : lock == CL_LOCK_SHARED ? F_RDLCK : F_WRLCK,
        .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
    return fcntl(fd, F_OFD_SETLK, &range) < 0 ? -errno : 0;
}

// The kernel before 6.19 writes all current statistics, whatever count was requested, and their number may have grown
// since it was read. So each request starts a mapping with room for CL_STATISTICS_MAX entries and an inaccessible page
// after it, at which the kernel fails with EFAULT. Untouched pages cost nothing.
struct request {
    void *data;
    size_t mapped;
};

static int request_open(struct request *request, size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t usable = (bytes + page - 1) / page * page;
    request->mapped = usable + page;
    request->data = mmap(NULL, request->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (request->data == MAP_FAILED) return -errno;
    if (mprotect(request->data, usable, PROT_READ | PROT_WRITE) == 0) return 0;
    int error = errno;
    munmap(request->data, request->mapped);
    return -error;
}

// Returns the number of statistics that the driver reports now.
static int statistics_count(const char *name, cl_ethtool_call *call) {
    // With room for one count after it.
    union {
        struct ethtool_sset_info info;
        char room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
    } sets = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << ETH_SS_STATS } };
    int result = call(name, &sets);
    if (result < 0) return result;
    // The kernel clears the bit of a set that the driver does not have.
    if (!(sets.info.sset_mask & 1ULL << ETH_SS_STATS)) return -EOPNOTSUPP;
    return sets.info.data[0] > CL_STATISTICS_MAX ? -E2BIG : (int)sets.info.data[0];
}

static int statistics_once(
    const char *name, cl_ethtool_call *call, struct ethtool_gstrings *names, struct ethtool_stats *values,
    struct cl_statistic **out) {
    int count = statistics_count(name, call);
    if (count < 0) return count;
    *names = (struct ethtool_gstrings){
        .cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_STATS, .len = (uint32_t)count };
    *values = (struct ethtool_stats){ .cmd = ETHTOOL_GSTATS, .n_stats = (uint32_t)count };
    int result = call(name, names);
    if (result == 0) result = call(name, values);
    if (result < 0) return result;
    // The three calls are not atomic: names and values correspond only if all counts are equal.
    if (names->len != (uint32_t)count || values->n_stats != (uint32_t)count) return -EAGAIN;
    if (count == 0) return 0;
    struct cl_statistic *all = malloc((size_t)count * sizeof *all);
    if (all == NULL) return -ENOMEM;
    for (int i = 0; i < count; i++) {
        memcpy(all[i].name, names->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
        all[i].name[ETH_GSTRING_LEN - 1] = 0;
        all[i].value = values->data[i];
    }
    *out = all;
    return count;
}

int cl_statistics(const char *name, cl_ethtool_call *call, struct cl_statistic **out) {
    *out = NULL;
    struct request names, values;
    int result = request_open(&names, sizeof(struct ethtool_gstrings) + CL_STATISTICS_MAX * ETH_GSTRING_LEN);
    if (result < 0) return result;
    result = request_open(&values, sizeof(struct ethtool_stats) + CL_STATISTICS_MAX * sizeof(uint64_t));
    if (result == 0) {
        // The number of queues rarely changes. If it differs eight times in a row, the driver is at fault.
        for (int attempt = 0; attempt < 8; attempt++) {
            result = statistics_once(name, call ? call : ethtool_call, names.data, values.data, out);
            if (result != -EAGAIN) break;
        }
        munmap(values.data, values.mapped);
    }
    munmap(names.data, names.mapped);
    return result;
}

int cl_driver(const char *name, struct cl_driver *out) {
    struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
    int result = ethtool_call(name, &info);
    if (result < 0) return result;
    // A driver may fill a field to its last byte.
    info.driver[sizeof info.driver - 1] = 0;
    info.version[sizeof info.version - 1] = 0;
    info.fw_version[sizeof info.fw_version - 1] = 0;
    info.bus_info[sizeof info.bus_info - 1] = 0;
    memcpy(out->name, info.driver, sizeof out->name);
    memcpy(out->version, info.version, sizeof out->version);
    memcpy(out->firmware, info.fw_version, sizeof out->firmware);
    memcpy(out->bus, info.bus_info, sizeof out->bus);
    return 0;
}

int cl_rings(const char *name, struct cl_rings *out) {
    struct ethtool_ringparam rings = { .cmd = ETHTOOL_GRINGPARAM };
    int result = ethtool_call(name, &rings);
    if (result < 0) return result;
    *out = (struct cl_rings){
        rings.rx_pending, rings.rx_max_pending, rings.tx_pending, rings.tx_max_pending };
    return 0;
}

int cl_clock_quality(struct cl_clock_quality *out) {
    struct timex state = { 0 };
    int result = adjtimex(&state);
    if (result < 0) return -errno;
    out->unsynchronized = result == TIME_ERROR || (state.status & STA_UNSYNC) != 0;
    out->maximum_error_us = state.maxerror;
    out->estimated_error_us = state.esterror;
    out->tai_offset = state.tai;
    return 0;
}

int cl_has_capability(int capability) {
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { 0 };
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    return (data[capability / 32].effective >> (capability % 32)) & 1;
}

int cl_bpf_load_socket_filter(const void *instructions, unsigned int count, void *log, unsigned int log_size) {
    // Zero the whole union: the kernel rejects unknown bytes that are not zero.
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    attributes.insns = (uintptr_t)instructions;
    attributes.insn_cnt = count;
    // Determines the allowed helper functions. Programs that need others are loaded elsewhere.
    attributes.license = (uintptr_t) "MIT";
    attributes.log_level = 1;
    attributes.log_buf = (uintptr_t)log;
    attributes.log_size = log_size;
    long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
    // A log that does not fit is no reason to reject the program.
    if (fd < 0 && errno == ENOSPC) {
        attributes.log_level = 0;
        attributes.log_buf = 0;
        attributes.log_size = 0;
        fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
    }
    return fd < 0 ? -errno : (int)fd;
}

int cl_bpf_array_create(uint32_t count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = sizeof(uint32_t);
    attributes.value_size = sizeof(uint64_t);
    attributes.max_entries = count;
    long fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
    return fd < 0 ? -errno : (int)fd;
}

static int map_element(int command, int map, uint32_t *index, uint64_t *value) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = (uint32_t)map;
    attributes.key = (uintptr_t)index;
    attributes.value = (uintptr_t)value;
    return syscall(SYS_bpf, command, &attributes, sizeof attributes) < 0 ? -errno : 0;
}

int cl_bpf_map_read(int map, uint32_t index, uint64_t *value) {
    return map_element(BPF_MAP_LOOKUP_ELEM, map, &index, value);
}

int cl_bpf_map_write(int map, uint32_t index, uint64_t value) {
    return map_element(BPF_MAP_UPDATE_ELEM, map, &index, &value);
}

static int64_t nanoseconds_of(struct ptp_clock_time time) { return time.sec * 1000000000 + time.nsec; }

int cl_phc_precise(int fd, struct cl_phc_bracket *out) {
    struct ptp_sys_offset_precise reading = { 0 };
    if (ioctl(fd, PTP_SYS_OFFSET_PRECISE, &reading) < 0) return -errno;
    int64_t system = nanoseconds_of(reading.sys_realtime);
    out[0] = (struct cl_phc_bracket){ system, nanoseconds_of(reading.device), system };
    return 1;
}

// Fills brackets of three times each, with `step` times from one to the next.
static int fill_brackets(const struct ptp_clock_time *times, int step, struct cl_phc_bracket *out) {
    for (int i = 0; i < CL_PHC_SAMPLES; i++, times += step) {
        out[i] = (struct cl_phc_bracket){
            nanoseconds_of(times[0]), nanoseconds_of(times[1]), nanoseconds_of(times[2]) };
    }
    return CL_PHC_SAMPLES;
}

int cl_phc_extended(int fd, struct cl_phc_bracket *out) {
    struct ptp_sys_offset_extended reading = { .n_samples = CL_PHC_SAMPLES };
    if (ioctl(fd, PTP_SYS_OFFSET_EXTENDED, &reading) < 0) return -errno;
    return fill_brackets(reading.ts[0], 3, out);
}

int cl_phc_plain(int fd, struct cl_phc_bracket *out) {
    struct ptp_sys_offset reading = { .n_samples = CL_PHC_SAMPLES };
    if (ioctl(fd, PTP_SYS_OFFSET, &reading) < 0) return -errno;
    // The system time after one reading is also the time before the next.
    return fill_brackets(reading.ts, 2, out);
}
