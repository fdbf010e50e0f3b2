"""Store, Fetch, Stat and Find, RFC 6940 s7: models, policies, counters, every refusal."""
import hashlib
import time

import crypto
import wire
from bench import (A_NODE, A_USER, D_NODE, D_UNODE, D_USER, NAME, S_MULTI, S_NODE, S_USER,
                   case, row)
from cases_header import not_done
from cases_link import One

UNKNOWN, CERTIFICATE_BY_NODE, CERTIFICATE_BY_USER = 0xf0009999, 3, 0x10


def fresh(c):
    """A node that has stored nothing yet; the case speaks as it."""
    c.bench.count = getattr(c.bench, "count", 0) + 1
    c.become(c.bench.identity(0x80 + c.bench.count % 0x70, f"fresh{c.bench.count}@{NAME}"))
    return c.user_resource()


def placed(values):
    return [(v["place"], v["exists"], v["data"]) for v in values]


# --- the models ---

@case(One, "a single value is stored and fetched, its signature intact",
      "R6940-7.4.1.1-28 R6940-7.4.1.2-1 R6940-7.4.1.2-2 R6940-7.4.2.2-1 R6940-7.1-1")
def _(c):
    r = fresh(c)
    c.test.assertEqual(c.store(r, S_USER, wire.value(b"one")), 1)
    generation, values = c.fetch(r, S_USER)
    c.test.assertEqual((generation, placed(values)), (1, [(None, 1, b"one")]))
    c.test.assertNotEqual(values[0]["signature"]["type"], crypto.NONE)
    c.test.assertTrue(590 <= values[0]["lifetime"] <= 600, values[0]["lifetime"])


@case(One, "a second store replaces it and raises the generation counter", "R6940-7.4.1.1-20 R6940-7.4.1.1-22 R6940-7.4.1.1-23")
def _(c):
    r = fresh(c)
    a = c.store(r, S_USER, wire.value(b"one"))
    b = c.store(r, S_USER, wire.value(b"two"))
    c.test.assertGreater(b, a)
    generation, values = c.fetch(r, S_USER)
    c.test.assertEqual((generation, placed(values)), (b, [(None, 1, b"two")]))


@case(One, "an empty value is not a value that does not exist", "R6940-7.2-1")
def _(c):
    r = fresh(c)
    c.store(r, S_USER, wire.value(b""))
    c.test.assertEqual(placed(c.fetch(r, S_USER)[1]), [(None, 1, b"")])


@case(One, "what nobody stored is a synthetic value with no signature", "R6940-7.4.2.2-4")
def _(c):
    generation, values = c.fetch(fresh(c), S_USER)
    c.test.assertEqual((generation, placed(values)), (0, [(None, 0, b"")]))
    c.test.assertEqual(values[0]["signature"]["raw"], crypto.NO_SIGNATURE)


@case(One, "an array is sparse; appends find its end; entries keep their index",
      "R6940-7.2.2-1 R6940-7.4.1.1-29 R6940-7.4.1.1-30 R6940-7.4.2.2-10")
def _(c):
    r = fresh(c)
    c.store(r, A_USER, wire.entry(2, b"two"))
    c.store(r, A_USER, wire.entry(wire.APPEND, b"three"))
    _, values = c.fetch(r, A_USER)
    c.test.assertEqual(placed(values), [(0, 0, b""), (1, 0, b""), (2, 1, b"two"), (3, 1, b"three")])
    c.test.assertEqual(values[0]["signature"]["raw"], crypto.NO_SIGNATURE)


@case(One, "an append to an empty array makes index 0", "R6940-7.4.1.1-30")
def _(c):
    r = fresh(c)
    c.store(r, A_USER, wire.entry(wire.APPEND, b"a"), wire.entry(wire.APPEND, b"b"))
    c.test.assertEqual(placed(c.fetch(r, A_USER)[1]), [(0, 1, b"a"), (1, 1, b"b")])


@case(One, "array ranges pick entries, in unsigned numbers", "R6940-7.4.2.1-3 R6940-7.4.2.1-6")
def _(c):
    r = fresh(c)
    c.store(r, A_USER, *[wire.entry(i, bytes([65 + i])) for i in range(5)])
    for wanted, found in ((((1, 1),), [1]), (((0, 0), (3, 4)), [0, 3, 4]), (((3, wire.LAST),), [3, 4]),
                          (((0, wire.LAST),), [0, 1, 2, 3, 4]), (((4, 0xfffffffe),), [4])):
        _, values = c.fetch(r, A_USER, wire.ranges(*wanted))
        c.test.assertEqual([v["place"] for v in values if v["exists"]], found, wanted)
    _, values = c.fetch(r, A_USER, wire.ranges((wire.LAST, wire.LAST)))
    c.test.assertEqual(placed(values), [(4, 1, b"E")])


