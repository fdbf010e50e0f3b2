"""The deviants of interop/deviants: their table holds, and a sample of them is found by reload-probe. The
whole run is a command of its own (docs/testing.md)."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

RUN = pathlib.Path(__file__).resolve().parents[2] / "interop/deviants/run"
DEVIANTS_MIN = 25
SAMPLE = 12  # each so many-th


def deviants(*options, timeout=60):
    return subprocess.run([sys.executable, str(RUN), "--json", *options], capture_output=True,
                          text=True, timeout=timeout)


class Deviants(unittest.TestCase):
    def test_the_table_names_patches_that_fit_and_cases_that_exist(self):
        listed = subprocess.run([os.environ["RELOAD_PROBE"], "--list", "--json"],
                                capture_output=True, text=True, timeout=60, check=True)
        cases = {case["name"] for case in json.loads(listed.stdout)}
        table = json.loads(deviants("--list").stdout)
        self.assertGreaterEqual(len(table), DEVIANTS_MIN)
        for entry in table:
            self.assertIsNone(entry["problem"], entry["row"])
            self.assertLessEqual(set(entry["cases"]), cases, entry["row"])

    def test_a_sample_is_found(self):
        done = deviants("--every", str(SAMPLE), timeout=850)
        self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual((said["found"], said["missed"]), (said["expected"], []))
        print(done.stderr)

    def test_what_is_no_deviant_is_refused(self):
        self.assertEqual(deviants("--only", "nothing").returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
