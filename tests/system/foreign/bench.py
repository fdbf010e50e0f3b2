"""What the cases run in: overlays, real `reload peer` processes, and the table of cases."""
import json
import os
import re
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import crypto  # noqa: E402
import link  # noqa: E402
import overlay as programs  # noqa: E402
import wire  # noqa: E402

NAME = "test.example"
S_USER, S_NODE, A_USER, D_UNODE, D_USER, S_MULTI, A_NODE, D_NODE = range(0xf0000001, 0xf0000009)
KINDS = {S_USER: ("single", "user-match", 1, 100), S_NODE: ("single", "node-match", 1, 100),
         A_USER: ("array", "user-match", 6, 100), D_UNODE: ("dictionary", "user-node-match", 3, 99),
         D_USER: ("dictionary", "user-match", 4, 100), S_MULTI: ("single", "node-multiple", 1, 9, 3),
         A_NODE: ("array", "node-match", 8, 50), D_NODE: ("dictionary", "node-match", 3, 50)}
MODELS = {k: v[0] for k, v in KINDS.items()} | {3: "array", 0x10: "array", 2: "single"}


def node_id(byte):
    return bytes([byte]) + bytes.fromhex("0123456789abcdef01234567899abc")


class Bench:
    """A temporary folder with an overlay, its peers, and identities to talk to them with."""

    sequence, ttl = 1, 100

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="reload-foreign-")
        self.peers, self.hosts, self.identities = [], [], {}
        try:
            self.make()
        except BaseException:
            self.close()
            raise

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self):
        """An overlay that the program made; one peer of it."""
        self.create_overlay()
        self.peer(0x40, "--first")

    def create_overlay(self, *options):
        kinds = [f"--kind={k:#x}:" + ":".join(map(str, v)) for k, v in KINDS.items()]
        done = programs.run("overlay", "create", NAME, "--dir", self.path("overlay"), "--no-ice",
                            "--host", "127.0.0.1:9", *kinds, *options)
        assert done.returncode == 0, done.stderr
        self.document = self.path("overlay/overlay.xml")
        self.authority = crypto.Authority(self.path("overlay/ca.pem"), self.path("overlay/ca.key"))
        self.verifier = crypto.Verifier(self.folder, self.authority.cert)
        with open(self.document, encoding="utf-8") as f:
            self.max_size = int(re.search(r"<max-message-size>(\d+)<", f.read())[1])

    def identity(self, byte, user=None, algorithm="ec"):
        """The node of that byte; its certificate is made by the openssl program."""
        name = f"{byte:02x}-{algorithm}-{user or ''}"
        if name not in self.identities:
            self.identities[name] = self.new_identity(
                name, [node_id(byte)], user=user or f"u{byte:02x}@{NAME}", algorithm=algorithm)
        return self.identities[name]

    def new_identity(self, name, node_ids, overlay=NAME, **words):
        return crypto.Identity(self.folder, name, overlay, node_ids,
                               **{"authority": self.authority} | words)

    def peer(self, byte, *options, algorithm="ec", bootstrap=None):
        identity = self.identity(byte, algorithm=algorithm)
        more = ["--bootstrap", bootstrap.listen] if bootstrap else []
        process = Peer(self, f"peer-{byte:02x}", identity, *more, *options)
        self.peers.append(process)
        return process

    def host(self, identity):
        made = link.Host(identity, NAME, self.authority.cert, self.verifier, self.sequence)
        self.hosts.append(made)
        return made

    def close(self):
        for one in self.hosts:
            one.close()
        for process in reversed(self.peers):
            process.end()
        if not os.environ.get("RELOAD_FOREIGN_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


class Peer(programs.Process):
    """`reload peer` from loose files."""

    def __init__(self, bench, name, identity, *options):
        self.socket, self.identity = bench.path(name + ".sock"), identity
        super().__init__(bench.path(name + ".log"), "peer", "--json", "--config", bench.document,
                         "--cert", identity.cert, "--key", identity.key, "--control", self.socket,
                         "--listen", "127.0.0.1:0", *options)
        self.id = bytes.fromhex(self.ready["node_id"])
        self.listen = self.ready["listen"]
        self.port = int(self.listen.rsplit(":", 1)[1])

    def ask(self, verb, *arguments, check=True):
        done = programs.run(verb, "--control", self.socket, "--json", *arguments)
        assert not check or done.returncode == 0, f"{verb} {arguments}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout else None

    def alive(self):
        return self.process.poll() is None

    def dropped(self):
        """How much the peer has refused, by its own counters."""
        status = self.ask("status")
        refused = [v for k, v in status["links"].items() if k.startswith("failed")]
        return sum(status["messages"]["dropped"].values()) + sum(refused)


class Case:
    """What a case works with: a peer under test and a link of its own to it."""

    def __init__(self, bench, test, user_byte=0x20):
        self.bench, self.test = bench, test
        self.peer = bench.peers[0] if bench.peers else None
        self.me = bench.identity(user_byte)
        self.host = bench.host(self.me)
        self._link = None
        self.to = wire.node(self.peer.id) if self.peer else b""

    @property
    def link(self):
        if self._link is None or self._link.closed:
            self._link = self.host.dial(self.peer.port)
        return self._link

    def become(self, identity):
        """Goes on as another node, over a link of that node's."""
        if self._link:
            self._link.close()
        self.me = self.host.identity = identity

    def message(self, code=wire.PING, body=None, dest=None, **fields):
        """A good, signed message to the peer, or one with some fields made bad."""
        body = wire.vec(2, b"") if body is None and code == wire.PING else body or b""
        return self.host.sealed(code, body, self.to if dest is None else dest, **fields)

    def ask(self, code=wire.PING, body=None, dest=None, **fields):
        m = self.message(code, body, dest, **fields)
        return m, self.host.request(self.link, m)

    def good(self, code=wire.PING, body=None, dest=None, **fields):
        """The answer to a request that must succeed, every property of it checked."""
        m, got = self.ask(code, body, dest, **fields)
        self.check(m, got, code + 1)
        return got

    def fails(self, error, *arguments, **fields):
        m, got = self.ask(*arguments, **fields)
        self.check(m, got, wire.ERROR)
        found, info = wire.read_error(got.body)
        self.test.assertEqual(found, error, f"error {found:#x} ({info!r}), not {error:#x}")
        return info

    def silent(self, m, drop=True):
        """No answer, and a later Ping on the same link is answered: it was dropped, not lost."""
        before = self.peer.dropped()
        link = self.link
        link.send(m if isinstance(m, bytes) else m.encode())
        self.test.assertFalse(link.closed)
        ping = self.message()
        got = self.host.request(link, ping)
        self.test.assertIsNotNone(got, "the peer no longer answers on this link")
        if isinstance(m, wire.Message):
            self.test.assertNotIn(m.transaction, list(self.host.answers),
                                  f"answered: {self.told(m)}")
        if drop:
            self.test.assertGreater(self.peer.dropped(), before, "no counter grew")

    def told(self, m):
        """What an answer said, in words."""
        for _, got, _ in self.host.answers.get(m.transaction, []):
            return wire.read_error(got.body) if got.code == wire.ERROR else hex(got.code)
        return None

    def closes(self, raw):
        link = self.link
        try:
            link.write(raw)
        except wire.Malformed:
            pass
        except Exception as e:  # the far end may close while we still write
            self.test.assertTrue(link.closed, repr(e))
        self.host.pump(lambda: link.closed, 3)
        self.test.assertTrue(link.closed, "the link stayed up")

    def check(self, request, got, code):
        """What RFC 6940 asks of every answer (s6.3.2, s6.2.2, s6.3.4)."""
        t = self.test
        t.assertIsNotNone(got, "no answer")
        if got.code == wire.ERROR:  # R6940-6.3.3.1-7: those for experiments are never used
            t.assertNotIn(wire.read_error(got.body)[0], (0x12, 0x13))
        if got.code != code and got.code == wire.ERROR:
            found, info = wire.read_error(got.body)
            t.fail(f"error {found:#x} {info!r}")
        t.assertEqual(got.code, code)
        t.assertEqual(got.token, wire.TOKEN)
        t.assertEqual(got.overlay, crypto.overlay_hash(NAME))
        t.assertEqual(got.version, wire.VERSION)
        t.assertEqual(got.sequence, self.bench.sequence)
        t.assertTrue(0 < got.ttl <= self.bench.ttl, got.ttl)
        t.assertEqual(got.fragment, wire.WHOLE)
        t.assertEqual(got.transaction, request.transaction)
        t.assertEqual(got.max_response, 0)
        t.assertEqual(got.via, b"")
        t.assertEqual(got.dest, wire.node(self.me.node_id) + link.reversed_list(request.via))
        signer = self.bench.verifier.message(got)
        if request.dest[:1] == wire.u8(wire.NODE) and request.dest[2:] != wire.WILDCARD:
            t.assertEqual(signer, request.dest[-16:])

    def verify_signer(self, got):
        """The Node-ID that signed it, its signature checked."""
        return self.bench.verifier.message(got)

    # --- data ---

    def now(self):
        """Storage times that always grow."""
        self.bench.clock = max(getattr(self.bench, "clock", 0) + 1, int(time.time() * 1000))
        return self.bench.clock

    def stored(self, resource, kind, stored_value, time_ms=None, lifetime=600, by=None,
               signature=None):
        time_ms = time_ms or self.now()
        signature = signature or crypto.sign_value(by or self.me, resource, kind, time_ms,
                                                   stored_value, MODELS[kind])
        return wire.stored(time_ms, lifetime, stored_value, signature)

    def store_body(self, resource, kind, *values, generation=0, replica=0, **words):
        made = [v if isinstance(v, Raw) else self.stored(resource, kind, v, **words)
                for v in values]
        return wire.store(resource, [wire.kind_data(kind, made, generation)], replica)

    def store(self, resource, kind, *values, **words):
        """A Store that must succeed; the generation counter it gave."""
        got = self.good(wire.STORE, self.store_body(resource, kind, *values, **words),
                        wire.resource(resource))
        answers = wire.read_store_answer(got.body)
        self.test.assertEqual([a[0] for a in answers], [kind])
        return answers[0][1]

    def refused(self, error, resource, kind, *values, **words):
        return self.fails(error, wire.STORE, self.store_body(resource, kind, *values, **words),
                          wire.resource(resource))

    def fetch(self, resource, kind, model=None, generation=0):
        """(generation, values), every signature checked."""
        if model is None:
            model = {"single": b"", "array": wire.ranges((0, wire.LAST)),
                     "dictionary": wire.keys()}[MODELS[kind]]
        got = self.good(wire.FETCH, wire.fetch(resource, wire.specifier(kind, model, generation)),
                        wire.resource(resource))
        (found, counter, values), = wire.read_fetch_answer(got.body, MODELS)
        self.test.assertEqual(found, kind)
        bucket = crypto.read_security(got.security)[0]
        for v in values:
            if v["signature"]["type"] != crypto.NONE:
                self.bench.verifier.value(v, resource, kind, MODELS[kind], bucket)
        return counter, values

    def user_resource(self, identity=None):
        return crypto.resource_id((identity or self.me).user)

    def node_resource(self, identity=None):
        return crypto.resource_id((identity or self.me).node_id)


class Raw(bytes):
    """StoredData that is ready to send."""


CASES = {}


def case(bench, name, ids):
    """One line of the table: the bench it needs, its name, the requirements it proves."""
    def add(function):
        CASES.setdefault(bench, []).append((name, ids, function))
        return function
    return add


def row(bench, name, ids, send, expect):
    """A case with one message in (send: Case -> Message or bytes) and one thing out."""
    case(bench, name, ids)(lambda c: expect(c, send(c)))


def silent(c, m):
    c.silent(m)


def closes(c, raw):
    c.closes(raw)


def answered(c, m):
    c.check(m, c.host.request(c.link, m), m.code + 1)


def error(code):
    def expect(c, m):
        got = c.host.request(c.link, m)
        c.check(m, got, wire.ERROR)
        found, info = wire.read_error(got.body)
        c.test.assertEqual(found, code, f"error {found:#x} ({info!r}), not {code:#x}")
    return expect


def suite(bench):
    """The unittest class of a bench: one test a case, in the table's order."""
    def set_up(cls):
        cls.bench = bench()

    def tear_down(cls):
        cls.bench.close()

    def method(name, ids, function):
        def run(self):
            c = Case(self.bench, self)
            try:
                function(c)
            finally:
                c.host.close()
            self.assertTrue(all(p.alive() for p in self.bench.peers), "a peer has died")
            self.assertEqual(c.host.faults, [], "malformed things came from the peer")
        run.__doc__ = f"{name} [{ids}]"
        return run
    body = {"setUpClass": classmethod(set_up), "tearDownClass": classmethod(tear_down)}
    for n, (name, ids, function) in enumerate(CASES.get(bench, [])):
        words = "".join(ch if ch.isalnum() else "_" for ch in name)
        body[f"test_{n:03}_{words}"] = method(name, ids, function)
    return type(bench.__name__, (unittest.TestCase,), body)