RANGES = {"overlap": ((0, 2), (2, 4)), "overlap in any order": ((3, 4), (0, 3)),
          "run backwards": ((2, 1),), "run backwards from the last": ((wire.LAST, 0),)}
for why, bad in RANGES.items():
    row(One, f"array ranges that {why} are refused", "R6940-7.4.2.1-5 R6940-7.4.2.1-7",
        lambda c, bad=bad: c.message(wire.FETCH, wire.fetch(
            c.user_resource(), wire.specifier(A_USER, wire.ranges(*bad))),
            wire.resource(c.user_resource())), not_done)


@case(One, "a dictionary replaces and keeps by key; keys are bytes", "R6940-7.2.3-1 R6940-7.4.1.1-31")
def _(c):
    r = fresh(c)
    c.store(r, D_USER, wire.pair(b"a", b"1"), wire.pair(b"", b"empty"), wire.pair(b"a\0", b"2"))
    c.store(r, D_USER, wire.pair(b"a", b"3"))
    _, values = c.fetch(r, D_USER)
    c.test.assertEqual(sorted(placed(values)), [(b"", 1, b"empty"), (b"a", 1, b"3"), (b"a\0", 1, b"2")])


@case(One, "dictionary keys asked for come, missing ones as not existing",
      "R6940-7.4.2.1-2 R6940-7.4.2.1-8 R6940-7.4.2.2-4")
def _(c):
    r = fresh(c)
    c.store(r, D_USER, wire.pair(b"a", b"1"), wire.pair(b"b", b"2"))
    _, values = c.fetch(r, D_USER, wire.keys(b"b", b"zz"))
    c.test.assertEqual(placed(values), [(b"b", 1, b"2"), (b"zz", 0, b"")])


@case(One, "several Kinds in one Store and one Fetch", "R6940-7.4.1.1-2 R6940-7.4.2.2-2")
def _(c):
    r = fresh(c)
    body = wire.store(r, [
        wire.kind_data(S_USER, [c.stored(r, S_USER, wire.value(b"s"))]),
        wire.kind_data(A_USER, [c.stored(r, A_USER, wire.entry(0, b"a"))])])
    got = c.good(wire.STORE, body, wire.resource(r))
    c.test.assertEqual(wire.read_store_answer(got.body), [(S_USER, 1, []), (A_USER, 1, [])])
    got = c.good(wire.FETCH, wire.fetch(r, wire.specifier(A_USER, wire.ranges((0, wire.LAST))),
                                        wire.specifier(D_USER, wire.keys()),
                                        wire.specifier(S_USER)), wire.resource(r))
    found = wire.read_fetch_answer(got.body, {S_USER: "single", A_USER: "array",
                                              D_USER: "dictionary"})
    c.test.assertEqual([(k, g, placed(v)) for k, g, v in found],
                       [(A_USER, 1, [(0, 1, b"a")]), (D_USER, 0, []), (S_USER, 1, [(None, 1, b"s")])])


@case(One, "a value is removed by one that does not exist; it stays signed",
      "R6940-7.4.1.3-1 R6940-7.4.1.3-3 R6940-7.4.2.2-5")
def _(c):
    r = fresh(c)
    c.store(r, S_USER, wire.value(b"here"))
    c.store(r, S_USER, wire.value(b"", exists=0))
    _, values = c.fetch(r, S_USER)
    c.test.assertEqual(placed(values), [(None, 0, b"")])
    c.test.assertEqual(values[0]["signature"]["type"], crypto.CERT_HASH)


@case(One, "a removed dictionary entry is told as removed, the others stay", "R6940-7.4.1.3-3")
def _(c):
    r = fresh(c)
    c.store(r, D_USER, wire.pair(b"a", b"1"), wire.pair(b"b", b"2"))
    c.store(r, D_USER, wire.pair(b"a", b"", exists=0))
    _, values = c.fetch(r, D_USER, wire.keys(b"a", b"b"))
    c.test.assertEqual(placed(values), [(b"a", 0, b""), (b"b", 1, b"2")])
    c.test.assertEqual(values[0]["signature"]["type"], crypto.CERT_HASH)


# --- counters and times ---

@case(One, "a right generation counter is accepted, a wrong one tells the right one",
      "R6940-7.4.1.1-13 R6940-7.4.1.2-3 R6940-7.4.1.2-4")
