"""Every method but those of storage, RFC 6940 s6.4 and s6.5."""
import time

import crypto
import wire
from bench import NAME, answered, case, error, row
from cases_header import not_done
from cases_link import One

DEAD = b"\x99" * 16


@case(One, "PingAns has a random id and the time", "R6940-6.5.3.2-1 R6940-6.5.3.1-1")
def _(c):
    seen = set()
    for _ in range(3):
        r = wire.Reader(c.good(body=wire.vec(2, b"padding")).body)
        seen.add(r.number(8))
        c.test.assertLess(abs(r.number(8) - time.time() * 1000), 5000)
        r.done()
    c.test.assertEqual(len(seen), 3)


def probe(c, wanted):
    body = wire.Reader(c.good(wire.PROBE, wire.vec(1, wanted)).body)
    out = wire.each(body.vec(2), lambda r: (r.number(1), r.vec(1)))
    body.done()
    return [(kind, int.from_bytes(v, "big"), len(v)) for kind, v in out]


@case(One, "Probe tells what was asked, in that order", "R6940-6.4.2.5.2-1 R6940-6.4.2.5.2-6")
def _(c):
    (a, up, n1), (b, ppb, n2), (d, number, n3) = probe(c, b"\3\1\2")
    c.test.assertEqual((a, b, d, n1, n2, n3), (3, 1, 2, 4, 4, 4))
    c.test.assertEqual(ppb, 1000000000)  # alone, it is responsible for all
    c.test.assertLess(up, 600)
    c.test.assertEqual(number, c.peer.ask("status")["store"]["resources"])


@case(One, "Probe of nothing tells nothing", "R6940-6.4.2.5.1-1 R6940-6.4.2.5.2-7")
def _(c):
    c.test.assertEqual(probe(c, b""), [])
    c.test.assertEqual([p[0] for p in probe(c, b"\3")], [3])


@case(One, "Probe leaves out what it does not know", "R6940-6.4.2.5.2-6 R6940-6.4.2.5.2-7")
def _(c):
    c.test.assertEqual([p[0] for p in probe(c, b"\x63\2")], [2])


@case(One, "RouteQuery tells the next hop", "R6940-10.8-1 R6940-6.4.2.4.1-3")
def _(c):
    got = c.good(wire.ROUTE_QUERY, wire.route_query(wire.resource(crypto.resource_id("x"))))
    c.test.assertEqual(got.body, c.peer.id)  # alone in its ring, it would route nowhere else


@case(One, "RouteQuery with send_update brings a full Update", "R6940-10.8-2 R6940-10.7-7")
def _(c):
    c.good(wire.ROUTE_QUERY, wire.route_query(c.to, send_update=1))

    def full():
        return [m for _, m in c.host.asked if m.code == wire.UPDATE
                and wire.read_update(m.body)["type"] == 3]
    c.test.assertTrue(c.host.pump(full, 3), "no full Update")
    got = full()[0]
    c.test.assertEqual(wire.read_update(got.body)["predecessors"], [])
    c.test.assertEqual(c.bench.verifier.message(got), c.peer.id)
    c.test.assertEqual((got.dest, got.via), (wire.node(c.me.node_id), b""))


row(One, "RouteQuery with a Boolean of 2 is malformed", "R6940-6.3.1.1-1",
    lambda c: c.message(wire.ROUTE_QUERY, wire.route_query(c.to, send_update=2)), not_done)
row(One, "RouteQuery for an unknown kind of destination is not served", "R6940-6.3.2.2-6",
    lambda c: c.message(wire.ROUTE_QUERY, wire.route_query(b"\x09\x01a")), not_done)


# --- Attach ---

class Far:
    """A node without a link of its own to the peer; what it asks goes through the case's node."""

    def __init__(self, c, byte):
        self.c, self.host = c, c.bench.host(c.bench.identity(byte))

    def ask(self, body, dest=None):
        me = self.host.identity
        m = crypto.seal(self.c.message(wire.ATTACH, body, dest, via=wire.node(me.node_id)), me)
        got = self.c.host.request(self.c.link, m)
        self.c.check(m, got, wire.ATTACH + 1)
        self.host.pump(lambda: self.host.links, 4)
        return wire.read_attach(got.body), self.host.links

    def attach(self, dest=None, before=b"", **words):
        """A good Attach, and the links that the peer then dials."""
        here = wire.candidate("127.0.0.1", self.host.port)
        return self.ask(wire.attach(before + here, **words), dest)


def attach_body(c, port=None, **words):
    return wire.attach(wire.candidate("127.0.0.1", port or c.host.port), **words)


@case(One, "Attach without ICE: the answerer dials and is the TLS client",
      "R6940-6.5.1.13-1 R6940-6.5.1.1-6 R6940-6.6.5-4 R6940-6.5.1.11-2")
