"""An overlay whose links are made by ICE, on loopback: who is linked how, STUN on the bare ports, and
what strangers send there."""
import os
import pathlib
import signal
import socket
import struct
import threading
import time
import unittest

from overlay import OverlayTest, run, wait_until

COOKIE = 0x2112A442
USERS = ("anna", "bert", "carl", "dora")


def binding(kind=0x0001, transaction=None, attributes=b""):
    transaction = transaction or os.urandom(12)
    return struct.pack(">HHI", kind, len(attributes), COOKIE) + transaction + attributes


def mapped(address, port):
    """XOR-MAPPED-ADDRESS, RFC 5389 s15.2."""
    plain = socket.inet_aton(address)
    hidden = bytes(a ^ b for a, b in zip(plain, struct.pack(">I", COOKIE)))
    return struct.pack(">HHBBH", 0x0020, 8, 0, 1, port ^ (COOKIE >> 16)) + hidden


class Ice(OverlayTest):
    def setUp(self):
        self.net = self.overlay(ice=True, users=USERS)
        self.net.serve()
        for user in USERS:
            done = self.net.enroll(user)
            self.assertEqual(done.returncode, 0, done.stderr)

    def start_all(self):
        self.anna = self.net.start("anna", first=True)
        self.bert, self.carl = self.net.start("bert"), self.net.start("carl")
        self.dora = self.net.start("dora", "--client")
        return self.anna, self.bert, self.carl, self.dora

    def links_to(self, node, other):
        return [link for link in node.ask("links")["links"] if link["node_id"] == other.id]

    # R6940-6.5.1.3-1 R6940-6.5.1.5-1 R6940-6.6.4-1
    def test_links_are_by_ice_but_for_those_to_the_bootstrap_node(self):
        nodes = self.start_all()
        wait_until(lambda: self.links_to(self.bert, self.carl))
        for link in self.links_to(self.bert, self.carl):
            self.assertEqual(link["protocol"], "DTLS-UDP-SR")
            self.assertEqual((link["local"]["type"], link["remote"]["type"]), ("host", "host"))
            self.assertEqual(link["address"], link["remote"]["address"])
            self.assertTrue(link["address"].startswith("127.0.0.1:"))
            self.assertFalse(link["relayed"])
        for node in nodes:
            for link in node.ask("links")["links"]:
                self.assertIn(link["protocol"], ("DTLS-UDP-SR", "DTLS-UDP-SR-NO-ICE"))
                self.assertEqual(link["local"]["type"] is not None, link["protocol"] == "DTLS-UDP-SR")
            self.assertEqual(node.ask("status")["ice"]["failed"], 0)
        table = run("links", "--control", self.bert.socket).stdout
        self.assertRegex(table, rf"{self.carl.id}  (in|out) +DTLS-UDP-SR +host 127\.0\.0\.1:\d+  +"
                                rf"host 127\.0\.0\.1:\d+ +direct")
        self.assertEqual(self.dora.ask("ping", self.carl.id)["node_id"], self.carl.id)

    # R6940-6.6.3.1-11
    def test_a_peer_that_falls_silent_is_found_out_on_its_idle_links(self):
        self.start_all()
        wait_until(lambda: self.links_to(self.bert, self.carl))

        def messages():
            return [(link["messages_in"], link["messages_out"]) for link in self.links_to(self.bert, self.carl)]

        def is_idle():
            before = messages()
            time.sleep(3)
            return before == messages()

        wait_until(is_idle, 60)
        self.carl.process.send_signal(signal.SIGSTOP)  # its sockets stay: no ICMP tells
        wait_until(lambda: not self.links_to(self.bert, self.carl), 120)
        log = pathlib.Path(self.bert.log).read_text()
        self.assertIn("no transmission of a message was acknowledged", log)
        self.assertNotIn("consent", log)

    def test_a_peer_that_leaves_closes_its_links(self):
        self.start_all()
        wait_until(lambda: self.links_to(self.bert, self.carl))
        self.carl.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.carl.process.wait(60), 0)
        wait_until(lambda: not self.links_to(self.bert, self.carl), 60)
        self.assertEqual(self.bert.ask("status")["links"]["failed_dead"], 0)

    # R6940-6.5.1.4-1 R6940-6.5.1.4-2
    def test_bootstrap_nodes_and_linked_peers_serve_as_stun_servers_while_they_are_linked(self):
        self.start_all()
        wait_until(lambda: self.links_to(self.bert, self.carl))
        port_of_carl = self.carl.ready["listen"]

        def stun():
            return self.bert.ask("status")["stun"]

        def addresses():
            return [s["address"] for s in stun()["servers"] if s["sees"]]

        wait_until(lambda: f"127.0.0.1:{self.net.bootstrap}" in addresses())
        wait_until(lambda: port_of_carl in addresses())
        self.assertEqual(stun()["nat"], "none")
        self.assertEqual(sum(s["in_use"] for s in stun()["servers"] if s["sees"]), 1)  # one group
        self.carl.terminate()
        wait_until(lambda: port_of_carl not in addresses())
        self.assertIn(f"127.0.0.1:{self.net.bootstrap}", addresses())

    def test_the_bare_port_answers_strangers_and_counts_what_is_no_question(self):
        anna = self.net.start("anna", first=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.1", 0))
            stranger.connect(("127.0.0.1", self.net.bootstrap))
            stranger.settimeout(5)
            question = binding()
            stranger.send(question)
            answer = stranger.recv(2000)
            self.assertEqual(answer[:2], b"\x01\x01")
            self.assertEqual(answer[4:20], question[4:20])
            self.assertIn(mapped(*stranger.getsockname()), answer)
            self.assertLessEqual(len(answer), len(question) + 36)
            stranger.send(question[:12])                                # cut short
            stranger.send(binding(0x0011))                              # an indication
            stranger.send(binding(attributes=struct.pack(">HH", 0x7777, 0)))  # to be understood
            stranger.send(binding(0x0101, attributes=mapped("198.51.100.1", 9)))  # forged

            def counted():
                stun = anna.ask("status")["stun"]
                return (stun["answered"] == 1 and stun["malformed"] == 1 and stun["other"] == 1 and
                        stun["refused"] == 1 and stun["answers_forged"] == 1)

            wait_until(counted)
        self.assertEqual(anna.ask("status")["stun"]["servers"], [])

    def test_a_forged_answer_does_not_tell_a_node_who_it_is(self):
        """The bootstrap address belongs to a liar that answers with other transaction ids."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as liar:
            liar.bind(("127.0.0.1", 0))
            liar.settimeout(10)
            self.net.start("anna", first=True)
            bert = self.net.start("bert", "--bootstrap", "127.0.0.1:%d" % liar.getsockname()[1])
            while True:
                question, asker = liar.recvfrom(2000)
                if question[0] == 0:  # STUN, not the attempt to link
                    break
            for _ in range(10):
                liar.sendto(binding(0x0101, attributes=mapped("198.51.100.1", 9)), asker)
            liar.sendto(question[:1] + b"\x01\x00\x04" + question[4:], asker)  # a length that lies
            wait_until(lambda: bert.ask("status")["stun"]["answers_forged"] == 10)
            stun = bert.ask("status")["stun"]
            self.assertEqual(stun["nat"], "none")
            self.assertNotIn("198.51.100.1:9", [s["sees"] for s in stun["servers"]])

    # R6940-11.4-1
    def test_where_udp_is_lost_the_bootstrap_node_is_reached_over_tcp(self):
        """A front that forwards TCP alone stands before the bootstrap node."""
        anna = self.net.start("anna", "--first")  # not where the document says
        front = socket.create_server(("127.0.0.1", self.net.bootstrap))
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        silent.bind(front.getsockname())  # takes UDP and never answers
        self.addCleanup(front.close)
        self.addCleanup(silent.close)

        def pump(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
            except OSError:
                pass
            finally:
                sink.close()

        def serve():
            try:
                while True:
                    inside = front.accept()[0]
                    outside = socket.create_connection(("127.0.0.1", int(anna.ready["listen"].split(":")[1])))
                    for pair in ((inside, outside), (outside, inside)):
                        threading.Thread(target=pump, args=pair, daemon=True).start()
            except OSError:
                pass

        threading.Thread(target=serve, daemon=True).start()
        bert = self.net.start("bert")
        self.assertEqual(bert.ask("status")["state"], "joined")
        self.assertEqual({link["protocol"] for link in self.links_to(bert, anna)},
                         {"TLS-TCP-FH-NO-ICE", "DTLS-UDP-SR"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