def _(c):
    r = fresh(c)
    now = c.store(r, S_USER, wire.value(b"1"))
    now = c.store(r, S_USER, wire.value(b"2"), generation=now)
    now = c.store(r, S_USER, wire.value(b"3"))
    info = c.refused(wire.GENERATION_TOO_LOW, r, S_USER, wire.value(b"4"), generation=1)
    c.test.assertEqual(wire.read_store_answer(info), [(S_USER, now, [])])
    c.refused(wire.GENERATION_TOO_LOW, r, S_USER, wire.value(b"4"), generation=now + 1)
    c.test.assertEqual(placed(c.fetch(r, S_USER)[1]), [(None, 1, b"3")])


@case(One, "Fetch with the generation in force brings no values", "R6940-7.4.2.1-9 R6940-7.4.2.2-3")
def _(c):
    r = fresh(c)
    now = c.store(r, S_USER, wire.value(b"1"))
    c.test.assertEqual(c.fetch(r, S_USER, generation=now), (now, []))
    c.test.assertEqual(len(c.fetch(r, S_USER, generation=now + 5)[1]), 1)


@case(One, "an older or equal storage_time is Data_Too_Old", "R6940-7-3 R6940-13.5.3-1 R6940-7.4.1.1-17")
def _(c):
    r, t = fresh(c), c.now()
    c.store(r, S_USER, wire.value(b"1"), time_ms=t)
    for other in (t - 1, t, 1):
        c.refused(wire.TOO_OLD, r, S_USER, wire.value(b"2"), time_ms=other)
    c.store(r, S_USER, wire.value(b"3"), time_ms=t + 1)


@case(One, "storage_time is compared with the stored one, not with the clock", "R6940-7-4")
def _(c):
    r = fresh(c)
    c.store(r, S_USER, wire.value(b"long ago"), time_ms=5)
    c.store(r, S_USER, wire.value(b"later"), time_ms=6)
    c.test.assertEqual(c.fetch(r, S_USER)[1][0]["time"], 6)


@case(One, "a lifetime ends", "R6940-7-7 R6940-7.4.1.3-3")
def _(c):
    r = fresh(c)
    c.store(r, S_USER, wire.value(b"short"), lifetime=1)
    c.store(r, D_USER, wire.pair(b"a", b"short"), lifetime=1)
    time.sleep(1.3)
    c.test.assertEqual(placed(c.fetch(r, S_USER)[1]), [(None, 0, b"")])
    c.test.assertEqual(c.fetch(r, D_USER)[1], [])


@case(One, "a Store that fails in one Kind changes nothing", "R6940-7.4.1.1-4")
def _(c):
    r, t = fresh(c), c.now()
    c.store(r, A_USER, wire.entry(0, b"old"), time_ms=t)
    body = wire.store(r, [
        wire.kind_data(S_USER, [c.stored(r, S_USER, wire.value(b"new"))]),
        wire.kind_data(A_USER, [c.stored(r, A_USER, wire.entry(0, b"bad"), time_ms=t)])])
    c.fails(wire.TOO_OLD, wire.STORE, body, wire.resource(r))
    c.test.assertEqual(c.fetch(r, S_USER)[1][0]["exists"], 0)
    c.test.assertEqual(placed(c.fetch(r, A_USER)[1]), [(0, 1, b"old")])


@case(One, "a retransmitted Store is answered alike and done once", "R6940-6.2.1-9 R6940-6.2.1-10")
def _(c):
    r = fresh(c)
    m = c.message(wire.STORE, c.store_body(r, A_USER, wire.entry(wire.APPEND, b"x")),
                  wire.resource(r))
    first, second = c.host.request(c.link, m), c.host.request(c.link, m)
    c.check(m, first, wire.STORE + 1)
    c.check(m, second, wire.STORE + 1)
    c.test.assertEqual(first.body, second.body)
    c.test.assertEqual(placed(c.fetch(r, A_USER)[1]), [(0, 1, b"x")])


@case(One, "num_resources counts a resource once, whatever lies there", "R6940-6.4.2.5.2-4")
def _(c):
    r = fresh(c)

    def count():
        m = c.good(wire.PROBE, wire.vec(1, b"\2"))
        return int.from_bytes(m.body[-4:], "big")
    before = count()
    c.store(r, S_USER, wire.value(b"1"))
    c.store(r, A_USER, wire.entry(0, b"1"), wire.entry(1, b"1"))
    c.test.assertEqual(count(), before + 1)


