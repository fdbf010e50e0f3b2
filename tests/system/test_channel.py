"""reload connect and reload listen: channels of applications (RFC 6940 s6.5.2) between real nodes."""
import hashlib
import json
import os
import pathlib
import queue
import random
import socket
import subprocess
import sys
import threading
import unittest

from overlay import RELOAD, OverlayTest, run, wait_until

USERS = ("anna", "bert", "carl")
APPLICATION = 0xf000
MEGABYTE = 1 << 20
# Gives each datagram back in its own; shows whom the program was told to talk with.
ECHO = """
import os, socket
channel = socket.socket(fileno=os.dup(0))
print(os.environ["RELOAD_NODE_ID"], os.environ["RELOAD_APPLICATION"], file=__import__("sys").stderr)
while True:
    datagram = channel.recv(70000)
    if not datagram:
        break
    channel.send(datagram)
"""


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Verb:
    """A running connect or listen; what it tells comes from `next`."""

    def __init__(self, test, verb, node, *arguments, stdin=subprocess.PIPE):
        options, command = (arguments, ()) if "--" not in arguments else (
            arguments[:arguments.index("--")], arguments[arguments.index("--"):])
        self.process = subprocess.Popen(
            [RELOAD, verb, "--control", node.socket, "--json", *map(str, options), *command],
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.events, self.told = queue.Queue(), []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        test.addCleanup(self.end)

    def read(self):
        for line in self.process.stderr:
            text = line.decode()
            self.told.append(text)
            if text.startswith("{"):
                self.events.put(json.loads(text))
        self.events.put({"event": "end of the verb: " + "".join(self.told)})

    def next(self, name):
        event = self.events.get(timeout=60)
        assert event["event"] == name, event
        return event

    def finish(self, data=None):
        """Gives it this to read and waits for its end: exit code and output."""
        out = []
        taking = threading.Thread(target=lambda: out.append(self.process.stdout.read()))
        taking.start()
        try:
            if data is not None:
                self.process.stdin.write(data)
            if self.process.stdin:
                self.process.stdin.close()
        except BrokenPipeError:
            pass
        taking.join(120)
        return self.process.wait(60), out[0]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(10)
        for file in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                if file:
                    file.close()
            except BrokenPipeError:
                pass


class Channels(OverlayTest):
    def nodes(self, *options, ice=False):
        net = self.overlay(ice=ice, users=USERS)
        net.serve()
        for user in USERS:
            done = net.enroll(user)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.anna = net.start("anna", *options, first=True)
        self.bert = net.start("bert", *options)
        self.net, self.options = net, options
        return self.anna, self.bert

    def listen(self, node, *arguments):
        listener = Verb(self, "listen", node, *arguments)
        self.assertEqual(listener.next("listening")["application"], arguments[0])
        return listener

    def connect(self, node, other, application=APPLICATION, *arguments):
        return Verb(self, "connect", node, other.id, application, *arguments)

    def test_ten_megabytes_go_both_ways_at_once_and_arrive_as_they_were(self):
        anna, bert = self.nodes()
        there, back = os.urandom(10 * MEGABYTE), os.urandom(10 * MEGABYTE)
        listener = self.listen(bert, APPLICATION)
        caller = self.connect(anna, bert)
        opened, accepted = caller.next("opened"), listener.next("opened")
        self.assertEqual((opened["node_id"], accepted["node_id"]), (bert.id, anna.id))
        self.assertEqual(opened["protocol"], "TLS-TCP-FH-NO-ICE")
        self.assertFalse(opened["datagrams"])
        results = {}
        sending = threading.Thread(target=lambda: results.update(listener=listener.finish(back)))
        sending.start()
        results["caller"] = caller.finish(there)
        sending.join()
        for name, sent, verb in (("listener", there, listener), ("caller", back, caller)):
            code, got = results[name]
            self.assertEqual((code, len(got), digest(got)), (0, len(sent), digest(sent)))
            closed = verb.next("closed")
            self.assertTrue(closed["ok"])
            self.assertEqual((closed["bytes_in"], closed["bytes_out"]), (10 * MEGABYTE,) * 2)

    def test_one_direction_ends_and_the_other_goes_on(self):
        anna, bert = self.nodes()
        listener = self.listen(bert, APPLICATION)
        caller = self.connect(anna, bert)
        caller.process.stdin.write(b"question")
        caller.process.stdin.close()
        self.assertEqual(listener.process.stdout.read(), b"question")  # and its end
        self.assertIsNone(listener.process.poll())
        code, got = listener.finish(b"answer")
        self.assertEqual(code, 0)
        self.assertEqual(caller.process.stdout.read(), b"answer")
        self.assertEqual(caller.process.wait(60), 0)

    def test_who_does_not_read_slows_the_sender_down(self):
        anna, bert = self.nodes()
        listener = self.listen(bert, APPLICATION)
        caller = self.connect(anna, bert)
        sent = 0
        os.set_blocking(caller.process.stdin.fileno(), False)
        idle = threading.Event()
        stalled = 0
        while stalled < 20:  # it stays so: nobody reads at the other end
            try:
                sent += os.write(caller.process.stdin.fileno(), b"x" * 65536)
                stalled = 0
            except BlockingIOError:
                stalled += 1
                idle.wait(0.1)
            self.assertLess(sent, 64 * MEGABYTE)
        os.set_blocking(caller.process.stdin.fileno(), True)
        got = []
        taking = threading.Thread(target=lambda: got.append(len(listener.process.stdout.read())))
        taking.start()
        caller.process.stdin.close()
        taking.join(120)
        self.assertEqual(got, [sent])

    # R6940-6.5.2.2-4
    def test_an_application_that_nobody_serves_is_refused(self):
        anna, bert = self.nodes()
        self.listen(bert, APPLICATION)
        for application in (APPLICATION + 1, 1):
            caller = self.connect(anna, bert, application)
            failed = caller.next("failed")
            self.assertEqual((failed["code"], failed["error_name"]), ("refused", "Error_Not_Found"))
            self.assertEqual(caller.finish(), (4, b""))
        plain = run("connect", "--control", anna.socket, bert.id, 2)
        self.assertEqual((plain.returncode, plain.stdout), (4, ""))
        self.assertIn("does not serve this application", plain.stderr)

    def test_one_application_is_served_once_and_no_longer_than_its_listener_lives(self):
        anna, bert = self.nodes()
        first = self.listen(bert, APPLICATION)
        second = Verb(self, "listen", bert, APPLICATION)
        self.assertIn("already", second.next("failed")["error"])
        self.assertEqual(second.finish()[0], 1)
        self.assertEqual(Verb(self, "listen", bert, 5060).finish()[0], 1)  # the phone's
        first.process.kill()
        first.process.wait()
        wait_until(lambda: self.connect(anna, bert).finish()[0] == 4)
        third = self.listen(bert, APPLICATION)
        caller = self.connect(anna, bert)
        caller.next("opened")
        self.assertEqual(self.connect(anna, bert).finish()[0], 4)  # without a command: one channel
        third.process.stdin.close()
        self.assertEqual(caller.finish(b"to the first"), (0, b""))
        self.assertEqual(third.process.stdout.read(), b"to the first")
        self.assertEqual(third.process.wait(60), 0)

    def test_wrong_usage(self):
        anna, bert = self.nodes()
        for arguments in ((bert.id, "0"), (bert.id, "65536"), (bert.id, "http"), ("xyz", "7"), (bert.id,)):
            done = run("connect", "--control", anna.socket, *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
        self.assertEqual(run("listen", "--control", anna.socket, "many").returncode, 2)
        self.assertEqual(run("listen", "--control", anna.socket, "7", "--linger", "-1").returncode, 2)
        nobody = "%032x" % random.getrandbits(128)
        self.assertEqual(run("connect", "--control", anna.socket, nobody, 7).returncode, 1)

    def test_a_far_end_that_is_killed_is_an_error_after_what_had_come(self):
        anna, bert = self.nodes()
        listener = self.listen(bert, APPLICATION)
        caller = self.connect(anna, bert)
        listener.process.stdin.write(b"half a")
        listener.process.stdin.flush()
        self.assertEqual(os.read(caller.process.stdout.fileno(), 100), b"half a")
        bert.process.kill()
        code, _ = caller.finish()
        self.assertEqual(code, 1)
        caller.next("opened")
        closed = caller.next("closed")
        self.assertFalse(closed["ok"])
        self.assertTrue(closed["reason"])
        self.assertEqual(listener.finish()[0], 3)  # its own peer is gone

    def test_a_command_serves_many_channels_at_once(self):
        anna, bert = self.nodes()
        carl = self.net.start("carl", *self.options)
        self.listen(bert, APPLICATION, "--", "cat")
        data = {i: os.urandom(100000 + i) for i in range(20)}
        callers = {i: self.connect((anna, carl)[i % 2], bert) for i in data}
        for caller in callers.values():
            caller.next("opened")  # all are up before the first sends
        results = {}
        threads = [threading.Thread(target=lambda i=i: results.update({i: callers[i].finish(data[i])}))
                   for i in data]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({i: (code, digest(got)) for i, (code, got) in results.items()},
                         {i: (0, digest(d)) for i, d in data.items()})

    def test_what_a_command_wrote_before_it_ended_arrives(self):
        anna, bert = self.nodes()
        count = 3 * MEGABYTE
        self.listen(bert, APPLICATION, "--", "head", "-c", str(count), "/dev/zero")
        caller = self.connect(anna, bert)
        self.assertEqual(caller.finish()[1], bytes(count))

    def test_more_channels_than_a_node_may_have_are_refused(self):
        anna, bert = self.nodes()
        self.listen(bert, APPLICATION, "--", "cat")
        callers = []
        for _ in range(32):
            callers.append(self.connect(anna, bert))
            callers[-1].next("opened")
        surplus = self.connect(anna, bert)
        self.assertIn("too many", surplus.next("failed")["error"])
        self.assertEqual(surplus.finish()[0], 1)
        self.assertEqual(callers[0].finish(b"still there"), (0, b"still there"))

    def echo(self, caller, listener, who):
        """Datagrams keep their boundaries; run over whatever carries them."""
        opened = caller.next("opened")
        self.assertTrue(opened["datagrams"])
        self.assertGreater(opened["longest_datagram"], 500)
        sent = b"".join(b"%05d" % i for i in range(2000))  # 5-byte pieces would show a mix-up
        code, got = caller.finish(sent)
        self.assertEqual((code, got), (0, sent))
        closed = caller.next("closed")
        self.assertEqual((closed["bytes_out"], closed["bytes_in"]), (len(sent), len(sent)))
        wait_until(lambda: f"{who.id} {APPLICATION}\n" in listener.told)
        return opened

    def test_datagrams_over_dtls(self):
        anna, bert = self.nodes("--dtls")
        listener = self.listen(bert, APPLICATION, "--", sys.executable, "-c", ECHO)
        opened = self.echo(self.connect(anna, bert), listener, anna)
        self.assertEqual(opened["protocol"], "DTLS-UDP-SR-NO-ICE")
        self.assertEqual(self.connect(anna, bert, 99).finish()[0], 4)

    def test_datagrams_over_ice(self):
        anna, bert = self.nodes(ice=True)
        listener = self.listen(bert, APPLICATION, "--", sys.executable, "-c", ECHO)
        opened = self.echo(self.connect(anna, bert), listener, anna)
        self.assertEqual(opened["protocol"], "DTLS-UDP-SR")
        self.assertEqual(self.connect(anna, bert, 99).finish()[0], 4)

    def test_any_program_can_take_a_channel_from_the_control_socket(self):
        """Lines and descriptors without our verbs: each write is one datagram, whatever its size."""
        anna, bert = self.nodes("--dtls")
        self.listen(bert, APPLICATION, "--", sys.executable, "-c", ECHO)
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(anna.socket)
            control.sendall(json.dumps({"verb": "connect", "node": bert.id, "application": APPLICATION,
                                        "id": 7}).encode() + b"\n")
            line, descriptors, _, _ = socket.recv_fds(control, 65536, 4)
            answer = json.loads(line)
            self.assertEqual((answer["ok"], answer["id"], len(descriptors)), (True, 7, 1))
            with socket.socket(fileno=descriptors[0]) as channel:
                self.assertEqual(channel.type, socket.SOCK_SEQPACKET)
                channel.settimeout(30)
                for size in (1, 2, 500, answer["longest_datagram"], 4000, 16384):
                    datagram = os.urandom(size)
                    channel.send(datagram)
                    self.assertEqual(channel.recv(70000), datagram)
                channel.send(bytes(16385))  # too long: dropped and counted
                channel.send(b"last")
                self.assertEqual(channel.recv(70000), b"last")
            told = b""
            while b"channel_closed" not in told:
                told += control.recv(65536)
            closed = json.loads(told)
            self.assertEqual((closed["ok"], closed["dropped_datagrams"]), (True, 1))

    def test_a_caller_that_is_killed_while_it_asks_leaves_nothing_behind(self):
        anna, bert = self.nodes()
        listener = self.listen(bert, APPLICATION)
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(anna.socket)
            for _ in range(20):
                control.sendall(json.dumps({"verb": "connect", "node": bert.id,
                                            "application": APPLICATION + 1}).encode() + b"\n")
        self.assertEqual(anna.ask("status")["state"], "joined")
        self.assertEqual(listener.process.poll(), None)
        descriptors = f"/proc/{anna.process.pid}/fd"
        before = len(os.listdir(descriptors))
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as control:
                control.connect(anna.socket)
                control.sendall(json.dumps({"verb": "connect", "node": bert.id,
                                            "application": APPLICATION + 1}).encode() + b"\n")
        wait_until(lambda: len(os.listdir(descriptors)) <= before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