def _(c):
    far = Far(c, 0x30)
    said, links = far.attach()
    c.test.assertEqual(said["role"], b"active")
    c.test.assertEqual(said["send_update"], 0)
    c.test.assertEqual([x["link"] for x in said["candidates"]], [4] * len(said["candidates"]))
    host = bytes([127, 0, 0, 1]), c.peer.port
    c.test.assertIn(host, [x["address"] for x in said["candidates"]])
    c.test.assertEqual([l.peer_id for l in links], [c.peer.id])
    m = far.host.sealed(wire.PING, wire.vec(2, b""), c.to)
    got = far.host.request(links[0], m)
    c.test.assertEqual((got.code, got.dest), (wire.PING + 1, wire.node(far.host.identity.node_id)))


@case(One, "Attach with send_update brings an Update down the new link", "R6940-6.4.2.3-1")
def _(c):
    far = Far(c, 0x31)
    _, links = far.attach(send_update=1)
    c.test.assertTrue(links)

    def updates():
        return [m for l, m in far.host.asked if m.code == wire.UPDATE
                and wire.read_update(m.body)["type"] == 3]
    c.test.assertTrue(far.host.pump(updates, 3), "no full Update")


@case(One, "Attach to a resource meets the responsible peer", "R6940-10.5-2")
def _(c):
    far = Far(c, 0x32)
    n = (int.from_bytes(far.host.identity.node_id, "big") + 1).to_bytes(16, "big")
    _, links = far.attach(wire.resource(n))
    c.test.assertEqual([l.peer_id for l in links], [c.peer.id])


@case(One, "candidates of unknown kinds are stepped over", "R6940-6.5.1.1-9 R6940-6.3.1.1-7")
def _(c):
    unknown_link = wire.candidate("127.0.0.1", 9, link=77)
    unknown_address = wire.candidate("", 0, address=b"\x09\x03abc")
    _, links = Far(c, 0x33).attach(before=unknown_link + unknown_address)
    c.test.assertEqual([l.peer_id for l in links], [c.peer.id])


@case(One, "an Attach over a link that nobody attached is dialled too", "R6940-6.5.1.2-1 R6940-6.5.1.13-1")
def _(c):
    first = c.link
    said = wire.read_attach(c.good(wire.ATTACH, attach_body(c)).body)
    c.test.assertEqual(said["role"], b"active")
    c.test.assertTrue(c.host.pump(lambda: [l for l in c.host.links if l is not first], 4))
    c.good()


@case(One, "the dialled node must be the one that sent the Attach", "R6940-6.5.1.13-3")
def _(c):
    far, other = Far(c, 0x34), c.bench.host(c.bench.identity(0x29))
    m = c.message(wire.ATTACH, attach_body(c, other.port),
                  via=wire.node(far.host.identity.node_id))
    got = c.host.request(c.link, crypto.seal(m, far.host.identity))
    c.check(m, got, wire.ATTACH + 1)
    came = other.pump(lambda: other.links or other.faults, 3)
    c.test.assertTrue(came, "it never dialled")
    other.pump(lambda: not [l for l in other.links if not l.closed], 3)
    c.test.assertEqual([l for l in other.links if not l.closed], [], "the wrong node was accepted")
    other.close()


BAD_ATTACHES = [
    ("with an unknown candidate type", lambda c: wire.attach(wire.candidate("127.0.0.1", 9, kind=3))),
    ("with the invalid link type", lambda c: wire.attach(wire.candidate("127.0.0.1", 9, link=0))),
    ("with ICE and No-ICE candidates", lambda c: wire.attach(
        wire.candidate("127.0.0.1", 9) + wire.candidate("127.0.0.1", 9, link=1))),
    ("with the role active", lambda c: attach_body(c, role=b"active")),
    ("with a send_update of 2", lambda c: attach_body(c, send_update=2)),
]
for why, make in BAD_ATTACHES:
    row(One, f"an Attach {why} is refused", "R6940-6.5.1.1-6 R6940-6.5.1.1-7",
        lambda c, make=make: c.message(wire.ATTACH, make(c)), not_done)

row(One, "AppAttach for an application nobody runs is Not_Found", "R6940-6.5.2.2-4",
    lambda c: c.message(wire.APP_ATTACH, wire.app_attach(
        61555, wire.candidate("127.0.0.1", c.host.port))), error(wire.NOT_FOUND))
row(One, "AppAttach for the invalid application 0 is Not_Found", "R6940-14.5-1",
    lambda c: c.message(wire.APP_ATTACH, wire.app_attach(
        0, wire.candidate("127.0.0.1", c.host.port))), error(wire.NOT_FOUND))


# --- Join, Leave, Update ---

row(One, "a Join for another Node-ID than the signer's is Forbidden", "R6940-6.4.2.1-2",
    lambda c: c.message(wire.JOIN, DEAD + wire.vec(2, b"")), error(wire.FORBIDDEN))
row(One, "a Leave for another Node-ID than the signer's is Forbidden", "R6940-6.4.2.2-3",
    lambda c: c.message(wire.LEAVE, wire.leave(DEAD, 1, [])), error(wire.FORBIDDEN))


