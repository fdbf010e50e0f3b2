"""What the rule tests share: the project's own files."""
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def files(*endings):
    """Tracked and new files of the tree with one of these endings, relative to its root."""
    names = []
    if shutil.which("git"):
        names = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"],
                               capture_output=True, text=True).stdout.splitlines()
    if not names:  # an unpacked archive, or a machine without git
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")
                 if p.is_file() and "build" not in p.relative_to(ROOT).parts[:1]]
    return sorted(n for n in names if n.endswith(endings) and (ROOT / n).is_file())


def lines(name):
    return (ROOT / name).read_text(errors="replace").splitlines()


def report(problems):
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems")
    raise SystemExit(1 if problems else 0)
