"""Framing and size limits, RFC 6940 s6.6."""
import os
import time

import crypto
import link
import wire
from bench import Bench, case, closes, row


class One(Bench):
    """An overlay of the program's own making, with one peer."""


def acks(c, frames, count):
    """Writes the first frames of a link one by one; the acknowledgements that came."""
    link, c.host.answer = c.link, {}
    for n, frame in enumerate(frames):
        link.write(frame)
        c.host.pump(lambda: len(link.acks) > n, 3)
    c.test.assertEqual(len(link.acks), count, link.acks)
    return link.acks


def ping(c):
    return c.message().encode()


@case(One, "the first data frame is acknowledged with an empty mask", "R6940-6.6.2-2 R6940-6.6.2-4")
def _(c):
    c.test.assertEqual(acks(c, [c.link.frame(ping(c))], 1), [(0, 0)])


@case(One, "the mask shows the frames before", "R6940-6.6.2-6")
def _(c):
    frames = [c.link.frame(ping(c)) for _ in range(4)]
    c.test.assertEqual(acks(c, frames, 4), [(0, 0), (1, 0b10), (2, 0b110), (3, 0b1110)])


@case(One, "the mask has 31 bits at most, the lowest never", "R6940-6.6.2-5 R6940-6.6.2-6")
def _(c):
    m = ping(c)
    got = acks(c, [c.link.frame(m) for _ in range(36)], 36)
    c.test.assertEqual(got[31], (31, 0xfffffffe))
    c.test.assertEqual(got[-1], (35, 0xfffffffe))


@case(One, "every frame of a burst is acknowledged, by its number or in a mask", "R6940-6.6.2-4")
def _(c):
    c.host.answer, m = {}, ping(c)
    c.link.write(b"".join(c.link.frame(m) for _ in range(60)))
    c.host.pump(lambda: any(n == 59 for n, _ in c.link.acks), 3)
    known = {n for n, _ in c.link.acks}
    known |= {n - bit for n, mask in c.link.acks for bit in range(32) if mask >> bit & 1}
    c.test.assertEqual(known, set(range(60)))


@case(One, "gaps in the sequence are gaps in the mask", "R6940-6.6.2-6")
def _(c):
    m = ping(c)
    got = acks(c, [wire.data_frame(n, m) for n in (0, 5, 7, 6, 40)], 5)
    c.test.assertEqual(got, [(0, 0), (5, 1 << 5), (7, 1 << 2 | 1 << 7), (6, 1 << 1 | 1 << 6), (40, 0)])


@case(One, "its own frames count from zero, acks not counted", "R6940-6.6.2-3")
def _(c):
    for _ in range(3):
        c.host.request(c.link, c.message())
    got = c.link.received
    c.test.assertEqual(got, list(range(len(got))))
    c.test.assertGreaterEqual(len(got), 3)


@case(One, "two frames in one TLS record are two messages", "R6940-6.6.2-1")
def _(c):
    a, b = c.message(), c.message()
    c.link.write(c.link.frame(a.encode()) + c.link.frame(b.encode()))
    c.check(a, c.host.wait(c.link, a), wire.PING + 1)
    c.check(b, c.host.wait(c.link, b), wire.PING + 1)


@case(One, "a frame in many TLS records is one message", "R6940-6.6.2-1")
def _(c):
    m = c.message()
    raw = c.link.frame(m.encode())
    for n in range(0, len(raw), 7):
        c.link.write(raw[n:n + 7])
    c.check(m, c.host.wait(c.link, m), wire.PING + 1)


@case(One, "the link is usable when a frame stops half way and goes on later", "R6940-6.6.2-1")
def _(c):
    m = c.message()
    raw = c.link.frame(m.encode())
    c.link.write(raw[:100])
    time.sleep(0.3)
    c.link.write(raw[100:])
    c.check(m, c.host.wait(c.link, m), wire.PING + 1)


for kind in (0, 1, 0x7f, 0x82, 0xff):
    row(One, f"frame type {kind:#x} closes the link", "R6940-6.6.2-7",
        lambda c, kind=kind: bytes([kind]) + bytes(8), closes)


@case(One, "acks of frames never sent do no harm", "R6940-6.6.2-2")
def _(c):
    c.link.write(wire.ack_frame(0xffffffff, 0xffffffff) + wire.ack_frame(77, 0))
    c.good()


def padded(c, size):
    """A Ping whose message is exactly that long (ECDSA signatures vary in length)."""
    while True:
        bare = len(ping(c))
        m = c.message(body=wire.vec(2, bytes(size - bare)))
        if len(m.encode()) == size:
            return m


@case(One, "a message of exactly max-message-size is answered", "R6940-11.1-21 R6940-6.5.3.1-1")
def _(c):
    m = padded(c, c.bench.max_size)
    c.check(m, c.host.request(c.link, m), wire.PING + 1)


