"""The forwarding header, destinations and what becomes of them, RFC 6940 s6.1 to s6.3.3."""

import crypto
import wire
from bench import answered, case, error, row, silent
from cases_link import One

STRANGER = bytes.fromhex("55" * 16)


def not_done(c, m):
    """Refused: no answer or an error, never the answer of success."""
    got = c.host.request(c.link, m, 0.5)
    if got:
        c.check(m, got, wire.ERROR)
    c.test.assertIsNotNone(c.host.request(c.link, c.message()), "the link is dead")


def served(c, m):
    """Answered, by whoever it was."""
    got = c.host.request(c.link, m)
    c.test.assertIsNotNone(got, "no answer")
    c.test.assertEqual((got.code, c.bench.verifier.message(got)), (m.code + 1, c.peer.id))


HEADER = [
    ("a plain Ping is answered", "R6940-6.5.3-1 R6940-6.3.2-23 R6940-6.3.2-25 R6940-6.3.2-27",
     {}, answered),
    ("another token is dropped", "R6940-6.3.2-2", {"token": 0x52454c4f}, silent),
    ("another overlay is not served", "R6940-6.3.2-4 R6940-6.1-1", {"overlay_": 1}, not_done),
    ("version 1 is not served", "R6940-6.3.2-8", {"version": 1}, not_done),
    ("version 11 is not served", "R6940-6.3.2-8", {"version": 11}, not_done),
    ("TTL above initial-ttl is TTL_Exceeded", "R6940-6.3.2-15", {"ttl": 101},
     error(wire.TTL_EXCEEDED)),
    ("TTL 255 is TTL_Exceeded", "R6940-6.3.2-15", {"ttl": 255}, error(wire.TTL_EXCEEDED)),
    ("TTL 0 for this very node is processed", "R6940-6.3.2-12", {"ttl": 0}, answered),
    ("TTL 1 for this very node is processed", "R6940-6.3.2-12", {"ttl": 1}, answered),
    ("the high fragment bit must be set", "R6940-6.7-13", {"fragment": 0x40000000}, silent),
    ("no fragment bits at all", "R6940-6.7-14", {"fragment": 0}, silent),
    ("max_response_length 100 is Response_Too_Large", "R6940-6.3.2-24", {"max_response": 100},
     error(wire.RESPONSE_TOO_LARGE)),
    ("max_response_length 1 is Response_Too_Large", "R6940-6.3.2-24", {"max_response": 1},
     error(wire.RESPONSE_TOO_LARGE)),
    ("max_response_length 5000 is enough", "R6940-6.3.2-24", {"max_response": 5000}, answered),
    ("an older configuration is Config_Too_Old", "R6940-6.3.2.1-4", {"sequence": 0},
     error(wire.CONFIG_TOO_OLD)),
    ("a newer configuration is Config_Too_New", "R6940-6.3.2.1-4", {"sequence": 2},
     error(wire.CONFIG_TOO_NEW)),
    ("32767 ahead is newer", "R6940-6.3.2.1-3", {"sequence": 32768}, error(wire.CONFIG_TOO_NEW)),
    ("65534 is older, by modulo arithmetic", "R6940-6.3.2.1-3", {"sequence": 65534},
     error(wire.CONFIG_TOO_OLD)),
    ("sequence 65535 is for ConfigUpdate alone", "R6940-6.3.2.1-6", {"sequence": 65535}, not_done),
]
for name, ids, fields, expect in HEADER:
    def header(c, fields=fields):
        fields = dict(fields)
        wrong = fields.pop("overlay_", None)
        m = c.message(**fields)
        if wrong:
            m.overlay = crypto.overlay_hash("other.example")
            crypto.seal(m, c.me)
        return m
    row(One, name, ids, header, expect)


@case(One, "the length field must be the message's length", "R6940-6.3.2-21")
def _(c):
    for off in (-1, 1, -38, 1000):
        m = c.message()
        m.length = len(m.encode()) + off
        c.silent(m)
    for length in (0, 0xffffffff):
        m = c.message()
        m.length = length
        c.silent(m)


