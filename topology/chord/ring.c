#include "topology/chord/ring.h"

static uint64_t load(const uint8_t *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

static void save(uint8_t *p, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        p[i] = (uint8_t)v;
}

struct reload_chord_id reload_chord_id_from(struct reload_slice bytes)
{
    if (bytes.n != RELOAD_CHORD_ID_LEN)
        return (struct reload_chord_id){ 0, 0 };
    return (struct reload_chord_id){ load(bytes.p), load(bytes.p + 8) };
}

struct reload_chord_id reload_chord_id_of(const struct reload_node_id *node_id)
{
    return reload_chord_id_from(reload_node_id_slice(node_id));
}

struct reload_node_id reload_chord_id_node(struct reload_chord_id id)
{
    struct reload_node_id node_id = { .len = RELOAD_CHORD_ID_LEN };
    save(node_id.bytes, id.hi);
    save(node_id.bytes + 8, id.lo);
    return node_id;
}

bool reload_chord_id_equal(struct reload_chord_id a, struct reload_chord_id b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

bool reload_chord_id_less(struct reload_chord_id a, struct reload_chord_id b)
{
    return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo);
}

struct reload_chord_id reload_chord_id_plus(struct reload_chord_id a, struct reload_chord_id b)
{
    struct reload_chord_id sum = { a.hi + b.hi, a.lo + b.lo };
    if (sum.lo < a.lo)
        sum.hi++;
    return sum;
}

struct reload_chord_id reload_chord_id_next(struct reload_chord_id id)
{
    return reload_chord_id_plus(id, (struct reload_chord_id){ 0, 1 });
}

struct reload_chord_id reload_chord_distance(struct reload_chord_id from, struct reload_chord_id to)
{
    struct reload_chord_id d = { to.hi - from.hi, to.lo - from.lo };
    if (to.lo < from.lo)
        d.hi--;
    return d;
}

bool reload_chord_within(struct reload_chord_id x, struct reload_chord_id after,
                         struct reload_chord_id up_to)
{
    /* Measured backwards from up_to the interval begins at 0, so that wrapping needs no case. */
    struct reload_chord_id width = reload_chord_distance(after, up_to);
    if (width.hi == 0 && width.lo == 0)
        return true;
    return reload_chord_id_less(reload_chord_distance(x, up_to), width);
}

bool reload_chord_between(struct reload_chord_id x, struct reload_chord_id after,
                          struct reload_chord_id before)
{
    return !reload_chord_id_equal(x, before) && !reload_chord_id_equal(x, after) &&
           reload_chord_within(x, after, before);
}

static struct reload_chord_id power_of_two(unsigned exponent)
{
    if (exponent >= 64)
        return (struct reload_chord_id){ UINT64_C(1) << (exponent - 64), 0 };
    return (struct reload_chord_id){ 0, UINT64_C(1) << exponent };
}

struct reload_chord_id reload_chord_finger_start(struct reload_chord_id x, unsigned i)
{
    return reload_chord_id_plus(x, power_of_two(RELOAD_CHORD_ID_BITS - i));
}

unsigned reload_chord_finger_of(struct reload_chord_id distance)
{
    unsigned i = 1;
    uint64_t word = distance.hi;
    if (word == 0) {
        word = distance.lo;
        i += 64;
    }
    for (; i < RELOAD_CHORD_ID_BITS && (word >> 63) == 0; i++)
        word <<= 1;
    return i;
}

struct reload_chord_id reload_chord_finger_random(struct reload_chord_id x, unsigned i,
                                                  const struct reload_random *random)
{
    /* The range is as wide as its distance from x: 2^(128-i), so a mask of that many bits. */
    struct reload_chord_id width = power_of_two(RELOAD_CHORD_ID_BITS - i);
    struct reload_chord_id mask =
        reload_chord_distance((struct reload_chord_id){ 0, 1 }, width); /* width - 1 */
    struct reload_chord_id offset = { reload_random_u64(random) & mask.hi,
                                      reload_random_u64(random) & mask.lo };
    return reload_chord_id_plus(reload_chord_finger_start(x, i), offset);
}

uint32_t reload_chord_ppb(struct reload_chord_id distance)
{
    const uint64_t billion = 1000000000;
    if (distance.hi == 0 && distance.lo == 0)
        return (uint32_t)billion;
    return (uint32_t)((distance.hi >> 32) * billion >> 32);
}
