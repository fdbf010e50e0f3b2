"""Hostile bytes over a link that a good certificate opened: the peer lives, answers, and counts."""
import random

import crypto
import link
import wire
from bench import A_USER, D_USER, S_USER, Bench, case


class Hostile(Bench):
    """An overlay and a peer that nobody is kind to."""


def bodies(c):
    """A good body of each method, made anew at each call: {name: (code, make)}."""
    r, d = c.user_resource(), wire.node(c.peer.id)
    sign = c.once
    return {
        "ping": (wire.PING, lambda: wire.vec(2, b"pad")),
        "probe": (wire.PROBE, lambda: wire.vec(1, b"\1\2\3")),
        "attach": (wire.ATTACH, lambda: wire.attach(
            wire.candidate("127.0.0.1", c.host.port), ufrag=b"ufrag", password=b"password")),
        "app_attach": (wire.APP_ATTACH, lambda: wire.app_attach(
            5060, wire.candidate("127.0.0.1", 9))),
        "join": (wire.JOIN, lambda: c.me.node_id + wire.vec(2, b"x")),
        "leave": (wire.LEAVE, lambda: wire.leave(c.me.node_id, 1, [c.me.node_id, c.peer.id])),
        "update": (wire.UPDATE, lambda: wire.update(3, [c.me.node_id], [c.peer.id],
                                                    [c.me.node_id])),
        "route_query": (wire.ROUTE_QUERY, lambda: wire.route_query(d)),
        "config_update": (wire.CONFIG_UPDATE, lambda: wire.config_update(1, b"<overlay/>")),
        "kind_update": (wire.CONFIG_UPDATE, lambda: wire.config_update(2, wire.vec(2, b"<kind"))),
        "store": (wire.STORE, lambda: wire.store(r, [
            wire.kind_data(S_USER, [sign(r, S_USER, wire.value(b"s"))]),
            wire.kind_data(A_USER, [sign(r, A_USER, wire.entry(wire.APPEND, b"a"))]),
            wire.kind_data(D_USER, [sign(r, D_USER, wire.pair(b"k", b"d"))])])),
        "fetch": (wire.FETCH, lambda: wire.fetch(
            r, wire.specifier(S_USER), wire.specifier(A_USER, wire.ranges((0, 1), (4, 9))),
            wire.specifier(D_USER, wire.keys(b"k", b"")))),
        "stat": (wire.STAT, lambda: wire.fetch(
            r, wire.specifier(S_USER), wire.specifier(A_USER, wire.ranges((0, 1))),
            wire.specifier(D_USER, wire.keys(b"k")))),
        "find": (wire.FIND, lambda: wire.find(r, S_USER, A_USER)),
    }


def signer(c):
    """Stored values whose (good) signature is made once, whatever is done to the lengths."""
    made = {}

    def sign(resource, kind, value):
        if kind not in made:
            made[kind] = crypto.sign_value(c.me, resource, kind, 5, value,
                                           {S_USER: "single", A_USER: "array"}.get(kind, "dict"))
        return wire.stored(5, 60, value, made[kind])
    return sign


class Siege:
    """Sends bad messages; now and then a good Ping must be answered."""

    def __init__(self, c):
        self.c, self.sent, self.before = c, 0, c.peer.dropped()
        c.host.answer.clear()

    def send(self, raw):
        c = self.c
        try:
            c.link.send(raw)
        except link.Closed:
            pass
        self.sent += 1
        if self.sent % 40 == 0:
            self.check()

    def check(self):
        c = self.c
        for _ in range(2):  # the first may meet a link that is just being closed
            got = c.host.request(c.link, c.message(), 5)
            if got:
                break
        c.test.assertIsNotNone(got, f"no answer to a Ping after {self.sent} bad messages")
        c.test.assertTrue(c.peer.alive())
        c.host.asked.clear()

    def end(self, at_least):
        self.check()
        grown = self.c.peer.dropped() - self.before
        self.c.test.assertGreaterEqual(grown, at_least, f"{self.sent} sent")


def hostile(name):
    def add(function):
        def run(c):
            c.once = signer(c)
            function(c, bodies(c))
        return case(Hostile, name, "R6940-6.1-1 R6940-6.3.1-1 R6940-6.3.2-21 R6940-6.3.3-6")(run)
    return add


@hostile("each message, cut at every byte")
def _(c, corpus):
    siege = Siege(c)
    for code, make in corpus.values():
        raw = c.message(code, make()).encode()
        for n in range(len(raw)):
            siege.send(raw[:n])
    siege.end(siege.sent)


