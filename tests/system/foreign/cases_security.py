"""Signatures, identities and certificates of messages, RFC 6940 s6.3.4."""
import hashlib

import crypto
import wire
from bench import NAME, answered, case, row, silent
from cases_link import One


def unsigned(c, **fields):
    return c.host.message(wire.PING, wire.vec(2, b""), c.to, **fields)


def with_security(make):
    """A Ping whose SecurityBlock is made by make(c, what to sign)."""
    def build(c):
        m = unsigned(c)
        data = m.overlay + wire.u64(m.transaction) + m.contents()
        m.security = make(c, data)
        return m
    return build


def flipped(c, data):
    block = bytearray(c.me.certificates() + c.me.sign(data))
    block[-1] ^= 1
    return bytes(block)


def stranger(c, name, **words):
    """A node that the overlay must not accept; made once."""
    found = c.bench.identities.get(name)
    if not found:
        words = {k: v(c.bench) if callable(v) else v for k, v in words.items()}
        found = c.bench.identities[name] = c.bench.new_identity(name, [b"\x77" * 16], **words)
    return found


def signed_by(name, **words):
    return with_security(lambda c, data: (lambda i: i.certificates() + i.sign(data))(
        stranger(c, name, **words)))


def identity_of(kind, algorithm, digest):
    return wire.u8(kind) + wire.vec(2, wire.u8(algorithm) + wire.vec(1, digest))


def hashed(algorithm, name):
    return with_security(lambda c, data: c.me.certificates() + c.me.sign(
        data, identity_of(1, algorithm, hashlib.new(name, c.me.der).digest())))


def retyped(algorithm):
    """The right signature under a wrong algorithm's numbers."""
    return with_security(
        lambda c, data: c.me.certificates() + algorithm + c.me.sign(data)[2:])


BAD = [
    ("a signature with one bit turned", "R6940-6.3.4-20", with_security(flipped)),
    ("no signature (identity none)", "R6940-6.3.4-20",
     with_security(lambda c, d: c.me.certificates() + crypto.NO_SIGNATURE)),
    ("an empty signature value", "R6940-6.3.4-20",
     with_security(lambda c, d: c.me.certificates() + b"\4\3" + c.me.signer_identity()
                   + wire.vec(2, b""))),
    ("the algorithm none", "R6940-6.3.4-3", retyped(b"\0\0")),
    ("MD5 for a hash", "R6940-6.3.4-3", retyped(b"\1\3")),
    ("an RSA number on an ECDSA signature", "R6940-6.3.4-3", retyped(b"\4\1")),
    ("an unknown signature algorithm", "R6940-6.3.4-3", retyped(b"\4\x63")),
    ("a signature over another transaction", "R6940-6.3.4-16",
     with_security(lambda c, d: c.me.certificates() + c.me.sign(d[:4] + bytes(8) + d[12:]))),
    ("a signature that leaves the SignerIdentity out", "R6940-6.3.4-16",
     with_security(lambda c, d: c.me.certificates() + c.me.sign(d, appended=False))),
    ("another node's identity", "R6940-6.3.4-14",
     with_security(lambda c, d: c.me.certificates(c.bench.identity(0x21)) + c.me.sign(
         d, c.bench.identity(0x21).signer_identity()))),
    ("no certificate of a node never seen", "R6940-6.3.4-8",
     with_security(lambda c, d: wire.vec(2, b"") + stranger(
         c, "never-seen", authority=lambda b: b.authority).sign(d))),
    ("a hash of the wrong length", "R6940-6.3.4-5",
     with_security(lambda c, d: c.me.certificates() + c.me.sign(d, identity_of(
         1, 4, hashlib.sha256(c.me.der).digest()[:31])))),
    ("an identity hashed by MD5", "R6940-6.3.4-14", hashed(1, "md5")),
    ("the invalid identity type 0", "R6940-6.3.4-4",
     with_security(lambda c, d: c.me.certificates() + c.me.sign(d, identity_of(
         0, 4, hashlib.sha256(c.me.der).digest())))),
    ("an unknown identity type", "R6940-6.3.4-4",
     with_security(lambda c, d: c.me.certificates() + c.me.sign(d, identity_of(
         9, 4, hashlib.sha256(c.me.der).digest())))),
    ("bytes after the SecurityBlock", "R6940-6.3-1",
     with_security(lambda c, d: c.me.certificates() + c.me.sign(d) + b"\0")),
    ("a certificate of another CA", "R6940-11.3-20",
     signed_by("other-ca-node", authority=lambda b: crypto.Authority.make(b.folder, "ca-2", "ec"))),
    ("a certificate of the user's own making", "R6940-11.3-20", signed_by("alone", authority=None)),
    ("a certificate for another overlay", "R6940-6.3.4-19",
     signed_by("elsewhere", overlay="other.example")),
    ("an expired certificate", "R6940-7.1-3", signed_by("expired", days=-1)),
    ("a certificate issued by a node, not by the CA", "R6940-11.3-20",
     signed_by("leaf-issued", authority=lambda b: crypto.Authority(b.identity(0x20).cert,
                                                                   b.identity(0x20).key))),
]
for name, ids, build in BAD:
    row(One, name + " is dropped without an answer", ids, build, silent)

