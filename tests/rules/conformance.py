"""docs/conformance*.md are what the tests say: which requirement of an RFC has a test with its id.

    python3 tests/rules/conformance.py           fails when a page is stale or a requirement is open
    python3 tests/rules/conformance.py --write   writes the pages anew

docs/requirements/rfc*.tsv list every requirement. One that no test can show stands in reasons.tsv
beside them with a cause and the reason; one with neither is open.
"""
import collections
import re
import sys

from tree import ROOT, files, lines, report

LISTS = "docs/requirements"
RFCS = {"6940": "conformance.md", "7904": "conformance-7904.md"}
ID = re.compile(rf"\bR(?:{'|'.join(RFCS)})-[0-9A][0-9A-Za-z.]*-[0-9]+\b")
BINDING = ("MUST", "MUST-NOT", "WIRE")
CAUSES = {  # of a reason: the levels that it may excuse
    "shared-secret": BINDING, "experimental": BINDING, "deployment": (*BINDING, "SHOULD", "SHOULD-NOT"),
    "optional": ("SHOULD", "SHOULD-NOT", "MAY"),
}
REASONS_MAX = 30
SHOULD_PERCENT = 90


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


def status(name, proven, reasons):
    return "proven" if name in proven else "reasoned" if name in reasons else "open"


def counts(known, proven, reasons):
    """Level -> how many requirements are proven, reasoned, open."""
    found = collections.defaultdict(collections.Counter)
    for name, level in known.items():
        found[level][status(name, proven, reasons)] += 1
        found["all"][status(name, proven, reasons)] += 1
    return found


def page(rfc, known, proven, reasons):
    out = [f"# Conformance with RFC {rfc}", "",
           f"Made by `python3 tests/rules/conformance.py --write` from `docs/requirements/rfc{rfc}.tsv` and",
           "the requirement ids that the tests carry. A requirement without a test is listed as such,",
           "whatever the code does.", "",
           "| level | requirements | with a test | with a reason | neither |",
           "| --- | --- | --- | --- | --- |"]
    found = counts(known, proven, reasons)
    out += [f"| {level} | {c.total()} | {c['proven']} | {c['reasoned']} | {c['open']} |"
            for level, c in sorted(found.items(), key=lambda item: (item[0] == "all", item[0]))]
    out += ["", "| id | level | test |", "| --- | --- | --- |"]
    for name, level in known.items():
        where = ", ".join(f"`{p.removeprefix('tests/')}`" for p in sorted(proven.get(name, ())))
        reason = "none: {} ({})".format(*reversed(reasons[name])) if name in reasons else "none"
        out.append(f"| {name} | {level} | {where or reason} |")
    return "\n".join(out) + "\n"


def wrong_reasons(known, proven, reasons):
    for name, (cause, _) in sorted(reasons.items()):
        if name not in known or name in proven:
            yield f"reasons.tsv: {name} is unknown, or has a test"
        elif known[name] not in CAUSES.get(cause, ()):
            yield f"reasons.tsv: {name} is a {known[name]}, which {cause} does not excuse"
    if len(reasons) > REASONS_MAX:
        yield f"reasons.tsv: {len(reasons)} rows, at most {REASONS_MAX}"


def gaps(known, proven, reasons):
    for name, level in known.items():
        if status(name, proven, reasons) == "open":
            yield f"{name}: a {level} with neither a test nor a reason"
    should = counts(known, proven, reasons)["SHOULD"]
    if should["proven"] * 100 < should.total() * SHOULD_PERCENT:
        yield f"{should['proven']} of {should.total()} SHOULD have a test, not {SHOULD_PERCENT} %"


def main():
    proven = proofs()
    reasons = {name: (cause, reason) for name, cause, reason in table("reasons.tsv")}
    known, problems = {}, []
    for rfc, file in RFCS.items():
        these = requirements(rfc)
        known.update(these)
        text, path = page(rfc, these, proven, reasons), ROOT / "docs" / file
        if "--write" in sys.argv[1:]:
            path.write_text(text)
        if not path.exists() or path.read_text() != text:
            problems.append(f"docs/{file} is stale: python3 tests/rules/conformance.py --write")
        found = counts(these, proven, reasons)["all"]
        print(f"RFC {rfc}: of {found.total()} requirements {found['proven']} have a test, "
              f"{found['reasoned']} a reason")
        problems += gaps(these, proven, reasons)
    problems += [f"{path}: unknown requirement {name}" for name in sorted(proven)
                 if name not in known for path in sorted(proven[name])]
    report(problems + list(wrong_reasons(known, proven, reasons)))


if __name__ == "__main__":
    main()
