"""This program as one peer of a CHORD-RELOAD ring of real ones, RFC 6940 s10; and forwarding."""
import json
import signal
import subprocess
import time

import crypto
import overlay as programs
import wire
from bench import A_USER, NAME, S_USER, Bench, case, node_id
from joiner import Joiner, after, clockwise


class Ring(Bench):
    """Three real peers; this program takes its place between the second and the third."""

    def make(self):
        self.create_overlay()
        for byte in (0x10, 0x50, 0x90):
            self.peer(byte, *([] if self.peers else ["--first"]),
                      bootstrap=self.peers[0] if self.peers else None)
        self.wait(lambda: all(self.lists(p, q.id) for p in self.peers for q in self.peers
                              if p is not q))
        self.joiner = Joiner(self.identity(0x70), NAME, self.authority.cert, self.verifier)
        self.joiner.ring = [p.id for p in self.peers]
        self.hosts.append(self.joiner)
        self.owners = [self.owner(0x50, 0x70, n) for n in (1, 2)]

    def owner(self, low, high, n):
        """A user whose resource lies between two nodes."""
        low, high = node_id(low), node_id(high)
        name = next(u for u in (f"o{n}-{i}@{NAME}" for i in range(10000))
                    if 0 < clockwise(low, crypto.resource_id(u)) <= clockwise(low, high))
        return self.identity(0xb0 + n, name)

    def lists(self, peer, far):
        """Whether a peer has a node among its neighbours."""
        return far.hex() in repr(peer.ask("ring"))

    def wait(self, until, timeout=15):
        end = time.monotonic() + timeout
        while not until():
            if time.monotonic() > end:
                return False
            self.joiner.pump(lambda: False, 0.1) if hasattr(self, "joiner") else time.sleep(0.1)
        return True


def step(name, ids):
    return case(Ring, name, ids)




def asked_of(j, code, transaction=None):
    return [(l, m) for l, m in j.asked if m.code == code
            and transaction in (None, m.transaction)]


# --- before the join ---

@step("values are stored at the peers", "R6940-10.4-1 R6940-10.4-2 R6940-7.4.1.2-2")
def _(c):
    for owner in c.bench.owners:
        c.become(owner)
        r = c.user_resource()
        m = c.message(wire.STORE, c.store_body(r, S_USER, wire.value(owner.user.encode())),
                      wire.resource(r))
        got = c.host.request(c.link, m)
        c.test.assertIsNotNone(got)
        c.test.assertEqual(got.code, wire.STORE + 1)
        c.test.assertEqual(c.verify_signer(got), c.bench.peers[2].id)
        (_, _, replicas), = wire.read_store_answer(got.body)
        c.test.assertEqual(replicas, [c.bench.peers[0].id, c.bench.peers[1].id])


@step("a response travels back the way of the request", "R6940-6.1.2-1 R6940-6.1.2-3 R6940-6.2.2-1")
def _(c):
    far = c.bench.peers[2]
    m = c.message(dest=wire.node(far.id))
    got = c.host.request(c.link, m)
    c.check(m, got, wire.PING + 1)
    c.test.assertEqual(c.verify_signer(got), far.id)


@step("TTL 0 for another node is TTL_Exceeded, TTL 1 arrives", "R6940-6.3.2-10 R6940-6.3.2-11 R6940-6.3.2-9")
def _(c):
    far = wire.node(c.bench.peers[2].id)
    m = c.message(dest=far, ttl=1)
    c.check(m, c.host.request(c.link, m), wire.PING + 1)
    m = c.message(dest=far, ttl=0)
    got = c.host.request(c.link, m)
    c.test.assertIsNotNone(got)
    c.test.assertEqual(wire.read_error(got.body)[0], wire.TTL_EXCEEDED)
    c.test.assertEqual(c.verify_signer(got), c.peer.id)


