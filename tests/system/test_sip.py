"""The SIP usage's registrations and lookups between real peers (RFC 7904 s3, s4)."""
import json
import time
import unittest

from overlay import NAME, run, wait_until
from sip_overlay import SipTest

ALICE, BOB, CAROL, DAVE = (f"{user}@{NAME}" for user in ("alice", "bob", "carol", "dave"))
DEVICES = ["alice-desk", "alice-mobile", "alice-laptop"]


class Sip(SipTest):
    def ring(self, *options):
        overlay = self.overlay(*options)
        nodes = {"bob": self.device(overlay, "bob", "bob", "--first", listen=overlay.bootstrap)}
        for name in DEVICES:
            nodes[name] = self.device(overlay, "alice", name)
        for name in ("carol", "dave", "erin", "frank"):
            nodes[name] = self.device(overlay, name, name)
        return nodes

    def found(self, node, uri):
        """The last Node-ID of each target -> the target; empty when nobody is found."""
        done = run("sip", "lookup", "--control", node.socket, "--json", "--anew", uri)
        targets = json.loads(done.stdout).get("targets", []) if done.stdout else []
        return {target["destination_list"][-1]["id"]: target for target in targets}

    # R7904-3.1-1 R7904-3.1-2 R7904-3.1-4 R7904-3.2-11 R7904-4.2-1 R7904-4.2-2 R7904-4.2-3
    # R7904-5.1-11 R7904-6-4
    def test_an_address_is_found_wherever_its_owner_is(self):
        nodes = self.ring()
        desk, mobile, laptop = (nodes[name] for name in DEVICES)
        ids = {node.id for node in (desk, mobile, laptop)}
        self.assertEqual(len(ids), 3)
        registered = self.sip(desk, "register", "--lifetime", 60)
        begin = time.monotonic()
        self.assertEqual((registered["aor"], registered["state"]), (ALICE, "registered"))
        self.sip(mobile, "register", "--sips")
        self.sip(laptop, "register")

        with self.subTest("every device, from everywhere, by every form of the address"):
            for name in ("bob", "carol", "frank", "alice-desk"):
                for uri in (ALICE, "sip:alice@TEST.example", "sips:%61lice@test.example:5061;lr"):
                    self.assertEqual(set(self.found(nodes[name], uri)), ids, (name, uri))
            targets = self.found(desk, ALICE)
            self.assertEqual(targets[mobile.id]["scheme"], "sips")
            self.assertEqual([i for i in ids if targets[i]["own"]], [desk.id])

        with self.subTest("what was found is remembered"):
            self.assertFalse(self.sip(nodes["erin"], "lookup", ALICE)["cached"])
            self.assertTrue(self.sip(nodes["erin"], "lookup", ALICE)["cached"])
            self.assertFalse(self.sip(nodes["erin"], "lookup", "--anew", ALICE)["cached"])

        with self.subTest("a device that is unregistered is not found"):
            self.assertEqual(self.sip(laptop, "unregister")["state"], "idle")
            ids.remove(laptop.id)
            self.assertEqual(set(self.found(nodes["frank"], ALICE)), ids)
            self.sip(laptop, "unregister", code=1)

        with self.subTest("a GRUU leads to its node"):
            gruu = self.sip(laptop, "gruu")["gruu"]
            self.assertTrue(gruu.startswith(ALICE + ";gr="))
            self.assertEqual(set(self.found(nodes["dave"], "sip:" + gruu)), {laptop.id})

        with self.subTest("an address leads to another, and one node to another"):
            self.sip(nodes["bob"], "forward", f"sip:{ALICE}")
            self.assertEqual(set(self.found(nodes["frank"], BOB)), ids)
            self.sip(nodes["carol"], "register", "--node", nodes["erin"].id)
            self.assertEqual(set(self.found(nodes["frank"], CAROL)), {nodes["erin"].id})

        with self.subTest("circles end, nobody is nobody, and others are elsewhere"):
            self.sip(nodes["carol"], "forward", DAVE)
            self.sip(nodes["dave"], "forward", CAROL)
            self.assertIn("circle", self.sip(nodes["frank"], "lookup", "--anew", CAROL,
                                              code=1)["error"])
            self.assertIn("nobody", self.sip(nodes["frank"], "lookup", f"x@{NAME}", code=1)["error"])
            self.assertEqual(self.sip(nodes["frank"], "lookup", "tel:+49301")["externals"],
                             ["tel:+49301"])
            self.sip(nodes["frank"], "lookup", "nonsense", code=2)
            self.sip(nodes["frank"], "forward", f"frank@{NAME}", code=2)
            self.sip(nodes["frank"], "register", "--lifetime", 5, code=2)

        with self.subTest("registrations outlive the peer that stores them"):
            stored_at = nodes["frank"].ask("fetch", "--kind", "SIP-REGISTRATION", "--user",
                                           ALICE)["node_id"]
            victim = next(node for node in nodes.values() if node.id == stored_at)
            victim.process.kill()
            victim.process.wait()
            observer = next(nodes[name] for name in ("frank", "erin") if nodes[name] is not victim)
            wait_until(lambda: set(self.found(observer, BOB)) == ids, 60)

        with self.subTest("a running peer refreshes its registration at 80 % of its lifetime"):
            if victim is desk:
                self.skipTest("the peer that was ended is the one")
            time.sleep(max(0, begin + 49 - time.monotonic()))
            first = registered["storage_time_ms"]
            key = ("--kind", "SIP-REGISTRATION", "--user", ALICE, "--key-hex", desk.id)
            wait_until(lambda: observer.ask("fetch", *key)["values"][0]["storage_time_ms"] > first)
            time.sleep(max(0, begin + 62 - time.monotonic()))
            self.assertIn(desk.id, self.found(observer, ALICE))

    # R7904-3.3-1 R7904-3.3-2 R7904-3.3-5 R7904-3.3-6 R7904-3.4-7
    def test_other_domains_and_other_peoples_addresses_are_refused(self):
        nodes = self.ring("--domain-restriction", "other\\.example")
        node = nodes["alice-desk"]
        self.assertIn("does not admit", self.sip(node, "register", code=4)["error"])
        self.assertEqual(self.sip(node, "lookup", ALICE)["externals"], [ALICE])
        record = ("--kind", "SIP-REGISTRATION", "--hex", "01000900076162634064652e")
        for place in ((), ("--user", BOB)):  # by hand: the storing peer asks too
            refused = node.ask("store", *record, *place, code=4)
            self.assertEqual(refused["error_name"], "Error_Forbidden")


if __name__ == "__main__":
    unittest.main()
