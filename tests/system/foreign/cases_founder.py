"""The other way round: a real peer joins an overlay whose only peer is this program."""
import threading

import crypto
import overlay as programs
import wire
from bench import NAME, S_USER, Bench, case, node_id
from joiner import Joiner, after, clockwise


class Founder(Bench):
    """Our node is the bootstrap and admitting peer of a real one."""

    joins = {"byte": 0x10, "dials": True}

    def make(self):
        self.create_overlay()
        self.founder = f = Joiner(self.identity(0x70), NAME, self.authority.cert, self.verifier)
        self.hosts.append(f)
        f.ring = [node_id(0x10)]
        f.answer[wire.ATTACH] = lambda *_: (wire.ATTACH + 1, wire.attach(
            wire.candidate("127.0.0.1", f.port), role=b"active"))
        f.answer[wire.JOIN] = lambda *_: (wire.JOIN + 1, wire.vec(2, b""))
        f.answer[wire.ROUTE_QUERY] = lambda *_: (wire.ROUTE_QUERY + 1, f.id)
        low, high = f.id, node_id(0x10)
        name = next(u for u in (f"x{i}@{NAME}" for i in range(1000))
                    if 0 < clockwise(low, crypto.resource_id(u)) <= clockwise(low, high))
        self.owner = self.identity(0xb7, name)

    def start(self):
        """The peer's ready line comes only when it has joined: we must serve it meanwhile."""
        self.failed = []
        bootstrap = type("Where", (), {"listen": f"127.0.0.1:{self.founder.port}"})

        def run():
            try:
                self.peer(0x10, bootstrap=bootstrap)
            except AssertionError as e:
                self.failed.append(e)
        self.thread = threading.Thread(target=run)
        self.thread.start()


class FounderQuiet(Founder):
    """The same, but the admitting peer does not dial a second link."""

    joins = {"byte": 0x10, "dials": False}


def joined(c):
    f, t = c.founder, c.test
    c.bench.start()
    jn = node_id(0x10)
    t.assertTrue(f.pump(lambda: [m for _, m in f.asked if m.code == wire.ATTACH], 10), "no Attach")
    where, m = next((l, m) for l, m in f.asked if m.code == wire.ATTACH)
    t.assertEqual((m.dest, m.via, m.ttl), (wire.resource(after(jn)), b"", 100))
    t.assertEqual((where.peer_id, f.verifier.message(m)), (jn, jn))
    said = wire.read_attach(m.body)
    t.assertEqual(said["role"], b"passive")
    t.assertEqual({x["link"] for x in said["candidates"]}, {4})
    if c.bench.joins["dials"]:  # s6.5.1.13: it is the TLS server of the new link
        where = f.dial(said["candidates"][0]["address"][1])
        t.assertEqual(where.peer_id, jn)
    if said["send_update"]:
        m = f.sealed(wire.UPDATE, wire.update(3), wire.node(jn))
        t.assertEqual(f.request(where, m).code, wire.UPDATE + 1)
    t.assertTrue(f.pump(lambda: [m for _, m in f.asked if m.code == wire.JOIN], 10), "no Join")
    where, m = next((l, m) for l, m in f.asked if m.code == wire.JOIN)
    t.assertEqual((m.body, m.dest, m.via), (jn + wire.vec(2, b""), wire.node(f.id), b""))
    t.assertEqual(where.peer_id, jn)
    return f, where, jn


def hand_over(c, f, where, jn):
    owner = c.bench.owner
    r, t = c.user_resource(owner), c.now()
    v = wire.value(b"handed over")
    raw = wire.stored(t, 500, v, crypto.sign_value(owner, r, S_USER, t, v, "single"))
    m = f.message(wire.STORE, wire.store(r, [wire.kind_data(S_USER, [raw], 7)], 1), wire.node(jn))
    got = f.request(where, crypto.seal(m, f.identity, [owner]))
    c.test.assertIsNotNone(got, "the Store of the hand-over got no answer")
    c.test.assertEqual(got.code, wire.STORE + 1,
                       got.code == wire.ERROR and wire.read_error(got.body))
    early = [u for u in f.updates.get(jn, []) if u["type"] == 2]
    c.test.assertEqual(early, [], "an Update that places it in the ring, before it was let in")
    m = f.sealed(wire.UPDATE, wire.update(2, [jn], [jn]), wire.node(jn))
    c.test.assertEqual(f.request(where, m).code, wire.UPDATE + 1)
    return r