@case(One, "Stat with the generation in force brings no values", "R6940-7.4.3.1-1 R6940-7.4.2.1-9")
def _(c):
    r = fresh(c)
    now = c.store(r, S_USER, wire.value(b"1"))
    got = c.good(wire.STAT, wire.fetch(r, wire.specifier(S_USER, b"", now)), wire.resource(r))
    c.test.assertEqual(wire.read_fetch_answer(got.body, {S_USER: "single"}, wire.read_meta),
                       [(S_USER, now, [])])


@case(One, "one place twice in a Store: the later value needs the later time", "R6940-7.4.1.1-17")
def _(c):
    r, t = fresh(c), c.now()
    twice = [c.stored(r, D_USER, wire.pair(b"k", v), time_ms=t) for v in (b"1", b"2")]
    m = c.message(wire.STORE, wire.store(r, [wire.kind_data(D_USER, twice)]), wire.resource(r))
    c.check(m, c.host.request(c.link, m), wire.ERROR)
    c.test.assertEqual(c.fetch(r, D_USER)[1], [])


@case(One, "a generation counter of 2^64-1 is not the one in force", "R6940-7.4.1.1-13")
def _(c):
    r = fresh(c)
    c.store(r, S_USER, wire.value(b"1"))
    c.refused(wire.GENERATION_TOO_LOW, r, S_USER, wire.value(b"2"), generation=2 ** 64 - 1)


@case(One, "a lifetime of 0 or of 2^32-1 is no trouble", "R6940-7-7")
def _(c):
    r = fresh(c)
    c.store(r, D_USER, wire.pair(b"long", b"x"), lifetime=2 ** 32 - 1)
    m = c.message(wire.STORE, c.store_body(r, D_USER, wire.pair(b"none", b"x"), lifetime=0),
                  wire.resource(r))
    c.test.assertIsNotNone(c.host.request(c.link, m))
    c.test.assertEqual([v["place"] for v in c.fetch(r, D_USER)[1] if v["exists"]], [b"long"])


@case(One, "a place that was removed can be filled again", "R6940-7.4.1.3-3 R6940-7.4.1.1-28")
def _(c):
    r, t = fresh(c), c.now()
    c.store(r, S_USER, wire.value(b"1"), time_ms=t)
    c.store(r, S_USER, wire.value(b"", exists=0), time_ms=t + 5)
    c.refused(wire.TOO_OLD, r, S_USER, wire.value(b"back"), time_ms=t + 5)
    c.refused(wire.TOO_OLD, r, S_USER, wire.value(b"1"), time_ms=t)
    c.store(r, S_USER, wire.value(b"2"), time_ms=t + 6)
    c.test.assertEqual(placed(c.fetch(r, S_USER)[1]), [(None, 1, b"2")])


@case(One, "a removal of what never was is kept and told", "R6940-7.4.1.3-3")
def _(c):
    r, t = fresh(c), c.now()
    c.store(r, S_USER, wire.value(b"", exists=0), time_ms=t)
    c.test.assertEqual(c.fetch(r, S_USER)[1][0]["signature"]["type"], crypto.CERT_HASH)
    c.refused(wire.TOO_OLD, r, S_USER, wire.value(b"1"), time_ms=t - 1)


EMPTY = {"Store of nothing": (wire.STORE, lambda r: wire.store(r, []), wire.vec(2, b"")),
         "Fetch of nothing": (wire.FETCH, lambda r: wire.fetch(r), wire.vec(4, b"")),
         "Stat of nothing": (wire.STAT, lambda r: wire.fetch(r), wire.vec(4, b"")),
         "Find of nothing": (wire.FIND, lambda r: wire.find(r), wire.vec(2, b""))}
for name, (code, make, body) in EMPTY.items():
    def empty(c, code=code, make=make, body=body):
        r = c.user_resource()
        c.test.assertEqual(c.good(code, make(r), wire.resource(r)).body, body)
    case(One, f"{name} is answered with nothing", "R6940-6.3.1-2 R6940-6.3.3.1-2")(empty)


@case(One, "an indices list that is empty, a range past the end", "R6940-7.4.2.1-3")
def _(c):
    r = fresh(c)
    c.store(r, A_USER, wire.entry(0, b"x"), wire.entry(1, b"y"))
    c.test.assertEqual(c.fetch(r, A_USER, wire.ranges())[1], [])
    found = [v for v in c.fetch(r, A_USER, wire.ranges((5, 0xfffffff0)))[1] if v["exists"]]
    c.test.assertEqual(found, [])


# --- limits ---

