"""A whole CHORD-RELOAD peer, as small as RFC 6940 s10 allows: joins, keeps values, leaves."""
import crypto
import link
import wire


def number(node_id):
    return int.from_bytes(node_id, "big")


def after(node_id, step=1):
    return ((number(node_id) + step) % 2 ** 128).to_bytes(16, "big")


def clockwise(a, b):
    return (number(b) - number(a)) % 2 ** 128


class Joiner(link.Host):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.id, self.values, self.updates = self.identity.node_id, {}, {}
        self.answer |= {wire.STORE: self.keep, wire.FETCH: self.look_up, wire.UPDATE: self.learn,
                        wire.LEAVE: lambda *_: (wire.LEAVE + 1, b"")}
        self.certificates = set()

    # --- as a server ---

    def keep(self, _, m):
        """Any Store; values stay as they came: {(resource, kind): (generation, [StoredData])}."""
        r = wire.Reader(m.body)
        resource, replica = r.vec(1), r.number(1)
        answers = b""
        for kind, generation, values in wire.each(r.vec(4), lambda e: (
                e.number(4), e.number(8), e.vec(4))):
            had = self.values.get((resource, kind), (0, b""))[0]
            generation = generation or had + 1
            self.values[resource, kind] = generation, values
            answers += wire.u32(kind) + wire.u64(generation) + wire.vec(2, b"")
        r.done()
        self.certificates |= set(crypto.read_security(m.security)[0])
        self.stores = getattr(self, "stores", []) + [(resource, replica, m)]
        return wire.STORE + 1, wire.vec(2, answers)

    def look_up(self, _, m):
        r = wire.Reader(m.body)
        resource, out = r.vec(1), b""
        for kind, _, _ in wire.each(r.vec(2), lambda e: (e.number(4), e.number(8), e.vec(2))):
            generation, values = self.values.get((resource, kind), (0, b""))
            out += wire.u32(kind) + wire.u64(generation) + wire.vec(4, values)
        return wire.FETCH + 1, wire.vec(4, out)

    def learn(self, where, m):
        self.updates.setdefault(self.verifier.message(m), []).append(wire.read_update(m.body))
        return wire.UPDATE + 1, b""

    def respond(self, where, request, code, body, others=()):
        class Der:
            def __init__(self, der):
                self.der = der
        known = [Der(d) for d in self.certificates - {self.identity.der}]
        super().respond(where, request, code, body, known if code == wire.FETCH + 1 else ())

    # --- as a node that joins (s10.5) ---

    def attach(self, via, dest):
        """Attach; the Node-ID that answered. It dials us."""
        m = self.sealed(wire.ATTACH, wire.attach(wire.candidate("127.0.0.1", self.port),
                                                 send_update=1), dest)
        got = self.request(via, m)
        assert got and got.code == wire.ATTACH + 1, got and wire.read_error(got.body)
        far = self.verifier.message(got)
        assert self.pump(lambda: self.link_to(far)), "nobody dialled"
        return far

    def full_update_of(self, far):
        return self.pump(lambda: [u for u in self.updates.get(far, []) if u["type"] == 3])

    def neighbours(self):
        """Predecessors and successors, nearest first, of all we are linked to."""
        ids = sorted({l.peer_id for l in self.links if not l.closed and l.peer_id in self.ring},
                     key=lambda i: clockwise(self.id, i))
        return ids[::-1], ids

    def announce(self):
        """s10.5 step 9: Updates to every neighbour; the codes of the answers."""
        before, behind = self.neighbours()
        codes = []
        for far in behind:
            m = self.sealed(wire.UPDATE, wire.update(2, before[:3], behind[:3]), wire.node(far))
            got = self.request(self.link_to(far), m)
            codes.append(got and got.code)
        return codes

    def leave(self):
        """s10.9; the codes of the answers."""
        before, behind = self.neighbours()
        codes = []
        for far in behind:
            kind, peers = (2, before) if far == behind[0] else (1, behind)
            m = self.sealed(wire.LEAVE, wire.leave(self.id, kind, peers[:3]), wire.node(far))
            got = self.request(self.link_to(far), m)
            codes.append(got and got.code)
        return codes
