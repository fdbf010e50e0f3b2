"""An overlay from the outside: create, enroll, join, store, fetch, leave, through verbs only."""
import json
import os
import pathlib
import re
import resource
import socket
import stat
import subprocess
import time
import unittest

from overlay import NAME, PASSWORD, OverlayTest, free_port, run, wait_until

SINGLE, ARRAY, DICTIONARY, MULTIPLE = 0xF0000001, 0xF0000002, 0xF0000003, 0xF0000004
KINDS = ["--kind", f"{SINGLE}:single:USER-MATCH:1:200", "--kind", f"{ARRAY}:array:USER-MATCH:8:200",
         "--kind", f"{DICTIONARY}:dictionary:USER-NODE-MATCH:8:200",
         "--kind", f"{MULTIPLE}:single:NODE-MULTIPLE:1:200:3"]


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def values(answer):
    return [v["value"]["text"] for v in answer["values"] if v["exists"]]


class Ring(OverlayTest):
    """Three peers and a client."""

    @classmethod
    def setUpClass(cls):
        from overlay import Overlay
        cls.o = Overlay(*KINDS, users=["anna", "bert", "cleo", "dora"])
        cls.addClassCleanup(cls.o.close)
        cls.o.serve()
        for user in ("anna", "bert", "cleo", "dora"):
            done = cls.o.enroll(user)
            assert done.returncode == 0, done.stderr
        cls.anna = cls.o.start("anna", first=True)
        cls.bert = cls.o.start("bert")
        cls.cleo = cls.o.start("cleo")
        cls.dora = cls.o.start("dora", "--client")

    def test_a_value_stored_by_one_is_fetched_by_all(self):
        answer = self.bert.ask("store", "--kind", SINGLE, "hello")
        self.assertEqual(len(answer["replicas"]), 2)
        for node in (self.anna, self.bert, self.cleo, self.dora):
            fetched = node.ask("fetch", "--kind", SINGLE, "--user", f"bert@{NAME}")
            self.assertEqual(values(fetched), ["hello"])
            self.assertEqual(fetched["values"][0]["signer"], self.bert.id)
            self.assertEqual(fetched["values"][0]["user"], f"bert@{NAME}")
            self.assertEqual(fetched["rejected"], 0)

    def test_a_client_stores_too(self):
        self.dora.ask("store", "--kind", SINGLE, "from a client")
        fetched = self.cleo.ask("fetch", "--kind", SINGLE, "--user", f"dora@{NAME}")
        self.assertEqual(values(fetched), ["from a client"])

    def test_array_entries_are_appended_replaced_and_removed(self):
        for text in ("a", "b", "c"):
            self.cleo.ask("store", "--kind", ARRAY, text)
        self.cleo.ask("store", "--kind", ARRAY, "--index", 1, "B")
        place = ["--kind", ARRAY, "--user", f"cleo@{NAME}"]
        self.assertEqual(values(self.anna.ask("fetch", *place)), ["a", "B", "c"])
        self.assertEqual(values(self.anna.ask("fetch", *place, "--index", 2)), ["c"])
        self.cleo.ask("remove", "--kind", ARRAY, "--index", 0)
        self.assertEqual(values(self.anna.ask("fetch", *place)), ["B", "c"])

    # R6940-7.4.1.3-2
    def test_a_removal_outlives_what_it_removed(self):
        lifetime = 20 * 86400
        self.bert.ask("store", "--kind", DICTIONARY, "--lifetime", lifetime, "for long")
        place = ["--kind", DICTIONARY, "--user", f"bert@{NAME}"]
        self.assertEqual(values(self.anna.ask("fetch", *place)), ["for long"])
        self.bert.ask("remove", "--kind", DICTIONARY)
        meta, = self.anna.ask("stat", *place)["kind_responses"][0]["values"]
        self.assertFalse(meta["exists"])
        self.assertGreaterEqual(meta["lifetime_s"], lifetime)

    def test_a_dictionary_entry_of_ones_own_needs_no_key(self):
        self.anna.ask("store", "--kind", DICTIONARY, "my place")
        place = ["--kind", DICTIONARY, "--user", f"anna@{NAME}"]
        fetched = self.bert.ask("fetch", *place)
        self.assertEqual(values(fetched), ["my place"])
        self.assertEqual(fetched["values"][0]["key"]["hex"], self.anna.id)
        self.assertEqual(values(self.bert.ask("fetch", *place, "--key-hex", "00" * 16)), [])

    def test_values_come_from_text_files_and_hexadecimal(self):
        path = self.o.path("value")
        with open(path, "wb") as f:
            f.write(b"\x00\xff file")
        self.bert.ask("store", "--kind", MULTIPLE, "--i", 1, "@" + path)
        self.bert.ask("store", "--kind", MULTIPLE, "--i", 2, "--hex", "00ff00")
        for i, wanted in ((1, b"\x00\xff file".hex()), (2, "00ff00")):
            fetched = self.cleo.ask("fetch", "--kind", MULTIPLE, "--node", self.bert.id, "--i", i)
            self.assertEqual(fetched["values"][0]["value"]["hex"], wanted)

    def test_writing_where_one_may_not_is_refused_with_4(self):
        done = run("store", "--control", self.bert.socket, "--kind", SINGLE, "--user",
                   f"anna@{NAME}", "not mine")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("Error_Forbidden", done.stderr)

    def test_other_refusals_end_with_1_and_mistakes_with_2(self):
        self.bert.ask("store", "--kind", SINGLE, "x" * 201, code=1)
        self.bert.ask("store", "--kind", 77, "x", code=2)
        self.bert.ask("store", "--kind", MULTIPLE, "x", code=2)
        self.bert.ask("fetch", "--kind", SINGLE, "--resource", "0g", code=2)
        self.bert.ask("ping", "--node", "1234", code=2)
        self.bert.ask("remove", "--kind", ARRAY, code=2)

    def test_stat_and_find_tell_of_stored_data(self):
        answer = self.anna.ask("store", "--kind", SINGLE, "seven..")
        stat_answer = self.cleo.ask("stat", "--kind", SINGLE, "--user", f"anna@{NAME}")
        meta = stat_answer["kind_responses"][0]["values"][0]
        self.assertEqual((meta["value_length"], meta["exists"]), (7, True))
        found = self.cleo.ask("find", "--kind", SINGLE, "--user", f"anna@{NAME}")
        self.assertEqual(found["results"][0]["closest"], answer["resource"])

    def test_ping_reaches_nodes_and_resources(self):
        for node in (self.anna, self.bert):
            answer = self.cleo.ask("ping", node.id)
            self.assertEqual(answer["node_id"], node.id)
        answer = self.cleo.ask("ping", "--name", "anything at all")
        self.assertIn(answer["node_id"], (self.anna.id, self.bert.id, self.cleo.id))

    def test_a_trace_ends_at_the_responsible_peer(self):
        owner = self.anna.ask("ping", "--name", "some resource")["node_id"]
        for node in (self.anna, self.bert, self.cleo):
            hops = node.ask("trace", "--name", "some resource")["hops"]
            self.assertEqual(hops[-1]["node_id"], owner)

    def test_the_ring_is_drawn_as_text_json_and_dot(self):
        answer = self.bert.ask("ring", "--walk")
        self.assertTrue(answer["complete"])
        self.assertEqual(sorted(answer["members"]),
                         sorted([self.anna.id, self.bert.id, self.cleo.id]))
        self.assertEqual(len(answer["successors"]), 2)
        text = run("ring", "--control", self.bert.socket).stdout
        dot = run("ring", "--control", self.bert.socket, "--dot").stdout
        for node in (self.anna, self.bert, self.cleo):
            self.assertIn(node.id, text)
            self.assertIn(node.id, dot)
        self.assertTrue(dot.startswith("digraph"))

    def test_status_and_links_show_what_is_there(self):
        status = self.anna.ask("status")
        self.assertEqual((status["state"], status["role"], status["user"], status["node_id"]),
                         ("joined", "peer", f"anna@{NAME}", self.anna.id))
        self.assertEqual(self.dora.ask("status")["role"], "client")
        links = self.anna.ask("links")["links"]
        self.assertIn(self.bert.id, [link["node_id"] for link in links])
        self.assertTrue(all(link["tls"] in ("TLSv1.3", "TLSv1.2") for link in links))
        for link in links:
            self.assertIsNone(link["local"]["type"])  # no ICE, no candidates
            self.assertEqual(link["remote"]["address"], link["address"])
            self.assertFalse(link["relayed"])
        for ours, theirs in ((self.anna, self.bert), (self.bert, self.anna)):
            mirrored = {(link["remote"]["address"], link["local"]["address"])
                        for link in theirs.ask("links")["links"] if link["node_id"] == ours.id}
            self.assertEqual({(link["local"]["address"], link["remote"]["address"])
                              for link in ours.ask("links")["links"] if link["node_id"] == theirs.id},
                             mirrored)

    def test_links_are_shown_as_a_table(self):
        done = run("links", "--control", self.anna.socket)
        head, *rows = done.stdout.splitlines()
        columns = ["NODE-ID", "WAY", "PROTOCOL", "LOCAL", "REMOTE", "PATH", "RTT ms", "MESSAGES in/out",
                   "BYTES in/out", "REPEATED", "STATE"]
        self.assertEqual(re.split(r"  +", head), columns)
        table = [dict(zip(columns, re.split(r"  +", row))) for row in rows]
        row = next(r for r in table if r["NODE-ID"] == self.bert.id)
        self.assertEqual((row["PROTOCOL"], row["PATH"]), ("TLS-TCP-FH-NO-ICE", "direct"))
        self.assertTrue(row["REMOTE"].startswith("127.0.0.1:"))
        for column in ("MESSAGES in/out", "BYTES in/out"):
            self.assertRegex(row[column], r"^\d+/\d+$")
        self.assertIn(row["WAY"], ("in", "out"))

    def test_the_control_socket_is_private(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.anna.socket).st_mode), 0o600)

    def test_ones_own_certificate_is_published(self):
        def published():
            by_node = self.cleo.ask("fetch", "--kind", "CERTIFICATE_BY_NODE", "--node", self.bert.id)
            by_user = self.cleo.ask("fetch", "--kind", "CERTIFICATE_BY_USER", "--user",
                                    f"bert@{NAME}")
            return len(by_node["values"]) == 1 and len(by_user["values"]) == 1
        wait_until(published)

    def test_the_example_program_fetches(self):
        self.cleo.ask("store", "--kind", SINGLE, "for the example")
        self.o.add_user("eric")
        self.assertEqual(self.o.enroll("eric").returncode, 0)
        example = os.environ["RELOAD_EXAMPLE"]
        done = subprocess.run([example, self.o.path("eric"), f"cleo@{NAME}", hex(SINGLE)],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, "for the example\n"), done.stderr)