GOOD = [
    ("an RSA signature is good", "R6940-6.3.4-11",
     with_security(lambda c, d: (lambda i: i.certificates() + i.sign(d))(
         c.bench.identity(0x23, algorithm="rsa")))),
    ("an identity hashed by SHA-384 is good", "R6940-6.3.4-14", hashed(5, "sha384")),
    ("an identity hashed by SHA-512 is good", "R6940-6.3.4-14", hashed(6, "sha512")),
    ("the signer's certificate may be second in the bucket", "R6940-6.3.4-6",
     with_security(lambda c, d: c.bench.identity(0x21).certificates(c.me) + c.me.sign(d))),
]
for name, ids, build in GOOD:
    row(One, name, ids, build, answered)


# --- how a certificate may look (s11.3, s14.15) ---

FORMS = {
    "capital hexadecimal digits in the URI are read": (
        {"uri": "reload://0110" + "AB" * 16 + "@{overlay}/",
         "node_ids": [bytes.fromhex("ab" * 16)]}, answered),
    "a URI without its final slash is read": ({"uri": "reload://0110{id}@{overlay}"}, answered),
    "a subject that is not empty does not matter": ({"subject": "/CN=somebody"}, answered),
    "a bare Node-ID in the URI is refused": ({"uri": "reload://{id}@{overlay}/"}, silent),
    "a resource in the URI is refused": ({"uri": "reload://021110{id}@{overlay}/"}, silent),
    "two user names are refused": ({"more": ("email:second@" + NAME,)}, silent),
    "another scheme is no Node-ID": ({"uri": "sip://0110{id}@{overlay}/"}, silent),
    "the wildcard is nobody's Node-ID": ({"node_ids": [wire.WILDCARD]}, silent),
    "all zeros is nobody's Node-ID": ({"node_ids": [bytes(16)]}, silent),
    "a further overlay in a second URI is refused": (
        {"more": ("URI:reload://0110" + "79" * 16 + "@other.example/",)}, silent),
}
for name, (words, expect) in FORMS.items():
    def formed(c, name=name, words=words):
        words = dict(words)
        i = c.bench.new_identity("form-" + hashlib.sha1(name.encode()).hexdigest()[:9],
                                 words.pop("node_ids", [bytes.fromhex("78" * 16)]),
                                 user="form@" + NAME, **words)
        return crypto.seal(c.message(), i)
    row(One, f"certificates: {name}", "R6940-11.3-11 R6940-11.3-13 R6940-14.15-1 R6940-14.15-2",
        formed, expect)


@case(One, "a subordinate CA does not help where the root forbids it", "R6940-11.3-20")
def _(c):
    below = c.bench.authority.subordinate(c.bench.folder, "below")
    i = c.bench.new_identity("below-node", [b"\x76" * 16], user="below@" + NAME, authority=below)
    m = crypto.seal(c.message(), i, [below])
    c.silent(m)


# --- a certificate with several Node-IDs ---

def several(c, sign_as=0):
    name = f"several-{sign_as}"
    if name not in c.bench.identities:
        ids = [b"\x7a" * 16, b"\x7b" * 16]
        c.bench.identities[name] = c.bench.new_identity("several", ids, sign_as=sign_as)
    return c.bench.identities[name]


@case(One, "a signer with several Node-IDs is known by cert_hash_node_id",
      "R6940-6.3.4-13 R6940-6.3.4-15 R6940-6.3.4-24")
def _(c):
    for n in (0, 1):
        i = several(c, n)
        m = crypto.seal(c.message(), i)
        m.via = wire.node(i.node_id)
        got = c.host.request(c.link, m)
        c.test.assertIsNotNone(got, f"Node-ID {n}")
        c.test.assertEqual(got.code, wire.PING + 1)
        c.test.assertEqual(got.dest, wire.node(c.me.node_id) + wire.node(i.node_id))


@case(One, "a signer with several Node-IDs cannot use cert_hash", "R6940-6.3.4-13")
def _(c):
    i = several(c)
    c.silent(crypto.seal(c.message(), i, signer_identity=i.signer_identity(kind=1)))


@case(One, "a Node-ID that is not in the certificate signs nothing", "R6940-6.3.4-15")
def _(c):
    i = several(c)
    wrong = identity_of(2, 4, hashlib.sha256(b"\x7c" * 16 + i.der).digest())
    c.silent(crypto.seal(c.message(), i, signer_identity=wrong))


@case(One, "a link of several Node-IDs may Ping, and nothing more without an Attach",
      "R6940-6.1.2-11 R6940-4.2.1-3")
def _(c):
    i = several(c)
    host = c.bench.host(i)
    link = host.dial(c.peer.port)
    ping = host.sealed(wire.PING, wire.vec(2, b""), wire.node(wire.WILDCARD))
    got = host.request(link, ping)
    c.test.assertIsNotNone(got, "the Ping got no answer")
    c.test.assertEqual(got.code, wire.PING + 1)
    probe = host.sealed(wire.PROBE, wire.vec(1, b"\3"), c.to)
    got = host.request(link, probe)
    c.test.assertIsNotNone(got, "the Probe got no answer")
    c.test.assertEqual(got.code, wire.ERROR)
    c.test.assertEqual(wire.read_error(got.body)[0], wire.FORBIDDEN)
    host.close()