@case(One, "max-size holds to the byte", "R6940-7.4.1.1-18 R6940-7.4.1.2-6")
def _(c):
    r = fresh(c)
    c.store(r, S_USER, wire.value(bytes(100)))
    c.refused(wire.TOO_LARGE, r, S_USER, wire.value(bytes(101)))


@case(One, "max-count holds for arrays and dictionaries", "R6940-7.4.1.1-18 R6940-7.4.1.2-6")
def _(c):
    r = fresh(c)
    c.store(r, D_USER, *[wire.pair(bytes([65 + i]), b"v") for i in range(4)])
    c.refused(wire.TOO_LARGE, r, D_USER, wire.pair(b"E", b"v"))
    c.store(r, D_USER, wire.pair(b"A", b"w"))
    c.store(r, A_USER, *[wire.entry(i, b"v") for i in range(6)])
    c.refused(wire.TOO_LARGE, r, A_USER, wire.entry(wire.APPEND, b"v"))
    c.refused(wire.TOO_LARGE, r, A_USER, wire.entry(6, b"v"))


@case(One, "an array index near 2^32 is no way to fill memory", "R6940-7.4.1.1-18")
def _(c):
    r = fresh(c)
    c.refused(wire.TOO_LARGE, r, A_USER, wire.entry(0xfffffffe, b"v"))
    c.test.assertEqual(c.fetch(r, A_USER)[1], [])


@case(One, "two values for a single-value Kind in one Store are refused", "R6940-7.2.1-1")
def _(c):
    r = fresh(c)
    m = c.message(wire.STORE, c.store_body(r, S_USER, wire.value(b"1"), wire.value(b"2")),
                  wire.resource(r))
    got = c.host.request(c.link, m)
    c.test.assertIsNotNone(got)
    if got.code == wire.STORE + 1:  # each value processed in turn: the last one stays
        c.test.assertEqual(placed(c.fetch(r, S_USER)[1]), [(None, 1, b"2")])
    else:
        c.test.assertEqual(c.fetch(r, S_USER)[1][0]["exists"], 0)


@case(One, "the same Kind twice in a Store is refused", "R6940-7.4.1.1-3")
def _(c):
    r = fresh(c)
    one = wire.kind_data(A_USER, [c.stored(r, A_USER, wire.entry(0, b"a"))])
    two = wire.kind_data(A_USER, [c.stored(r, A_USER, wire.entry(1, b"b"))])
    m = c.message(wire.STORE, wire.store(r, [one, two]), wire.resource(r))
    not_done(c, m)
    c.test.assertEqual(c.fetch(r, A_USER)[1], [])


# --- policies ---

def forbidden(c, resource, kind, value, **words):
    c.refused(wire.FORBIDDEN, resource, kind, value, **words)


@case(One, "USER-MATCH: only the user's resource", "R6940-7.3.1-1 R6940-7.4.1.1-10")
def _(c):
    fresh(c)
    forbidden(c, crypto.resource_id("somebody@" + NAME), S_USER, wire.value(b"x"))
    forbidden(c, c.node_resource(), S_USER, wire.value(b"x"))


@case(One, "NODE-MATCH: the hash of the signer's Node-ID", "R6940-7.3.2-1")
def _(c):
    fresh(c)
    c.store(c.node_resource(), S_NODE, wire.value(b"x"))
    c.store(c.node_resource(), D_NODE, wire.pair(b"k", b"x"))
    c.store(c.node_resource(), A_NODE, wire.entry(0, b"x"))
    forbidden(c, c.user_resource(), S_NODE, wire.value(b"x"))
    forbidden(c, c.me.node_id, S_NODE, wire.value(b"x"))


@case(One, "USER-NODE-MATCH: the user's resource, the Node-ID for a key", "R6940-7.3.3-1 R6940-7.3.3-2")
def _(c):
    r = fresh(c)
    c.store(r, D_UNODE, wire.pair(c.me.node_id, b"x"))
    forbidden(c, r, D_UNODE, wire.pair(b"other", b"x"))
    forbidden(c, r, D_UNODE, wire.pair(c.bench.identity(0x21).node_id, b"x"))
    forbidden(c, c.node_resource(), D_UNODE, wire.pair(c.me.node_id, b"x"))


@case(One, "NODE-MULTIPLE: i from 0 to the Kind's maximum, one byte", "R6940-7.3.4-1 R6940-7.3.4-3")
def _(c):
    fresh(c)
    for i in (1, 2, 3):
        c.store(crypto.resource_id(c.me.node_id + bytes([i])), S_MULTI, wire.value(b"x"))
    forbidden(c, crypto.resource_id(c.me.node_id + b"\4"), S_MULTI, wire.value(b"x"))
    forbidden(c, c.node_resource(), S_MULTI, wire.value(b"x"))


