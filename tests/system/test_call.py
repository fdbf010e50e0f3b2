"""Calls between real nodes: signalling, keys, sound (RFC 7904 s5, RFC 3261, RFC 5763, RFC 8839)."""
import json
import os
import signal
import socket
import struct
import subprocess
import unittest
import wave

from babble import babble
from overlay import NAME, RELOAD, run, wait_until
from sip_overlay import SipTest
from test_audio import tone, write

ALICE, BOB, CAROL = (f"{user}@{NAME}" for user in ("alice", "bob", "carol"))


def ask(node, verb, ok=True, **fields):
    """One request on the control socket of a node."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(node.socket)
        lines = s.makefile("rw")
        lines.write(json.dumps({"verb": verb, **fields}) + "\n")
        lines.flush()
        answer = json.loads(lines.readline())
    assert answer["ok"] == ok, answer
    return answer


def level(path, channel):
    """Mean square of one channel of a recording, after its first half second."""
    with wave.open(path) as f:
        assert (f.getnchannels(), f.getframerate()) == (2, 48000)
        samples = struct.unpack(f"<{2 * f.getnframes()}h", f.readframes(f.getnframes()))
    samples = samples[channel::2][24000:]
    return sum(x * x for x in samples) / max(1, len(samples))


class Talk(SipTest):
    def pair(self, *options, ice=False):
        """alice, a client, and bob, registered both."""
        overlay = self.overlay(ice=ice)
        bob = self.device(overlay, "bob", "bob", "--first", *options, listen=overlay.bootstrap)
        alice = self.device(overlay, "alice", "alice", "--client", *options)
        for node in (alice, bob):
            self.sip(node, "register")
        alice.talk, bob.talk = (babble(overlay.path(f"{user}.wav"), user) for user in (ALICE, BOB))
        return overlay, alice, bob

    def state(self, events, state, timeout=30):
        while True:
            event = events.next("call", timeout=timeout)
            if event["state"] == state:
                return event
            self.assertNotEqual(event["state"], "ended", event)

    def media(self, events, state):
        while events.next("call_media")["media"] != state:
            pass

    def establish(self, alice, bob, **alice_words):
        heard = self.events(alice), self.events(bob)
        number = ask(alice, "sip_call", to=BOB, device=alice.talk, **alice_words)["call"]
        offered = self.state(heard[1], "offered")
        self.assertEqual((offered["with"], offered["direction"]), (ALICE, "in"))
        ringing = self.state(heard[0], "ringing")
        self.assertEqual((ringing["with"], ringing["call"]), (BOB, number))
        ask(bob, "sip_answer", device=bob.talk)
        for events in heard:
            self.connected(events)
        return heard

    def connected(self, events):
        """Until it is established and the far end is heard: its sound may be faster than its ACK."""
        missing = {"established", "call_audio"}
        while missing:
            event = events.next("call", "call_audio")
            missing -= {event["event"], event["state"]}

    def end(self, caller, heard):
        ask(caller, "sip_hangup")
        for events in heard:
            event = self.state(events, "ended")
            self.assertEqual(event["status"], 200)
            yield event


class Call(Talk):
    def check_talk(self, *options, ice=False):
        overlay, alice, bob = self.pair(*options, ice=ice)
        recording = overlay.path("alice.wav")
        heard = self.establish(alice, bob, recording=recording)
        wait_until(lambda: ask(alice, "sip_calls")["calls"][0]["counters"]["frames_played"] > 60)
        for node in (alice, bob):
            call, = ask(node, "sip_calls")["calls"]
            self.assertEqual((call["state"], call["media"], call["send"], call["receive"]),
                             ("established", "secure", True, True))
            self.assertIn("GCM", call["srtp"])
            self.assertEqual("ice" in call, ice)
            self.assertGreater(call["quality"]["heard_dbov"], -90)
        for event in self.end(alice, heard):
            self.assertGreater(event["counters"]["rtp_sent"], 20)
            self.assertEqual(event["counters"]["unauthentic"], 0)
            self.assertEqual(event["counters"]["elsewhere"], 0)
            self.assertEqual(event["counters"]["malformed"], 0)
            self.assertIn("stun", event["counters"])
            self.assertGreater(event["setup_ms"], 0)
        self.assertEqual(ask(alice, "sip_calls")["calls"], [])
        self.assertEqual(os.stat(recording).st_mode & 0o777, 0o600)
        for channel in (0, 1):
            self.assertGreater(level(recording, channel), 10000)

    def test_two_talk_over_tls_links(self):
        self.check_talk()

    def test_two_talk_over_dtls_links(self):
        self.check_talk("--dtls")

    def test_two_talk_over_ice(self):
        self.check_talk(ice=True)

    def test_a_call_is_refused_given_up_or_answered_by_nobody(self):
        overlay, alice, bob = self.pair()
        heard = self.events(alice), self.events(bob)

        def ring():
            ask(alice, "sip_call", to=BOB, device="null")
            self.state(heard[1], "offered")
            self.state(heard[0], "ringing")

        for status in (486, 603):
            with self.subTest("refused", status=status):
                ring()
                ask(bob, "sip_decline", status=status)
                for events in heard:
                    self.assertEqual(self.state(events, "ended")["status"], status)
        with self.subTest("given up by the caller"):
            ring()
            ask(alice, "sip_hangup")
            for events in heard:
                self.assertEqual(self.state(events, "ended")["status"], 487)
        with self.subTest("nobody is registered"):
            ask(alice, "sip_call", to=CAROL, device="null")
            self.assertEqual(self.state(heard[0], "ended")["status"], 404)
        with self.subTest("the callee's program ends while it rings"):
            ring()
            bob.terminate()
            self.assertIn(self.state(heard[0], "ended")["status"], (480, 486, 503))

    def test_nobody_answers_in_time(self):
        """RFC 3261 s9.1, s13.3.1.1: whose patience ends first, the caller's or the callee's."""
        overlay = self.overlay()
        bob = self.device(overlay, "bob", "bob", "--first", listen=overlay.bootstrap)
        alice = self.device(overlay, "alice", "alice", "--client", "--ring", "2")
        for node in (alice, bob):
            self.sip(node, "register")
        heard = {node: self.events(node) for node in (alice, bob)}
        for caller, callee, to, status, theirs in ((alice, bob, BOB, 408, 487),
                                                   (bob, alice, ALICE, 480, 480)):
            with self.subTest(status=status):
                ask(caller, "sip_call", to=to, device="null")
                self.state(heard[callee], "offered")
                self.state(heard[caller], "ringing")
                self.assertEqual(self.state(heard[caller], "ended")["status"], status)
                self.assertEqual(self.state(heard[callee], "ended")["status"], theirs)
                for node in (alice, bob):
                    self.assertEqual(ask(node, "sip_calls")["calls"], [])
        done = run("peer", "--identity", overlay.path("x"), "--ring", "3601")
        self.assertEqual(done.returncode, 2, done.stderr)

    def test_what_cannot_be_is_refused_at_once(self):
        overlay, alice, bob = self.pair()
        for fields in ({"to": "nonsense"}, {"device": "gramophone"}, {"recording": alice.socket}):
            with self.subTest(fields):
                answer = ask(alice, "sip_call", ok=False,
                             **{"to": BOB, "device": "null", **fields})
                self.assertEqual(answer["code"], "usage")
        for verb in ("answer", "decline", "hangup", "hold", "move", "press"):
            self.assertIn("no such call", ask(alice, "sip_" + verb, ok=False, keys="1", device="null",
                                              on=True)["error"])

    def test_what_is_of_a_wrong_kind_is_not_taken_for_nothing(self):
        _, alice, _ = self.pair()
        for verb, fields, word in (
                ("call", {"device": 7}, "device"), ("call", {"recording": ["x"]}, "recording"),
                ("call", {"to": {}}, "to"), ("answer", {"call": "1"}, "call"),
                ("hangup", {"call": 4294967297}, "call"), ("hangup", {"call": 1.5}, "call"),
                ("hold", {"on": "yes"}, "on"), ("hold", {}, "on"), ("decline", {"status": "busy"}, "status"),
                ("press", {"keys": 5}, "keys"), ("message", {"text": 5}, "text"),
                ("message", {"text": "x", "type": "nonsense"}, "type"), ("register", {"scheme": 5}, "scheme"),
                ("register", {"lifetime": 1e3}, "lifetime"), ("lookup", {"anew": "x", "uri": BOB}, "anew")):
            with self.subTest(verb, **fields):
                answer = ask(alice, "sip_" + verb, ok=False, **{"to": BOB, **fields})
                self.assertEqual(answer["code"], "usage")
                self.assertIn(f'"{word}"', answer["error"])
        self.assertEqual(ask(alice, "sip_calls")["calls"], [])

    def check_changes(self, alice, bob):
        heard = self.establish(alice, bob)
        with self.subTest("held"):
            ask(alice, "sip_hold", on=True)
            for events, send, receive in zip(heard, (True, False), (False, True)):
                event = self.directions(events, send, receive)
                self.assertEqual(event["state"], "established")
            before = ask(bob, "sip_calls")["calls"][0]["counters"]["rtp_received"]
            ask(alice, "sip_hold", on=False)
            for events in heard:
                self.directions(events, True, True)
            wait_until(lambda: ask(bob, "sip_calls")["calls"][0]["counters"]["rtp_received"] > before + 20)
        with self.subTest("keys"):
            ask(bob, "sip_press", keys="42#")
            self.assertEqual([heard[0].next("call_key")["key"] for _ in range(3)], list("42#"))
            self.assertEqual(ask(bob, "sip_press", ok=False, keys="x")["code"], "usage")
        return heard

    def directions(self, events, send, receive):
        while True:
            event = events.next("call_media")
            if (event["send"], event["receive"]) == (send, receive):
                return event

    def test_hold_resume_and_keys(self):
        _, alice, bob = self.pair()
        list(self.end(bob, self.check_changes(alice, bob)))

    def test_hold_keys_and_another_path_over_ice(self):
        _, alice, bob = self.pair(ice=True)
        heard = self.check_changes(alice, bob)
        before = [ask(node, "sip_calls")["calls"][0] for node in (alice, bob)]
        ask(alice, "sip_move")

        def moved(node, old):
            call, = ask(node, "sip_calls")["calls"]
            return (call.get("ice", old["ice"])["local"] != old["ice"]["local"] and
                    call["counters"]["rtp_received"] > old["counters"]["rtp_received"] + 50)

        for node, old in zip((alice, bob), before):
            wait_until(lambda: moved(node, old))
        list(self.end(alice, heard))

    def test_several_devices_ring_and_one_wins(self):
        overlay, alice, bob = self.pair()
        other = self.device(overlay, "bob", "bob-2")
        self.sip(other, "register")
        heard = {node: self.events(node) for node in (alice, bob, other)}
        ask(alice, "sip_call", to=BOB, device="null")
        for node in (bob, other):
            self.state(heard[node], "offered")
        ask(other, "sip_answer", device="null")
        for node in (alice, other):
            self.state(heard[node], "established")
        self.assertEqual(self.state(heard[bob], "ended")["status"], 487)
        self.assertEqual(ask(bob, "sip_calls")["calls"], [])
        list(self.end(other, (heard[alice], heard[other])))

    def test_an_address_that_plays_back_what_it_hears(self):
        overlay = self.overlay()
        echo = self.device(overlay, "echo", "echo", "--first", "--answer", "mirror",
                           listen=overlay.bootstrap)
        alice = self.device(overlay, "alice", "alice", "--client")
        self.sip(echo, "register")
        recording = overlay.path("alice.wav")
        done = run("sip", "call", "--control", alice.socket, "--json", "--device", "tone", "--record",
                   recording, "--seconds", "2", f"echo@{NAME}")
        self.assertEqual(done.returncode, 0, done.stderr)
        last = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual((last["event"], last["state"], last["status"]), ("call", "ended", 200))
        self.assertGreater(level(recording, 1), 1000)
        done = run("sip", "call", "--control", alice.socket, "--device", "null", "--seconds", "0.5",
                   f"echo@{NAME}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"echo@{NAME}: established", done.stdout)
        done = run("sip", "call", "--control", alice.socket, "--device", "null", CAROL)
        self.assertEqual(done.returncode, 1, done.stdout)

    def test_a_client_of_any_peer_is_called_by_way_of_that_peer(self):
        """Only the peer that it is linked to knows the way (RFC 6940 s4.2.1)."""
        overlay, alice, bob = self.pair()
        for i in range(3):
            self.device(overlay, f"p{i}", f"p{i}")
        carol = self.device(overlay, "carol", "carol", "--client=any", "--answer", "tone")
        self.sip(carol, "register")
        found, = self.sip(alice, "lookup", CAROL)["targets"]
        self.assertEqual([entry["id"] for entry in found["destination_list"]], [bob.id, carol.id])
        heard = self.events(alice)
        ask(alice, "sip_call", to=CAROL, device="null")
        heard.next("call_audio")
        list(self.end(alice, (heard,)))

    def test_a_client_of_its_own_for_one_call(self):
        overlay = self.overlay(users=("alice", "echo"))
        overlay.serve()
        for user in ("alice", "echo"):
            self.assertEqual(overlay.enroll(user).returncode, 0)
        echo = overlay.start("echo", "--answer", "mirror", first=True)
        self.sip(echo, "register")
        heard = self.events(echo)
        own = ["--identity", overlay.path("alice"), "--json"]
        done = run("sip", "call", *own, "--device", "tone", "--seconds", "1", f"echo@{NAME}")
        self.assertEqual(done.returncode, 0, done.stderr)
        last = json.loads(done.stdout.splitlines()[-1])
        self.assertGreater(last["counters"]["frames_played"], 20)
        self.assertEqual(self.state(heard, "ended")["with"], ALICE)
        done = run("sip", "message", *own, f"echo@{NAME}", "hello")
        self.assertEqual((done.returncode, json.loads(done.stdout)["status"]), (0, 200), done.stderr)
        self.assertEqual(heard.next("message")["from"], ALICE)
        done = run("sip", "call", "--identity", overlay.path("nobody"), BOB)
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_a_client_of_its_own_takes_the_next_call(self):
        """`sip answer --identity` joins, registers, waits, talks and leaves."""
        overlay = self.overlay(users=("alice", "bob"))
        overlay.serve()
        for user in ("alice", "bob"):
            self.assertEqual(overlay.enroll(user).returncode, 0)
        bob = overlay.start("bob", first=True)
        heard = self.events(bob)
        said, recording = overlay.path("hello, bob.wav"), overlay.path("alice.wav")
        write(said, tone(440, 2 * 48000))
        answer = subprocess.Popen([RELOAD, "sip", "answer", "--identity", overlay.path("alice"),
                                   "--json", "--play", said, "--record", recording],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: answer.poll() is None and answer.kill())
        wait_until(lambda: run("sip", "lookup", "--control", bob.socket, ALICE).returncode == 0)
        ask(bob, "sip_call", to=ALICE, device="tone:660")
        heard.next("call_audio")
        wait_until(lambda: ask(bob, "sip_calls")["calls"][0]["counters"]["frames_played"] > 80)
        ask(bob, "sip_hangup")
        self.assertEqual(self.state(heard, "ended")["status"], 200)
        out, err = answer.communicate(timeout=60)
        self.assertEqual(answer.returncode, 0, err)
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([e["state"] for e in events if e["event"] == "call"][-1], "ended")
        self.assertEqual({(e["with"], e["direction"]) for e in events}, {(BOB, "in")})
        for channel in (0, 1):
            self.assertGreater(level(recording, channel), 10000)
        self.assertEqual(run("sip", "lookup", "--anew", "--control", bob.socket, ALICE).returncode, 1)

    def test_a_client_of_its_own_that_nobody_calls_goes_when_it_is_told(self):
        overlay = self.overlay(users=("alice", "bob"))
        overlay.serve()
        for user in ("alice", "bob"):
            self.assertEqual(overlay.enroll(user).returncode, 0)
        bob = overlay.start("bob", first=True)
        answer = subprocess.Popen([RELOAD, "sip", "answer", "--identity", overlay.path("alice"),
                                   "--device", "null"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: answer.poll() is None and answer.kill())
        self.assertEqual(answer.stdout.readline(), "waiting for a call\n")
        self.assertEqual(run("sip", "lookup", "--control", bob.socket, ALICE).returncode, 0)
        answer.send_signal(signal.SIGINT)
        out, _ = answer.communicate(timeout=60)
        self.assertEqual((answer.returncode, out), (1, ""))
        self.assertEqual(run("sip", "lookup", "--anew", "--control", bob.socket, ALICE).returncode, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