class Control(OverlayTest):
    """The control socket itself, with bytes no verb would send."""

    @classmethod
    def setUpClass(cls):
        from overlay import Overlay
        cls.o = Overlay(users=["anna"])
        cls.addClassCleanup(cls.o.close)
        cls.o.serve()
        assert cls.o.enroll("anna").returncode == 0
        cls.anna = cls.o.start("anna", first=True)

    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(self.anna.socket)
        answers = s.makefile("r")
        self.addCleanup(s.close)
        self.addCleanup(answers.close)
        return s, answers

    def test_bad_requests_are_answered_and_the_connection_stays(self):
        s, answers = self.connect()
        for line in (b"nonsense\n", b"[]\n", b"{}\n", b'{"verb": 7}\n', b'{"verb": "dance"}\n', b"\n",
                     b'{"verb": "fetch"}\n', b'{"verb": "store", "kind": []}\n', b"\xff\xfe\n",
                     b'{"verb": "ping", "node": 5}\n', b'{"verb":"status","verb":"status"}\n'):
            s.sendall(line)
            answer = json.loads(answers.readline())
            self.assertFalse(answer["ok"], line)
            self.assertTrue(answer["error"])
        s.sendall(b'{"verb": "status", "id": {"my": [1]}}\n')
        answer = json.loads(answers.readline())
        self.assertTrue(answer["ok"])
        self.assertEqual(answer["id"], {"my": [1]})

    def test_requests_may_come_in_pieces_and_in_heaps(self):
        s, answers = self.connect()
        for byte in b'{"verb":"status","id":1}\n':
            s.sendall(bytes([byte]))
        self.assertEqual(json.loads(answers.readline())["id"], 1)
        s.sendall(b"".join(b'{"verb":"status","id":%d}\n' % i for i in range(300)))
        self.assertEqual([json.loads(answers.readline())["id"] for _ in range(300)],
                         list(range(300)))

    def test_an_endless_line_ends_the_connection_not_the_peer(self):
        s, answers = self.connect()
        with self.assertRaises(OSError):
            for _ in range(100):
                s.sendall(b"x" * 65536)
            if s.recv(1) == b"":
                raise ConnectionResetError
        self.assertEqual(self.anna.ask("status")["state"], "joined")

    def test_too_many_requests_at_once_are_refused_one_by_one(self):
        s, answers = self.connect()
        ping = b'{"verb":"ping","name":"x"}\n'
        s.sendall(ping * 1500)
        results = [json.loads(answers.readline()) for _ in range(1500)]
        refused = [r["error"] for r in results if not r["ok"]]
        self.assertTrue(any(r["ok"] for r in results))
        self.assertIn("too many requests under way", refused)

    def test_a_client_that_does_not_read_is_dropped_and_the_peer_stays(self):
        s, _ = self.connect()
        with self.assertRaises(OSError):
            for _ in range(3000):
                s.sendall(b'{"verb":"status"}\n' * 100)
        self.assertEqual(self.anna.ask("status")["state"], "joined")

    def test_too_many_clients_are_turned_away(self):
        clients = [self.connect() for _ in range(64)]
        for s, answers in clients:
            s.sendall(b'{"verb": "status"}\n')
            self.assertTrue(json.loads(answers.readline())["ok"])
        s, answers = self.connect()
        self.assertEqual(answers.readline(), "")
        for client, answers in clients:
            answers.close()
            client.close()
        wait_until(lambda: run("status", "--control", self.anna.socket).returncode == 0)

    def test_a_heap_of_empty_lines_does_not_hold_up_the_peer(self):
        s, answers = self.connect()
        s.sendall(b"\n" * 50000)
        answer = json.loads(answers.readline())
        self.assertFalse(answer["ok"])
        self.assertEqual(self.anna.ask("status")["state"], "joined")

    def test_without_descriptors_it_waits_and_does_not_spin(self):
        pid = self.anna.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        open_now = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_now, before[1]))
        s, answers = self.connect()
        s.sendall(b'{"verb": "status"}\n')
        used = cpu_s(pid)
        time.sleep(2)
        self.assertLess(cpu_s(pid) - used, 0.3)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        self.assertTrue(json.loads(answers.readline())["ok"])

    def test_a_second_peer_cannot_take_the_socket(self):
        done = run("peer", "--identity", self.o.path("anna"), "--listen", "127.0.0.1:0",
                   "--control", self.anna.socket)
        self.assertEqual(done.returncode, 1)
        self.assertIn("a running peer has this control socket", done.stderr)
        self.assertEqual(self.anna.ask("status")["state"], "joined")


