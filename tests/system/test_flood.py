"""Floods against a real peer: hellos to its bare UDP port, connections that never say enough to its TCP
port. An honest peer's Ping goes on being answered, nothing is kept for strangers, and all is counted."""
import os
import pathlib
import select
import socket
import struct
import threading
import time
import unittest

from overlay import OverlayTest, wait_until

USERS = ("anna", "bert", "carl")
SOCKETS = 200
RATE, SECONDS = 10000, 3  # hellos
CONNECTIONS = 150


def client_hello(random, cookie=b""):
    """DTLS 1.2 (RFC 6347 s4.2.1), as a client sends it first: with an empty cookie."""
    def extension(kind, body):
        return struct.pack(">HH", kind, len(body)) + body

    extensions = (extension(10, struct.pack(">HHH", 4, 23, 24)) +              # groups
                  extension(11, b"\x01\x00") +                                 # point formats
                  extension(13, struct.pack(">HHH", 4, 0x0403, 0x0804)) +      # signatures
                  extension(23, b""))                                          # extended master secret
    body = (b"\xfe\xfd" + random + b"\x00" + bytes([len(cookie)]) + cookie +
            struct.pack(">HHH", 4, 0xC02B, 0xC02F) + b"\x01\x00" +
            struct.pack(">H", len(extensions)) + extensions)
    length = struct.pack(">I", len(body))[1:]
    handshake = b"\x01" + length + b"\x00\x00" + b"\x00\x00\x00" + length + body
    return b"\x16\xfe\xff" + bytes(8) + struct.pack(">H", len(handshake)) + handshake


def resident_kb(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


class Pinging:
    """Pings a node without a pause, until `stop`."""

    def __init__(self, node, target):
        self.answered, self.failures, self.slowest = 0, [], 0.0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(node, target))
        self.thread.start()

    def run(self, node, target):
        while not self.over.is_set():
            start = time.monotonic()
            try:
                node.ask("ping", target.id)
                self.answered += 1
            except AssertionError as error:
                self.failures.append(str(error))
            self.slowest = max(self.slowest, time.monotonic() - start)

    def stop(self):
        self.over.set()
        self.thread.join(60)


class Flood(OverlayTest):
    def peers(self, *options):
        net = self.overlay(users=USERS)
        net.serve()
        for user in USERS:
            done = net.enroll(user)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.anna = net.start("anna", *options, first=True)
        self.bert = net.start("bert", *options)
        self.net, self.at = net, ("127.0.0.1", net.bootstrap)

    def links(self):
        return self.anna.ask("status")["links"]

    def strangers(self):
        sockets = []
        for _ in range(SOCKETS):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.addCleanup(s.close)
            s.bind(("127.0.0.1", 0))
            s.connect(self.at)
            s.setblocking(False)
            sockets.append(s)
        return sockets

    def answers(self, sockets):
        """All that has come: lengths and first bytes."""
        got = []
        for s in sockets:
            try:
                while True:
                    got.append(s.recv(4000))
            except OSError:
                pass
        return got

    def flood(self, sockets, make):
        start, sent, got = time.monotonic(), 0, []
        while sent < RATE * SECONDS:
            due = min(RATE * SECONDS, int((time.monotonic() - start) * RATE) + 1)
            while sent < due:
                try:
                    sockets[sent % SOCKETS].send(make(sent))
                except OSError:
                    pass  # the queue is full, or the last one was refused
                sent += 1
            got += self.answers(sockets)
            select.select([], [], [], 0.001)
        return sent, got

    # R6940-6.6.1-1
    def test_hellos_leave_no_state_and_get_less_than_they_are(self):
        self.peers("--dtls")
        before, sockets, memory = self.links(), self.strangers(), resident_kb(self.anna.process)
        descriptors = len(os.listdir(f"/proc/{self.anna.process.pid}/fd"))
        pinging = Pinging(self.bert, self.anna)
        hellos = [client_hello(os.urandom(32)) for _ in range(64)]
        sent, got = self.flood(sockets, lambda i: hellos[i % 64])
        pinging.stop()
        got += self.answers(sockets)
        after = self.links()
        print(f"{sent} hellos, {after['challenged']} challenged, {len(got)} answers seen; "
              f"{pinging.answered} pings answered, the slowest took {pinging.slowest:.2f} s")
        self.assertEqual(pinging.failures, [])
        self.assertGreater(pinging.answered, 0)
        self.assertEqual((after["accepted"], after["handshaking"]), (before["accepted"], 0))
        self.assertLessEqual(after["up"], before["up"])
        self.assertGreater(after["challenged"], 1000)
        self.assertTrue(got)
        for answer in got:
            self.assertLess(len(answer), len(hellos[0]))
            self.assertEqual((answer[0], answer[13]), (22, 3))  # a HelloVerifyRequest and nothing else
        self.assertEqual(len(os.listdir(f"/proc/{self.anna.process.pid}/fd")), descriptors)
        self.assertLess(resident_kb(self.anna.process) - memory, 20000)

    def test_hellos_with_cookies_of_their_own_making_are_only_challenged_again(self):
        self.peers("--dtls")
        sockets = self.strangers()
        hello = client_hello(bytes(32), cookie=os.urandom(32))
        for s in sockets:
            s.send(hello)
        wait_until(lambda: self.links()["challenged"] >= SOCKETS)
        self.assertEqual(self.links()["handshaking"], 0)
        for answer in self.answers(sockets):
            self.assertLess(len(answer), len(hello))
            self.assertEqual(answer[13], 3)

    def test_what_is_neither_dtls_nor_stun_is_counted_and_not_answered(self):
        self.peers("--dtls")
        before, sockets = self.links()["strays"], self.strangers()
        sent, got = self.flood(sockets, lambda i: b"\xc8" + bytes(i % 1000))
        self.assertEqual(got, [])
        wait_until(lambda: self.links()["strays"] - before > 1000)
        self.assertEqual(self.bert.ask("ping", self.anna.id)["node_id"], self.anna.id)

    def test_connections_that_drip_are_cut_and_counted(self):
        """Slowloris: each sends the start of a TLS record and then a byte now and then."""
        self.peers()
        before = self.links()
        pinging = Pinging(self.bert, self.anna)
        drips = []
        for _ in range(CONNECTIONS):
            s = socket.create_connection(self.at, timeout=10)
            self.addCleanup(s.close)
            s.setblocking(False)
            drips.append(s)
        wait_until(lambda: self.links()["handshaking"] > 100)
        carl = self.net.start("carl")  # newcomers from the same address get in
        wait_until(lambda: carl.ask("status")["state"] == "joined")
        self.assertGreater(self.links()["handshaking"], 100)
        alive, deadline = set(drips), time.monotonic() + 120
        record = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)
        at = 0
        while alive and time.monotonic() < deadline:
            for s in list(alive):
                try:
                    s.send(record[at % 500:at % 500 + 1])
                    if s.recv(100) == b"":
                        alive.discard(s)
                except BlockingIOError:
                    pass
                except OSError:
                    alive.discard(s)
            at += 1
            time.sleep(0.5)
        pinging.stop()
        self.assertEqual(alive, set())
        self.assertEqual(pinging.failures, [])
        self.assertGreater(pinging.answered, 0)
        after = self.links()
        self.assertEqual(after["handshaking"], 0)
        self.assertLessEqual(after["up"], before["up"] + 2)
        self.assertGreaterEqual(after["failed_timeout"] + after["evicted"] -
                                before["failed_timeout"] - before["evicted"], CONNECTIONS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
