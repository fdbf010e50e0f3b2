"""reload doctor: faults that are planted are found, each with a cure."""
import json
import os
import pathlib
import re
import socket
import subprocess
import unittest

from overlay import RELOAD, Overlay, OverlayTest, run, wait_until

USERS = ("anna", "bert")


class Unjoined:
    """A peer that does not get in: it runs, but has no ready line."""

    def __init__(self, test, net, user, *arguments):
        self.socket = net.path(user + ".sock")
        with open(net.path(user + ".log"), "ab") as log:
            self.process = subprocess.Popen([RELOAD, "peer", "--identity", net.path(user), "--listen",
                                             "127.0.0.1:0", "--control", self.socket, *arguments],
                                            stdout=subprocess.DEVNULL, stderr=log)
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)
        wait_until(lambda: os.path.exists(self.socket))


def doctor(control):
    done = run("doctor", "--control", control, "--json")
    return done.returncode, json.loads(done.stdout)


def findings(report, check):
    return [f for f in report["findings"] if f["check"] == check]


class Doctor(OverlayTest):
    def prepare(self, *options, ice=False):
        self.net = self.overlay(*options, ice=ice, users=USERS)
        self.net.serve()
        for user in USERS:
            done = self.net.enroll(user)
            self.assertEqual(done.returncode, 0, done.stderr)

    def blamed(self, control, check, code, words):
        """Waits until the doctor says this."""
        found = []

        def says():
            got, report = doctor(control)
            found[:] = [got, report]
            return got == code and any(f["verdict"] == "bad" and re.search(words, f["finding"])
                                       for f in findings(report, check))
        try:
            wait_until(says)
        except AssertionError:
            raise AssertionError(f"not blamed: {found}") from None
        for finding in found[1]["findings"]:
            self.assertEqual(finding["cure"] is None, finding["verdict"] == "ok", finding)
        return found[1]

    def test_nodes_in_order(self):
        self.prepare()
        anna, bert = self.net.start("anna", first=True), self.net.start("bert")
        for node in (anna, bert):
            code, report = doctor(node.socket)
            self.assertEqual(code, 0, report)
            self.assertEqual(findings(report, "clock")[0]["finding"],
                             "agrees with that of the linked nodes")
            self.assertFalse([f for f in report["findings"] if f["verdict"] == "bad"])
        text = run("doctor", "--control", anna.socket)
        self.assertEqual(text.returncode, 0)
        self.assertRegex(text.stdout, r"(?m)^ok +certificate +valid for another \d+ days$")
        self.assertRegex(text.stdout, r"(?m)^warning +listen .*loopback.*\n +-> start the peer with --listen")

    def test_no_bootstrap_node_is_there(self):
        self.prepare()
        bert = Unjoined(self, self.net, "bert")
        report = self.blamed(bert.socket, "bootstrap", 3,
                             rf"^127\.0\.0\.1:{self.net.bootstrap} over TCP: ")
        self.assertIn("no node listens there", findings(report, "bootstrap")[0]["cure"])

    def test_the_bootstrap_node_is_silent(self):
        self.prepare()
        deaf = socket.create_server(("127.0.0.1", self.net.bootstrap), backlog=64)
        self.addCleanup(deaf.close)  # takes connections and never says a word
        bert = Unjoined(self, self.net, "bert")
        report = self.blamed(bert.socket, "bootstrap", 3, "over TCP: ")
        self.assertIn("nothing came back", findings(report, "bootstrap")[0]["cure"])

    def test_the_bootstrap_node_is_of_another_overlay(self):
        self.prepare()
        other = Overlay(users=("anna",))
        self.addCleanup(other.close)
        other.serve()
        self.assertEqual(other.enroll("anna").returncode, 0)
        stranger = other.start("anna", first=True)
        bert = Unjoined(self, self.net, "bert", "--bootstrap", stranger.ready["listen"])
        self.blamed(bert.socket, "bootstrap", 3, stranger.ready["listen"].replace(".", r"\.") + " over TCP: ")

    def test_udp_is_lost(self):
        self.prepare(ice=True)
        anna = self.net.start("anna", "--first")  # not where the document says
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        silent.bind(("127.0.0.1", self.net.bootstrap))
        self.addCleanup(silent.close)
        bert = Unjoined(self, self.net, "bert")
        self.blamed(bert.socket, "udp", 3, "no STUN server answers")
        code, report = doctor(anna.socket)
        self.assertEqual((code, findings(report, "nat")[0]["verdict"]), (0, "ok"))

    def test_a_node_that_does_not_even_start(self):
        self.prepare()
        folder = pathlib.Path(self.net.path("bert"))

        def examine(code, check, words):
            done = run("doctor", "--identity", folder, "--json")
            self.assertEqual(done.returncode, code, (done.stdout, done.stderr))
            finding = json.loads(done.stdout)["findings"][0]
            self.assertEqual((finding["check"], finding["verdict"]), (check, "bad"), finding)
            self.assertRegex(finding["finding"], words)
            self.assertTrue(finding["cure"])

        fine = run("doctor", "--identity", folder, "--json")
        self.assertEqual((fine.returncode, json.loads(fine.stdout)["verdict"]), (0, "ok"), fine.stderr)
        os.chmod(folder / "node.key", 0o644)
        examine(4, "certificate", "node.key")
        os.chmod(folder / "node.key", 0o600)
        document = (folder / "overlay.xml").read_text()
        (folder / "overlay.xml").write_text(document.replace("<initial-ttl>100<", "<initial-ttl>99<"))
        examine(4, "configuration", "signature")
        (folder / "overlay.xml").write_text(document)
        (folder / "node.pem").rename(folder / "away.pem")
        examine(1, "certificate", "node.pem")
        self.assertEqual(run("doctor", "--identity", "/nonexistent").returncode, 1)

    def test_wrong_usage_and_no_peer(self):
        self.assertEqual(run("doctor").returncode, 2)
        self.assertEqual(run("doctor", "--control", "/nonexistent/x", "y").returncode, 2)
        done = run("doctor", "--control", "/nonexistent/x")
        self.assertEqual(done.returncode, 3)
        self.assertIn("Is the peer running", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