@step("an unknown FORWARD_CRITICAL option is refused on the way", "R6940-6.3.2.3-5")
def _(c):
    m = c.message(dest=wire.node(c.bench.peers[2].id),
                  options=wire.option(200, wire.FORWARD_CRITICAL))
    got = c.host.request(c.link, m)
    c.test.assertIsNotNone(got)
    c.test.assertEqual(wire.read_error(got.body)[0], wire.UNSUPPORTED_OPTION)
    c.test.assertEqual(c.verify_signer(got), c.peer.id)


@step("Find, and a Store of replica 0, for another's resource are refused",
      "R6940-7.4.4.2-2 R6940-7.4.1.1-6")
def _(c):
    owner = c.bench.owners[0]
    c.become(owner)
    r = c.user_resource()
    c.fails(wire.NOT_FOUND, wire.FIND, wire.find(r, S_USER))
    m = c.message(wire.STORE, c.store_body(r, S_USER, wire.value(b"stray")))
    c.check(m, c.host.request(c.link, m), wire.ERROR)


@step("a replica from a node out of the replica set is Forbidden", "R6940-7.4.1.1-12 R6940-10.4-3")
def _(c):
    owner = c.bench.owners[0]
    c.become(c.bench.identity(0x51))  # clockwise from the resource, no node is farther
    r = c.user_resource(owner)
    body = c.store_body(r, S_USER, wire.value(b"x"), replica=1, generation=9, by=owner)
    m = crypto.seal(c.host.message(wire.STORE, body, c.to), c.me, [owner])
    got = c.host.request(c.link, m)
    c.check(m, got, wire.ERROR)
    c.test.assertEqual(wire.read_error(got.body)[0], wire.FORBIDDEN)


@step("RouteQuery follows the Chord rule", "R6940-10.3-2 R6940-10.3-3 R6940-10.8-1")
def _(c):
    second, third = c.bench.peers[1].id, c.bench.peers[2].id
    for where, hop in ((node_id(0x30), second), (node_id(0x60), second), (node_id(0xa0), third)):
        got = c.good(wire.ROUTE_QUERY, wire.route_query(wire.resource(where)))
        if where == node_id(0xa0):  # between the third and the first: the first owns it
            c.test.assertIn(got.body, (c.peer.id, third))
        else:
            c.test.assertEqual(got.body, hop, where.hex())


@step("iterative exploration by RouteQuery and Attach ends at the owner", "R6940-A.1-1")
def _(c):
    ids = [p.id for p in c.bench.peers]
    explorer = Joiner(c.bench.identity(0x31), NAME, c.bench.authority.cert, c.bench.verifier)
    c.bench.hosts.append(explorer)
    where, way = wire.resource(node_id(0x60)), [ids[0]]
    at = explorer.dial(c.peer.port)
    while True:
        got = explorer.request(at, explorer.sealed(wire.ROUTE_QUERY, wire.route_query(where),
                                                   wire.node(way[-1])))
        c.test.assertEqual(c.verify_signer(got), way[-1])
        if got.body == way[-1] or len(way) == 4:
            break
        way.append(explorer.attach(at, wire.node(got.body)))
        c.test.assertEqual(way[-1], got.body)
        at = explorer.link_to(way[-1])
    explorer.close()
    c.test.assertEqual(way, ids)


@step("Probe: the responsible sets make up the ring", "R6940-6.4.2.5.2-3")
def _(c):
    total = 0
    for peer in c.bench.peers:
        m = c.message(wire.PROBE, wire.vec(1, b"\1"), wire.node(peer.id))
        r = wire.Reader(c.host.request(c.link, m).body)
        part = wire.Reader(r.vec(2))
        c.test.assertEqual((part.number(1), part.number(1)), (1, 4))
        total += part.number(4)
    c.test.assertAlmostEqual(total, 10 ** 9, delta=3)


# --- the join ---

@step("Attach to n+1 through a bootstrap node: the admitting peer dials and sends its table",
      "R6940-10.5-1 R6940-10.5-2 R6940-6.1.2-12 R6940-6.4.2.3-1 R6940-6.5.1.13-1")
