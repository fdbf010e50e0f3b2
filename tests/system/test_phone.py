"""The peer that talks: messages between real nodes (RFC 7904 s5, RFC 3428)."""
import unittest

from overlay import NAME
from sip_overlay import SipTest

ALICE, BOB, CAROL = (f"{user}@{NAME}" for user in ("alice", "bob", "carol"))


class Phone(SipTest):
    def nodes(self, *options):
        overlay = self.overlay()
        bob = self.device(overlay, "bob", "bob", "--first", *options, listen=overlay.bootstrap)
        carol = self.device(overlay, "carol", "carol", *options)
        alice = self.device(overlay, "alice", "alice", "--client", *options)
        return alice, bob, carol

    def exchange(self, alice, bob, carol):
        heard = {node: self.events(node) for node in (alice, bob)}
        for sender, receiver, source, to, text in (
                (alice, bob, ALICE, BOB, "hello"), (bob, alice, BOB, ALICE, "Grüße, \"Alice\""),
                (alice, bob, ALICE, "sip:bob@TEST.example", "again, on the same channel")):
            with self.subTest(text):
                answer = self.sip(sender, "message", to, text)
                self.assertEqual((answer["status"], answer["to"]), (200, to))
                event = heard[receiver].next("message")
                self.assertEqual((event["from"], event["node_id"], event["text"]),
                                 (source, sender.id, text))
                self.assertIn("text/plain", event["type"])
        with self.subTest("nobody is registered there"):
            answer = self.sip(alice, "message", CAROL, "anybody?", code=1)
            self.assertEqual(answer["status"], 404)
            self.assertIn(CAROL, answer["error"])

    def test_messages_are_delivered_and_acknowledged_both_ways(self):
        for options in ((), ("--dtls",)):
            with self.subTest(options=options):
                alice, bob, carol = self.nodes(*options)
                self.sip(alice, "register")
                self.sip(bob, "register")
                self.exchange(alice, bob, carol)

    def test_a_message_finds_who_calls_are_forwarded_to(self):
        alice, bob, carol = self.nodes()
        self.sip(bob, "register")
        self.sip(carol, "forward", BOB)
        heard = self.events(bob)
        self.assertEqual(self.sip(alice, "message", CAROL, "for Carol")["status"], 200)
        self.assertEqual(heard.next("message")["from"], ALICE)

    def test_a_device_that_is_gone_is_an_error_that_says_so(self):
        alice, bob, carol = self.nodes()
        self.sip(carol, "register")
        self.sip(alice, "message", CAROL, "hello")
        carol.process.kill()
        carol.process.wait()
        self.assertIn(self.sip(alice, "message", CAROL, "hello?", code=1)["status"], (408, 480, 503))

    def test_what_is_no_address_is_wrong_usage(self):
        alice, _, _ = self.nodes()
        self.sip(alice, "message", "nonsense", "x", code=2)
        self.sip(alice, "message", BOB, "x" * 9000, code=1)


if __name__ == "__main__":
    unittest.main()
