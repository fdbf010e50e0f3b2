"""Every C file stands as .clang-format says."""
import shutil
import subprocess

from tree import ROOT, files, report

tool = shutil.which("clang-format-14") or shutil.which("clang-format")
if not tool:
    print("skipped: clang-format is not installed")
    raise SystemExit(77)
problems = []
names = files(".c", ".h")
for start in range(0, len(names), 50):
    done = subprocess.run([tool, "--dry-run", "-Werror", *names[start:start + 50]], cwd=ROOT,
                          capture_output=True, text=True)
    problems += [line for line in done.stderr.splitlines() if "code should be clang-formatted" in line]
report(problems)
