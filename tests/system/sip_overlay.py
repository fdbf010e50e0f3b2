"""What the tests of the SIP usage share: devices of users, and what happens to them."""
import json
import os
import socket
import time

from openssl_overlay import openssl
from overlay import NAME, Node, OverlayTest, run


class Events:
    """What a running peer tells those who subscribe, over its control socket."""

    def __init__(self, node):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(node.socket)
        self.lines = self.socket.makefile("rw")
        self.lines.write('{"verb": "subscribe"}\n')
        self.lines.flush()
        assert json.loads(self.lines.readline())["ok"]

    def next(self, *names, timeout=20):
        """The next event of one of these names, others are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            self.socket.settimeout(max(0.1, deadline - time.monotonic()))
            line = json.loads(self.lines.readline())
            if line["event"] in names:
                return line

    def close(self):
        self.lines.close()
        self.socket.close()


class SipTest(OverlayTest):
    def certificate(self, overlay, user, name):
        """A key and a certificate by the overlay's CA. `reload enroll` gives an account the same
        Node-ID each time; each device needs one of its own."""
        path, ca = overlay.path(name), os.path.join(overlay.folder, "ca")
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                path + ".key")
        os.chmod(path + ".key", 0o600)
        with open(path + ".ext", "w") as f:
            f.write("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                    f"subjectAltName=critical,URI:reload://0110{os.urandom(16).hex()}@{NAME}/,"
                    f"email:{user}@{NAME}\n")
        request = openssl("req", "-new", "-key", path + ".key", "-subj", "/")
        openssl("x509", "-req", "-CA", ca + ".pem", "-CAkey", ca + ".key", "-set_serial",
                "0x" + os.urandom(8).hex(), "-days", "20", "-sha256", "-extfile", path + ".ext",
                "-out", path + ".pem", stdin=request)
        return ["--config", os.path.join(overlay.folder, "overlay.xml"), "--cert", path + ".pem",
                "--key", path + ".key"]

    def device(self, overlay, user, name, *options, listen=0):
        node = Node(overlay, name, *self.certificate(overlay, user, name), "--listen",
                    f"127.0.0.1:{listen}", *options)
        overlay.processes.append(node)
        return node

    def events(self, node):
        events = Events(node)
        self.addCleanup(events.close)
        return events

    def sip(self, node, verb, *arguments, code=0):
        done = run("sip", verb, "--control", node.socket, "--json", *arguments)
        self.assertEqual(done.returncode, code, (verb, arguments, done.stderr))
        return json.loads(done.stdout) if done.stdout else None