def of(founder):
    @case(founder, "a real peer joins through us", "R6940-10.5-1 R6940-10.5-2 R6940-10.5-5 "
          "R6940-10.5-16 R6940-6.4.2.1-1 R6940-11.3-20")
    def _(c):
        c.founder = c.bench.founder
        f, where, jn = joined(c)
        c.bench.resource = hand_over(c, f, where, jn)
        ok = f.pump(lambda: [u for u in f.updates.get(jn, []) if u["type"] == 2], 8)
        c.test.assertTrue(ok, f.updates)
        c.test.assertEqual((ok[-1]["predecessors"][:1], ok[-1]["successors"][:1]), ([f.id], [f.id]))
        f.pump(lambda: not c.bench.thread.is_alive(), 10)
        c.test.assertEqual(c.bench.failed, [])
        c.test.assertFalse(c.bench.thread.is_alive(), "it never said that it is ready")
        c.test.assertEqual(f.faults, [])

    @case(founder, "what we handed over is served, with the generation counter we gave",
          "R6940-10.5-7 R6940-7.4.1.1-14")
    def _(c):
        f, peer, r = c.bench.founder, c.bench.peers[0], c.bench.resource
        m = f.sealed(wire.FETCH, wire.fetch(r, wire.specifier(S_USER)), wire.resource(r))
        got = f.request(f.link_to(peer.id), m)
        c.test.assertIsNotNone(got)
        (_, generation, values), = wire.read_fetch_answer(got.body, {S_USER: "single"})
        c.test.assertEqual((generation, values[0]["data"]), (7, b"handed over"))
        c.test.assertTrue(480 <= values[0]["lifetime"] <= 500)
        bucket = crypto.read_security(got.security)[0]
        c.test.assertEqual(f.verifier.value(values[0], r, S_USER, "single", bucket),
                           c.bench.owner.node_id)

    @case(founder, "its replicas come to us: numbered, with lifetimes run down", "R6940-10.4-2 "
          "R6940-7.4.1.1-5 R6940-7.4.1.1-24")
    def _(c):
        f, owner = c.bench.founder, c.bench.owner
        c.peer, c.to = c.bench.peers[0], wire.node(c.bench.peers[0].id)
        c.become(owner)
        r = c.user_resource()
        m = c.message(wire.STORE, c.store_body(r, S_USER, wire.value(b"second")), wire.resource(r))
        c.link.send(m.encode())

        def came():
            return [s for s in getattr(f, "stores", []) if s[0] == r]
        c.test.assertTrue(f.pump(came, 5), "no replica")
        _, replica, store = came()[0]
        c.test.assertEqual(replica, 1)
        c.test.assertEqual(f.verifier.message(store), c.peer.id)
        generation, raw = f.values[r, S_USER]
        c.test.assertGreater(generation, 7)
        value = wire.read_stored(wire.Reader(raw), "single")
        c.test.assertEqual(value["data"], b"second")
        c.test.assertIn(owner.der, crypto.read_security(store.security)[0])
        got = c.host.wait(c.link, m)
        c.check(m, got, wire.STORE + 1)
        c.test.assertEqual(wire.read_store_answer(got.body)[0][2], [f.id])

    @case(founder, "what we say of an error does not reach a terminal as commands", "R6940-6.3.3.1-6")
    def _(c):
        f, peer = c.bench.founder, c.bench.peers[0]
        said = "\x1b]0;owned\x07\x9b2J\x7fno"
        f.answer[wire.FETCH] = lambda *_: (wire.ERROR, wire.error(wire.FORBIDDEN, said.encode()))
        name = next(n for n in map(str, range(1000)) if 0 < clockwise(
            peer.id, crypto.resource_id(n)) <= clockwise(peer.id, f.id))
        for more in ([], ["--json"]):
            done = []
            asking = threading.Thread(target=lambda: done.append(programs.run(
                "fetch", "--control", peer.socket, "--kind", S_USER, "--name", name, *more)))
            asking.start()
            f.pump(lambda: not asking.is_alive(), 20)
            asking.join(60)
            printed = done[0].stdout + done[0].stderr
            c.test.assertIn("no", done[0].stderr)
            c.test.assertEqual(done[0].returncode, 4)
            c.test.assertFalse(set(printed) & set("\x1b\x07\x9b"), repr(printed))


of(Founder)
of(FounderQuiet)
