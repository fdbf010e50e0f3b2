#include "slow_path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define DEVICE     "slow"
#define PACKET_MAX 1500
#define QUEUE      16384 /* packets on their way, both directions; more are lost, as on any path */

struct packet {
    uint64_t due_ns;
    size_t len;
    uint8_t bytes[PACKET_MAX];
};

static struct {
    int tun;
    pthread_t thread;
    atomic_uint delay_ms;
    atomic_bool ended;
    struct packet *queue; /* a ring: [first, first + count) */
    size_t first, count;
} path = { .tun = -1 };

/* --- the device --- */

static bool set_address(int fd, struct ifreq *request, unsigned long what, const char *address)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    inet_pton(AF_INET, address, &in.sin_addr);
    memcpy(&request->ifr_addr, &in, sizeof in);
    return ioctl(fd, what, request) == 0;
}

static bool bring_up(int fd, const char *name)
{
    struct ifreq request = { .ifr_flags = IFF_UP | IFF_RUNNING };
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

static bool configure(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = { .ifr_name = DEVICE };
    bool ok = fd >= 0 && bring_up(fd, "lo") &&
              set_address(fd, &request, SIOCSIFADDR, BENCH_SLOW_NEAR) &&
              set_address(fd, &request, SIOCSIFNETMASK, "255.255.255.0") && bring_up(fd, DEVICE);
    if (fd >= 0)
        close(fd);
    return ok;
}

static int open_tun(void)
{
    struct ifreq request = { .ifr_name = DEVICE, .ifr_flags = IFF_TUN | IFF_NO_PI };
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* --- packets --- */

/* Exchanging the two addresses of IPv4 leaves every checksum as it is. */
static void turn_round(struct packet *packet)
{
    uint8_t source[4];
    memcpy(source, packet->bytes + 12, 4);
    memmove(packet->bytes + 12, packet->bytes + 16, 4);
    memcpy(packet->bytes + 16, source, 4);
}

static void take_in(void)
{
    while (path.count < QUEUE) {
        struct packet *packet = &path.queue[(path.first + path.count) % QUEUE];
        ssize_t n = read(path.tun, packet->bytes, sizeof packet->bytes);
        if (n <= 0)
            return;
        if (n < 20 || packet->bytes[0] >> 4 != 4)
            continue;
        packet->len = (size_t)n;
        packet->due_ns = bench_wall_ns() + atomic_load(&path.delay_ms) * UINT64_C(1000000);
        turn_round(packet);
        path.count++;
    }
}

/* Lets go what is due; how long the next one waits, in ns. */
static uint64_t let_go(void)
{
    uint64_t now_ns = bench_wall_ns();
    for (; path.count > 0; path.count--, path.first = (path.first + 1) % QUEUE) {
        const struct packet *packet = &path.queue[path.first];
        if (packet->due_ns > now_ns)
            return packet->due_ns - now_ns;
        if (write(path.tun, packet->bytes, packet->len) < 0 && errno == EAGAIN)
            return 1000000;
    }
    return 100000000;
}

static void *carry(void *unused)
{
    while (!atomic_load(&path.ended)) {
        uint64_t wait_ns = let_go();
        struct timespec wait = { .tv_nsec = (long)(wait_ns < 100000000 ? wait_ns : 100000000) };
        struct pollfd fd = { .fd = path.tun, .events = path.count < QUEUE ? POLLIN : 0 };
        ppoll(&fd, 1, &wait, NULL);
        take_in();
    }
    return unused;
}

bool bench_slow_path_start(void)
{
    if (unshare(CLONE_NEWNET) < 0)
        return false;
    path.tun = open_tun();
    path.queue = calloc(QUEUE, sizeof *path.queue);
    BENCH_CHECK(configure() || path.tun < 0);
    if (path.tun < 0)
        return false;
    BENCH_CHECK(path.queue && pthread_create(&path.thread, NULL, carry, NULL) == 0);
    return true;
}

void bench_slow_path_delay(unsigned one_way_ms)
{
    atomic_store(&path.delay_ms, one_way_ms);
}

void bench_slow_path_stop(void)
{
    if (path.tun < 0)
        return;
    atomic_store(&path.ended, true);
    pthread_join(path.thread, NULL);
    close(path.tun);
    free(path.queue);
}
