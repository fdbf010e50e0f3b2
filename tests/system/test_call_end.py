"""How calls end: what each side's program is told, by a word, and what its user reads."""
import subprocess
import time
import unittest

from overlay import NAME, RELOAD, run
from test_call import ALICE, BOB, CAROL, Talk, ask

DAVE, ERIN = (f"{user}@{NAME}" for user in ("dave", "erin"))


class End(Talk):
    def ends(self, heard, *causes):
        for events, cause in zip(heard, causes):
            event = self.state(events, "ended")
            self.assertEqual(event["cause"], cause, event)
            self.assertTrue(event["reason"], event)

    def ring(self, alice, heard, to=BOB):
        ask(alice, "sip_call", to=to, device="null")
        self.state(heard[1], "offered")
        self.state(heard[0], "ringing")

    def test_each_end_has_a_word_and_a_sentence(self):
        overlay, alice, bob = self.pair()
        carol = self.device(overlay, "carol", "carol", "--ring", "1")
        self.sip(carol, "register")
        heard = [self.events(node) for node in (alice, bob, carol)]
        for status, theirs in ((486, "busy"), (603, "declined"), (404, "not_registered"),
                               (488, "not_acceptable"), (403, "refused"), (500, "failed")):
            with self.subTest(status=status):
                self.ring(alice, heard)
                ask(bob, "sip_decline", status=status)
                self.ends(heard, theirs, "declined")
        with self.subTest("given up"):
            self.ring(alice, heard)
            ask(alice, "sip_hangup")
            self.ends(heard, "given_up", "caller_gave_up")
        with self.subTest("nobody answers"):
            self.ring(alice, (heard[0], heard[2]), CAROL)
            self.ends((heard[0], heard[2]), "no_answer", "missed")
        for who, theirs in ((0, ("hung_up", "they_hung_up")), (1, ("they_hung_up", "hung_up"))):
            with self.subTest("hung up", by=who):
                self.ring(alice, heard)
                ask(bob, "sip_answer", device="null")
                for events in heard[:2]:
                    self.connected(events)
                ask((alice, bob)[who], "sip_hangup")
                self.ends(heard, *theirs)
        with self.subTest("in a circle"):
            self.sip(self.device(overlay, "dave", "dave"), "forward", ERIN)
            self.sip(self.device(overlay, "erin", "erin"), "forward", DAVE)
            ask(alice, "sip_call", to=DAVE, device="null")
            self.ends(heard, "loop")

    def test_who_lost_to_another_device_is_told_so(self):
        overlay, alice, bob = self.pair()
        other = self.device(overlay, "bob", "bob-2")
        self.sip(other, "register")
        heard = [self.events(node) for node in (alice, bob, other)]
        for verb, fields, cause in (("sip_answer", {"device": "null"}, "answered_elsewhere"),
                                    ("sip_decline", {"status": 603}, "declined_elsewhere")):
            with self.subTest(cause):
                self.ring(alice, heard)
                self.state(heard[2], "offered")
                ask(other, verb, **fields)
                self.ends(heard[1:2], cause)
                if verb == "sip_answer":
                    self.connected(heard[0])
                    ask(alice, "sip_hangup")
                self.ends(heard[0:1], "hung_up" if verb == "sip_answer" else "declined")
                self.ends(heard[2:3], "they_hung_up" if verb == "sip_answer" else "declined")

    def test_a_gruu_rings_one_device_only(self):
        """R7904-6-4: of two that are registered, and without any registration."""
        overlay, alice, bob = self.pair()
        other = self.device(overlay, "bob", "bob-2")
        heard = [self.events(node) for node in (alice, bob, other)]
        gruu = self.sip(other, "gruu")["gruu"]
        for registered in (False, True):
            with self.subTest(registered=registered):
                if registered:
                    self.sip(other, "register")
                self.ring(alice, (heard[0], heard[2]), gruu)
                self.assertEqual(ask(bob, "sip_calls")["calls"], [])
                ask(other, "sip_decline", status=486)
                self.ends((heard[0], heard[2]), "busy", "declined")
                self.assertEqual(self.sip(alice, "message", gruu, "for this one")["status"], 200)
                self.assertEqual(heard[2].next("message")["text"], "for this one")
        self.sip(alice, "message", BOB, "for both")
        self.assertEqual(heard[1].next("message")["text"], "for both")

    def test_a_device_whose_program_ends_while_it_rings_is_not_busy(self):
        _, alice, bob = self.pair()
        heard = [self.events(node) for node in (alice, bob)]
        self.ring(alice, heard)
        bob.terminate(30)
        self.assertEqual(self.state(heard[0], "ended")["status"], 480)

    def test_who_has_just_registered_elsewhere_rings_at_once(self):
        """The caller knows a device that is gone by now, which takes the overlay 15 s to say."""
        overlay = self.overlay()
        self.device(overlay, "infra", "infra", "--first", listen=overlay.bootstrap)
        alice, old = self.device(overlay, "alice", "alice", "--client"), self.device(overlay, "bob", "old")
        self.sip(old, "register")
        self.sip(alice, "message", BOB, "hello")
        old.process.kill()
        new = self.device(overlay, "bob", "new")
        self.sip(new, "register")
        heard = [self.events(node) for node in (alice, new)]
        start = time.monotonic()
        self.ring(alice, heard)
        self.assertLess(time.monotonic() - start, 12)

    def test_a_callee_that_dies_in_a_call_is_missed(self):
        """Its channel breaks at once, and 10 s of silence tell the rest."""
        _, alice, bob = self.pair()
        heard = self.establish(alice, bob)
        bob.process.kill()
        closing = self.state(heard[0], "closing", timeout=60)
        self.assertIn("nothing is heard", closing["reason"])
        self.assertEqual(self.state(heard[0], "ended", timeout=60)["cause"], "media_failed")

    def test_people_are_told_what_happened_and_what_to_do(self):
        _, alice, bob = self.pair()
        for arguments, code, words in (
                ((CAROL,), 1, ("registered", "reload sip register", "(404)")),
                ((BOB, "--device", "pulse:nonexistent"), 1, ("sound device", "reload audio devices")),
                ((BOB, "--play", "/nonexistent.wav"), 2, ("/nonexistent.wav", "cannot be read")),
                ((BOB, "--device", "gramophone"), 2, ("gramophone", "reload audio devices")),
                ((BOB, "--record", "/nonexistent/call.wav"), 1,
                 ("recording", "/nonexistent/call.wav", "No such file"))):
            with self.subTest(arguments):
                device = () if "--device" in arguments or "--play" in arguments else ("--device", "null")
                done = run("sip", "call", "--control", alice.socket, *device, *arguments)
                self.assertEqual(done.returncode, code, done)
                for word in words:
                    self.assertIn(word, done.stdout + done.stderr)
        done = run("sip", "message", "--control", alice.socket, BOB, "x" * 9000)
        self.assertIn("8192 bytes", done.stderr)
        process = subprocess.Popen([RELOAD, "sip", "call", "--control", alice.socket, "--device", "null",
                                    BOB], stdout=subprocess.PIPE, text=True)
        heard = self.events(bob)
        if not ask(bob, "sip_calls")["calls"]:
            self.state(heard, "offered")
        ask(bob, "sip_decline", status=486)
        out, _ = process.communicate(timeout=60)
        self.assertIn(f"{BOB}: ended: they are busy", out)

    def test_a_sound_device_that_is_not_there_ends_the_call_at_both_ends(self):
        """No sound server runs for the peers."""
        _, alice, bob = self.pair()
        heard = [self.events(node) for node in (alice, bob)]
        self.ring(alice, heard)
        ask(bob, "sip_answer", device="pulse:nonexistent")
        event = self.state(heard[1], "ended")
        self.assertEqual(event["cause"], "media_failed")
        self.assertIn("sound device", event["reason"])
        self.assertGreaterEqual(self.state(heard[0], "ended")["status"], 300)


if __name__ == "__main__":
    unittest.main(verbosity=2)
