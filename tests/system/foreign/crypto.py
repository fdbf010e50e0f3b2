"""Keys, certificates and signatures, all made and checked by the openssl command line."""
import base64
import hashlib
import os
import subprocess

import wire

SHA256, RSA, ECDSA = 4, 1, 3  # RFC 5246's numbers
CERT_HASH, CERT_HASH_NODE_ID, NONE = 1, 2, 3
HASHES = {2: "sha1", 4: "sha256", 5: "sha384", 6: "sha512"}
NO_SIGNATURE = b"\0\0" + wire.u8(NONE) + wire.vec(2, b"") + wire.vec(2, b"")


def openssl(*arguments, data=None, check=True):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True)
    if check and done.returncode:
        raise RuntimeError(f"openssl {arguments}: {done.stderr.decode()}")
    return done if not check else done.stdout


def new_key(path, algorithm):
    options = {"ec": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt",
                      "ec_param_enc:named_curve"],
               "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]}[algorithm]
    openssl("genpkey", "-algorithm", *options, "-out", path)
    os.chmod(path, 0o600)


def resource_id(name):
    """s10.2: the first 16 bytes of the name's SHA-1."""
    return hashlib.sha1(name.encode() if isinstance(name, str) else name).digest()[:16]


def overlay_hash(name):
    """s6.3.2: the lower 32 bits of the name's SHA-1."""
    return hashlib.sha1(name.encode()).digest()[-4:]


class Authority:
    """A CA: its certificate and key as PEM files."""

    def __init__(self, cert, key):
        self.cert, self.key = cert, key

    @classmethod
    def make(cls, folder, name, algorithm):
        cert, key = (os.path.join(folder, f"{name}.{end}") for end in ("pem", "key"))
        new_key(key, algorithm)
        openssl("req", "-x509", "-new", "-key", key, "-sha256", "-days", "30", "-subj",
                f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
                "keyUsage=critical,keyCertSign,cRLSign", "-out", cert)
        return cls(cert, key)


    def subordinate(self, folder, name):
        """A CA that this one certified; .der for a bucket of certificates."""
        key, request, cert = (os.path.join(folder, f"{name}.{end}")
                              for end in ("key", "csr", "pem"))
        new_key(key, "ec")
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        with open(request + ".cnf", "w") as f:
            f.write("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n")
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key,
                "-set_serial", "77", "-days", "9", "-extfile", request + ".cnf", "-out", cert)
        made = Authority(cert, key)
        made.der = openssl("x509", "-in", cert, "-outform", "DER")
        return made


class Identity:
    """A node: a key and a certificate with its Node-IDs and user name (s11.3)."""

    def __init__(self, folder, name, overlay, node_ids, user=None, authority=None, algorithm="ec",
                 days=30, sign_as=0, uri="reload://0110{id}@{overlay}/", subject="/", more=()):
        self.key, self.cert = (os.path.join(folder, f"{name}.{end}") for end in ("key", "pem"))
        self.node_ids, self.user, self.algorithm = node_ids, user, algorithm
        self.node_id = node_ids[sign_as]
        if not os.path.exists(self.key):
            new_key(self.key, algorithm)
        names = ["URI:" + uri.format(id=i.hex(), overlay=overlay) for i in node_ids]
        names += [f"email:{user}"] if user else []
        names += more
        self.subject = subject
        self._issue(os.path.join(folder, name + ".cnf"), names, authority, days)
        self.der = openssl("x509", "-in", self.cert, "-outform", "DER")

    def _issue(self, config, names, authority, days):
        with open(config, "w") as f:
            f.write("[req]\ndistinguished_name=dn\nprompt=no\n[dn]\n[ext]\n"
                    f"subjectAltName={'critical,' if authority else ''}{','.join(names)}\n"
                    "basicConstraints=critical,CA:FALSE\n"
                    "keyUsage=critical,digitalSignature,keyEncipherment\n"
                    "extendedKeyUsage=serverAuth,clientAuth\n")
        if authority is None:
            openssl("req", "-x509", "-new", "-key", self.key, "-config", config, "-subj", self.subject,
                    "-extensions", "ext", "-days", str(days), "-out", self.cert)
            return
        request = openssl("req", "-new", "-key", self.key, "-config", config, "-subj",
                          self.subject)
        openssl("x509", "-req", "-CA", authority.cert, "-CAkey", authority.key, "-set_serial",
                str(int.from_bytes(os.urandom(8), "big")), "-sha256", "-days", str(days),
                "-extfile", config, "-extensions", "ext", "-out", self.cert, data=request)

    def signer_identity(self, hash_alg=SHA256, kind=None):
        """s6.3.4: cert_hash for one Node-ID, cert_hash_node_id for several."""
        kind = kind or (CERT_HASH if len(self.node_ids) == 1 else CERT_HASH_NODE_ID)
        prefix = self.node_id if kind == CERT_HASH_NODE_ID else b""
        digest = hashlib.new(HASHES[hash_alg], prefix + self.der).digest()
        return wire.u8(kind) + wire.vec(2, wire.u8(hash_alg) + wire.vec(1, digest))

    def sign(self, data, identity=None, appended=True):
        """A Signature over data || SignerIdentity (configuration documents: over data alone)."""
        identity = identity or self.signer_identity()
        made = openssl("dgst", "-sha256", "-sign", self.key,
                       data=data + identity if appended else data)
        algorithm = bytes([SHA256, RSA if self.algorithm == "rsa" else ECDSA])
        return algorithm + identity + wire.vec(2, made)

    def certificates(self, *others):
        return wire.vec(2, b"".join(wire.u8(0) + wire.vec(2, o.der) for o in (self, *others)))

    def document_signature(self, blob):
        return base64.b64encode(self.certificates() + self.sign(blob, appended=False)).decode()


