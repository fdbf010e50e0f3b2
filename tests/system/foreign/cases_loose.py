"""A document and certificates made by other programs only: Python and the openssl command line."""
import time

import crypto
import wire
from bench import A_USER, NAME, S_USER, Bench, case
from cases_store import placed

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<!-- written by hand -->
<overlay xmlns="urn:ietf:params:xml:ns:p2p:config-base"
  xmlns:ext="urn:example:ext" xmlns:chord="urn:ietf:params:xml:ns:p2p:config-chord">
 {configuration}
 <signature> {signature} </signature>
</overlay>
"""
CONFIGURATION = """<configuration instance-name="{name}" sequence="{sequence}"
    expiration="{expiration}" ext:note="kept">
  <topology-plugin> CHORD-RELOAD </topology-plugin>
  <node-id-length>16</node-id-length>
  <root-cert>
{root}  </root-cert>
  <bootstrap-node address="127.0.0.1" port="9"/>
  <no-ice> 1 </no-ice>
  <chord:chord-reactive>true</chord:chord-reactive>
  <max-message-size>{size}</max-message-size>
  <initial-ttl>30</initial-ttl>
  <configuration-signer>{signer}</configuration-signer>
  <kind-signer>{signer}</kind-signer>
  <ext:element>left alone &amp; signed</ext:element>
  <required-kinds>
{kinds}  </required-kinds>{extra}
</configuration>"""
KIND = ('<kind id="{id}"><data-model>{model}</data-model><access-control>USER-MATCH'
        "</access-control><max-count>6</max-count><max-size>{size}</max-size></kind>")


class Foreign(Bench):
    """An overlay of which the program under test made nothing."""

    algorithm, sequence, ttl = "rsa", 65533, 30

    def make(self):
        self.authority = crypto.Authority.make(self.folder, "their-ca", self.algorithm)
        self.verifier = crypto.Verifier(self.folder, self.authority.cert)
        self.signer = self.identity(0xee, algorithm=self.algorithm)
        self.document = self.path("overlay.xml")
        with open(self.document, "wb") as f:
            f.write(self.write())
        self.peer(0x40, "--first", algorithm=self.algorithm)
        self.peer(0x41, algorithm="ec", bootstrap=self.peers[0])

    def write(self, sequence=None, signer=None, max_size=100, extra="", spoil=False):
        signer = signer or self.signer
        with open(self.authority.cert) as f:
            root = "".join(f.read().splitlines(True)[1:-1])
        kinds = ""
        for number, model in ((S_USER, "SINGLE"), (A_USER, "ARRAY")):
            kind = KIND.format(id=number, model=model, size=max_size)
            made = self.signer.document_signature(kind.encode())
            kinds += (f"    <kind-block>{kind}<kind-signature>{made}</kind-signature>"
                      "</kind-block>\n")
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
        body = CONFIGURATION.format(
            name=NAME, sequence=self.sequence if sequence is None else sequence, root=root,
            signer=self.signer.node_id.hex(), expiration=expires, size=9000, kinds=kinds,
            extra=extra)
        signature = signer.document_signature(body.encode())
        body = body.replace("<initial-ttl>30", "<initial-ttl>31") if spoil else body
        return DOCUMENT.format(configuration=body, signature=signature).encode()


class ForeignEc(Foreign):
    """The same with EC keys."""

    algorithm = "ec"


def push(c, document, **fields):
    return c.message(wire.CONFIG_UPDATE, wire.config_update(1, document),
                     **{"sequence": 65535} | fields)


def both(name, ids):
    def add(function):
        case(Foreign, name, ids)(function)
        return case(ForeignEc, name, ids)(function)
    return add


@both("a peer started from loose files answers", "R6940-11.1-1 R6940-11.1-34 R6940-11.1-35 R6940-11.1.1-1")
def _(c):
    c.good(ttl=30)


@both("initial-ttl of the document counts", "R6940-6.3.2-15 R6940-11.1-21")
def _(c):
    c.fails(wire.TTL_EXCEEDED, ttl=31)


@both("the two peers know each other", "R6940-10.5-5")
def _(c):
    ring = c.peer.ask("ring")
    c.test.assertIn(c.bench.peers[1].id.hex(), repr(ring))


@both("a store at one is fetched from the other, verified", "R6940-11.1-27 R6940-7.1-1")
def _(c):
    r = c.user_resource()
    m = c.message(wire.STORE, c.store_body(r, A_USER, wire.entry(0, b"x")), wire.resource(r),
                  ttl=30)
    got = c.host.request(c.link, m)
    c.test.assertEqual(got.code, wire.STORE + 1)
    c.verify_signer(got)
    for peer in c.bench.peers:
        host = c.bench.host(c.bench.identity(0x24))
        link = host.dial(peer.port)
        f = host.sealed(wire.FETCH, wire.fetch(r, wire.specifier(A_USER, wire.ranges((0, 9)))),
                        wire.resource(r), ttl=30)
        answer = host.request(link, f)
        c.test.assertIsNotNone(answer, "no answer to the Fetch")
        (_, _, values), = wire.read_fetch_answer(answer.body, {A_USER: "array"})
        c.test.assertEqual(placed(values), [(0, 1, b"x")])
        bucket = crypto.read_security(answer.security)[0]
        c.test.assertEqual(c.bench.verifier.value(values[0], r, A_USER, "array", bucket),
                           c.me.node_id)
        host.close()


@both("an older sequence gets the document pushed, with sequence 65535",
      "R6940-6.3.2.1-5 R6940-6.5.4-1 R6940-6.5.4.1-1")
def _(c):
    c.fails(wire.CONFIG_TOO_OLD, sequence=65532, ttl=30)

    def pushed():
        return [m for _, m in c.host.asked if m.code == wire.CONFIG_UPDATE]
    c.test.assertTrue(c.host.pump(pushed, 4), "no ConfigUpdate")
    m = pushed()[0]
    c.test.assertEqual((m.sequence, c.bench.verifier.message(m)), (65535, c.peer.id))
    r = wire.Reader(m.body)
    c.test.assertEqual(r.number(1), 1)
    inner = wire.Reader(r.vec(4))
    document = inner.vec(3)
    inner.done(), r.done()
    with open(c.bench.document, "rb") as f:
        blob = f.read()
    configuration = blob[blob.index(b"<configuration"):blob.index(b"</configuration>")]
    c.test.assertIn(configuration, document)


@both("a subordinate CA's node is good when the bucket holds the chain", "R6940-6.3.4-6 R6940-11.3-20")
def _(c):
    below = c.bench.authority.subordinate(c.bench.folder, "below")
    i = c.bench.new_identity("below-node", [b"\x76" * 16], user="below@" + NAME, authority=below)
    m = crypto.seal(c.message(ttl=30, via=wire.node(i.node_id)), i, [below])
    c.check(m, c.host.request(c.link, m), wire.PING + 1)


REFUSED = {
    "of an older sequence": lambda b: b.write(sequence=65532),
    "of the sequence in force": lambda b: b.write(),
    "changed after it was signed": lambda b: b.write(sequence=65534, spoil=True),
    "signed by a node that may not": lambda b: b.write(sequence=65534, signer=b.identity(0x20)),
    "of sequence 65535, which no document has": lambda b: b.write(sequence=65535),
    "that is no XML": lambda b: b"<overlay><configuration",
    "that names a file of the system": lambda b: b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/'
                                                 b'passwd">]>' + b.write(sequence=65534)[39:],
}
for why, make in REFUSED.items():
    @both(f"a document {why} is refused", "R6940-6.5.4.2-2 R6940-6.5.4.2-3 R6940-11.1-36")
    def _(c, make=make):
        m = push(c, make(c.bench), ttl=30)
        got = c.host.request(c.link, m)
        c.check(m, got, wire.ERROR)
        c.test.assertEqual(c.peer.ask("status")["configuration_sequence"], c.bench.sequence)


@both("a peer is not started with an unsigned or spoiled document", "R6940-11.1-36")
def _(c):
    import overlay as programs
    path = c.bench.path("spoiled.xml")
    with open(path, "wb") as f:
        f.write(c.bench.write(spoil=True))
    i = c.bench.identity(0x42)
    done = programs.run("peer", "--config", path, "--cert", i.cert, "--key", i.key, "--listen",
                        "127.0.0.1:0", "--first", timeout=20)
    c.test.assertNotEqual(done.returncode, 0)
    c.test.assertNotEqual(done.stderr.strip(), "")


@both("a newer document comes into force, at the neighbour too: 0 follows 65534",
      "R6940-6.3.2.1-7 R6940-6.5.4.2-6 R6940-11.1-37 R6940-11.1-39 R6940-6.3.2.1-6")
def _(c):
    for sequence, size in ((65534, 100), (0, 150)):
        m = push(c, c.bench.write(sequence=sequence, max_size=size), ttl=30)
        got = c.host.request(c.link, m)
        c.test.assertIsNotNone(got)
        c.test.assertEqual(got.code, wire.CONFIG_UPDATE + 1, got.code == wire.ERROR
                           and wire.read_error(got.body))
        c.bench.sequence = c.host.sequence = sequence
    c.good(ttl=30)
    c.test.assertEqual(c.peer.ask("status")["configuration_sequence"], 0)
    r = c.user_resource()
    m = c.message(wire.STORE, c.store_body(r, S_USER, wire.value(bytes(150))), wire.resource(r),
                  ttl=30)
    got = c.host.request(c.link, m)
    c.test.assertIn(got.code, (wire.STORE + 1, wire.ERROR))
    end = time.monotonic() + 10  # the first message between the two tells the other one
    while c.bench.peers[1].ask("status")["configuration_sequence"] and time.monotonic() < end:
        c.peer.ask("ping", c.bench.peers[1].id.hex(), check=False)
        time.sleep(0.2)
    c.test.assertEqual(c.bench.peers[1].ask("status")["configuration_sequence"], 0)
    c.good(ttl=30)


@both("the old sequence is now too old", "R6940-6.3.2.1-3 R6940-6.3.2.1-4")
def _(c):
    c.fails(wire.CONFIG_TOO_OLD, sequence=65534, ttl=30)


@both("a node that a newer document bars loses its link", "R6940-11.1-25")
def _(c):
    bad, fields = c.bench.host(c.bench.identity(0x26)), {"ttl": 30, "sequence": c.bench.sequence}
    bad.answer[wire.UPDATE] = lambda l, m: l.send(bad.sealed(
        wire.UPDATE + 1, b"", wire.node(l.peer_id), transaction=m.transaction, **fields).encode())
    barred = bad.dial(c.peer.port)
    c.test.assertIsNotNone(bad.request(barred, bad.sealed(wire.PING, wire.vec(2, b""), c.to, **fields)))
    bad.pump(lambda: [m for _, m in bad.asked if m.code == wire.UPDATE], 3)
    document = c.bench.write(sequence=1, extra=f"<bad-node>{bad.identity.node_id.hex()}</bad-node>")
    got = c.host.request(c.link, push(c, document, ttl=30))
    c.test.assertEqual(got.code, wire.CONFIG_UPDATE + 1, got.code == wire.ERROR and wire.read_error(got.body))
    c.bench.sequence = c.host.sequence = 1
    bad.pump(lambda: barred.closed, 12)
    c.test.assertTrue(barred.closed, "its link stayed up")
    c.good(ttl=30)  # others keep theirs


@both("a newer document that wants an extension nobody knows is refused, and the peer leaves",
      "R6940-6.5.4.2-2 R6940-11.1-26 R6940-11.1-37")
def _(c):
    def status():
        return c.peer.ask("status", check=False)  # code 3: not joined

    extension = "<mandatory-extension>urn:example:none</mandatory-extension>"
    m = push(c, c.bench.write(sequence=2, extra=extension), ttl=30)
    got = c.host.request(c.link, m)
    c.check(m, got, wire.ERROR)
    c.test.assertEqual(wire.read_error(got.body)[0], wire.INCOMPATIBLE)
    end = time.monotonic() + 20
    while status()["state"] != "left" and time.monotonic() < end:
        time.sleep(0.2)
    c.test.assertEqual(status()["state"], "left")
    c.test.assertEqual(status()["configuration_sequence"], c.bench.sequence)