@case(One, "an answer that just fits max_response_length is sent", "R6940-6.3.2-24")
def _(c):
    sizes = []
    for _ in range(12):  # ECDSA signatures vary by a few bytes
        m = c.message()
        c.check(m, c.host.request(c.link, m), wire.PING + 1)
        sizes.append(len(c.link.seen[-1]))
    c.good(max_response=max(sizes) + 8)
    c.fails(wire.RESPONSE_TOO_LARGE, max_response=min(sizes) - 8)


# --- s6.1.1, s6.3.2.2: destinations ---

def to(make):
    return lambda c: c.message(dest=make(c))


def owned(c):
    return crypto.resource_id("anything")


DESTINATIONS = [
    ("the wildcard is answered", "R6940-6.1.1-6 R6940-3-2", lambda c: wire.node(wire.WILDCARD),
     answered),
    ("an owned resource is answered", "R6940-6.1.1-2", lambda c: wire.resource(owned(c)), answered),
    ("the own Node-ID, then an owned resource", "R6940-6.1.1-4",
     lambda c: c.to + wire.resource(owned(c)), served),
    ("an owned resource with an entry after it is dropped", "R6940-6.1.1-1 R6940-6.3.2.2-7",
     lambda c: wire.resource(owned(c)) + c.to, silent),
    ("the own Node-ID twice is Invalid_Message", "R6940-13.6.5-2", lambda c: c.to + c.to,
     error(wire.INVALID_MESSAGE)),
    ("a strange node in the own range is dropped", "R6940-6.1.1-7", lambda c: wire.node(STRANGER),
     silent),
    ("the own Node-ID, then a strange node is dropped", "R6940-6.1.1-4 R6940-6.1.1-7",
     lambda c: c.to + wire.node(STRANGER), silent),
    ("an opaque id that is not ours is dropped", "R6940-6.1.3-1", lambda c: wire.opaque(b"x" * 9),
     silent),
    ("a 16-bit opaque id that is not ours is dropped", "R6940-6.3.2.2-2 R6940-6.3.2.2-13",
     lambda c: b"\xff\xff", silent),
    ("the smallest 16-bit opaque id", "R6940-6.3.2.2-2", lambda c: b"\x80\x00", silent),
    ("all zeros is no Node-ID", "R6940-3-1", lambda c: wire.node(bytes(16)), silent),
    ("type 0 is invalid", "R6940-6.3.2.2-1", lambda c: b"\0\x10" + c.peer.id, silent),
    ("an unknown type cannot be routed to", "R6940-6.3.2.2-6", lambda c: b"\x09\x02ab", silent),
    ("the own Node-ID, then an unknown type", "R6940-6.3.2.2-6", lambda c: c.to + b"\x09\x02ab",
     silent),
    ("an empty Destination List", "R6940-6.3.2-29", lambda c: b"", not_done),
    ("a Node-ID of 15 bytes", "R6940-6.3.2.2-4", lambda c: wire.node(c.peer.id[:15]), silent),
    ("a Node-ID of 17 bytes", "R6940-6.3.2.2-4", lambda c: wire.node(c.peer.id + b"x"), silent),
    ("a Destination List cut short", "R6940-6.3.2-28", lambda c: c.to[:-1], silent),
    ("a Destination List of one byte", "R6940-6.3.2-28", lambda c: b"\x01", silent),
    ("a resource whose two lengths disagree", "R6940-6.3.2.2-5",
     lambda c: b"\x02\x11\x0f" + owned(c), silent),
    ("a resource whose inner length runs over", "R6940-6.3.2.2-5",
     lambda c: b"\x02\x11\xff" + owned(c), silent),
    ("a resource of 15 bytes is not Chord's", "R6940-10.2-1",
     lambda c: wire.resource(owned(c)[:15]), not_done),
    ("a resource of no bytes is not Chord's", "R6940-10.2-1", lambda c: wire.resource(b""),
     not_done),
]
for name, ids, make, expect in DESTINATIONS:
    row(One, name, ids, to(make), expect)


