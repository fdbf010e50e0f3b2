"""The program that the README shows is the one that the tests build."""
from tree import ROOT, report

example = (ROOT / "tests/peer/example.c").read_text()
shown = (ROOT / "README.md").read_text().split("```c\n", 1)[-1].split("```", 1)[0]
report([] if shown == example else ["README.md does not show tests/peer/example.c as it is"])