def _(c):
    j = c.bench.joiner
    first, second, third = [p.id for p in c.bench.peers]
    bootstrap = j.dial(c.peer.port)
    c.test.assertEqual(j.attach(bootstrap, wire.resource(after(j.id))), third)
    table = j.full_update_of(third)
    c.test.assertTrue(table, "no full Update")
    c.test.assertEqual(table[-1]["predecessors"][:2], [second, first])
    c.test.assertEqual(table[-1]["successors"][:2], [first, second])
    c.test.assertEqual(table[-1]["fingers"], sorted(table[-1]["fingers"]))


@step("Attach to a neighbour, source routed through the admitting peer", "R6940-10.5-3 R6940-10.6-1 R6940-6.1.1-4")
def _(c):
    j = c.bench.joiner
    first, second, third = [p.id for p in c.bench.peers]
    far = j.attach(j.link_to(third), wire.node(third) + wire.node(second))
    c.test.assertEqual(far, second)


@step("an attached node that has not joined is not routed through", "R6940-10.1-2 R6940-3-5")
def _(c):
    owner, j = c.bench.owners[0], c.bench.joiner
    r = c.user_resource(owner)
    got = c.host.request(c.link, c.message(dest=wire.resource(r)))
    c.test.assertEqual(c.verify_signer(got), c.bench.peers[2].id)
    c.test.assertFalse(any(c.bench.lists(p, j.id) for p in c.bench.peers))


@step("a Join to another than the admitting peer is refused", "R6940-6.4.2.1-3")
def _(c):
    j = c.bench.joiner
    first = c.bench.peers[0].id
    m = j.sealed(wire.JOIN, j.id + wire.vec(2, b""), wire.node(first))
    got = j.request(j.link_to(first), m)
    c.test.assertIsNotNone(got)
    c.test.assertEqual(got.code, wire.ERROR)


@step("Join: an answer, Stores of what becomes ours, an Update that names us predecessor",
      "R6940-10.5-5 R6940-10.5-6 R6940-10.5-7 R6940-6.4.2.1-1 R6940-6.4.2.1-5")
def _(c):
    j = c.bench.joiner
    third = c.bench.peers[2].id
    m = j.sealed(wire.JOIN, j.id + wire.vec(2, b""), wire.node(third))
    got = j.request(j.link_to(third), m)
    c.test.assertIsNotNone(got, "no JoinAns")
    c.test.assertEqual(got.code, wire.JOIN + 1, got.code == wire.ERROR and wire.read_error(got.body))
    c.test.assertEqual(got.body, wire.vec(2, b""))
    c.test.assertEqual(j.verifier.message(got), third)
    named = j.pump(lambda: [u for u in j.updates[third] if u["predecessors"][:1] == [j.id]])
    c.test.assertTrue(named, j.updates[third])
    for owner in c.bench.owners:
        r = c.user_resource(owner)
        c.test.assertIn((r, S_USER), j.values)
        generation, raw = j.values[r, S_USER]
        c.test.assertEqual(generation, 1)
        value = wire.read_stored(wire.Reader(raw), "single")
        c.test.assertEqual(value["data"], owner.user.encode())
        c.test.assertEqual(j.verifier.value(value, r, S_USER, "single", j.certificates),
                           owner.node_id)
        c.test.assertLessEqual(value["lifetime"], 600)
        _, replica, message = next(s for s in j.stores if s[0] == r)
        c.test.assertGreater(replica, 0)  # another wrote it: never 0 (s7.4.1.1)
        c.test.assertEqual(j.verifier.message(message), third)
    stores = [n for n, (_, m) in enumerate(j.asked) if m.code == wire.STORE]
    naming = [n for n, (_, m) in enumerate(j.asked) if m.code == wire.UPDATE
              and wire.read_update(m.body)["predecessors"][:1] == [j.id]]
    c.test.assertLess(max(stores), naming[0], "the Update came before the Stores")


@step("our Updates make us a neighbour of all three", "R6940-10.5-11 R6940-10.7.3-1 R6940-10.7-2")
def _(c):
    j = c.bench.joiner
    c.test.assertEqual(j.announce(), [wire.UPDATE + 1] * 3)
    c.test.assertTrue(c.bench.wait(lambda: all(c.bench.lists(p, j.id) for p in c.bench.peers)))
    c.test.assertEqual(j.faults, [])


