/* A cable between two network namespaces that delays, loses, reorders and duplicates: two TUN
 * devices and this program between them, for kernels without netem.
 *
 *   netimp LEFT RIGHT DEVICE [--seed N] [--delay MS] [--jitter MS] [--loss PERCENT]
 *          [--reorder PERCENT] [--duplicate PERCENT] [--mtu BYTES]
 *
 * LEFT and RIGHT are paths of network namespaces, each gets a TUN device named DEVICE. Writes
 * "ready" when both exist and the counters of each direction as JSON when it is told to end.
 *
 * Each direction has a generator of its own and each packet takes the same number of draws, so that
 * the fate of the n-th packet depends on the seed alone. A packet that is reordered skips the
 * delay. A packet above the MTU vanishes, as on a path that sends no ICMP. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PACKET_MAX 65536
#define QUEUE_MAX  20000 /* of one direction; more are dropped and counted */

struct impairment {
    uint64_t seed, delay_us, jitter_us, mtu;
    double loss, reorder, duplicate; /* 0..1 */
};

struct packet {
    uint64_t due_us, number; /* equal times keep their order */
    size_t len;
    uint8_t *bytes;
};

struct direction {
    int in, out;
    uint64_t random, packets, numbers;
    uint64_t lost, reordered, duplicated, too_long, overflow, delivered, refused;
    struct packet *heap; /* QUEUE_MAX of them, the next one due first */
    size_t count;
};

static volatile sig_atomic_t ended;

static void end(int number)
{
    (void)number;
    ended = 1;
}

