"""docs/conformance.md is what the tests say: which requirement of RFC 6940 has a test with its id.

    python3 tests/rules/conformance.py           fails when an id is unknown or the page is stale
    python3 tests/rules/conformance.py --write   writes the page anew
"""
import collections
import re
import sys

from tree import ROOT, files, lines, report

LIST = "tests/data/requirements/rfc6940.tsv"
PAGE = ROOT / "docs" / "conformance.md"
ID = re.compile(r"\bR6940-[0-9A][0-9A-Za-z.]*-[0-9]+\b")


def requirements():
    rows = [line.split("\t") for line in lines(LIST)[1:] if line]
    return {row[0]: dict(zip(("id", "section", "level", "module", "text"), row)) for row in rows}


def proofs():
    """Requirement id -> the test files that carry it."""
    found = collections.defaultdict(set)
    for path in files(".c", ".py"):
        if path.startswith("tests/") and not path.startswith("tests/rules/"):
            for line in lines(path):
                for name in ID.findall(line):
                    found[name].add(path)
    return found


def page(known, proven):
    out = ["# Conformance with RFC 6940", "",
           "Made by `python3 tests/rules/conformance.py --write` from the requirement ids that the tests",
           "carry. A requirement without a test is listed as such, whatever the code does.", "",
           "| level | requirements | with a test |", "| --- | --- | --- |"]
    levels = collections.Counter(row["level"] for row in known.values())
    tested = collections.Counter(row["level"] for name, row in known.items() if name in proven)
    out += [f"| {level} | {levels[level]} | {tested[level]} |" for level in sorted(levels)]
    out += [f"| all | {len(known)} | {sum(tested.values())} |", "", "| id | level | test |",
            "| --- | --- | --- |"]
    for name, row in known.items():
        where = ", ".join(f"`{p.removeprefix('tests/')}`" for p in sorted(proven.get(name, ())))
        out.append(f"| {name} | {row['level']} | {where or 'none'} |")
    return "\n".join(out) + "\n"


known, proven = requirements(), proofs()
text = page(known, proven)
if "--write" in sys.argv[1:]:
    PAGE.write_text(text)
problems = [f"{path}: unknown requirement {name}" for name in sorted(proven) if name not in known
            for path in sorted(proven[name])]
if not PAGE.exists() or PAGE.read_text() != text:
    problems.append("docs/conformance.md is stale: python3 tests/rules/conformance.py --write")
print(f"{len([n for n in known if n in proven])} of {len(known)} requirements have a test")
report(problems)