@step("the peers' Updates name us where we stand, and never name their receiver's sender itself",
      "R6940-10.7.3-3 R6940-10.7.3-4 R6940-10.5-10")
def _(c):
    j = c.bench.joiner
    first, second, third = [p.id for p in c.bench.peers]
    latest = lambda p: ([u for u in j.updates.get(p, []) if u["type"] == 2] or [None])[-1]  # noqa
    ok = j.pump(lambda: latest(second) and latest(second)["successors"][:1] == [j.id], 5)
    c.test.assertTrue(ok, j.updates.get(second))
    for far in (first, second, third):
        for u in j.updates.get(far, []):
            c.test.assertNotIn(far, u["predecessors"] + u["successors"])


# --- as a member ---

@step("a Fetch is routed to us; the answer is ours", "R6940-6.1.2-4 R6940-6.3.2-9 R6940-10.3-2 R6940-6.3.4-22")
def _(c):
    j, owner = c.bench.joiner, c.bench.owners[0]
    r = c.user_resource(owner)
    m = c.message(wire.FETCH, wire.fetch(r, wire.specifier(S_USER)), wire.resource(r))
    c.link.send(m.encode())
    c.test.assertTrue(j.pump(lambda: asked_of(j, wire.FETCH, m.transaction)), "it never came")
    _, came = asked_of(j, wire.FETCH, m.transaction)[0]
    c.test.assertEqual(came.dest, wire.resource(r))
    c.test.assertEqual(came.payload(), m.payload(), "the contents changed on the way")
    hops = wire.each(came.via, wire.destination)
    c.test.assertEqual(hops[0], (wire.NODE, c.me.node_id))
    c.test.assertEqual(came.ttl, 100 - len(hops))
    got = c.host.wait(c.link, m)
    c.check(m, got, wire.FETCH + 1)
    c.test.assertEqual(c.verify_signer(got), j.id)
    (_, _, values), = wire.read_fetch_answer(got.body, {S_USER: "single"})
    c.test.assertEqual(values[0]["data"], owner.user.encode())