@case(One, "a value signed by another than the owner is Forbidden", "R6940-7.3-2 R6940-7.4.1.1-10")
def _(c):
    r, other = fresh(c), c.bench.identity(0x21)
    m = c.host.message(wire.STORE, c.store_body(r, S_USER, wire.value(b"x"), by=other),
                       wire.resource(r))
    c.check(m, c.host.request(c.link, crypto.seal(m, c.me, [other])), wire.ERROR)
    c.test.assertEqual(c.fetch(r, S_USER)[1][0]["exists"], 0)


@case(One, "a Store sent by another than the owner is Forbidden", "R6940-7.3-2 R6940-7.4.1.1-11")
def _(c):
    r = fresh(c)
    owner = c.me
    body = c.store_body(r, S_USER, wire.value(b"x"))
    c.become(c.bench.identity(0x21))
    m = c.host.message(wire.STORE, body, wire.resource(r))
    got = c.host.request(c.link, crypto.seal(m, c.me, [owner]))
    c.check(m, got, wire.ERROR)
    c.test.assertEqual(wire.read_error(got.body)[0], wire.FORBIDDEN)


def bad_signature(c, r, v):
    return {"signature": crypto.sign_value(c.me, r, S_USER, 1, v, "single")}


SIGNATURES = {
    "that does not verify": bad_signature,
    "of the kind none": lambda c, r, v: {"signature": crypto.NO_SIGNATURE},
    "for another resource": lambda c, r, v: {"time_ms": 77, "signature": crypto.sign_value(
        c.me, c.node_resource(), S_USER, 77, v, "single")},
    "for another Kind": lambda c, r, v: {"time_ms": 77, "signature": crypto.sign_value(
        c.me, r, S_NODE, 77, v, "single")},
    "for another value": lambda c, r, v: {"time_ms": 77, "signature": crypto.sign_value(
        c.me, r, S_USER, 77, wire.value(b"y"), "single")},
    "without the length byte of the Resource-ID": lambda c, r, v: {
        "time_ms": 77, "signature": c.me.sign(r + wire.u32(S_USER) + wire.u64(77) + v)},
    "with the algorithm none": lambda c, r, v: {"time_ms": 77, "signature": b"\0\0" + crypto.sign_value(
        c.me, r, S_USER, 77, v, "single")[2:]},
}
for why, words in SIGNATURES.items():
    def stored_badly(c, words=words):
        r, v = fresh(c), wire.value(b"x")
        c.refused(wire.FORBIDDEN, r, S_USER, v, **words(c, r, v))
        c.test.assertEqual(c.fetch(r, S_USER)[1][0]["exists"], 0)
    case(One, f"a value with a signature {why} is Forbidden",
         "R6940-7.4.1.1-9 R6940-7.4.1.1-19 R6940-7.1-1")(stored_badly)


@case(One, "an array's signature covers index 0, whatever the index", "R6940-7.4.2.2-10")
def _(c):
    r, v, t = fresh(c), wire.entry(3, b"x"), c.now()
    c.refused(wire.FORBIDDEN, r, A_USER, v, time_ms=t, signature=c.me.sign(
        wire.vec(1, r) + wire.u32(A_USER) + wire.u64(t) + v))
    c.store(r, A_USER, v)


@case(One, "a replica with generation counter 0 is refused", "R6940-7.4.1.1-16")
def _(c):
    r = fresh(c)
    m = c.message(wire.STORE, c.store_body(r, S_USER, wire.value(b"x"), replica=1), c.to)
    not_done(c, m)


@case(One, "a replica from a node that is no peer is Forbidden", "R6940-7.4.1.1-7 R6940-7.4.1.1-12")
def _(c):
    r = fresh(c)
    c.fails(wire.FORBIDDEN, wire.STORE, c.store_body(r, S_USER, wire.value(b"x"), replica=1,
                                                     generation=3), c.to)
    c.test.assertEqual(c.fetch(r, S_USER)[1][0]["exists"], 0)


@case(One, "RSA and EC owners store alike", "R6940-6.3.4-11")
def _(c):
    c.become(c.bench.identity(0x23, algorithm="rsa"))
    r = c.user_resource()
    c.store(r, S_USER, wire.value(b"rsa"))
    c.test.assertEqual(placed(c.fetch(r, S_USER)[1]), [(None, 1, b"rsa")])


