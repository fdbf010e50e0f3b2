"""Each entry of tests/mutation/mutants still fits the source that it breaks, and names a known requirement.
tests/mutation/run, which takes minutes, shows that the tests catch them."""
import json
import subprocess
import sys

from tree import ROOT, report

listed = subprocess.run([sys.executable, str(ROOT / "tests" / "mutation" / "run"), "--list"],
                        capture_output=True, text=True)
if listed.returncode:
    report([listed.stderr])
entries = json.loads(listed.stdout)
print(f"{len(entries)} mutants of {len({e['row'] for e in entries})} requirements")
report([f"{e['entry']}: {e['problem']}" for e in entries if e["problem"]])