static void die(const char *what)
{
    fprintf(stderr, "netimp: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* splitmix64 */
static double draw(struct direction *d)
{
    uint64_t z = d->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

/* --- the packets on their way: a heap by time --- */

static int earlier(const struct packet *a, const struct packet *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->number < b->number;
}

static void swap(struct packet *a, struct packet *b)
{
    struct packet keep = *a;
    *a = *b;
    *b = keep;
}

static void push(struct direction *d, const uint8_t *bytes, size_t len, uint64_t due_us)
{
    if (d->count == QUEUE_MAX) {
        d->overflow++;
        return;
    }
    size_t at = d->count++;
    uint8_t *copy = malloc(len);
    if (!copy)
        die("memory");
    memcpy(copy, bytes, len);
    d->heap[at] = (struct packet){ due_us, d->numbers++, len, copy };
    for (; at > 0 && earlier(&d->heap[at], &d->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&d->heap[at], &d->heap[(at - 1) / 2]);
}

static struct packet pop(struct direction *d)
{
    struct packet first = d->heap[0];
    d->heap[0] = d->heap[--d->count];
    for (size_t at = 0, child; (child = 2 * at + 1) < d->count; at = child) {
        if (child + 1 < d->count && earlier(&d->heap[child + 1], &d->heap[child]))
            child++;
        if (!earlier(&d->heap[child], &d->heap[at]))
            break;
        swap(&d->heap[child], &d->heap[at]);
    }
    return first;
}

/* --- one packet --- */

static void take(struct direction *d, const struct impairment *how, const uint8_t *bytes,
                 size_t len)
{
    double lost = draw(d), reordered = draw(d), duplicated = draw(d), spread = draw(d),
           second_spread = draw(d);
    double jitter = (double)how->jitter_us;
    uint64_t now = now_us();
    d->packets++;
    if (how->mtu && len > how->mtu) {
        d->too_long++;
        return;
    }
    if (lost < how->loss) {
        d->lost++;
        return;
    }
    uint64_t delay = how->delay_us + (uint64_t)(jitter * spread);
    if (reordered < how->reorder) {
        d->reordered++;
        delay = 0;
    }
    push(d, bytes, len, now + delay);
    if (duplicated < how->duplicate) {
        d->duplicated++;
        push(d, bytes, len, now + how->delay_us + (uint64_t)(jitter * second_spread));
    }
}

static void receive(struct direction *d, const struct impairment *how)
{
    static uint8_t bytes[PACKET_MAX];
    ssize_t n;
    while ((n = read(d->in, bytes, sizeof bytes)) > 0)
        take(d, how, bytes, (size_t)n);
}

static void deliver(struct direction *d)
{
    while (d->count > 0 && d->heap[0].due_us <= now_us()) {
        struct packet packet = pop(d);
        if (write(d->out, packet.bytes, packet.len) == (ssize_t)packet.len)
            d->delivered++;
        else
            d->refused++;
        free(packet.bytes);
    }
}

static uint64_t next_due(const struct direction *d)
{
    return d->count > 0 ? d->heap[0].due_us : UINT64_MAX;
}

static void run(struct direction d[2], const struct impairment *how)
{
    while (!ended) {
        struct pollfd fds[2] = { { .fd = d[0].in, .events = POLLIN },
                                 { .fd = d[1].in, .events = POLLIN } };
        uint64_t due = next_due(&d[0]) < next_due(&d[1]) ? next_due(&d[0]) : next_due(&d[1]);
        uint64_t now = now_us(), wait = due > now ? due - now : 0;
        struct timespec timeout = { (time_t)(wait / 1000000), (long)(wait % 1000000 * 1000) };
        if (ppoll(fds, 2, due == UINT64_MAX ? NULL : &timeout, NULL) < 0 && errno != EINTR)
            die("poll");
        for (int i = 0; i < 2; i++) {
            receive(&d[i], how);
            deliver(&d[i]);
        }
    }
}

static void tell(const struct direction *d, const char *name, const char *after)
{
    printf("\"%s\":{\"packets\":%llu,\"delivered\":%llu,\"lost\":%llu,\"reordered\":%llu,"
           "\"duplicated\":%llu,\"too_long\":%llu,\"overflow\":%llu,\"refused\":%llu}%s",
           name, (unsigned long long)d->packets, (unsigned long long)d->delivered,
           (unsigned long long)d->lost, (unsigned long long)d->reordered,
           (unsigned long long)d->duplicated, (unsigned long long)d->too_long,
           (unsigned long long)d->overflow, (unsigned long long)d->refused, after);
}

/* --- starting --- */

static int open_tun(const char *namespace_path, const char *device)
{
    struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
    int space = open(namespace_path, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET) != 0)
        die(namespace_path);
    close(space);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        die("/dev/net/tun");
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    if (ioctl(fd, TUNSETIFF, &request) != 0)
        die(device);
    return fd;
}

static struct impairment read_options(int argc, char **argv)
{
    struct impairment how = { .seed = 1 };
    for (int i = 4; i + 1 < argc; i += 2) {
        double value = strtod(argv[i + 1], NULL);
        if (strcmp(argv[i], "--seed") == 0)
            how.seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--delay") == 0)
            how.delay_us = (uint64_t)(value * 1000);
        else if (strcmp(argv[i], "--jitter") == 0)
            how.jitter_us = (uint64_t)(value * 1000);
        else if (strcmp(argv[i], "--mtu") == 0)
            how.mtu = (uint64_t)value;
        else if (strcmp(argv[i], "--loss") == 0)
            how.loss = value / 100;
        else if (strcmp(argv[i], "--reorder") == 0)
            how.reorder = value / 100;
        else if (strcmp(argv[i], "--duplicate") == 0)
            how.duplicate = value / 100;
        else {
            fprintf(stderr, "netimp: unknown option %s\n", argv[i]);
            exit(2);
        }
    }
    return how;
}

static struct direction new_direction(int in, int out, uint64_t seed)
{
    struct direction d = { .in = in, .out = out, .random = seed };
    d.heap = calloc(QUEUE_MAX, sizeof *d.heap);
    if (!d.heap)
        die("memory");
    return d;
}

static void free_direction(struct direction *d)
{
    while (d->count > 0)
        free(pop(d).bytes);
    free(d->heap);
    close(d->in);
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = end };
    if (argc < 4 || argc % 2 != 0) {
        fprintf(stderr, "netimp LEFT RIGHT DEVICE [--seed N] [--delay MS] [--jitter MS] "
                        "[--loss PERCENT] [--reorder PERCENT] [--duplicate PERCENT] [--mtu N]\n");
        return 2;
    }
    const struct impairment how = read_options(argc, argv);
    int left = open_tun(argv[1], argv[3]), right = open_tun(argv[2], argv[3]);
    struct direction d[2] = { new_direction(left, right, how.seed),
                              new_direction(right, left, how.seed ^ 0x5bd1e995u) };
    sigaction(SIGTERM, &action, NULL);
    printf("ready\n");
    fflush(stdout);
    run(d, &how);
    printf("{");
    tell(&d[0], "left_to_right", ",");
    tell(&d[1], "right_to_left", "}\n");
    free_direction(&d[0]);
    free_direction(&d[1]);
    return 0;
}