@case(One, "a fetched value comes with its writer's certificate", "R6940-6.3.4-6 R6940-6.3.4-9")
def _(c):
    r, owner = fresh(c), c.me
    c.store(r, S_USER, wire.value(b"x"))
    c.become(c.bench.identity(0x20))
    got = c.good(wire.FETCH, wire.fetch(r, wire.specifier(S_USER)), wire.resource(r))
    c.test.assertIn(owner.der, crypto.read_security(got.security)[0])


@case(One, "a Fetch whose answer would be too long says so", "R6940-6.3.2-24")
def _(c):
    r = fresh(c)
    c.store(r, A_USER, *[wire.entry(i, bytes(100)) for i in range(6)])
    body = wire.fetch(r, wire.specifier(A_USER, wire.ranges((0, wire.LAST))))
    c.fails(wire.RESPONSE_TOO_LARGE, wire.FETCH, body, wire.resource(r), max_response=1200)
    c.good(wire.FETCH, body, wire.resource(r), max_response=4900)


# --- unknown Kinds ---

METHODS = {"Store": (wire.STORE, lambda r, k: wire.store(r, [wire.kind_data(x, []) for x in k])),
           "Fetch": (wire.FETCH, lambda r, k: wire.fetch(r, *map(wire.specifier, k))),
           "Stat": (wire.STAT, lambda r, k: wire.fetch(r, *map(wire.specifier, k)))}
for name, (code, make) in METHODS.items():
    def unknown(c, code=code, make=make):
        r = c.user_resource()
        info = c.fails(wire.UNKNOWN_KIND, code, make(r, [UNKNOWN, S_USER, UNKNOWN + 1]),
                       wire.resource(r))
        c.test.assertEqual(info, wire.vec(1, wire.u32(UNKNOWN) + wire.u32(UNKNOWN + 1)))
    case(One, f"{name} of unknown Kinds lists all of them",
         "R6940-7.4.1.2-7 R6940-7.4.1.2-8 R6940-7.4.2.1-4 R6940-7.4.1.1-8")(unknown)


@case(One, "seventy unknown Kinds do not overflow the list", "R6940-7.4.1.2-8")
def _(c):
    r = c.user_resource()
    info = c.fails(wire.UNKNOWN_KIND, wire.FETCH, wire.fetch(
        r, *[wire.specifier(UNKNOWN + i) for i in range(70)]), wire.resource(r))
    c.test.assertEqual(len(info), 1 + info[0])
    c.test.assertEqual(info[0] % 4, 0)


# --- Stat and Find ---

@case(One, "Stat tells length and digest of the value with its length bytes",
      "R6940-7.4.3.2-1 R6940-7.4.3.2-2 R6940-7.4.3.2-3 R6940-7.4.3.2-4 R6940-7.4.3.1-1")
def _(c):
    r, t = fresh(c), c.now()
    c.store(r, S_USER, wire.value(b"abc"), time_ms=t)
    c.store(r, A_USER, wire.entry(1, b"de"))
    c.store(r, D_USER, wire.pair(b"k", b"f"))
    got = c.good(wire.STAT, wire.fetch(r, wire.specifier(S_USER), wire.specifier(
        A_USER, wire.ranges((0, wire.LAST))), wire.specifier(D_USER, wire.keys())),
        wire.resource(r))
    models = {S_USER: "single", A_USER: "array", D_USER: "dictionary"}
    found = wire.read_fetch_answer(got.body, models, wire.read_meta)
    c.test.assertEqual([f[:2] for f in found], [(S_USER, 1), (A_USER, 1), (D_USER, 1)])
    single, array, dictionary = [f[2] for f in found]
    c.test.assertEqual((single[0]["exists"], single[0]["length"], single[0]["time"]), (1, 3, t))
    name = crypto.HASHES[single[0]["hash_alg"]]
    c.test.assertEqual(single[0]["hash"], hashlib.new(name, wire.vec(4, b"abc")).digest())
    c.test.assertEqual([(v["place"], v["exists"], v["length"]) for v in array], [(0, 0, 0), (1, 1, 2)])
    c.test.assertEqual([(v["place"], v["length"]) for v in dictionary], [(b"k", 1)])


def find(c, r, *kinds):
    return wire.read_find_answer(c.good(wire.FIND, wire.find(r, *kinds), wire.resource(r)).body)


