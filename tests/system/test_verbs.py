"""Every verb: its help, its mistakes, its exit codes. No network."""
import json
import os
import pathlib
import pty
import re
import stat
import subprocess
import tempfile
import termios
import unittest

from overlay import NAME, RELOAD, run

VERBS = ["overlay create", "overlay sign", "user add", "user list", "user passwd", "user remove",
         "enroll-server", "enroll", "peer", "status", "ring", "links", "doctor", "ping", "attach",
         "trace", "store", "remove", "fetch", "stat", "find", "sip register", "sip unregister",
         "sip forward", "sip lookup", "sip gruu", "sip message", "sip call", "sip answer", "sip decline",
         "sip hangup", "sip hold", "sip resume", "sip move", "sip press", "sip calls", "connect", "listen", "leave",
         "audio devices", "audio loopback", "audio tone", "decode", "demo"]
ASKING = ["status", "ring", "links", "doctor", "ping", "attach", "trace", "store", "remove", "fetch",
          "stat", "find", "leave"]
PING = ("d2454c4f9aa32b8d00110a64c00000000000005401020304050607080000000000000012000001102222222222"
        "222222222222222222222200170000000900070000000000000000000000000000000300000000")


class Verbs(unittest.TestCase):
    def test_the_help_lists_every_verb_and_each_verb_has_help(self):
        listed = re.findall(r"^  ([a-z-]+(?: [a-z]+)?)  +[A-Z]", run("--help").stdout, re.M)
        self.assertEqual(listed, VERBS)
        for verb in VERBS:
            done = run(*verb.split(), "--help")
            self.assertEqual(done.returncode, 0, verb)
            self.assertIn(f"reload {verb}", done.stdout)
            if verb not in ("peer",):
                self.assertIn("--json", done.stdout, verb)

    def test_wrong_usage_ends_with_2_and_a_word_about_help(self):
        cases = [["nonsense"], ["overlay"], ["overlay", "create"], ["user", "add"], ["enroll"],
                 ["decode", "a", "b"], ["peer"], ["peer", "--config", "x"],
                 ["peer", "--identity", "x", "--client", "--first"],
                 ["peer", "--identity", "x", "--client=some"],
                 ["peer", "--identity", "x", "--listen", "nowhere"],
                 ["peer", "--identity", "x", "--turn", "192.0.2.1:3478"],
                 ["peer", "--identity", "x", "--turn", "nowhere", "--turn-secret-file", "x"], ["store"], ["fetch"],
                 ["connect"], ["connect", "00"], ["listen"], ["enroll-server"], ["demo", "--key", "dsa"], ["decode", "--body", "pong", "-"],
                 ["decode", "--node-id-length", "15"], ["status", "--no-such-option"],
                 ["overlay", "create", "x.example", "--dir", "d", "--key", "dsa"],
                 ["overlay", "create", "x.example", "--dir", "d", "--bootstrap", "nowhere"],
                 ["overlay", "create", "x.example", "--dir", "d", "--kind", "1:2:3"],
                 ["user", "list"], ["overlay", "sign"]]
        for arguments in cases:
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, (arguments, done.stderr))
            self.assertTrue(done.stderr.startswith("reload: "), arguments)
        self.assertEqual(run().returncode, 2)

    def test_the_version(self):
        self.assertRegex(run("--version").stdout, r"^reload \d+\.\d+\.\d+\n$")

    def test_without_a_running_peer_asking_ends_with_3_and_says_what_to_do(self):
        for verb in ASKING:
            extra = ["value"] if verb == "store" else []
            done = run(verb, "--control", "/nonexistent/socket", *extra)
            self.assertEqual(done.returncode, 3, verb)
            self.assertIn("Is the peer running", done.stderr)


class Decode(unittest.TestCase):
    def test_hex_bytes_and_files_give_the_same(self):
        wanted = run("decode", text=PING)
        self.assertEqual(wanted.returncode, 0, wanted.stderr)
        self.assertEqual(json.loads(wanted.stdout)["message"], "ping_req")
        with tempfile.NamedTemporaryFile() as f:
            f.write(bytes.fromhex(PING))
            f.flush()
            self.assertEqual(run("decode", f.name).stdout, wanted.stdout)
        spaced = "\n".join(PING[i:i + 32] for i in range(0, len(PING), 32))
        self.assertEqual(run("decode", "-", text=spaced).stdout, wanted.stdout)

    def test_json_is_one_object_a_line(self):
        lines = run("decode", "--json", text=PING + PING).stdout.splitlines()
        self.assertEqual([json.loads(line)["message"] for line in lines], ["ping_req"] * 2)

    def test_what_is_malformed_is_shown_with_its_place_and_ends_with_1(self):
        done = run("decode", "--json", text=PING[:-2])
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["error"]["offset"], 16)
        self.assertIn("offset 16: length says 84 bytes, there are 83", done.stderr)
        self.assertEqual(run("decode", "/nonexistent").returncode, 1)

    def test_a_body_alone(self):
        done = run("decode", "--body", "ping_req", "--json", text="0002 0000")
        self.assertEqual(json.loads(done.stdout), {"padding_length": 2})