def command(c, peer, *arguments):
    """A verb against a real peer while our node goes on serving; (exit code, output, errors)."""
    run = subprocess.Popen([programs.RELOAD, arguments[0], "--control", peer.socket, "--json",
                            *arguments[1:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True)
    c.bench.joiner.pump(lambda: run.poll() is not None, 20)
    if run.poll() is None:
        run.kill()
    return run.returncode, *run.communicate(timeout=10)


@step("the program's own fetch takes our answer", "R6940-7.4.2.2-6 R6940-6.3.4-22")
def _(c):
    owner = c.bench.owners[1]
    code, out, err = command(c, c.bench.peers[1], "fetch", "--user", owner.user, "--kind",
                             f"{S_USER:#x}")
    c.test.assertEqual(code, 0, err)
    c.test.assertTrue(owner.user in out or owner.user.encode().hex() in out, out)


class Wrongly:
    """Our node's answers to one method, spoiled for a while."""

    def __init__(self, j, code, answers, about=b""):
        self.j, self.code, self.answers, self.seen = j, code, list(answers), []
        self.about = about  # only requests whose body holds this
        self.plain = j.answer[code]
        j.answer[code] = self.answer

    def answer(self, where, m):
        if self.about not in m.body:
            return self.plain(where, m)
        self.seen.append((time.monotonic(), m))
        if not self.answers:
            return self.plain(where, m)
        make = self.answers.pop(0)
        if make:
            where.send(make(m).encode())
        return None

    def end(self):
        self.j.answer[self.code] = self.plain


def ping_answer(j, m, by=None, **fields):
    answer = j.message(wire.PING + 1, bytes(16), wire.node(m_previous(m)),
                       **{"transaction": m.transaction} | fields)
    return crypto.seal(answer, by or j.identity)


def m_previous(m):
    """Our peers' own requests come straight from them: the way back is their link."""
    certificates, _ = crypto.read_security(m.security)
    return bytes.fromhex(crypto.openssl("x509", "-inform", "DER", "-noout", "-ext", "subjectAltName",
                                        data=certificates[0]).decode().split("reload://0110")[1][:32])


@step("an unanswered request is sent again after the timer, with the same transaction id",
      "R6940-6.2.1-5 R6940-6.2.1-6")
def _(c):
    j, second = c.bench.joiner, c.bench.peers[1]
    wrongly = Wrongly(j, wire.PING, [None])
    code, _, err = command(c, second, "ping", j.id.hex())
    wrongly.end()
    c.test.assertEqual(code, 0, err)
    (t1, m1), (t2, m2) = wrongly.seen[:2]
    c.test.assertEqual(m1.transaction, m2.transaction)
    c.test.assertTrue(2.9 < t2 - t1 < 4.0, t2 - t1)
    c.test.assertEqual((m1.ttl, m1.via, m1.max_response), (100, b"", 0))


@step("answers by the wrong signer, with a bad signature, of a wrong code are not believed",
      "R6940-6.3.4-21 R6940-6.3.4-23 R6940-6.3.4-20")
def _(c):
    j, second = c.bench.joiner, c.bench.peers[1]
    stranger = c.bench.identity(0x20)

    def spoiled(m):
        answer = ping_answer(j, m)
        answer.security = answer.security[:-1] + bytes([answer.security[-1] ^ 1])
        return answer
    wrongly = Wrongly(j, wire.PING, [lambda m: ping_answer(j, m, stranger), spoiled])
    code, _, err = command(c, second, "ping", j.id.hex())
    wrongly.end()
    c.test.assertEqual(code, 0, err)
    c.test.assertEqual(len(wrongly.seen), 3)  # neither ended the transaction


@step("an answer for a resource from a node farther than the neighbours is not believed",
      "R6940-6.3.4-22")
def _(c):
    j, second, owner = c.bench.joiner, c.bench.peers[1], c.bench.owners[1]
    stranger = c.bench.identity(0x51)

    def farther(m):
        _, body = j.look_up(None, m)
        answer = j.message(wire.FETCH + 1, body, wire.node(second.id), transaction=m.transaction)
        return crypto.seal(answer, stranger, [owner])
    wrongly = Wrongly(j, wire.FETCH, [farther], c.user_resource(owner) + b"\0")
    code, _, err = command(c, second, "fetch", "--user", owner.user, "--kind", f"{S_USER:#x}")
    wrongly.end()
    c.test.assertEqual(code, 0, err)
    c.test.assertEqual(len(wrongly.seen), 2, [(t, m.transaction) for t, m in wrongly.seen])


@step("a fetched value whose signature is bad is not handed out", "R6940-7.4.2.2-6 R6940-7.4.2.2-7")
def _(c):
    j, second, owner = c.bench.joiner, c.bench.peers[1], c.bench.owners[1]
    r = c.user_resource(owner)
    kept = j.values[r, S_USER]
    j.values[r, S_USER] = kept[0], kept[1][:-1] + bytes([kept[1][-1] ^ 1])
    _, out, _ = command(c, second, "fetch", "--user", owner.user, "--kind", f"{S_USER:#x}")
    j.values[r, S_USER] = kept
    c.test.assertNotIn(owner.user, out)
    c.test.assertNotIn(owner.user.encode().hex(), out)


def answering(c, code, body, *arguments):
    """A verb at a real peer that our node answers with that body."""
    j = c.bench.joiner
    plain = j.answer.get(code)
    j.answer[code] = lambda *_: (code + 1, body)
    done = command(c, c.bench.peers[1], *arguments)
    if plain:
        j.answer[code] = plain
    else:
        del j.answer[code]
    return done


@step("a verb says of a malformed answer that it is one",
      "R6940-6.5.3.2-1 R6940-6.4.2.4.1-1 R6940-7.4.2.2-1")
def _(c):
    owner, j = c.bench.owners[1], c.bench.joiner
    there = ["--user", owner.user, "--kind", f"{S_USER:#x}"]
    ping, hop = bytes(16), c.bench.peers[0].id
    kind = wire.u32(S_USER) + bytes(8)
    for verb, code, malformed in (
            (["ping", j.id.hex()], wire.PING, [b"", ping[:-1], ping + b"\0"]),
            (["trace", "--node", j.id.hex()], wire.ROUTE_QUERY, [b"", hop[:-1], hop + b"\0"]),
            (["find", *there], wire.FIND, [b"", wire.vec(2, b"\0"), wire.vec(2, b"") + b"\0"]),
            (["fetch", *there], wire.FETCH, [b"", wire.vec(4, kind), wire.vec(
                4, kind + wire.vec(4, wire.vec(4, b"\0")))]),
            (["stat", *there], wire.STAT, [b"", wire.vec(4, kind), wire.vec(
                4, kind + wire.vec(4, wire.vec(4, b"\0")))])):
        for body in malformed:
            with c.test.subTest(verb=verb[0], body=body.hex()):
                exit_code, out, err = answering(c, code, body, *verb)
                c.test.assertEqual(exit_code, 1, out)
                c.test.assertIn("the answer is malformed", out + err)


@step("a fetched Kind twice, a place twice, a Kind not asked for: refused, or left out and counted",
      "R6940-7.4.2.2-2 R6940-7.4.2.2-9")
def _(c):
    j, owner = c.bench.joiner, c.bench.owners[1]
    there = ["fetch", "--user", owner.user, "--kind", f"{S_USER:#x}"]
    generation, raw = j.values[c.user_resource(owner), S_USER]

    def kind(number, values):
        return wire.u32(number) + wire.u64(generation) + wire.vec(4, values)
    code, out, err = answering(c, wire.FETCH, wire.vec(4, kind(S_USER, raw) * 2), *there)
    c.test.assertEqual(code, 1, out)
    c.test.assertIn("the answer is malformed", out + err)
    for body in (kind(S_USER, raw * 2), kind(S_USER, raw) + kind(A_USER, b"\0\0\0\1\0"),
                 kind(S_USER, raw) + kind(0xf0ffffff, b"\0\0\0\1\0")):
        with c.test.subTest(body=body.hex()):
            code, out, err = answering(c, wire.FETCH, wire.vec(4, body), *there)
            c.test.assertEqual(code, 0, err)
            said = json.loads(out)
            c.test.assertEqual((len(said["values"]), said["rejected"]), (1, 1))


@step("a Store at us is ours to replicate; the successors take our replicas", "R6940-10.4-2 R6940-10.4-3 R6940-10.4-4 R6940-7.4.1.1-14")
def _(c):
    j, owner = c.bench.joiner, c.bench.owners[0]
    c.become(owner)
    r = c.user_resource()
    m = c.message(wire.STORE, c.store_body(r, S_USER, wire.value(b"new")), wire.resource(r))
    c.link.send(m.encode())
    c.test.assertTrue(j.pump(lambda: asked_of(j, wire.STORE, m.transaction)))
    got = c.host.wait(c.link, m)
    c.test.assertEqual((got.code, c.verify_signer(got)), (wire.STORE + 1, j.id))
    generation, raw = j.values[r, S_USER]
    first, second, third = [p.id for p in c.bench.peers]
    for replica, far in ((1, third), (2, first)):
        body = wire.store(r, [wire.kind_data(S_USER, [raw], generation)], replica)
        copy = crypto.seal(j.message(wire.STORE, body, wire.node(far)), j.identity, [owner])
        got = j.request(j.link_to(far), copy)
        c.test.assertIsNotNone(got)
        c.test.assertEqual(got.code, wire.STORE + 1,
                           got.code == wire.ERROR and wire.read_error(got.body))


@step("intermediate peers forward what they cannot verify, and fragments as they are",
      "R6940-6.1-3 R6940-6.3.4-18 R6940-6.7-2 R6940-6.3.2.1-8")
def _(c):
    j = c.bench.joiner
    bad = c.message(wire.PROBE, wire.vec(1, b"\3"), wire.node(j.id), sequence=77,
                    options=wire.option(200, wire.DESTINATION_CRITICAL))
    bad.security = bad.security[:-1] + bytes([bad.security[-1] ^ 1])
    c.link.send(bad.encode())
    c.test.assertTrue(j.pump(lambda: asked_of(j, wire.PROBE, bad.transaction)))
    came = asked_of(j, wire.PROBE, bad.transaction)[0][1]
    c.test.assertEqual((came.payload(), came.sequence, came.options),
                       (bad.payload(), 77, bad.options))
    part = c.message(wire.PROBE, b"\0" * 400, wire.node(j.id), fragment=0x8000012c)
    c.link.send(part.header(300) + part.payload()[:300])

    def arrived():
        raws = [raw for l in j.links for raw in l.seen]
        return [r for r in raws if wire.u64(part.transaction) in r[20:28]]
    c.test.assertTrue(j.pump(arrived))
    c.test.assertEqual(arrived()[0][12:16], wire.u32(0x8000012c))


@step("a client is reached by a Destination List through its peer, not by its Node-ID alone",
      "R6940-4.2.1-4 R6940-6.1.1-8 R6940-6.1.1-7")
def _(c):
    j = c.bench.joiner
    c.good()
    first = c.peer.id
    m = j.sealed(wire.PING, wire.vec(2, b""), wire.node(first) + wire.node(c.me.node_id))
    j.link_to(first).send(m.encode())
    c.test.assertTrue(c.host.pump(lambda: asked_of(c.host, wire.PING, m.transaction)))
    came = asked_of(c.host, wire.PING, m.transaction)[0][1]
    c.test.assertEqual((came.dest, came.via), (wire.node(c.me.node_id), wire.node(j.id)))
    got = j.wait(j.link_to(first), m)
    c.test.assertIsNotNone(got, "the client's answer did not come back")
    c.test.assertEqual(j.verifier.message(got), c.me.node_id)
    second = c.bench.peers[1].id  # responsible for the client's Node-ID, not linked to it
    m = j.sealed(wire.PING, wire.vec(2, b""), wire.node(second) + wire.node(c.me.node_id))
    j.link_to(second).send(m.encode())
    c.host.pump(lambda: False, 0.5)
    c.test.assertEqual(asked_of(c.host, wire.PING, m.transaction), [])


@step("an Update that tells of a nearer peer is followed by an Attach through its sender",
      "R6940-10.7.3-1 R6940-10.6-1")
def _(c):
    j = c.bench.joiner
    ghost, third = node_id(0x80), c.bench.peers[2].id
    before, behind = j.neighbours()
    m = j.sealed(wire.UPDATE, wire.update(2, before[:3], [ghost] + behind[:2]), wire.node(third))
    c.test.assertEqual(j.request(j.link_to(third), m).code, wire.UPDATE + 1)
    found = j.pump(lambda: [m for _, m in asked_of(j, wire.ATTACH)
                            if m.dest == wire.node(j.id) + wire.node(ghost)], 5)
    c.test.assertTrue(found, [m.dest.hex() for _, m in asked_of(j, wire.ATTACH)])
    body = wire.read_attach(found[0].body)
    c.test.assertEqual(body["role"], b"passive")
    c.test.assertTrue(body["candidates"])


def ghost_attaches(c, ghost, port):
    """An Attach of a node the third peer is just attaching to, through us."""
    j, third = c.bench.joiner, c.bench.peers[2].id
    identity = c.bench.identity(ghost)
    m = j.message(wire.ATTACH, wire.attach(wire.candidate("127.0.0.1", port)), wire.node(third),
                  via=wire.node(identity.node_id))
    return j.request(j.link_to(third), crypto.seal(m, identity))


def tell_of(c, ghost):
    """Makes the third peer attach to a node that does not answer; True when it has begun."""
    j, third = c.bench.joiner, c.bench.peers[2].id
    before, behind = j.neighbours()
    known = len(asked_of(j, wire.ATTACH))
    lists = ([ghost] + before[:2], behind[:3]) if ghost > third else (before[:3],
                                                                     [ghost] + behind[:2])
    m = j.sealed(wire.UPDATE, wire.update(2, *lists), wire.node(third))
    c.test.assertEqual(j.request(j.link_to(third), m).code, wire.UPDATE + 1)
    c.test.assertTrue(j.pump(lambda: [
        m for _, m in asked_of(j, wire.ATTACH)[known:]
        if m.dest == wire.node(j.id) + wire.node(ghost)]), "it did not attach")


@step("Attach to and fro at once: the larger Node-ID answers In_Progress",
      "R6940-6.5.1.2-3 R6940-6.5.1.2-5")
def _(c):
    tell_of(c, node_id(0x82))
    got = ghost_attaches(c, 0x82, c.host.port)
    c.test.assertIsNotNone(got)
    c.test.assertEqual(got.code, wire.ERROR)
    c.test.assertEqual(wire.read_error(got.body)[0], wire.IN_PROGRESS)


@step("Attach to and fro at once: the smaller Node-ID gives way and dials", "R6940-6.5.1.2-4")
def _(c):
    tell_of(c, node_id(0x98))
    ghost = c.bench.host(c.bench.identity(0x98))
    got = ghost_attaches(c, 0x98, ghost.port)
    c.test.assertIsNotNone(got)
    c.test.assertEqual(got.code, wire.ATTACH + 1, got.code == wire.ERROR
                       and wire.read_error(got.body))
    c.test.assertTrue(ghost.pump(lambda: ghost.links, 4), "it did not dial")
    ghost.close()


# --- leaving ---

@step("a peer that ends sends Leave with its list", "R6940-10.9-1 R6940-10.9-2 R6940-10.9-3")
def _(c):
    j, second = c.bench.joiner, c.bench.peers.pop(1)
    before = len(asked_of(j, wire.LEAVE))
    second.process.send_signal(signal.SIGTERM)
    c.test.assertTrue(j.pump(lambda: len(asked_of(j, wire.LEAVE)) > before, 5), "no Leave")
    j.pump(lambda: second.process.poll() is not None, 5)
    second.end()
    _, m = asked_of(j, wire.LEAVE)[-1]
    r = wire.Reader(m.body)
    c.test.assertEqual(r.take(16), second.id)
    data = wire.Reader(r.vec(2))
    r.done()
    kind, peers = data.number(1), wire.read_ids(data)
    data.done()
    c.test.assertEqual(kind, 2)  # from_pred: sent by a predecessor of ours
    first, third = [p.id for p in c.bench.peers]
    c.test.assertEqual(peers[:2], [first, third])
    c.test.assertEqual((m.dest, j.verifier.message(m)), (wire.node(j.id), second.id))


@step("we leave: every neighbour answers, forgets us, and the values are still there",
      "R6940-10.9-4 R6940-6.4.2.2-5 R6940-10.7.1-1")
def _(c):
    j = c.bench.joiner
    j.ring = [p.id for p in c.bench.peers]
    j.announce()
    c.test.assertEqual(j.leave(), [wire.LEAVE + 1] * 2)
    for one in j.links:
        one.close()
    c.test.assertTrue(c.bench.wait(lambda: not any(c.bench.lists(p, j.id) for p in c.bench.peers)))
    for owner, data in zip(c.bench.owners, (b"new", c.bench.owners[1].user.encode())):
        r = c.user_resource(owner)
        m = c.message(wire.FETCH, wire.fetch(r, wire.specifier(S_USER)), wire.resource(r))
        got = c.host.request(c.link, m)
        c.test.assertIsNotNone(got)
        (_, _, values), = wire.read_fetch_answer(got.body, {S_USER: "single"})
        c.test.assertEqual(values[0]["data"], data)
        bucket = crypto.read_security(got.security)[0]
        c.test.assertEqual(c.bench.verifier.value(values[0], r, S_USER, "single", bucket),
                           owner.node_id)
