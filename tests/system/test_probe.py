"""reload-probe against our own peer: no case fails, over TLS and over DTLS."""
import json
import os
import subprocess
import unittest
import xml.etree.ElementTree

from overlay import free_port, run
from probe_overlay import ProbeOverlay

PROBE = os.environ["RELOAD_PROBE"]
CASES_MIN = 150
ALL_S = 240


def probe(command, *options, timeout=ALL_S):
    return subprocess.run([*command, *options], capture_output=True, text=True, timeout=timeout)


class Base(unittest.TestCase):
    def start(self, *options, **words):
        overlay = ProbeOverlay(PROBE, *options, **words)
        self.addCleanup(overlay.close)
        return overlay


class OwnPeer(Base):
    def check(self, other, **words):
        """All cases but those that are about the other transport."""
        done = probe(self.start(**words).probe, "--reconfigure", "--json")
        said = json.loads(done.stdout)
        failed = {c["name"]: c["reason"] for c in said["cases"] if c["verdict"] == "fail"}
        self.assertEqual(failed, {})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreaterEqual(said["pass"], CASES_MIN)
        self.assertEqual({c["reason"] for c in said["cases"] if c["verdict"] == "not applicable"},
                         {f"needs {other}"})

    def test_no_case_fails_over_tls(self):
        self.check("dtls")

    def test_no_case_fails_over_dtls(self):
        self.check("tls", dtls=True)


class Compatibility(Base):
    """What other programs do differently is accepted: always, or by a switch that changes nothing else."""

    def failed(self, overlay, pattern):
        said = json.loads(probe(overlay.probe, "--only", pattern, "--json").stdout)
        self.assertGreater(said["pass"], 0)
        return [c["name"] for c in said["cases"] if c["verdict"] == "fail"]

    def test_values_signed_over_a_bare_resource_id_are_taken_with_the_switch_alone(self):
        overlay = self.start("--raw-resource-ids")
        self.assertEqual(self.failed(overlay, "value-signature-*"),
                         ["value-signature-without-the-length-of-the-resource-id"])

    def test_an_originator_in_its_own_via_list_is_answered(self):
        self.assertEqual(self.failed(self.start(), "via-with-its-originator-first"), [])


class Program(Base):
    def test_the_list_names_each_case_once_with_section_and_requirements(self):
        cases = json.loads(probe([PROBE], "--list", "--json").stdout)
        names = [c["name"] for c in cases]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names), CASES_MIN)
        for case in cases:
            self.assertRegex(case["section"], r"^\d+(\.\d+)*$")
            self.assertRegex(case["ids"], r"^R6940-\S+-\d+( R6940-\S+-\d+)*$")

    def test_without_an_authority_it_runs_what_needs_no_further_certificate(self):
        overlay = self.start()
        done = probe([PROBE, *overlay.loose], "--only", "header-plain-ping", "--only",
                     "store-single", "--json")
        said = json.loads(done.stdout)
        self.assertEqual({c["name"]: c["verdict"] for c in said["cases"]},
                         {"header-plain-ping": "pass", "store-single": "not applicable"})
        self.assertEqual(done.returncode, 0)

    def test_junit_is_xml_with_a_testcase_each(self):
        done = probe(self.start().probe, "--only", "header-ttl-*", "--junit")
        suite = xml.etree.ElementTree.fromstring(done.stdout)
        self.assertEqual(suite.get("failures"), "0")
        self.assertEqual(len(suite), int(suite.get("tests")))
        self.assertIn("header-ttl-255", [case.get("name") for case in suite])

    def test_a_failure_comes_with_the_bytes_exchanged_and_exit_code_1(self):
        """The probe has a newer document than the peer, whose answers are therefore errors."""
        overlay = self.start()
        self.assertEqual(run("overlay", "sign", "--dir", overlay.overlay.folder).returncode, 0)
        newer = [*overlay.probe]
        newer[newer.index("--config") + 1] = os.path.join(overlay.overlay.folder, "overlay.xml")
        done = probe(newer, "--only", "header-plain-ping", "--json")
        case, = json.loads(done.stdout)["cases"]
        self.assertEqual((case["verdict"], done.returncode), ("fail", 1))
        self.assertRegex(case["bytes"], r"(?m)^> d2454c4f")
        self.assertRegex(case["bytes"], r"(?m)^< d2454c4f")

    def test_what_cannot_be_run_ends_with_2(self):
        overlay = self.start()
        nobody = [*overlay.probe]
        nobody[nobody.index("--peer") + 1] = f"127.0.0.1:{free_port()}"
        for command in ([PROBE], [PROBE, "--nonsense"], nobody):
            done = probe(command)
            self.assertEqual(done.returncode, 2)
            self.assertNotEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
