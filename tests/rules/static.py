"""Static analysis of the project's own sources, with no open finding.

    python3 tests/rules/static.py (clang-tidy | cppcheck | analyzer) BUILD-FOLDER

The build folder is where compile_commands.json lies. A file that was clean is not looked at again
until it, a header of ours that it includes, or the tool's settings change: BUILD-FOLDER/static
remembers.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

from tree import ROOT, report

OURS = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
FAULTY = """#include <stdlib.h>
void BadName(char *text);
void BadName(char *text)
{
    free(text);
    free(text);
}
"""
SETTINGS = (".clang-tidy", "tests/rules/cppcheck.cfg", "tests/rules/static.py")
UNWANTED = ("-fsanitize", "-fno-sanitize", "--coverage")


def commands(folder):
    """Source file -> the compiler's arguments, without what sanitizes or writes."""
    found = {}
    for entry in json.loads((folder / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if not path.is_relative_to(ROOT) or path.is_relative_to(ROOT / "tests"):
            continue
        words = shlex.split(entry["command"])
        while not words[0].endswith(("cc", "clang")) or words[0].endswith("ccache"):
            words.pop(0)
        words[words.index("-o") + 1] = "/dev/null"
        found.setdefault(path, [w for w in words if not w.startswith(UNWANTED)])
    return found


def closure(path, seen):
    """The file and the headers of ours that it reaches."""
    if path not in seen and path.is_file():
        seen.add(path)
        for name in OURS.findall(path.read_text()):
            closure(ROOT / name, seen)
    return seen


def digest(path, words, tool, version):
    parts = hashlib.sha256(f"{tool} {version} {words}".encode())
    for name in sorted(closure(path, {ROOT / s for s in SETTINGS})):
        parts.update(str(name.relative_to(ROOT)).encode() + b"\0" + name.read_bytes())
    return parts.hexdigest()


def queue_header(compiler):
    """Where sys/queue.h lies, whose macros cppcheck must know."""
    listed = subprocess.run([compiler, "-M", "-xc", "-"], input="#include <sys/queue.h>\n",
                            capture_output=True, text=True, check=True).stdout
    return next(word for word in listed.split() if word.endswith("sys/queue.h"))


def program(tool):
    """Its path; None when it is not installed."""
    names = {"analyzer": ("gcc",), "clang-tidy": ("clang-tidy-14", "clang-tidy")}.get(tool, (tool,))
    return next(filter(None, map(shutil.which, names)), None)


def line_for(tool, path, words, folder):
    if tool == "clang-tidy":
        return [program(tool), "-p", str(folder), "--quiet", str(path)]
    if tool == "cppcheck":
        flags = [w for w in words if w.startswith("-D") or w == f"-I{ROOT}"]
        return [program(tool), "--quiet", "--std=c11", "--enable=warning,portability,performance",
                "--error-exitcode=1", "--inline-suppr", f"--include={queue_header(words[0])}",
                "--library=tests/rules/cppcheck.cfg", *flags, str(path)]
    return [program(tool), *words[1:], "-O1", "-Werror", "-fanalyzer"]


def check(tool, path, words, folder, mark):
    done = subprocess.run(line_for(tool, path, words, folder), cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        mark.touch()
        return []
    shown = [line for line in (done.stdout + done.stderr).splitlines()
             if re.search(r": (error|warning|portability|performance)\b", line)]
    return shown or [f"{path}: {tool} ends with {done.returncode}: {done.stderr[:400]}"]


def sees_faults(tool, words, folder):
    """Whether the tool, as it is called here, finds what is wrong with a faulty source."""
    path = folder / "static" / f"faulty_{tool}.c"
    path.write_text(FAULTY)
    return bool(check(tool, path, [*words[:-1], str(path)], folder, folder / "static" / "never"))


def main(tool, folder):
    if not program(tool):
        print(f"skipped: {tool} is not installed")
        raise SystemExit(77)
    version = subprocess.run([program(tool), "--version"], capture_output=True, text=True).stdout
    memory = folder / "static" / tool
    memory.mkdir(parents=True, exist_ok=True)
    jobs, problems = [], []
    known = commands(folder)
    marks = {path: memory / digest(path, words, tool, version) for path, words in known.items()}
    for old in set(memory.iterdir()) - set(marks.values()):
        old.unlink()
    if not sees_faults(tool, next(iter(known.values())), folder):
        problems.append(f"{tool} sees nothing wrong with a source that frees twice")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, words in known.items():
            if not marks[path].exists():
                jobs.append(pool.submit(check, tool, path, words, folder, marks[path]))
        for job in jobs:
            problems += job.result()
    print(f"{len(known)} sources, {len(jobs)} of them looked at now")
    report(sorted(set(problems)))


main(sys.argv[1], pathlib.Path(sys.argv[2]).resolve())
