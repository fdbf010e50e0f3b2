"""What `--pcap` writes is read by two others: Wireshark's RELOAD dissector and `reload decode`."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from overlay import NAME, RELOAD, OverlayTest, run

KIND = 0xF0000001


def tshark(path, *arguments):
    return subprocess.run(["tshark", "-n", "-r", path, *arguments], capture_output=True, text=True,
                          timeout=120, check=True).stdout


def judge(path):
    """Packets, those the dissector recognised, and those it calls malformed or cut short.

    Faults of the dissector of Wireshark 4.0 itself: it does not know the version 1.0 and the signer
    identity none (RFC 6940 s6.3.2, s6.3.4), misreads candidates' priorities and dictionary keys, and
    fails on a ConfigUpdate of type kind. None of these makes a packet malformed but the last, and
    no node here sends that."""
    lines = tshark(path, "-T", "fields", "-e", "frame.protocols").splitlines()
    malformed = tshark(path, "-Y", "_ws.malformed || _ws.expert.severity == error").splitlines()
    # A frame cut at the IP layer shows only in the packet that completes it.
    whole = [line for line in lines if not line.startswith(("raw:ip:data", "raw:ipv6:data"))]
    return len(whole), sum("reload" in line for line in whole), malformed


class Capture(OverlayTest):
    def capture(self, *options, ice=False):
        """A short life of an overlay, captured by each of its nodes."""
        o = self.overlay("--kind", f"{KIND}:array:USER-MATCH:8:200", users=["anna", "bert", "cleo"],
                         ice=ice)
        o.serve()
        nodes = []
        for user in ("anna", "bert", "cleo"):
            self.assertEqual(o.enroll(user).returncode, 0)
            nodes.append(o.start(user, "--pcap", o.path(user + ".pcap"), *options, first=not nodes))
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

    def check_that_damage_would_show(self, path):
        """A capture with one wrong length: neither reader takes it."""
        captured = bytearray(pathlib.Path(path).read_bytes())
        via_list_length = captured.index(b"\xd2ELO") + 32
        captured[via_list_length:via_list_length + 2] = b"\xff\xff"
        with tempfile.NamedTemporaryFile(suffix=".pcap") as damaged:
            damaged.write(captured)
            damaged.flush()
            self.assertEqual(len(judge(damaged.name)[2]), 1)
            self.assertEqual(run("decode", damaged.name).returncode, 1)

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
        self.check_tshark(self.capture())

    @unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
    def test_tshark_reads_the_links_over_dtls(self):
        self.check_tshark(self.capture("--dtls"), fragments=True)

    @unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
    def test_tshark_reads_the_links_by_ice(self):
        self.check_tshark(self.capture(ice=True), fragments=True)

    def check_tshark(self, paths, fragments=False):
        for path in paths:
            ours = [json.loads(line) for line in run("decode", "--json", path).stdout.splitlines()]
            packets, recognised, malformed = judge(path)
            print(f"{os.path.basename(path)}: {packets} packets, {recognised} recognised, "
                  f"{len(malformed)} malformed")
            self.assertEqual((recognised, malformed), (packets, []))
            self.check_that_damage_would_show(path)
            names = tshark(path, "-T", "fields", "-e", "reload.message.code").split()
            whole = sum("message" in o for o in ours)
            if fragments:  # the dissector names the code of a first fragment, too
                self.assertGreaterEqual(len(names), whole)
            else:
                self.assertEqual(len(names), whole)

    @unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
    def test_tshark_reads_the_demos_traffic(self):
        with tempfile.TemporaryDirectory(prefix="reload-test-") as directory:
            done = subprocess.run([RELOAD, "demo", "--json", "--keep", "--pcap"], timeout=240,
                                  capture_output=True, text=True,
                                  env={**os.environ, "TMPDIR": directory})
            self.assertEqual(done.returncode, 0, done.stderr[-4000:])
            captures = sorted(pathlib.Path(directory).glob("*/*.pcap"))
            self.assertEqual(len(captures), 10)
            total = [0, 0]
            for path in captures:
                packets, recognised, malformed = judge(path)
                self.assertEqual(malformed, [], path.name)
                self.assertEqual(recognised, packets, path.name)
                total = [total[0] + packets, total[1] + recognised]
            print(f"demo: {total[0]} packets, {total[1]} recognised, 0 malformed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