def too_large_then_closed(c, m, raw):
    link = c.link
    link.write(raw)
    got = c.host.wait(link, m)
    c.check(m, got, wire.ERROR)
    c.test.assertEqual(wire.read_error(got.body)[0], wire.MESSAGE_TOO_LARGE)
    c.host.pump(lambda: link.closed, 3)
    c.test.assertTrue(link.closed, "still up")


@case(One, "one byte more is Message_Too_Large, then the link closes", "R6940-6.6-1")
def _(c):
    m = padded(c, c.bench.max_size + 1)
    too_large_then_closed(c, m, c.link.frame(m.encode()))


@case(One, "a frame of 16 MB is refused before it is all there", "R6940-6.6-1 R6940-6.6-2")
def _(c):
    m = c.message()
    m.length = 0xfffff0
    size = c.bench.max_size
    raw = m.encode() + bytes(size)
    too_large_then_closed(c, m, b"\x80" + wire.u32(0) + b"\xff\xff\xf0" + raw[:size])


@case(One, "a forwarding header larger than max-message-size closes without an error", "R6940-6.6-3")
def _(c):
    link = c.link
    m = c.message(via=wire.node(c.me.node_id) * (c.bench.max_size // 18 + 1))
    link.write(link.frame(m.encode()))
    c.host.pump(lambda: link.closed, 3)
    c.test.assertTrue(link.closed)
    c.test.assertNotIn(m.transaction, list(c.host.answers))


@case(One, "no message at all in a frame harms nothing", "R6940-6.3.2-21")
def _(c):
    c.silent(b"")


@case(One, "noise in a frame harms nothing", "R6940-6.3.2-2")
def _(c):
    for size in (1, 37, 38, 39, 400):
        c.silent(os.urandom(size))


def refused_link(c, identity=None, roots=None):
    """The handshake fails, or nothing is ever answered before the link closes."""
    before = c.peer.ask("status")["links"]
    c.host.identity = identity
    try:
        link = c.link
        c.host.request(link, c.message())
        c.host.pump(lambda: link.closed, 3)
        c.test.assertTrue(link.closed, "the link was accepted")
        c.test.assertEqual(c.host.answers, {})
    except (OSError, ssl_error):
        pass
    after = c.peer.ask("status")["links"]
    grown = [k for k in after if k.startswith("failed") and after[k] > before[k]]
    c.test.assertTrue(grown, f"no counter of refused links grew: {after}")


ssl_error = __import__("ssl").SSLError
BAD_LINKS = {
    "another CA": lambda b: {"authority": crypto.Authority.make(b.folder, "other-ca", "ec")},
    "no CA (self-signed is not permitted)": lambda b: {"authority": None},
    "another overlay": lambda b: {"overlay": "other.example"},
    "an expired certificate": lambda b: {"days": -1},
}
for why, words in BAD_LINKS.items():
    def bad_link(c, why=why, words=words):
        refused_link(c, c.bench.new_identity("link-" + why[:9].replace(" ", "-"),
                                             [c.me.node_id], user=c.me.user, **words(c.bench)))
    case(One, f"a link is refused to {why}", "R6940-6.5.1.13-2")(bad_link)


@case(One, "a link is refused to nobody at all: the server asks for a certificate", "R6940-6.5.1.13-2")
def _(c):
    import socket
    import ssl
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", c.peer.port), 3) as tcp:
        try:
            tls = plain.wrap_socket(tcp)
            tls.send(wire.data_frame(0, ping_of(c)))
            c.test.assertEqual(tls.recv(100), b"")
        except (OSError, ssl.SSLError):
            pass


def ping_of(c):
    return c.message().encode()


@case(One, "TLS 1.2 is good enough", "R6940-6.5.1.13-2")
def _(c):
    import ssl
    limited = link.context(c.me, c.host.roots)
    limited.maximum_version = ssl.TLSVersion.TLSv1_2
    c.host.context = limited
    c.good()
    c.test.assertEqual(c.link.tls.version(), "TLSv1.2")


@case(One, "TLS 1.1 is not", "R6940-6.5.1.13-2")
def _(c):
    import ssl
    old = link.context(c.me, c.host.roots)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    c.host.context = old
    with c.test.assertRaises((ssl.SSLError, OSError)):
        c.host.dial(c.peer.port)


@case(One, "two links of one node: both answer, and one stays", "R6940-4.2.1-2")
def _(c):
    c.good()
    old = c.link
    new = c.host.dial(c.peer.port)
    m = c.message()
    c.check(m, c.host.request(new, m), wire.PING + 1)
    c.host.pump(lambda: old.closed, 3)
    m = c.message()
    live = new if not new.closed else old
    c.check(m, c.host.request(live, m), wire.PING + 1)


@case(One, "bytes that are not TLS do no harm", "R6940-6.6.5-5")
def _(c):
    import socket
    with socket.create_connection(("127.0.0.1", c.peer.port), 3) as tcp:
        tcp.sendall(os.urandom(600))
    c.good()
