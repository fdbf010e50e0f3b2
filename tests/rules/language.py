"""The project speaks of itself alone, finishes what it starts, and uses no banned functions."""
import re

from tree import files, lines, report

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|not implemented|placeholder)\b", re.I)
MACHINE = re.compile(r"(?<![\w.])/(work|root|home)/\w")
UNSAFE = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\s*\(")
UNSAFE_IN_THE_PROJECT = re.compile(r"\b(rand|srand|system|popen)\s*\(")  # tests may
SELF = "tests/rules/language.py"


def check(path):
    for number, line in enumerate(lines(path), 1):
        if UNFINISHED.search(line):
            yield f"{path}:{number}: unfinished: {line.strip()}"
        if MACHINE.search(line):
            yield f"{path}:{number}: a machine's path: {line.strip()}"
        if path.endswith((".c", ".h")) and (
                UNSAFE.search(line)
                or not path.startswith("tests/") and UNSAFE_IN_THE_PROJECT.search(line)):
            yield f"{path}:{number}: unsafe function: {line.strip()}"


report([p for path in files(".c", ".h", ".py", ".md", ".txt", ".sh") if path != SELF
        and not path.startswith("tests/data/") for p in check(path)])