def seal(message, identity, others=(), signer_identity=None):
    """Gives a message its SecurityBlock."""
    data = message.overlay + wire.u64(message.transaction) + message.contents()
    message.security = identity.certificates(*others) + identity.sign(data, signer_identity)
    return message


def sign_value(identity, resource, kind, time_ms, stored_value, model):
    """s7.1, s7.4.2.2: an array's index counts as zero."""
    signed = bytes(4) + stored_value[4:] if model == "array" else stored_value
    return identity.sign(wire.vec(1, resource) + wire.u32(kind) + wire.u64(time_ms) + signed)


def read_security(block):
    """({DER...}, signature) of a whole SecurityBlock."""
    r = wire.Reader(block)

    def one(e):
        if e.number(1) != 0:
            raise wire.Malformed("certificate type")
        return e.vec(2)
    certificates = wire.each(r.vec(2), one)
    signature = wire.read_signature(r)
    r.done()
    return certificates, signature


class Verifier:
    """Checks signatures by certificates of a bucket; remembers what the chains told."""

    def __init__(self, folder, roots):
        self.folder, self.roots, self.known = folder, roots, {}

    def names(self, der):
        """The Node-IDs of a certificate that chains to the roots, and its key's file."""
        if der not in self.known:
            path = os.path.join(self.folder, hashlib.sha1(der).hexdigest())
            with open(path + ".pem", "wb") as f:
                f.write(openssl("x509", "-inform", "DER", data=der))
            openssl("verify", "-partial_chain", "-CAfile", self.roots, path + ".pem")
            with open(path + ".pub", "wb") as f:
                f.write(openssl("x509", "-in", path + ".pem", "-noout", "-pubkey"))
            text = openssl("x509", "-in", path + ".pem", "-noout", "-ext",
                           "subjectAltName").decode()
            nodes = [bytes.fromhex(part.split("@")[0][4:])
                     for part in text.split("reload://")[1:]]
            self.known[der] = nodes, path + ".pub"
        return self.known[der]

    def signer(self, certificates, signature):
        """(Node-ID, key file) of the certificate that a SignerIdentity means."""
        r = wire.Reader(signature["identity"])
        algorithm, digest = HASHES[r.number(1)], r.vec(1)
        r.done()
        for der in certificates:
            nodes, key = self.names(der)
            for one in nodes:
                prefix = one if signature["type"] == CERT_HASH_NODE_ID else b""
                if hashlib.new(algorithm, prefix + der).digest() == digest:
                    return one, key
        raise wire.Malformed("no certificate for the signer")

    def verify(self, data, certificates, signature):
        """The Node-ID that signed data; raises if it did not."""
        one, key = self.signer(certificates, signature)
        identity = wire.u8(signature["type"]) + wire.vec(2, signature["identity"])
        path = os.path.join(self.folder, "signature")
        with open(path, "wb") as f:
            f.write(signature["value"])
        digest = HASHES[signature["algorithm"][0]]
        done = openssl("dgst", "-" + digest, "-verify", key, "-signature", path,
                       data=data + identity, check=False)
        if done.returncode:
            raise wire.Malformed("signature does not verify")
        return one

    def message(self, m):
        certificates, signature = read_security(m.security)
        data = m.overlay + wire.u64(m.transaction) + m.contents()
        return self.verify(data, certificates, signature)

    def value(self, v, resource, kind, model, certificates):
        raw = bytes(4) + v["raw"][4:] if model == "array" else v["raw"]
        data = wire.vec(1, resource) + wire.u32(kind) + wire.u64(v["time"]) + raw
        return self.verify(data, certificates, v["signature"])
