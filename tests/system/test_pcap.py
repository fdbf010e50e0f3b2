"""What `--pcap` writes is read by two others: Wireshark's RELOAD dissector and `reload decode`."""
import json
import os
import re
import shutil
import subprocess
import unittest

from overlay import NAME, OverlayTest, run

KIND = 0xF0000001
# Faults of the dissector of Wireshark 4.0 itself: it does not know the version 1.0 and the signer
# identity none (RFC 6940 s6.3.2, s6.3.4), misreads candidates' priorities and dictionary keys, and
# fails on a ConfigUpdate of type kind.
FRAME = "reload_framing.type"


def tshark(path, *arguments):
    return subprocess.run(["tshark", "-n", "-r", path, *arguments], capture_output=True, text=True,
                          timeout=120, check=True).stdout


class Capture(OverlayTest):
    def capture(self):
        """A short life of an overlay, captured by each of its nodes."""
        o = self.overlay("--kind", f"{KIND}:array:USER-MATCH:8:200", users=["anna", "bert", "cleo"])
        o.serve()
        nodes = []
        for user in ("anna", "bert", "cleo"):
            self.assertEqual(o.enroll(user).returncode, 0)
            nodes.append(o.start(user, "--pcap", o.path(user + ".pcap"), first=not nodes))
        for node in nodes:
            node.ask("store", "--kind", KIND, "a value")
            node.ask("fetch", "--kind", KIND, "--user", f"anna@{NAME}")
            node.ask("ring", "--walk")
            node.ask("stat", "--kind", KIND)
            node.ask("find", "--kind", KIND)
            node.ask("trace", "--name", "x")
        for node in reversed(nodes):
            self.assertEqual(node.terminate()[0], 0)
        return [o.path(user + ".pcap") for user in ("anna", "bert", "cleo")]

    def test_decode_reads_every_frame(self):
        seen = set()
        for path in self.capture():
            done = run("decode", "--json", path)
            self.assertEqual(done.returncode, 0, done.stderr)
            for line in done.stdout.splitlines():
                seen.add(json.loads(line).get("message", "ack"))
        self.assertLessEqual({"ack", "attach_req", "attach_ans", "join_req", "join_ans", "update_req",
                              "store_req", "store_ans", "fetch_req", "fetch_ans", "stat_req",
                              "find_ans", "ping_req", "ping_ans", "route_query_ans", "leave_req"},
                             seen)

    @unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
    def test_tshark_recognises_every_frame_and_finds_none_malformed(self):
        for path in self.capture():
            ours = [json.loads(line) for line in run("decode", "--json", path).stdout.splitlines()]
            lines = tshark(path, "-T", "fields", "-e", "frame.protocols", "-e",
                           "_ws.malformed").splitlines()
            framed = [line for line in lines if "reload-framing" in line or "reload" in line]
            malformed = [line for line in lines if "malformed" in line.lower()]
            print(f"{os.path.basename(path)}: {len(lines)} packets, {len(framed)} recognised, "
                  f"{len(malformed)} malformed")
            self.assertEqual(len(framed), len(lines))
            self.assertEqual(malformed, [])
            names = tshark(path, "-T", "fields", "-e", "reload.message.code").split()
            self.assertEqual(len(names), sum("message" in o for o in ours))


if __name__ == "__main__":
    unittest.main(verbosity=2)