@case(One, "a Join that was forwarded is Forbidden", "R6940-6.4.2.1-3")
def _(c):
    other = c.bench.identity(0x21)
    m = c.host.message(wire.JOIN, other.node_id + wire.vec(2, b""), c.to,
                       via=wire.node(other.node_id))
    got = c.host.request(c.link, crypto.seal(m, other))
    c.test.assertIsNotNone(got)
    c.test.assertEqual(got.code, wire.ERROR)
    c.test.assertEqual(wire.read_error(got.body)[0], wire.FORBIDDEN)


@case(One, "a Leave that was forwarded is not obeyed", "R6940-6.4.2.2-4")
def _(c):
    other = c.bench.identity(0x21)
    m = c.host.message(wire.LEAVE, wire.leave(other.node_id, 1, []), c.to,
                       via=wire.node(other.node_id))
    got = c.host.request(c.link, crypto.seal(m, other), 1)
    c.test.assertTrue(got is None or got.code == wire.ERROR)


row(One, "a Leave of a node that is no neighbour is answered", "R6940-6.4.2.2-1",
    lambda c: c.message(wire.LEAVE, wire.leave(c.me.node_id, 1, [])), answered)
row(One, "an Update of an unknown type is not served", "R6940-10.7-1",
    lambda c: c.message(wire.UPDATE, wire.u32(1) + b"\x09"), not_done)
row(One, "an Update with a list of 17 bytes is malformed", "R6940-6.3.1-1",
    lambda c: c.message(wire.UPDATE, wire.u32(1) + b"\2" + wire.vec(2, bytes(17))
                        + wire.vec(2, b"")), not_done)
row(One, "an Update with the wildcard for a neighbour does no harm", "R6940-3-2",
    lambda c: c.message(wire.UPDATE, wire.update(2, [wire.WILDCARD], [bytes(16)])),
    lambda c, m: (c.host.request(c.link, m), c.good()))

# --- ConfigUpdate ---

row(One, "a ConfigUpdate with noise for a document is an error", "R6940-6.5.4.2-3",
    lambda c: c.message(wire.CONFIG_UPDATE, wire.config_update(1, b"<overlay/>"), sequence=65535),
    not_done)
row(One, "a ConfigUpdate of an unknown type is not served", "R6940-6.5.4.1-2",
    lambda c: c.message(wire.CONFIG_UPDATE, wire.config_update(9, b"")), not_done)


@case(One, "a ConfigUpdate with the document in force is an error", "R6940-6.5.4.2-2")
def _(c):
    with open(c.bench.document, "rb") as f:
        document = f.read()
    m = c.message(wire.CONFIG_UPDATE, wire.config_update(1, document), sequence=65535)
    got = c.host.request(c.link, m)
    c.check(m, got, wire.ERROR)


@case(One, "a Kind that is signed by nobody known is refused", "R6940-6.5.4.2-4")
def _(c):
    kind = (b'<kind-block xmlns="urn:ietf:params:xml:ns:p2p:config-base"><kind id="4026531900">'
            b"<data-model>SINGLE</data-model><access-control>NODE-MATCH</access-control>"
            b"<max-count>1</max-count><max-size>9</max-size></kind><kind-signature>")
    signed = kind[kind.index(b"<kind id"):kind.index(b"<kind-signature>")]
    block = kind + c.me.document_signature(signed).encode() + b"</kind-signature></kind-block>"
    m = c.message(wire.CONFIG_UPDATE, wire.config_update(2, wire.vec(2, block)))
    c.check(m, c.host.request(c.link, m), wire.ERROR)


@case(One, "an older sequence gets the document pushed, with sequence 65535",
      "R6940-6.3.2.1-5 R6940-6.5.4-1 R6940-6.5.4.1-1")
def _(c):
    def pushed():
        return [m for _, m in c.host.asked if m.code == wire.CONFIG_UPDATE]
    c.fails(wire.CONFIG_TOO_OLD, sequence=0)
    if not c.host.pump(pushed, 2):  # the peer may have pushed to this node a moment ago
        c.bench.fresh = getattr(c.bench, "fresh", 0x60) + 1
        c.become(c.bench.identity(c.bench.fresh))
        c.fails(wire.CONFIG_TOO_OLD, sequence=0)
        c.test.assertTrue(c.host.pump(pushed, 4), "no ConfigUpdate")
    m = pushed()[0]
    c.test.assertEqual(m.sequence, 65535)
    r = wire.Reader(m.body)
    c.test.assertEqual(r.number(1), 1)
    inner = wire.Reader(r.vec(4))
    document = inner.vec(3)
    inner.done(), r.done()
    with open(c.bench.document, "rb") as f:
        blob = f.read()
    start, end = blob.index(b"<configuration"), blob.index(b"</configuration>")
    c.test.assertIn(blob[start:end], document)
    c.test.assertIn(NAME.encode(), document)
    c.test.assertEqual(c.bench.verifier.message(m), c.peer.id)


@case(One, "a retransmitted Leave or Join is not obeyed twice", "R6940-6.2.1-10")
def _(c):
    m = c.message(wire.LEAVE, wire.leave(c.me.node_id, 1, []))
    first, second = c.host.request(c.link, m), c.host.request(c.link, m)
    c.check(m, first, wire.LEAVE + 1)
    c.check(m, second, wire.LEAVE + 1)
