"""Peers from loose files that another program made, RSA and EC; and files that must be refused."""
import os
import pathlib
import shutil
import tempfile
import time
import unittest

from openssl_overlay import NAME, Foreign
from overlay import Node, free_port, run

KIND = 0xF0000001


class Base(unittest.TestCase):
    key = "ec"

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="reload-test-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.port = free_port()

    def foreign(self, **words):
        return Foreign(self.directory, self.key, self.port, **words)

    def start(self, foreign, name, port, *options):
        node = Node(self, name, *foreign.files(name), "--listen", f"127.0.0.1:{port}", *options)
        self.addCleanup(node.end)
        return node


class Ec(Base):
    def test_peers_join_store_and_fetch_with_what_openssl_made(self):
        foreign = self.foreign()
        ids = [foreign.node(name) for name in ("one", "two", "three")]
        one = self.start(foreign, "one", self.port, "--first")
        two, three = self.start(foreign, "two", 0), self.start(foreign, "three", 0)
        self.assertEqual([one.id, two.id, three.id], ids)
        two.ask("store", "--kind", KIND, "made elsewhere")
        for node in (one, two, three):
            values = node.ask("fetch", "--kind", KIND, "--user", f"two@{NAME}")["values"]
            self.assertEqual([v["value"]["text"] for v in values], ["made elsewhere"])


    # R6940-6.3.4-8 R6940-6.3.4-9: an answer brings the certificates above those of the values, also
    # when the storing peer was started again meanwhile
    def test_values_are_verified_through_an_intermediate_ca_when_their_writer_has_gone(self):
        foreign = self.foreign()
        foreign.intermediate("middle")
        for name, issuer in (("one", "ca"), ("two", "middle"), ("three", "ca"), ("four", "ca")):
            foreign.node(name, issuer=issuer)
        kept = "--store", foreign.path("one.db")
        one = self.start(foreign, "one", self.port, "--first", *kept)
        two = self.start(foreign, "two", 0)
        two.ask("store", "--kind", KIND, "by way of the middle")
        two.end()

        def is_found_by(name):
            reader = self.start(foreign, name, 0)
            values = reader.ask("fetch", "--kind", KIND, "--user", f"two@{NAME}")["values"]
            self.assertEqual([v["value"]["text"] for v in values], ["by way of the middle"])
            reader.end()

        is_found_by("three")
        one.end()
        self.start(foreign, "one", self.port, "--first", *kept)
        is_found_by("four")

    # R6940-11.1-5
    def test_of_several_configurations_that_of_the_certificate_counts(self):
        foreign = self.foreign()
        foreign.node("one")
        text = pathlib.Path(foreign.config).read_bytes()
        other = b'<configuration instance-name="elsewhere.example">\n</configuration>\n'
        pathlib.Path(foreign.config).write_bytes(
            text.replace(b"<configuration ", other + b"<configuration ", 1))
        one = self.start(foreign, "one", self.port, "--first")
        self.assertEqual(one.ask("status")["overlay"], NAME)


class Rsa(Ec):
    key = "rsa"


class Refused(Base):
    """A peer that cannot work says so at its start."""

    def check(self, foreign, name, code, words):
        done = run("peer", *foreign.files(name), "--listen", "127.0.0.1:0", "--first", timeout=20)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(words, done.stderr)

    def test_an_unsigned_document_ends_with_4_unless_insisted(self):
        foreign = self.foreign(sign=False)
        foreign.node("one")
        self.check(foreign, "one", 4, "sign")
        self.start(foreign, "one", 0, "--first", "--unsigned")

    def test_a_changed_document_ends_with_4(self):
        foreign = self.foreign()
        foreign.node("one")
        text = pathlib.Path(foreign.config).read_bytes()
        pathlib.Path(foreign.config).write_bytes(text.replace(b'sequence="22"', b'sequence="23"'))
        self.check(foreign, "one", 4, "signature")

    def test_an_expired_document_ends_with_5(self):
        foreign = self.foreign(expiration=time.time() - 3600)
        foreign.node("one")
        self.check(foreign, "one", 5, "expire")

    def test_an_expired_certificate_ends_with_5(self):
        foreign = self.foreign()
        foreign.node("one", days=-1)
        self.check(foreign, "one", 5, "expire")

    def test_a_certificate_of_another_overlay_ends_with_4(self):
        foreign = self.foreign()
        foreign.node("one", overlay="elsewhere.example")
        self.check(foreign, "one", 4, "elsewhere.example")

    def test_a_certificate_of_another_ca_ends_with_4(self):
        foreign = self.foreign()
        foreign.node("one")
        other = tempfile.mkdtemp(prefix="reload-test-")
        self.addCleanup(shutil.rmtree, other)
        stranger = Foreign(other, self.key, self.port)
        stranger.node("one")
        stranger.config = foreign.config
        self.check(stranger, "one", 4, "root")

    def test_a_key_that_others_can_read_ends_with_4(self):
        foreign = self.foreign()
        foreign.node("one")
        os.chmod(foreign.path("one.key"), 0o644)
        self.check(foreign, "one", 4, "one.key")

    def test_a_key_of_another_certificate_ends_with_4(self):
        foreign = self.foreign()
        foreign.node("one")
        foreign.new_key("one")
        self.check(foreign, "one", 4, "key")

    # R6940-6.3.2.1-1: without a document there is no peer
    def test_missing_and_broken_files_end_with_1(self):
        foreign = self.foreign()
        foreign.node("one")
        pathlib.Path(foreign.path("one.pem")).write_text("nonsense\n")
        self.check(foreign, "one", 1, "one.pem")
        os.unlink(foreign.path("one.pem"))
        self.check(foreign, "one", 1, "one.pem")
        pathlib.Path(foreign.config).write_text("<overlay>")
        self.check(foreign, "one", 1, "overlay.xml")
        os.unlink(foreign.config)
        self.check(foreign, "one", 1, "overlay.xml")

    def test_a_port_in_use_is_said(self):
        foreign = self.foreign()
        foreign.node("one")
        foreign.node("two")
        self.start(foreign, "one", self.port, "--first")
        done = run("peer", *foreign.files("two"), "--listen", f"127.0.0.1:{self.port}", timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--listen", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
