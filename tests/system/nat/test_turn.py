"""TURN from the overlay itself (RFC 6940 s9): who offers it, who finds it, what it takes to use it."""
import pathlib
import time
import unittest

import lab
import overlay_lab
import talk

TURN = f"{lab.SERVER_NET}.1:{overlay_lab.TURN_PORT}"


def wait_until(condition, what, timeout=40):
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: waited in vain")
        time.sleep(0.2)


class Turn(unittest.TestCase):
    def setUp(self):
        self.lab = lab.Lab().__enter__()
        self.addCleanup(lambda: self.net.close())
        self.addCleanup(self.lab.close)
        self.net = overlay_lab.OverlayLab(self.lab)
        self.boot1, self.boot2 = self.net.nodes

    def home(self, name, kind, *options):
        return self.net.start(name, self.lab.home(name, kind), *options)

    def turn(self, node):
        return node.ask("status")["turn"]

    # R6940-9-3 R6940-9-4 R6940-9-5 R6940-9-6 R6940-9-7
    def test_a_reachable_peer_stores_a_record_of_its_turn_server_for_each_number(self):
        self.assertEqual(self.turn(self.boot1)["offered"], TURN)
        self.assertEqual(self.turn(self.boot1)["records"], 1)  # turn-density is 1 by default
        values = self.boot2.ask("fetch", "--kind", "TURN-SERVICE", "--node", self.boot1.id, "--i",
                                1)["values"]
        self.assertEqual([v["signer"] for v in values], [self.boot1.id])
        self.assertEqual(values[0]["value"]["hex"], "010106cb0071010d96")
        self.assertEqual(self.turn(self.boot2), {"offered": None, "relay": None, "granted": 0,
                                                 "records": 0, "failed": 0})

    # R6940-9-8 R6940-9-9
    def test_nodes_behind_nats_find_it_and_are_relayed_where_they_must_be(self):
        symmetric = self.home("anna", "symmetric")
        blocked = self.home("bert", "udp-blocked")
        symmetric.wait_ready()
        blocked.wait_ready()
        for node in (symmetric, blocked):
            self.assertEqual(self.turn(node)["relay"], TURN)
        self.assertEqual(self.turn(self.boot1)["granted"], 2)
        for link in blocked.ask("links")["links"]:
            self.assertTrue(link["relayed"] or link["protocol"] == "TLS-TCP-FH-NO-ICE", link)
        symmetric.ask("attach", blocked.id)
        self.assertTrue(symmetric.links_to(blocked)[-1]["relayed"])
        self.assertEqual(blocked.ask("status")["stun"]["nat"], "UDP blocked")
        self.assertEqual(symmetric.ask("status")["stun"]["nat"], "symmetric")

    def test_a_turn_server_that_is_gone_is_given_up(self):
        node = self.home("anna", "port-restricted").wait_ready()
        self.assertEqual(self.turn(node)["relay"], TURN)
        self.net.turn.terminate()
        self.net.turn.wait(10)
        other = self.home("bert", "port-restricted").wait_ready()
        node.ask("attach", other.id)
        wait_until(lambda: self.turn(node)["failed"] == 1, "the relay that failed")
        self.assertIsNone(self.turn(node)["relay"])
        self.assertFalse(node.links_to(other)[-1]["relayed"])

    def test_a_call_goes_on_without_a_turn_server_that_is_gone(self):
        anna, bert = (self.home(name, "port-restricted") for name in ("anna", "bert"))
        for node in (anna, bert):
            node.wait_ready().ask("sip", "register")
        # The way to the other's SIP is open: the media are the first that find the server gone.
        anna.ask("sip", "message", f"bert@{overlay_lab.NAME}", "hello")
        self.net.turn.terminate()
        self.net.turn.wait(10)
        for node in (anna, bert):
            self.assertEqual(self.turn(node)["relay"], TURN)
        self.assertFalse(talk.over(anna, bert, needed=False)[0])
        for node in (anna, bert):
            self.assertEqual((self.turn(node)["failed"], self.turn(node)["relay"]), (1, None))

    # R6940-9-1
    def test_a_peer_that_others_see_elsewhere_does_not_offer_it(self):
        elsewhere = self.home("anna", "endpoint-independent", "--turn", lab.SERVER_NET + ".77:3478",
                              "--turn-secret-file", self.net.path("secret")).wait_ready()
        wait_until(lambda: "is not offered" in pathlib.Path(elsewhere.log).read_text(),
                   "the refusal")
        self.assertEqual(self.turn(elsewhere)["records"], 0)

    # R6940-9-2
    def test_a_private_address_is_refused_at_start(self):
        node = self.home("anna", "port-restricted", "--turn", "10.0.0.1:3478",
                         "--turn-secret-file", self.net.path("secret"))
        self.assertNotEqual(node.process.wait(30), 0)
        self.assertIn("private address", node.last_words())


class WithoutTurn(unittest.TestCase):
    def test_without_a_turn_server_nodes_behind_nats_join_and_are_linked_all_the_same(self):
        with lab.Lab() as laboratory:
            net = overlay_lab.OverlayLab(laboratory, turn=False)
            self.addCleanup(net.close)
            anna, bert = (net.start(name, laboratory.home(name, "port-restricted"))
                          for name in ("anna", "bert"))
            anna.wait_ready()
            bert.wait_ready()
            anna.ask("attach", bert.id)
            self.assertFalse(anna.links_to(bert)[-1]["relayed"])
            self.assertIsNone(anna.ask("status")["turn"]["relay"])


if __name__ == "__main__":
    lab.run_tests(overlay_lab.missing())
