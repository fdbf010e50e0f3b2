"""An overlay that another program made: certificates by the openssl command, the document and its
signature by the lines below, written after RFC 6940 s6.3.4 and s11.1 alone."""
import base64
import hashlib
import os
import subprocess
import time

SHA256, RSA, ECDSA, CERT_HASH = 4, 1, 3, 1
NAME = "foreign.example"


def openssl(*arguments, stdin=None):
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True,
                          check=True).stdout


class Foreign:
    def __init__(self, directory, key="ec", bootstrap=6084, expiration=None, sign=True):
        self.directory, self.key = directory, key
        self.new_key("ca")
        openssl("req", "-x509", "-new", "-key", self.path("ca.key"), "-subj", "/CN=Foreign CA",
                "-days", "30", "-sha256", "-out", self.path("ca.pem"), "-addext",
                "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        self.signer = self.node("signer")
        self.config = self.path("overlay.xml")
        with open(self.config, "wb") as f:
            f.write(self.document(bootstrap, expiration, sign))

    def path(self, name):
        return os.path.join(self.directory, name)

    def new_key(self, name):
        kind = (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"] if self.key == "ec"
                else ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        openssl("genpkey", *kind, "-out", self.path(name + ".key"))
        os.chmod(self.path(name + ".key"), 0o600)

    def intermediate(self, name):
        """A CA below the root."""
        self.new_key(name)
        extensions = self.path(name + ".ext")
        with open(extensions, "w") as f:
            f.write("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n")
        self.issue(name, "ca", 20, extensions, f"/CN={name}")

    def issue(self, name, issuer, days, extensions, subject="/"):
        csr = openssl("req", "-new", "-key", self.path(name + ".key"), "-subj", subject)
        serial = "0x" + os.urandom(8).hex()
        openssl("x509", "-req", "-CA", self.path(issuer + ".pem"), "-CAkey",
                self.path(issuer + ".key"), "-set_serial", serial, "-days", str(days), "-sha256",
                "-extfile", extensions, "-out", self.path(name + ".pem"), stdin=csr)

    def node(self, name, days=20, overlay=NAME, issuer="ca"):
        """A node's key and certificate chain; returns its Node-ID. Days below 0: expired."""
        node_id = os.urandom(16).hex()
        self.new_key(name)
        extensions = self.path(name + ".ext")
        with open(extensions, "w") as f:
            f.write("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                    f"subjectAltName=critical,URI:reload://0110{node_id}@{overlay}/,"
                    f"email:{name}@{NAME}\n")
        self.issue(name, issuer, days, extensions)
        if issuer != "ca":
            with open(self.path(name + ".pem"), "a") as chain, open(
                    self.path(issuer + ".pem")) as above:
                chain.write(above.read())
        return node_id

    def der(self, name):
        return openssl("x509", "-in", self.path(name + ".pem"), "-outform", "DER")

    def signature(self, signed):
        """A SecurityBlock over some bytes, in base64."""
        certificate = self.der("signer")
        value = openssl("dgst", "-sha256", "-sign", self.path("signer.key"), stdin=signed)
        bucket = bytes([0]) + len(certificate).to_bytes(2, "big") + certificate
        identity = bytes([SHA256, 32]) + hashlib.sha256(certificate).digest()
        block = (len(bucket).to_bytes(2, "big") + bucket
                 + bytes([SHA256, ECDSA if self.key == "ec" else RSA])
                 + bytes([CERT_HASH]) + len(identity).to_bytes(2, "big") + identity
                 + len(value).to_bytes(2, "big") + value)
        return base64.b64encode(block)

    def document(self, bootstrap, expiration, sign):
        kind = (b'<kind id="4026531841"><data-model>SINGLE</data-model>'
                b"<access-control>USER-MATCH</access-control><max-count>1</max-count>"
                b"<max-size>100</max-size></kind>")
        root = base64.b64encode(self.der("ca"))
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expiration or time.time() + 86400))
        configuration = (
            b'<configuration instance-name="' + NAME.encode() + b'" sequence="22" expiration="'
            + end.encode() + b'">\n  <topology-plugin>CHORD-RELOAD</topology-plugin>\n'
            b"  <node-id-length>16</node-id-length>\n  <root-cert>" + root + b"</root-cert>\n"
            b'  <bootstrap-node address="127.0.0.1" port="' + str(bootstrap).encode() + b'"/>\n'
            b"  <no-ice>true</no-ice>\n  <overlay-link-protocol>TLS</overlay-link-protocol>\n"
            b"  <configuration-signer>" + self.signer.encode() + b"</configuration-signer>\n"
            b"  <kind-signer>" + self.signer.encode() + b"</kind-signer>\n"
            b"  <required-kinds><kind-block>" + kind
            + (b"<kind-signature>" + self.signature(kind) + b"</kind-signature>")
            + b"</kind-block></required-kinds>\n</configuration>")
        return (b'<?xml version="1.0" encoding="UTF-8"?>\n'
                b'<overlay xmlns="urn:ietf:params:xml:ns:p2p:config-base">\n' + configuration
                + (b"\n<signature>" + self.signature(configuration) + b"</signature>" if sign else b"")
                + b"\n</overlay>\n")

    def files(self, name):
        return ["--config", self.config, "--cert", self.path(name + ".pem"), "--key",
                self.path(name + ".key")]
