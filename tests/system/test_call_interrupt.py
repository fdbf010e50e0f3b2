"""A verb that joins on its own is interrupted: whatever it is about, the far end hears of it, nobody
finds the user any more, and nothing of it stays behind."""
import os
import signal
import subprocess
import time
import unittest

from overlay import RELOAD, run, wait_until
from test_call import ALICE, BOB, Talk, ask

SOON_S = 10  # it takes less than 2; nobody waits for SIP's 32 s or the overlay's 15 s


class Interrupt(Talk):
    def accounts(self):
        overlay = self.overlay(users=("alice", "bob"))
        overlay.serve()
        for user in ("alice", "bob"):
            self.assertEqual(overlay.enroll(user).returncode, 0)
        os.mkdir(overlay.path("tmp"))
        return overlay

    def verb(self, overlay, name, *arguments):
        """The verb as alice, a client of its own."""
        process = subprocess.Popen([RELOAD, "sip", name, "--identity", overlay.path("alice"), *arguments],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "TMPDIR": overlay.path("tmp")})

        def end():
            if process.poll() is None:
                process.kill()
                process.communicate()

        self.addCleanup(end)
        return process

    def interrupt(self, overlay, process, signal_number=signal.SIGINT):
        """Its exit code and what it said; all of it is gone."""
        start = time.monotonic()
        process.send_signal(signal_number)
        out, err = process.communicate(timeout=60)
        took_s = time.monotonic() - start
        print(f"{took_s:.2f} s after {signal_number.name}")
        self.assertLess(took_s, SOON_S, (out, err))
        self.assertEqual(os.listdir(overlay.path("tmp")), [])
        return process.returncode, out, err

    def unregistered(self, node):
        self.assertEqual(run("sip", "lookup", "--anew", "--control", node.socket, ALICE).returncode, 1)

    def answering(self, overlay, bob):
        process = self.verb(overlay, "answer", "--device", "null")
        self.assertEqual(process.stdout.readline(), "waiting for a call\n")
        self.assertEqual(run("sip", "lookup", "--control", bob.socket, ALICE).returncode, 0)
        return process

    def test_while_it_joins(self):
        """Nobody is there to join by."""
        overlay = self.accounts()
        for name, arguments in (("answer", ("--device", "null")), ("call", ("--device", "null", BOB)),
                                ("message", (BOB, "hello"))):
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(name, signal=number.name):
                    process = self.verb(overlay, name, *arguments)
                    wait_until(lambda: os.listdir(overlay.path("tmp")))
                    time.sleep(0.5)
                    code, out, err = self.interrupt(overlay, process, number)
                    self.assertEqual((code, out), (1, ""))
                    self.assertIn("interrupted", err)

    def test_while_it_waits_for_a_call(self):
        overlay = self.accounts()
        bob = overlay.start("bob", first=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number.name):
                code, out, _ = self.interrupt(overlay, self.answering(overlay, bob), number)
                self.assertEqual((code, out), (1, ""))
                self.unregistered(bob)

    def test_while_it_rings(self):
        overlay = self.accounts()
        bob = overlay.start("bob", first=True)
        self.sip(bob, "register")
        heard = self.events(bob)
        process = self.verb(overlay, "call", "--device", "null", BOB)
        self.state(heard, "offered")
        code, _, err = self.interrupt(overlay, process)
        self.assertEqual(code, 1, err)
        self.assertEqual(self.state(heard, "ended")["status"], 487)

    def test_in_a_call(self):
        overlay = self.accounts()
        bob = overlay.start("bob", first=True)
        self.sip(bob, "register")
        heard = self.events(bob)
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest("answer", signal=number.name):
                process = self.answering(overlay, bob)
                ask(bob, "sip_call", to=ALICE, device="null")
                self.state(heard, "established")
                code, out, err = self.interrupt(overlay, process, number)
                self.assertEqual(code, 0, err)
                self.assertIn(f"{BOB}: ended", out)
                self.assertEqual(self.state(heard, "ended")["status"], 200)
                self.unregistered(bob)
            with self.subTest("call", signal=number.name):
                process = self.verb(overlay, "call", "--device", "null", BOB)
                self.state(heard, "offered")
                ask(bob, "sip_answer", device="null")
                self.state(heard, "established")
                code, out, err = self.interrupt(overlay, process, number)
                self.assertEqual(code, 0, err)
                self.assertEqual(self.state(heard, "ended")["status"], 200)

    def test_in_a_call_with_one_who_does_not_answer_any_more(self):
        overlay = self.accounts()
        bob = overlay.start("bob", "--answer", "null", first=True)
        self.sip(bob, "register")
        heard = self.events(bob)
        process = self.verb(overlay, "call", "--device", "null", BOB)
        self.state(heard, "established")
        bob.process.send_signal(signal.SIGSTOP)
        self.assertEqual(self.interrupt(overlay, process)[0], 0)

    def test_a_verb_that_is_killed_takes_its_call_along(self):
        """No microphone stays open behind it; a call that another program made stays."""
        _, alice, bob = self.pair()
        heard = self.events(bob)
        process = subprocess.Popen([RELOAD, "sip", "call", "--control", alice.socket, "--device", "null",
                                    BOB], stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.state(heard, "offered")
        ask(bob, "sip_answer", device="null")  # over a connection that ends at once
        self.state(heard, "established")
        self.assertEqual(len(ask(bob, "sip_calls")["calls"]), 1)
        process.kill()
        self.assertEqual(self.state(heard, "ended")["cause"], "they_hung_up")

    def test_a_peer_that_ends_is_not_found_any_more(self):
        """Its own place goes with it; where its user forwards calls to stays."""
        overlay = self.accounts()
        bob = overlay.start("bob", first=True)
        self.sip(bob, "register")
        for verb, code in ((("register",), 1), (("forward", BOB), 0)):
            with self.subTest(verb[0]):
                alice = overlay.start("alice", "--client")
                self.sip(alice, *verb)
                self.assertEqual(alice.terminate(SOON_S)[0], 0)
                alice.process.stdout.close()
                found = run("sip", "lookup", "--anew", "--control", bob.socket, ALICE)
                self.assertEqual(found.returncode, code, found)


if __name__ == "__main__":
    unittest.main(verbosity=2)
