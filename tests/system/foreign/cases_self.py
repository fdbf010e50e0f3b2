"""Nodes that certify themselves (RFC 6940 s11.3.1), nodes that are barred, Kinds that arrive."""
import hashlib
import os

import crypto
import wire
from bench import NAME, S_USER, Bench, case
from cases_loose import DOCUMENT, KIND, ForeignEc
from cases_store import placed

ALONE = """<configuration instance-name="{name}" sequence="1">
  <no-ice>true</no-ice>
  <self-signed-permitted digest="{digest}">true</self-signed-permitted>
  <bootstrap-node address="127.0.0.1"/>
  <configuration-signer>{signer}</configuration-signer>
  <kind-signer>{signer}</kind-signer>
  <bad-node>{bad}</bad-node>
  <required-kinds><kind-block>{kind}<kind-signature>{signed}</kind-signature></kind-block></required-kinds>
</configuration>"""


class SelfSigned(Bench):
    """No CA at all: a Node-ID is a digest of the node's public key."""

    digest, authority = "sha256", None

    def make(self):
        self.roots = self.path("roots.pem")
        open(self.roots, "w").close()
        signer, self.bad = self.own("signer"), self.own("barred")
        kind = KIND.format(id=S_USER, model="SINGLE", size=50)
        body = ALONE.format(name=NAME, digest=self.digest, signer=signer.node_id.hex(), kind=kind,
                            bad=self.bad.node_id.hex(),
                            signed=signer.document_signature(kind.encode()))
        self.document = self.path("overlay.xml")
        with open(self.document, "w") as f:
            f.write(DOCUMENT.format(configuration=body,
                                    signature=signer.document_signature(body.encode())))
        self.authority = type("Roots", (), {"cert": self.roots})
        self.verifier = crypto.Verifier(self.folder, self.roots)
        self.peer(0x40, "--first")

    def identity(self, byte, user=None, algorithm="ec"):
        name = f"own-{byte:02x}"
        if name not in self.identities:
            self.identities[name] = self.own(name, user)
        return self.identities[name]

    def own(self, name, user=None, count=1, spoil=lambda ids: ids, digest=None):
        """A self-made identity; its Node-IDs as s11.3.1 wants them, or spoiled."""
        key = self.path(name + ".key")
        crypto.new_key(key, "ec")
        public = crypto.openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
        inputs = [public] if count == 1 else [wire.u32(i + 1) + public for i in range(count)]
        ids = [hashlib.new(digest or self.digest, i).digest()[:16] for i in inputs]
        made = crypto.Identity(self.folder, name, NAME, spoil(ids), f"{name}@{NAME}")
        with open(made.cert) as cert, open(self.roots, "a") as roots:
            roots.write(cert.read())
        return made


class SelfSigned1(SelfSigned):
    """The same with SHA-1."""

    digest = "sha1"


def both(name, ids):
    def add(function):
        case(SelfSigned, name, ids)(function)
        return case(SelfSigned1, name, ids)(function)
    return add


@both("a self-made identity is served and stores under its user name", "R6940-11.1-13 R6940-11.1-15")
def _(c):
    c.good()
    r = c.user_resource()
    c.store(r, S_USER, wire.value(b"mine"))
    c.test.assertEqual(placed(c.fetch(r, S_USER)[1]), [(None, 1, b"mine")])


GOOD = {"several Node-IDs, each with its number from 1": {"count": 3}}
BAD = {
    "a Node-ID of its own choice": {"spoil": lambda ids: [os.urandom(16)]},
    "one right Node-ID and one of its own choice": {"count": 2,
                                                    "spoil": lambda ids: [ids[0], b"\x12" * 16]},
    "several Node-IDs in the wrong order": {"count": 2, "spoil": lambda ids: ids[::-1]},
    "the numbered form for a single Node-ID": {"count": 2, "spoil": lambda ids: ids[:1]},
    "the low-order bits of the digest": {"spoil": lambda ids: [ids[0][::-1]]},
}


def message_of(c, why, words):
    name = "m-" + hashlib.sha1(why.encode()).hexdigest()[:8]
    identity = c.bench.own(name, **words)
    m = c.message(via=wire.node(identity.node_id))
    return crypto.seal(m, identity)


for why, words in GOOD.items():
    both(f"{why}, are good", "R6940-11.3.1-4")(
        lambda c, why=why, words=words: c.check(*(lambda m: (m, c.host.request(c.link, m)))(
            message_of(c, why, words)), wire.PING + 1))
for why, words in BAD.items():
    both(f"{why} is dropped", "R6940-11.3.1-3 R6940-11.3.1-5")(
        lambda c, why=why, words=words: c.silent(message_of(c, why, words)))


@both("a Node-ID by the other digest is dropped", "R6940-11.1-15")
def _(c):
    other = {"sha1": "sha256", "sha256": "sha1"}[c.bench.digest]
    c.silent(message_of(c, "other digest", {"digest": other}))


@both("a bad-node is served neither by message nor by link", "R6940-11.1-25")
def _(c):
    bad = c.bench.bad
    c.silent(crypto.seal(c.message(via=wire.node(bad.node_id)), bad))
    host = c.bench.host(bad)
    try:
        where = host.dial(c.peer.port)
        got = host.request(where, host.sealed(wire.PING, wire.vec(2, b""), c.to), 1)
        c.test.assertIsNone(got)
    except OSError:
        pass
    host.close()


@case(ForeignEc, "a Kind that its signer pushes is in force; a forged one is not",
      "R6940-6.5.4.1-2 R6940-6.5.4.1-3 R6940-6.5.4.2-4 R6940-6.5.4.2-6")
def _(c):
    number = 0xf0000777
    kind = KIND.format(id=number, model="SINGLE", size=70)
    for signer, code in ((c.bench.identity(0x20), wire.ERROR),
                         (c.bench.signer, wire.CONFIG_UPDATE + 1)):
        block = ('<kind-block xmlns="urn:ietf:params:xml:ns:p2p:config-base">' + kind
                 + f"<kind-signature>{signer.document_signature(kind.encode())}"
                   "</kind-signature></kind-block>").encode()
        m = c.message(wire.CONFIG_UPDATE, wire.config_update(2, wire.vec(2, block)), ttl=30)
        got = c.host.request(c.link, m)
        c.test.assertIsNotNone(got)
        c.test.assertEqual(got.code, code, got.code == wire.ERROR and wire.read_error(got.body))
    r = c.user_resource()
    f = c.message(wire.FETCH, wire.fetch(r, wire.specifier(number)), c.to, ttl=30)
    got = c.host.request(c.link, f)
    c.test.assertEqual(got.code, wire.FETCH + 1, got.code == wire.ERROR and wire.read_error(got.body))