@hostile("each message, cut at every byte, the header's length made to fit")
def _(c, corpus):
    siege = Siege(c)
    for code, make in corpus.values():
        raw = c.message(code, make()).encode()
        for n in range(38, len(raw)):
            siege.send(raw[:16] + wire.u32(n) + raw[20:n])
    siege.end(siege.sent * 9 // 10)


@hostile("each body, cut at every byte, and signed")
def _(c, corpus):
    siege = Siege(c)
    for code, make in corpus.values():
        body = make()
        for n in range(len(body)):
            siege.send(c.message(code, body[:n]).encode())
    siege.check()


def spoiled(make, n, change):
    """What make() gives when its n-th vector tells a wrong length; and how many vectors it has."""
    plain, calls = wire.vec, [0]

    def vec(width, data):
        calls[0] += 1
        if calls[0] - 1 != n:
            return plain(width, data)
        length = change(len(data), 256 ** width - 1)
        return (length % 256 ** width).to_bytes(width, "big") + data
    wire.vec = vec
    try:
        return make(), calls[0]
    finally:
        wire.vec = plain


CHANGES = {"one less": lambda n, top: n - 1, "one more": lambda n, top: n + 1,
           "zero": lambda n, top: 0, "the maximum": lambda n, top: top}
for what, change in CHANGES.items():
    @hostile(f"each length of each body made {what}, and signed")
    def _(c, corpus, change=change):
        siege = Siege(c)
        for code, make in corpus.values():
            make()  # signs the values
            for n in range(spoiled(make, -1, change)[1]):
                siege.send(c.message(code, spoiled(make, n, change)[0]).encode())
        siege.check()

    @hostile(f"each length of lists, contents and SecurityBlock made {what}")
    def _(c, corpus, change=change):
        siege = Siege(c)
        code, make = corpus["probe"]
        body = make()

        def build():
            return c.message(code, body, c.to + wire.resource(c.node_resource()),
                             via=wire.opaque(b"via"), options=wire.option(200, 0, b"option"),
                             extensions=wire.extension(9, 0, b"extension")).encode()
        for n in range(spoiled(build, -1, change)[1]):
            siege.send(spoiled(build, n, change)[0])
        siege.check()


@hostile("each length of the header off by one, zero and at its maximum")
def _(c, corpus):
    siege = Siege(c)
    for code, make in corpus.values():
        raw = c.message(code, make()).encode()
        for at, width in ((16, 4), (32, 2), (34, 2), (36, 2)):
            now = int.from_bytes(raw[at:at + width], "big")
            for wrong in {now - 1, now + 1, 0, 256 ** width - 1} - {now, -1}:
                siege.send(raw[:at] + wrong.to_bytes(width, "big") + raw[at + width:])
    siege.end(siege.sent * 9 // 10)


@hostile("each byte of a message with a bit turned")
def _(c, corpus):
    siege, dice = Siege(c), random.Random(6940)
    for code, make in corpus.values():
        raw = c.message(code, make()).encode()
        for at in range(0, len(raw), 3):
            bad = bytearray(raw)
            bad[at] ^= 1 << dice.randrange(8)
            siege.send(bytes(bad))
    siege.check()


@hostile("each byte of a body with a bit turned, and signed")
def _(c, corpus):
    siege, dice = Siege(c), random.Random(7)
    for code, make in corpus.values():
        body = make()
        for at in range(0, len(body), 2):
            bad = bytearray(body)
            bad[at] ^= 1 << dice.randrange(8)
            siege.send(c.message(code, bytes(bad)).encode())
    siege.check()


@hostile("candidates that lead nowhere, or back to the peer itself")
def _(c, corpus):
    siege = Siege(c)
    there = [("127.0.0.1", 0), ("0.0.0.0", 1), ("255.255.255.255", 9), ("224.0.0.1", 9),
             ("127.0.0.1", c.peer.port), ("127.0.0.1", 1)]
    many = b"".join(wire.candidate("127.0.0.1", 1 + n) for n in range(60))
    six = wire.candidate("", 0, address=wire.u8(2) + wire.vec(1, bytes(16) + wire.u16(9)))
    for body in [wire.candidate(*t) for t in there] + [six, many]:
        far = c.bench.identity(0x60 + siege.sent)
        m = c.message(wire.ATTACH, wire.attach(body), via=wire.node(far.node_id))
        siege.send(crypto.seal(m, far).encode())
    siege.check()


@hostile("answers to the peer's own requests, cut and changed")
def _(c, corpus):
    dice = random.Random(3)
    for n in range(12):
        h = c.bench.host(c.me)
        h.answer = {wire.UPDATE: lambda *_, n=n: [(wire.UPDATE + 1, bytes(n)),
                                                  (wire.ERROR, bytes(n)), (wire.PING + 1, b"")][n % 3],
                    wire.ATTACH: lambda *_: (wire.ATTACH + 1, dice.randbytes(30))}
        where = h.dial(c.peer.port)
        got = h.request(where, h.sealed(wire.ROUTE_QUERY, wire.route_query(c.to, 1), c.to))
        c.test.assertIsNotNone(got)
        h.pump(lambda: len(h.asked) >= 2, 0.3)
        h.close()
    c.good()


@hostile("an unfinished frame at the end of a link, many times")
def _(c, corpus):
    for _ in range(30):
        h = c.bench.host(c.me)
        where = h.dial(c.peer.port)
        where.write(b"\x80" + wire.u32(0) + b"\0\x0f\xff" + bytes(300))
        h.close()
    c.good()
