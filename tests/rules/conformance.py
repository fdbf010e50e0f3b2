"""docs/conformance*.md are what the tests say: which requirement of an RFC has a test with its id.

    python3 tests/rules/conformance.py           fails when an id is unknown or a page is stale
    python3 tests/rules/conformance.py --write   writes the pages anew

A requirement that no test can show may stand, with the reason, in reasons.tsv beside the lists.
"""
import collections
import re
import sys

from tree import ROOT, files, lines, report

LISTS = "tests/data/requirements"
RFCS = {"6940": "conformance.md", "7904": "conformance-7904.md"}
ID = re.compile(rf"\bR(?:{'|'.join(RFCS)})-[0-9A][0-9A-Za-z.]*-[0-9]+\b")


def table(name):
    return [line.split("\t") for line in lines(f"{LISTS}/{name}")[1:] if line]


def requirements(rfc):
    """Requirement id -> level."""
    return {row[0]: row[2] for row in table(f"rfc{rfc}.tsv")}


def proofs():
    """Requirement id -> the test files that carry it."""
    found = collections.defaultdict(set)
    for path in files(".c", ".py"):
        if path.startswith("tests/") and not path.startswith("tests/rules/"):
            for line in lines(path):
                for name in ID.findall(line):
                    found[name].add(path)
    return found


def page(rfc, known, proven, reasons):
    out = [f"# Conformance with RFC {rfc}", "",
           "Made by `python3 tests/rules/conformance.py --write` from the requirement ids that the tests",
           "carry. A requirement without a test is listed as such, whatever the code does.", "",
           "| level | requirements | with a test |", "| --- | --- | --- |"]
    levels = collections.Counter(known.values())
    tested = collections.Counter(level for name, level in known.items() if name in proven)
    out += [f"| {level} | {levels[level]} | {tested[level]} |" for level in sorted(levels)]
    out += [f"| all | {len(known)} | {sum(tested.values())} |", "", "| id | level | test |",
            "| --- | --- | --- |"]
    for name, level in known.items():
        where = ", ".join(f"`{p.removeprefix('tests/')}`" for p in sorted(proven.get(name, ())))
        reason = f"none: {reasons[name]}" if name in reasons else "none"
        out.append(f"| {name} | {level} | {where or reason} |")
    return "\n".join(out) + "\n"


proven, reasons = proofs(), dict(table("reasons.tsv"))
known, problems = {}, []
for rfc, file in RFCS.items():
    these = requirements(rfc)
    known.update(these)
    text, path = page(rfc, these, proven, reasons), ROOT / "docs" / file
    if "--write" in sys.argv[1:]:
        path.write_text(text)
    if not path.exists() or path.read_text() != text:
        problems.append(f"docs/{file} is stale: python3 tests/rules/conformance.py --write")
    print(f"RFC {rfc}: {len([n for n in these if n in proven])} of {len(these)} requirements "
          "have a test")
problems += [f"{path}: unknown requirement {name}" for name in sorted(proven) if name not in known
             for path in sorted(proven[name])]
problems += [f"reasons.tsv: {name} is unknown, or has a test" for name in sorted(reasons)
             if name not in known or name in proven]
report(problems)
