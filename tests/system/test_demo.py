"""The demo holds what it promises, with either kind of key, and leaves nothing behind."""
import json
import os
import subprocess
import tempfile
import unittest

from overlay import RELOAD

CELLS = {("single", "USER-MATCH"), ("single", "NODE-MATCH"), ("single", "NODE-MULTIPLE"),
         ("array", "USER-MATCH"), ("array", "NODE-MATCH"), ("array", "NODE-MULTIPLE"),
         ("dictionary", "USER-MATCH"), ("dictionary", "NODE-MATCH"),
         ("dictionary", "NODE-MULTIPLE"), ("dictionary", "USER-NODE-MATCH")}


def demo(directory, *options):
    return subprocess.run([RELOAD, "demo", *options], capture_output=True, text=True, timeout=240,
                          env={**os.environ, "TMPDIR": directory})


class Demo(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="reload-test-")
        self.addCleanup(temporary.cleanup)
        self.directory = temporary.name

    def check(self, *options):
        done = demo(self.directory, "--json", *options)
        self.assertEqual(done.returncode, 0, done.stderr[-4000:])
        result = json.loads(done.stdout.splitlines()[-1])
        wanted = {"ok": True, "peers": 8, "clients": 2, "stored": 300, "fetched": 300,
                  "fetched_after_kill": 300, "lost": 0, "wrong": 0}
        self.assertEqual({key: result[key] for key in wanted}, wanted)
        self.assertEqual({(c["model"], c["policy"]) for c in result["cells"]}, CELLS)
        self.assertTrue(all(c["stored"] == c["fetched_after_kill"] == 30 for c in result["cells"]))
        call = result["call"]
        self.assertGreaterEqual(call["similarity"], 0.9)
        self.assertGreater(call["frames_sent"], 800)
        self.assertGreater(call["setup_ms"], 0)
        return result

    def test_with_ec_keys(self):
        self.check()
        self.assertEqual(os.listdir(self.directory), [])

    def test_with_rsa_keys(self):
        self.assertEqual(self.check("--key", "rsa")["key"], "rsa")

    def test_with_links_over_dtls(self):
        self.check("--dtls")

    def test_with_links_by_ice(self):
        self.check("--ice")
        self.assertEqual(os.listdir(self.directory), [])

    def test_for_people_it_draws_the_ring(self):
        done = demo(self.directory)
        self.assertEqual(done.returncode, 0, done.stderr[-4000:])
        self.assertIn("peer-7", done.stdout)
        self.assertIn("All held", done.stdout.splitlines()[-1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