# --- s6.1.2: the way back ---

@case(One, "the answer goes to the previous hop and down the reversed Via List",
      "R6940-6.1.2-9 R6940-6.2.2-1")
def _(c):
    x, y = STRANGER, bytes.fromhex("66" * 16)
    m = c.message(via=wire.node(x) + b"\x81\x23" + wire.node(y) + wire.opaque(b"abc"))
    got = c.host.request(c.link, m)
    c.test.assertEqual(got.code, wire.PING + 1)
    c.test.assertEqual(got.via, b"")
    me = wire.node(c.me.node_id)
    c.test.assertEqual(got.dest.hex(), (me + wire.opaque(b"abc") + wire.node(y) + b"\x81\x23"
                                        + wire.node(x)).hex())


@case(One, "a message signed by another than the link's node is answered down the link",
      "R6940-6.1.2-9 R6940-6.3.4-19")
def _(c):
    other = c.bench.identity(0x21)
    m = crypto.seal(c.message(via=wire.node(other.node_id)), other)
    got = c.host.request(c.link, m)
    c.test.assertIsNotNone(got)
    c.test.assertEqual(got.dest, wire.node(c.me.node_id) + wire.node(other.node_id))


VIA = [
    ("a resource in the Via List", "R6940-6.3.2.2-8", lambda c: wire.resource(owned(c))),
]
for name, ids, make in VIA:
    row(One, name + " is not served", ids, lambda c, make=make: c.message(via=make(c)), not_done)


row(One, "a Via List cut short is dropped", "R6940-6.3.2-28", lambda c: c.message(via=c.to[:-1]),
    silent)
row(One, "a Via List with type 0 is dropped", "R6940-6.3.2.2-1",
    lambda c: c.message(via=b"\0\0"), silent)


# --- s6.3.2.3, s6.3.3: options and extensions ---

FLAGS = {"FORWARD_CRITICAL alone does not concern the destination": (wire.FORWARD_CRITICAL, None),
         "DESTINATION_CRITICAL is refused": (wire.DESTINATION_CRITICAL, wire.UNSUPPORTED_OPTION),
         "no flag is stepped over": (0, None)}
for name, (flags, fails) in FLAGS.items():
    row(One, f"an unknown option: {name}", "R6940-6.3.2.3-1 R6940-6.3.2.3-5 R6940-6.3.2.3-6",
        lambda c, flags=flags: c.message(options=wire.option(200, flags, b"abc")),
        error(fails) if fails else answered)


@case(One, "RESPONSE_COPY puts the option into the answer, flags cleared",
      "R6940-6.3.2.3-4 R6940-6.3.2.3-7")
def _(c):
    got = c.good(options=wire.option(200, wire.RESPONSE_COPY, b"abc") + wire.option(201, 0, b"no")
                 + wire.option(202, wire.RESPONSE_COPY, b""))
    c.test.assertEqual(got.options, wire.option(200, 0, b"abc") + wire.option(202, 0, b""))


@case(One, "RESPONSE_COPY holds for errors too", "R6940-6.3.2.3-7")
def _(c):
    m, got = c.ask(options=wire.option(200, wire.RESPONSE_COPY, b"abc"), sequence=2)
    c.check(m, got, wire.ERROR)
    c.test.assertEqual(got.options, wire.option(200, 0, b"abc"))


OPTIONS = {"whose length runs over": b"\xc8\0\0\x09abc", "of three bytes": b"\xc8\0\0",
           "of the invalid type 0": wire.option(0, 0)}
for name, raw in OPTIONS.items():
    row(One, f"an option {name} is dropped", "R6940-6.3.2.3-3",
        lambda c, raw=raw: c.message(options=raw), not_done)

