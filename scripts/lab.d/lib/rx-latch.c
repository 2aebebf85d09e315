// rx-latch INTERFACE: makes QEMU's igb timestamp every PTP frame that it receives, not only the first.
//
// The NIC latches the timestamp of one frame in registers, and timestamps no other frame until the registers have been
// read. QEMU frees the latch when the last one, RXSATRH, is read; Linux's driver stops at RXSTMPH, which suffices for
// real NICs. This program reads RXSATRH after the driver has handled each frame. It maps the NIC's registers, for which
// the kernel needs iomem=relaxed on its command line.
//
// A frame reaches packet sockets after the driver has read its timestamp, so this program loses no timestamp.

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

// Source: the register table of the 82576 datasheet; drivers/net/ethernet/intel/igb/e1000_regs.h in Linux.
enum { RXSATRH = 0xB630, PAGES = 0x20000 };

int main(int argc, char **argv) {
    if (argc != 2) errx(2, "usage: %s INTERFACE", argv[0]);
    char path[128];
    snprintf(path, sizeof path, "/sys/class/net/%s/device/resource0", argv[1]);
    int device = open(path, O_RDWR | O_SYNC);
    if (device < 0) err(1, "%s", path);
    volatile uint32_t *registers = mmap(NULL, PAGES, PROT_READ, MAP_SHARED, device, 0);
    if (registers == MAP_FAILED) err(1, "map %s (is iomem=relaxed on the kernel's command line?)", path);

    int frames = socket(AF_PACKET, SOCK_RAW, 0);
    if (frames < 0) err(1, "packet socket");
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_1588), .sll_ifindex = (int)if_nametoindex(argv[1])};
    if (!address.sll_ifindex) err(1, "%s", argv[1]);
    if (bind(frames, (struct sockaddr *)&address, sizeof address) < 0) err(1, "bind to %s", argv[1]);
    puts("watching");
    fflush(stdout);

    // Frees the latch of a frame that arrived before.
    (void)registers[RXSATRH / sizeof *registers];
    for (;;) {
        struct sockaddr_ll from;
        socklen_t size = sizeof from;
        char byte;
        if (recvfrom(frames, &byte, 1, 0, (struct sockaddr *)&from, &size) < 0) err(1, "recvfrom");
        if (from.sll_pkttype != PACKET_OUTGOING) (void)registers[RXSATRH / sizeof *registers];
    }
}