class Life(OverlayTest):
    def test_sigterm_leaves_within_two_seconds_and_events_tell(self):
        o = self.overlay(users=["anna", "bert"])
        o.serve()
        for user in ("anna", "bert"):
            self.assertEqual(o.enroll(user).returncode, 0)
        anna, bert = o.start("anna", first=True), o.start("bert")
        s = socket.socket(socket.AF_UNIX)
        self.addCleanup(s.close)
        s.settimeout(20)
        s.connect(bert.socket)
        s.sendall(b'{"verb": "subscribe"}\n')
        events = s.makefile("r")
        self.assertTrue(json.loads(events.readline())["ok"])
        code, seconds = bert.terminate()
        self.assertEqual(code, 0)
        self.assertLess(seconds, 2)
        states = [json.loads(line)["state"] for line in events]
        self.assertEqual(states, ["leaving", "left"])
        self.assertFalse(os.path.exists(bert.socket))
        wait_until(lambda: anna.ask("ring", "--walk")["members"] == [anna.id])

    def test_the_leave_verb_ends_a_peer(self):
        o = self.overlay(users=["anna"])
        o.serve()
        o.enroll("anna")
        anna = o.start("anna", first=True)
        anna.ask("leave")
        self.assertEqual(anna.process.wait(5), 0)

    def test_stored_values_survive_a_restart_with_a_store_file(self):
        o = self.overlay(*KINDS, users=["anna"])
        o.serve()
        o.enroll("anna")
        store = o.path("anna.store")
        anna = o.start("anna", "--store", store, first=True)
        anna.ask("store", "--kind", SINGLE, "keep this")
        anna.ask("store", "--kind", ARRAY, "first")
        anna.ask("store", "--kind", ARRAY, "second")
        anna.ask("remove", "--kind", ARRAY, "--index", 0)
        generation = anna.ask("fetch", "--kind", SINGLE)["values"][0]["generation"]
        anna.end()  # SIGKILL: what was acknowledged is on disk
        self.assertEqual(stat.S_IMODE(os.stat(store).st_mode), 0o600)
        anna = o.start("anna", "--store", store, first=True)
        fetched = anna.ask("fetch", "--kind", SINGLE)
        self.assertEqual(values(fetched), ["keep this"])
        self.assertEqual(fetched["values"][0]["generation"], generation)
        self.assertEqual(values(anna.ask("fetch", "--kind", ARRAY)), ["second"])
        self.assertGreater(anna.ask("status")["store_file"]["loaded"], 0)

    def test_without_a_bootstrap_node_it_keeps_trying_and_says_so(self):
        o = self.overlay(users=["anna", "bert"])
        o.serve()
        o.enroll("anna")
        o.enroll("bert")
        log = o.path("bert.log")
        with open(log, "wb") as err:
            bert = subprocess.Popen([os.environ["RELOAD_PROGRAM"], "peer", "--json", "--identity",
                                     o.path("bert"), "--listen", "127.0.0.1:0", "--control",
                                     o.path("bert.sock")], stdout=subprocess.PIPE, stderr=err,
                                    text=True)
        self.addCleanup(bert.stdout.close)
        self.addCleanup(bert.wait)
        self.addCleanup(bert.kill)
        wait_until(lambda: "no bootstrap node answered" in pathlib.Path(log).read_text())
        self.assertEqual(run("status", "--control", o.path("bert.sock")).returncode, 3)
        done = run("fetch", "--control", o.path("bert.sock"), "--kind", "3", "--node", "00" * 16)
        self.assertEqual(done.returncode, 3, done.stderr)
        o.start("anna", first=True)
        self.assertTrue(json.loads(bert.stdout.readline())["ok"])

    def test_a_client_linked_to_any_peer_serves_its_user(self):
        o = self.overlay(*KINDS, users=["anna", "bert", "cleo"])
        o.serve()
        for user in ("anna", "bert", "cleo"):
            o.enroll(user)
        anna, bert = o.start("anna", first=True), o.start("bert")
        cleo = o.start("cleo", "--client=any")
        self.assertEqual(cleo.ready["role"], "client-any")
        cleo.ask("store", "--kind", SINGLE, "x")
        self.assertEqual(values(bert.ask("fetch", "--kind", SINGLE, "--user", f"cleo@{NAME}")), ["x"])
        self.assertEqual(len(anna.ask("ring", "--walk")["members"]), 2)

    # R6940-11.4-5: addresses where nobody was reached do not get into it
    def test_the_peers_cache_leads_back_when_the_bootstrap_node_is_gone(self):
        users = ["anna", "bert", "cleo", "dora"]
        o = self.overlay(users=users)
        o.serve()
        for user in users:
            o.enroll(user)
        nobody = [f"127.0.0.1:{free_port()}" for _ in range(8)]
        anna = o.start("anna", first=True)
        bert = o.start("bert", *(f"--bootstrap={address}" for address in nobody))
        cleo, dora = o.start("cleo"), o.start("dora")
        bert.terminate()  # it was there when cleo came, and dialled it
        cached = pathlib.Path(o.path("bert"), "peers.cache").read_text().split()
        self.assertIn(cleo.ready["listen"], cached)
        self.assertFalse(set(nobody) & set(cached))
        anna.end()
        bert = o.start("bert")
        self.assertEqual(sorted(bert.ask("ring", "--walk")["members"]),
                         sorted([bert.id, cleo.id, dora.id]))

    def sign(self, o, old, new):
        """The operator edits the document and signs it again."""
        path = pathlib.Path(o.folder, "overlay.xml")
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new))
        done = run("overlay", "sign", "--dir", o.folder, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["sequence"]

    def test_a_newer_document_that_a_newcomer_brings_reaches_everybody(self):
        o = self.overlay(*KINDS, users=["anna", "bert", "cleo"])
        o.serve()
        o.enroll("anna")
        o.enroll("bert")
        anna, bert = o.start("anna", first=True), o.start("bert")
        anna.ask("store", "--kind", SINGLE, "before")
        sequence = self.sign(o, "<turn-density>1<", "<turn-density>2<")
        o.enroll("cleo")
        cleo = o.start("cleo")
        for node, user in ((anna, "anna"), (bert, "bert"), (cleo, "cleo")):
            wait_until(lambda: node.ask("status")["configuration_sequence"] == sequence)
            kept = pathlib.Path(o.path(user), "overlay.xml").read_text()
            self.assertIn(f'sequence="{sequence}"', kept)
        self.assertEqual(values(cleo.ask("fetch", "--kind", SINGLE, "--user", f"anna@{NAME}")),
                         ["before"])

    def test_a_document_about_to_expire_is_fetched_anew(self):
        o = self.overlay(users=["anna"])
        o.serve()
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 15))
        self.sign(o, ' sequence="1"', f' sequence="1" expiration="{end}"')
        self.assertEqual(o.enroll("anna").returncode, 0)
        sequence = self.sign(o, end, time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                                   time.gmtime(time.time() + 86400)))
        anna = o.start("anna", "--config-server",
                       f"https://127.0.0.1:{o.https}/.well-known/reload-config", "--ca",
                       os.path.join(o.folder, "ca.pem"), first=True)
        self.assertEqual(anna.ask("status")["configuration_sequence"], sequence - 1)
        wait_until(lambda: anna.ask("status")["configuration_sequence"] == sequence)