row(One, "an unknown critical extension is Unknown_Extension", "R6940-6.3.3-4",
    lambda c: c.message(extensions=wire.extension(0x7777, 1, b"abc")),
    error(wire.UNKNOWN_EXTENSION))
row(One, "an unknown extension that is not critical is stepped over", "R6940-6.3.3-5",
    lambda c: c.message(extensions=wire.extension(0x7777, 0, b"abc")), answered)
row(One, "a good extension before a critical one does not hide it", "R6940-6.3.3-4",
    lambda c: c.message(extensions=wire.extension(7, 0, b"") + wire.extension(8, 1, b"")),
    error(wire.UNKNOWN_EXTENSION))
row(One, "a Boolean of 2 in an extension is malformed", "R6940-6.3.1.1-1",
    lambda c: c.message(extensions=wire.extension(0x7777, 2, b"abc")), not_done)
row(One, "an extension that runs over is malformed", "R6940-6.3.1-1",
    lambda c: c.message(extensions=wire.extension(0x7777, 0, b"abc")[:-1]), not_done)

# --- message codes ---

for code in (0x5, 0xb, 0x1b, 0x1f, 0x7fff, 0x8001, 0xfffd):
    row(One, f"message code {code:#x} is not served", "R6940-14.8-4 R6940-6.3.3-3",
        lambda c, code=code: c.message(code=code), not_done)
for code in (0x0, 0x6, 0x18, 0x1c, 0x7ffe, 0xfffe):
    row(One, f"an answer nobody waits for, {code:#x}, is dropped", "R6940-6.3.3-3",
        lambda c, code=code: c.message(code=code, body=bytes(16)), silent)
row(One, "an error nobody waits for gets no answer", "R6940-6.3.3.1-8",
    lambda c: c.message(code=wire.ERROR, body=wire.error(2, b"no")), silent)
row(One, "a malformed answer with a high TTL gets no error", "R6940-6.3.3.1-8",
    lambda c: c.message(code=wire.PING + 1, body=bytes(16), ttl=200), silent)
row(One, "a byte left over in a body is malformed", "R6940-6.3.3-6",
    lambda c: c.message(body=b"\0\0\0"), not_done)
row(One, "a body cut short is malformed", "R6940-6.3.1-1", lambda c: c.message(body=b"\0"),
    not_done)


# --- s6.2.1: duplicates ---

@case(One, "a retransmitted Ping is answered again, in the same way", "R6940-6.2.1-9")
def _(c):
    m = c.message()
    first = c.host.request(c.link, m)
    c.host.answers.clear()
    second = c.host.request(c.link, m)
    c.check(m, first, wire.PING + 1)
    c.check(m, second, wire.PING + 1)


@case(One, "a retransmission down another link is answered there", "R6940-6.2.1-9")
def _(c):
    m = c.message()
    c.host.request(c.link, m)
    other = c.bench.host(c.bench.identity(0x22))
    again = wire.read_message(m.encode())
    again.via, again.length = wire.node(c.me.node_id), None
    got = other.request(other.dial(c.peer.port), again)
    c.test.assertIsNotNone(got)
    c.test.assertEqual(got.dest, wire.node(other.identity.node_id) + wire.node(c.me.node_id))
    c.test.assertEqual(got.code, wire.PING + 1)
    other.close()


@case(One, "transaction ids of others are no secret: the same id from another signer is served",
      "R6940-6.3.2-22 R6940-6.2.1-9")
def _(c):
    m = c.message()
    c.host.request(c.link, m)
    other = c.bench.host(c.bench.identity(0x22))
    mine = other.sealed(wire.PROBE, wire.vec(1, b"\3"), c.to, transaction=m.transaction)
    got = other.request(other.dial(c.peer.port), mine)
    c.test.assertIsNotNone(got)
    c.test.assertEqual(got.code, wire.PROBE + 1, "another node's request was answered from "
                                                 "the duplicate cache")
    other.close()