@case(One, "Find tells the nearest resource of each Kind", "R6940-7.4.4.1-1 R6940-7.4.4.2-1 R6940-7.4.4.2-3")
def _(c):
    r = fresh(c)
    c.store(r, A_USER, wire.entry(0, b"x"))
    c.test.assertEqual(find(c, r, A_USER), [(A_USER, r)])
    below = (int.from_bytes(r, "big") - 1).to_bytes(16, "big")
    c.test.assertEqual(find(c, below, A_USER), [(A_USER, r)])


@case(One, "Find walks the whole overlay", "R6940-7.4.4.2-3")
def _(c):
    made = set()
    for _ in range(3):
        fresh(c)
        made.add(c.node_resource())
        c.store(c.node_resource(), D_NODE, wire.pair(b"k", b"x"))
    at, seen = bytes(16), []
    while len(seen) < 50:
        (_, at), = find(c, at, D_NODE)
        if at in seen or not any(at):
            break
        seen.append(at)
        at = ((int.from_bytes(at, "big") + 1) % 2 ** 128).to_bytes(16, "big")
    c.test.assertLessEqual(made, set(seen))
    c.test.assertEqual(seen, sorted(seen))


@case(One, "Find of unknown or unused Kinds tells zero", "R6940-7.4.4.2-5")
def _(c):
    found = find(c, bytes(16), UNKNOWN, 2)
    c.test.assertEqual([k for k, _ in found], [UNKNOWN, 2])
    c.test.assertTrue(all(not any(r) for _, r in found))


row(One, "Find of the same Kind twice is refused", "R6940-7.4.4.1-2",
    lambda c: c.message(wire.FIND, wire.find(bytes(16), S_USER, S_USER), wire.resource(bytes(16))),
    not_done)


@case(One, "certificates are stored under their node and their user, as bare DER", "R6940-7.3.2-1 R6940-7.3.1-1")
def _(c):
    r = fresh(c)
    for where, kind in ((c.node_resource(), CERTIFICATE_BY_NODE), (r, CERTIFICATE_BY_USER)):
        c.store(where, kind, wire.entry(wire.APPEND, c.me.der))
        _, values = c.fetch(where, kind)
        c.test.assertIn(c.me.der, [v["data"] for v in values])


@case(One, "the peer has stored its own certificate in both places", "R6940-11.3.1-6 R6940-7.4.2.2-1")
def _(c):
    i, end = c.peer.identity, time.monotonic() + 15
    for where, kind in ((c.node_resource(i), CERTIFICATE_BY_NODE),
                        (c.user_resource(i), CERTIFICATE_BY_USER)):
        found = []
        while not found and time.monotonic() < end:  # some time after it has joined
            found = [v["data"] for v in c.fetch(where, kind)[1] if v["exists"]]
            time.sleep(0 if found else 0.3)
        c.test.assertEqual(found, [i.der])


# --- malformed bodies, well signed ---

def to_own(code, make):
    def build(c):
        r = c.user_resource()
        return c.message(code, make(c, r), wire.resource(r))
    return build


MALFORMED = [
    ("a StoredData longer than its struct", wire.STORE, lambda c, r: wire.store(r, [wire.kind_data(
        S_USER, [wire.vec(4, c.stored(r, S_USER, wire.value(b"x"))[4:] + b"\0")])])),
    ("a StoredData shorter than its struct", wire.STORE, lambda c, r: wire.store(r, [wire.kind_data(
        S_USER, [wire.vec(4, c.stored(r, S_USER, wire.value(b"x"))[4:-1])])])),
    ("a value whose exists is 2", wire.STORE,
     lambda c, r: c.store_body(r, S_USER, wire.value(b"x", exists=2))),
    ("an array entry for a single-value Kind", wire.STORE,
     lambda c, r: c.store_body(r, S_USER, wire.entry(0, b"x"))),
    ("a Fetch with keys for an array", wire.FETCH,
     lambda c, r: wire.fetch(r, wire.specifier(A_USER, wire.vec(2, b"\0\1a")))),
    ("a Fetch with a specifier for a single value that is not empty", wire.FETCH,
     lambda c, r: wire.fetch(r, wire.specifier(S_USER, b"\0\0"))),
    ("a Fetch of the same Kind twice", wire.FETCH,
     lambda c, r: wire.fetch(r, wire.specifier(S_USER), wire.specifier(S_USER))),
    ("a Find with a list of five bytes", wire.FIND,
     lambda c, r: wire.vec(1, r) + wire.vec(1, bytes(5))),
]
for why, code, make in MALFORMED:
    row(One, f"{why} is not served", "R6940-6.3.3-6 R6940-6.3.1-1", to_own(code, make), not_done)