class Enrolling(OverlayTest):
    def setUp(self):
        self.o = self.overlay(users=["anna"])
        self.o.serve()

    def test_a_wrong_password_ends_with_4(self):
        wrong = self.o.path("wrong")
        with open(wrong, "w") as f:
            f.write("not the password\n")
        done = self.o.enroll("anna", password=wrong)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertFalse(json.loads(done.stdout)["ok"])
        self.assertFalse(os.path.exists(self.o.path("anna")))

    def test_an_unknown_user_ends_with_4(self):
        self.assertEqual(self.o.enroll("nobody").returncode, 4)

    def test_a_returning_user_gets_the_same_node_id(self):
        first, second = (json.loads(self.o.enroll("anna").stdout) for _ in range(2))
        self.assertEqual(first["node_ids"], second["node_ids"])

    def test_an_unknown_ca_is_refused(self):
        done = run("enroll", f"https://127.0.0.1:{self.o.https}/.well-known/reload-config",
                   "--user", f"anna@{NAME}", "--password-file", self.o.password, "--identity",
                   self.o.path("anna"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--ca", done.stderr)

    def test_nobody_listening_is_said(self):
        done = run("enroll", f"https://127.0.0.1:{free_port()}/.well-known/reload-config", "--user",
                   f"anna@{NAME}", "--password-file", self.o.password, "--identity",
                   self.o.path("anna"))
        self.assertEqual(done.returncode, 1)

    def test_a_document_in_a_file_serves_as_well_as_a_url(self):
        done = run("enroll", os.path.join(self.o.folder, "overlay.xml"), "--json", "--user",
                   f"anna@{NAME}", "--password-file", self.o.password, "--ca",
                   os.path.join(self.o.folder, "ca.pem"), "--identity", self.o.path("anna"))
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
