"""Fragments, RFC 6940 s6.7: whatever the order, one message; nothing else from wrong ones."""
import random

import wire
from bench import case
from cases_link import One


def fragments(c, m, size=300):
    """The message cut into pieces: (offset, last, bytes of the piece)."""
    payload = m.payload()
    return [(at, at + size >= len(payload), payload[at:at + size])
            for at in range(0, len(payload), size)]


def piece(m, offset, last, data, **fields):
    f = wire.Message(dest=m.dest, via=m.via, overlay=m.overlay, sequence=m.sequence, ttl=m.ttl,
                     transaction=m.transaction, **fields)
    f.fragment = 0x80000000 | (0x40000000 if last else 0) | offset
    return f.header(len(data)) + data


def big(c):
    return c.message(body=wire.vec(2, bytes(range(256)) * 6))


def answered_from(c, m, pieces):
    for p in pieces:
        c.link.send(piece(m, *p))
    c.check(m, c.host.wait(c.link, m), wire.PING + 1)


def not_answered_from(c, m, pieces):
    for p in pieces:
        c.link.send(piece(m, *p))
    c.silent(b"", drop=False)
    c.test.assertNotIn(m.transaction, list(c.host.answers), c.told(m))


def shuffled(pieces):
    pieces = pieces[:]
    random.Random(1).shuffle(pieces)
    return pieces


def recut(c, m):
    """Pieces of other boundaries that overlap and agree."""
    payload = m.payload()
    return fragments(c, m, 400)[:2] + [(300, False, payload[300:900]),
                                       (500, True, payload[500:])]


ORDERS = {
    "in order": fragments,
    "backwards": lambda c, m: fragments(c, m)[::-1],
    "shuffled": lambda c, m: shuffled(fragments(c, m)),
    "with each twice": lambda c, m: [p for p in fragments(c, m) for _ in (0, 1)],
    "overlapping with equal bytes": recut,
    "in two halves": lambda c, m: fragments(c, m, len(m.payload()) // 2 + 1),
    "in pieces of 256 bytes": lambda c, m: fragments(c, m, 256),
}
for name, order in ORDERS.items():
    case(One, f"fragments {name} make the message",
         "R6940-6.7-2 R6940-6.7-6 R6940-6.7-10 R6940-6.7-11 R6940-6.7-15")(
        lambda c, order=order: (lambda m: answered_from(c, m, order(c, m)))(big(c)))


def without(n):
    return lambda c, m: [p for i, p in enumerate(fragments(c, m)) if i != n]


def disagreeing(c, m):
    pieces = fragments(c, m)
    at, last, data = pieces[1]
    return [pieces[0], (at, last, data[:-1] + b"\x55"), (at, last, data[:-1] + b"\xaa")] + pieces[2:]


def beyond_the_end(c, m):
    pieces = fragments(c, m)
    return [pieces[-1], (len(m.payload()), False, bytes(300))] + pieces[:-1]


def two_ends(c, m):
    pieces = fragments(c, m)
    return [pieces[-1], (600, True, m.payload()[600:900])] + pieces[:-1]


WRONG = {
    "with the first missing": without(0), "with the second missing": without(1),
    "with the last missing": without(-1 % 8),
    "that disagree where they overlap": disagreeing,
    "with no last one": lambda c, m: [(a, False, d) for a, _, d in fragments(c, m)],
}
for name, order in WRONG.items():
    def wrong(c, order=order):
        m = big(c)
        pieces = order(c, m)
        if order is WRONG["with the last missing"]:
            pieces = fragments(c, m)[:-1]
        not_answered_from(c, m, pieces)
    case(One, f"fragments {name} make nothing", "R6940-6.7-16 R6940-6.7-9")(wrong)

HARMLESS = {"beyond the end of the last": beyond_the_end, "with two different ends": two_ends}
for name, order in HARMLESS.items():
    def harmless(c, order=order):
        m = big(c)
        for p in order(c, m):
            c.link.send(piece(m, *p))
        c.good()
    case(One, f"fragments {name} harm nothing", "R6940-6.7-16")(harmless)


@case(One, "fragments over two links make the message", "R6940-6.7-15")
def _(c):
    m = big(c)
    pieces = fragments(c, m)
    other = c.bench.host(c.bench.identity(0x22))
    far = other.dial(c.peer.port)
    via = wire.Message(**{**vars(m), "via": wire.node(c.me.node_id)})
    for n, p in enumerate(pieces[1:]):
        far.send(piece(via, *p))
    other.request(far, other.sealed(wire.PING, wire.vec(2, b""), c.to))  # they have arrived
    c.link.send(piece(m, *pieces[0]))
    c.host.pump(lambda: m.transaction in c.host.answers or m.transaction in other.answers, 3)
    other.pump(lambda: m.transaction in other.answers or m.transaction in c.host.answers, 1)
    c.test.assertTrue(m.transaction in c.host.answers or m.transaction in other.answers)
    other.close()


@case(One, "the offset at its maximum harms nothing", "R6940-6.7-16")
def _(c):
    m = big(c)
    c.link.send(piece(m, 0xffffff, True, bytes(300)))
    c.link.send(piece(m, 0xfffff0, False, bytes(300)))
    c.good()


@case(One, "a message larger in pieces than max-message-size is not put together", "R6940-6.7-16")
def _(c):
    m = c.message(body=wire.vec(2, bytes(c.bench.max_size)))
    not_answered_from(c, m, fragments(c, m, 1000))


@case(One, "a thousand unfinished messages harm nothing", "R6940-6.7-8 R6940-6.7-9")
def _(c):
    m = big(c)
    for n in range(1000):
        m.transaction = n
        c.link.send(piece(m, 0, False, m.payload()[:300]))
        if n % 50 == 0:
            c.host.pump(lambda: False, 0)
    m = big(c)
    c.good()


@case(One, "reserved bits of the fragment field are not offsets", "R6940-6.3.2-18 R6940-6.3.2-19")
def _(c):
    m = c.message()
    m.fragment |= 0x3f000000
    c.link.send(m.encode())
    c.good()