class Operator(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = os.path.join(temporary.name, "overlay")
        self.password = os.path.join(temporary.name, "password")
        with open(self.password, "w") as f:
            f.write("a long enough password\n")

    def create(self, *options):
        return run("overlay", "create", NAME, "--dir", self.folder, *options)

    def test_an_overlays_folder_holds_a_signed_document_and_private_keys(self):
        done = self.create("--no-ice", "--kind", "0xF0000001:array:NODE-MULTIPLE:8:200:3", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(json.loads(done.stdout)["ok"])
        for name in ("ca.key", "https.key", "signer.key"):
            mode = stat.S_IMODE(os.stat(os.path.join(self.folder, name)).st_mode)
            self.assertEqual(mode, 0o600, name)
        self.assertIn("<signature>", pathlib.Path(os.path.join(self.folder, "overlay.xml")).read_text())
        again = self.create()
        self.assertEqual(again.returncode, 1)
        self.assertIn(self.folder, again.stderr)

    def test_signing_again_raises_the_sequence_and_takes_edits(self):
        self.create()
        path = os.path.join(self.folder, "overlay.xml")
        text = pathlib.Path(path).read_text()
        pathlib.Path(path).write_text(text.replace("<initial-ttl>100<", "<initial-ttl>64<"))
        done = run("overlay", "sign", "--dir", self.folder, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["sequence"], 2)
        self.assertIn('sequence="2"', pathlib.Path(path).read_text())

    def check_edit_refused(self, before, after, reason):
        path = pathlib.Path(self.folder, "overlay.xml")
        self.assertIn(before, path.read_text())
        broken = path.read_text().replace(before, after)
        path.write_text(broken)
        done = run("overlay", "sign", "--dir", self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn(reason, done.stderr)
        self.assertEqual(path.read_text(), broken)

    def test_an_edit_that_breaks_a_rule_is_refused_and_the_file_stays(self):
        self.create()
        self.check_edit_refused("<initial-ttl>100<", "<initial-ttl>1000<", "initial-ttl")

    def test_an_edit_that_breaks_a_rule_of_a_usage_is_refused_and_the_file_stays(self):
        self.create("--domain-restriction", r"dht\.example")
        self.check_edit_refused(r"dht\.example", "dht(example", "pattern")

    def test_accounts_are_added_listed_changed_and_closed(self):
        self.create()
        user = ["--dir", self.folder, "--password-file", self.password]
        self.assertEqual(run("user", "add", f"alice@{NAME}", *user).returncode, 0)
        self.assertEqual(run("user", "add", f"alice@{NAME}", *user).returncode, 1)
        self.assertEqual(run("user", "add", "no name", *user).returncode, 1)
        self.assertEqual(run("user", "passwd", f"alice@{NAME}", *user).returncode, 0)
        self.assertEqual(run("user", "passwd", f"bob@{NAME}", *user).returncode, 1)
        listed = json.loads(run("user", "list", "--dir", self.folder, "--json").stdout)["users"]
        self.assertEqual([(u["user"], u["removed"]) for u in listed], [(f"alice@{NAME}", False)])
        self.assertEqual(run("user", "remove", f"alice@{NAME}", "--dir", self.folder).returncode, 0)
        listed = json.loads(run("user", "list", "--dir", self.folder, "--json").stdout)["users"]
        self.assertTrue(listed[0]["removed"])

    def test_a_password_is_asked_for_on_a_terminal_and_not_shown(self):
        self.create()
        try:
            ours, theirs = pty.openpty()
        except OSError as error:
            self.skipTest(f"no terminal to be had: {error}")
        self.addCleanup(os.close, ours)
        added = subprocess.Popen([RELOAD, "user", "add", f"tina@{NAME}", "--dir", self.folder],
                                 stdin=theirs, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        seen = b""
        while b"Password: " not in seen:
            seen += os.read(ours, 100)
        while termios.tcgetattr(ours)[3] & termios.ECHO:
            pass
        os.write(ours, b"typed by hand\n")
        self.assertEqual(added.communicate(timeout=30)[0], f"tina@{NAME}: added\n".encode())
        self.assertNotIn(b"typed", os.read(ours, 1000))

    def test_a_folder_that_is_no_overlay_says_how_to_make_one(self):
        done = run("user", "list", "--dir", os.path.dirname(self.folder))
        self.assertEqual(done.returncode, 1)
        self.assertIn("reload overlay create", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
