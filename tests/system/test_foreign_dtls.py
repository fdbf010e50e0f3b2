"""A foreign DTLS client, `openssl s_client` with a node's certificate, against a real peer's bare port:
frames in, exact frames out (RFC 6940 s6.6.2, s6.6.3). No code of ours is on the client's side."""
import fcntl
import os
import queue
import shutil
import subprocess
import sys
import termios
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "foreign"))

import crypto
import wire
from overlay import NAME, Overlay, OverlayTest, wait_until

QUIET_S = 0.4  # nothing comes for so long: nothing will
PATIENCE_S = 15
data, ack = wire.data_frame, wire.ack_frame


def acks_of(frames):
    return [f for f in frames if f[0] == 0x81]


class Client:
    """One s_client. Each send() is one record."""

    def __init__(self, port, cert=None, key=None, ca=None):
        identity = ["-cert", cert, "-key", key] if cert else []
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-dtls1_2", "-quiet", "-brief", "-connect", f"127.0.0.1:{port}", *identity,
             *(["-CAfile", ca, "-verify_return_error"] if ca else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.came, self.buffer, self.ended = queue.Queue(), b"", False
        # From then on each write is a record of its own.
        self.established = any(b"CONNECTION ESTABLISHED" in line for line in self.process.stderr)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while piece := os.read(self.process.stdout.fileno(), 65536):
            self.came.put(piece)
        self.came.put(b"")

    def send(self, record):
        """Waits until s_client has taken it: the next one is to be a record of its own."""
        try:
            self.process.stdin.write(record)
            self.process.stdin.flush()
            wait_until(lambda: self.process.poll() is not None or self.unread() == 0, timeout=60)
        except BrokenPipeError:
            self.ended = True

    def unread(self):
        return int.from_bytes(fcntl.ioctl(self.process.stdin, termios.FIONREAD, bytes(4)), sys.byteorder)

    def take(self, timeout):
        """More bytes into the buffer; False when none came."""
        try:
            piece = self.came.get(timeout=timeout)
        except queue.Empty:
            return False
        self.ended = self.ended or not piece
        self.buffer += piece
        return bool(piece)

    def frames(self):
        """Whole frames that are in the buffer, as they came."""
        out = []
        while True:
            b = self.buffer
            size = 9 if b[:1] == b"\x81" else 8 + int.from_bytes(b[5:8], "big") if len(b) >= 8 else 0
            if b and b[0] not in (0x80, 0x81):
                raise AssertionError(f"not a frame: {b.hex()}")
            if not size or len(b) < size:
                return out
            out.append(b[:size])
            self.buffer = b[size:]

    def exchange(self, records):
        """Sends each record and, when a whole data frame is in it, waits for an ack. All that came."""
        out = []
        for record in records:
            self.send(record)
            known, deadline = len(acks_of(out)), time.monotonic() + PATIENCE_S
            whole = record[:1] == b"\x80" and len(record) == 8 + int.from_bytes(record[5:8], "big")
            while whole and len(acks_of(out)) == known and time.monotonic() < deadline and not self.ended:
                self.take(1)
                out += self.frames()
            if not whole:
                self.take(QUIET_S)
        while self.take(QUIET_S):
            out += self.frames()
        return out + self.frames()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(10)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                pipe.close()
            except BrokenPipeError:
                pass


def acks(*pairs):
    return [ack(n, mask) for n, mask in pairs]


MESSAGE = b"no message of RELOAD: it is acknowledged, for the hop's part is done"
ONE = data(0, MESSAGE)

# What is written, record by record; the exact acks that come back. The peer's own requests may come, too.
CASES = [
    ("R6940-6.6.2-1", "a first frame", [ONE], acks((0, 0))),
    ("R6940-6.6.2-4", "a first frame of any number", [data(5, MESSAGE)], acks((5, 0))),
    ("R6940-6.6.2-6", "the one before", [ONE, data(1, MESSAGE + b"1")], acks((0, 0), (1, 0b10))),
    ("R6940-6.6.2-6", "three in order", [data(n, MESSAGE + bytes([n])) for n in range(3)],
     acks((0, 0), (1, 0b10), (2, 0b110))),
    ("R6940-6.6.2-6", "a gap", [ONE, data(2, MESSAGE + b"2")], acks((0, 0), (2, 0b100))),
    ("R6940-6.6.2-6", "a gap that is filled late", [ONE, data(2, MESSAGE + b"2"), data(1, MESSAGE + b"1")],
     acks((0, 0), (2, 0b100), (1, 0b10))),
    ("R6940-6.6.2-6", "the farthest that a mask shows", [ONE, data(31, MESSAGE + b"1")],
     acks((0, 0), (31, 1 << 31))),
    ("R6940-6.6.2-5", "one farther", [ONE, data(32, MESSAGE + b"1")], acks((0, 0), (32, 0))),
    ("R6940-6.6.2-6", "numbers that wrap", [data(0xffffffff, MESSAGE), data(0, MESSAGE + b"1")],
     acks((0xffffffff, 0), (0, 0b10))),
    ("R6940-6.6.2-6", "a full mask", [data(n, MESSAGE + bytes([n])) for n in range(34)],
     acks(*[(n, (1 << min(n + 1, 32)) - 2 & 0xffffffff) for n in range(34)])),
    ("R6940-6.6.2-4", "one number twice", [ONE, ONE], acks((0, 0), (0, 0))),
    ("R6940-6.6.3-2", "a message again under a new number", [ONE, data(1, MESSAGE)],
     acks((0, 0), (1, 0b10))),
    ("R6940-6.6.2-4", "an empty message", [data(0, b""), data(1, MESSAGE)], acks((0, 0), (1, 0b10))),
    ("R6940-6.6.2-4", "a message above the path MTU", [data(0, bytes(3000))], acks((0, 0))),
    ("R6940-6.6.2-2", "acks are not acknowledged", [ack(0, 0), ack(77, 0xffffffff), ONE], acks((0, 0))),
    ("R6940-6.6.2-1", "a type that is none", [b"\x82" + ONE[1:], ONE], acks((0, 0))),
    ("R6940-6.6.2-1", "type 0", [bytes(20), ONE], acks((0, 0))),
    ("R6940-6.6.2-1", "an ack cut short", [ack(0, 0)[:8], ONE], acks((0, 0))),
    ("R6940-6.6.2-1", "a header cut short", [ONE[:7], ONE], acks((0, 0))),
    ("R6940-6.6.2-1", "a length beyond the record", [ONE[:-1], ONE], acks((0, 0))),
    ("R6940-6.6.2-1", "the greatest length", [ONE[:5] + b"\xff\xff\xff" + MESSAGE, ONE], acks((0, 0))),
    ("R6940-6.6.2-1", "one byte", [b"\x80", ONE], acks((0, 0))),
]


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class ForeignDtls(OverlayTest):
    @classmethod
    def setUpClass(cls):
        cls.net = Overlay(users=("anna",))
        cls.addClassCleanup(cls.net.close)
        cls.net.serve()
        done = cls.net.enroll("anna")
        assert done.returncode == 0, done.stderr
        cls.anna = cls.net.start("anna", "--dtls", first=True)
        cls.ca = os.path.join(cls.net.folder, "ca.pem")
        cls.authority = crypto.Authority(cls.ca, os.path.join(cls.net.folder, "ca.key"))
        cls.clients = 0

    @classmethod
    def node(cls, name, authority, **words):
        return crypto.Identity(cls.net.directory, name, NAME, [os.urandom(16)],
                               user=f"{name}@{NAME}", authority=authority, **words)

    def client(self):
        """Of a node of its own: of two links to one node, one would be closed as surplus."""
        ForeignDtls.clients += 1
        identity = self.node(f"foreign-{self.clients}", self.authority)
        client = Client(self.net.bootstrap, identity.cert, identity.key, ca=self.ca)
        client.identity = identity
        self.addCleanup(client.close)
        return client

    def test_frames_in_and_exact_frames_out(self):
        for row, name, records, wanted in CASES:
            with self.subTest(name, row=row):
                client = self.client()
                out = client.exchange(records)
                self.assertEqual([f.hex() for f in acks_of(out)], [f.hex() for f in wanted])
                for message in self.answers(out):
                    self.assertIn(message.code, (wire.PING, wire.UPDATE))
                self.assertFalse(client.ended)
                client.close()
        self.assertGreater(self.anna.ask("status")["links"]["bad_frames"], 5)

    def ping(self, identity):
        return crypto.seal(wire.Message(code=wire.PING, body=b"\0\0", dest=wire.node(bytes.fromhex(self.anna.id)),
                                        overlay=crypto.overlay_hash(NAME)), identity)

    def answers(self, frames, code=None):
        # A path on which nothing is acknowledged may be narrow: what is long comes in fragments then.
        read = [wire.read_message(f[8:]) for f in frames if f[0] == 0x80 and f[20:24] == b"\xc0\0\0\0"]
        return [m for m in read if code in (None, m.code)]

    # R6940-6.6.2-3 R6940-6.6.3-2
    def test_a_ping_is_acknowledged_and_answered_and_its_answer_repeated_until_it_is_acknowledged(self):
        client = self.client()
        ping = self.ping(client.identity)
        out = client.exchange([data(0, ping.encode())])
        self.assertEqual(acks_of(out)[0].hex(), ack(0, 0).hex())
        sent, deadline = [], time.monotonic() + 60
        while len(sent) < 3 and time.monotonic() < deadline:
            client.take(1)
            out += client.frames()
            sent = [f for f in out if f[0] == 0x80 and self.answers([f], wire.PING + 1)]
        numbers = [int.from_bytes(f[1:5], "big") for f in sent]
        self.assertEqual(len(set(numbers)), len(numbers))  # each transmission has its own
        self.assertEqual(numbers, sorted(numbers))
        self.assertEqual(len({f[8:] for f in sent}), 1)  # the same message
        self.assertEqual(self.answers(sent)[0].transaction, ping.transaction)
        client.send(ack(numbers[-1], 0xfffffffe))
        client.take(QUIET_S)
        client.frames()
        later = []
        for _ in range(8):
            client.take(1)
            later += client.frames()
        self.assertEqual(self.answers(later, wire.PING + 1), [])

    def test_a_message_that_comes_again_under_another_number_is_answered_no_second_time(self):
        client = self.client()
        ping = self.ping(client.identity)
        out = client.exchange([data(0, ping.encode())])
        while not self.answers(out, wire.PING + 1):
            self.assertTrue(client.take(PATIENCE_S))
            out += client.frames()
        client.send(ack(0, 0))
        client.send(ack(1, 0b10))
        client.take(QUIET_S)
        client.frames()
        again = client.exchange([data(1, ping.encode())])  # its ack was lost, it would seem
        self.assertEqual([f.hex() for f in acks_of(again)], [ack(1, 0b10).hex()])

    def refused(self, *arguments, **words):
        client = Client(self.net.bootstrap, *arguments, **words)
        self.addCleanup(client.close)
        return client.exchange([ONE])

    def test_who_is_no_node_of_the_overlay_is_refused(self):
        stranger = crypto.Identity(self.net.directory, "stranger", NAME, [os.urandom(16)])
        other = self.node("other", self.authority, uri="reload://0110{id}@other.example/")
        before = self.anna.ask("status")["links"]
        self.assertEqual(self.refused(), [])
        self.assertEqual(self.refused(stranger.cert, stranger.key), [])
        self.assertEqual(self.refused(other.cert, other.key), [])
        after = self.anna.ask("status")["links"]
        self.assertEqual(after["failed_certificate"] - before["failed_certificate"], 3)
        self.assertEqual(after["handshaking"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
