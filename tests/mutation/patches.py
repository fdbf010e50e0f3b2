"""Small patches to a copy of the sources: their notation and the copy's build."""
import contextlib
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACES = ("reload", "topology", "certs", "ice", "media", "usage-sip", "peer", "tests", "interop")


class Mutant:
    def __init__(self, place, head):
        self.place = place
        self.row, self.file = head.split()
        self.old, self.new = [], []

    def __str__(self):
        return f"{self.row} {self.file} ({self.place})"

    def apply(self, text):
        """The text with the rule broken; None when the entry does not fit."""
        old, new = ("".join(line + "\n" for line in lines) for lines in (self.old, self.new))
        return text.replace(old, new) if text.count(old) == 1 else None


def mutants():
    found = []
    for path in sorted((ROOT / "tests" / "mutation" / "mutants").glob("*.txt")):
        mutant = None
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.startswith("R"):
                mutant = Mutant(f"{path.name}:{number}", line)
                found.append(mutant)
            elif line[:1] in ("-", "+"):
                (mutant.old if line[0] == "-" else mutant.new).append(line[1:])
    return found


class Tree:
    """A copy of the sources in build/NAME, so that nothing happens to the sources themselves."""

    def __init__(self, name):
        self.sources = ROOT / "build" / name / "tree"
        self.build_directory = ROOT / "build" / name / "build"

    def copy(self):
        """Copies what changed since the last time, so that the rest need not be built again."""
        names = [p for p in ROOT.iterdir() if p.name in PLACES or p.name.startswith("CMake")
                 or p.name in ("docs", "README.md")]
        for source in names:
            for path in [source] if source.is_file() else source.rglob("*"):
                copy = self.sources / path.relative_to(ROOT)
                if path.is_dir() or "__pycache__" in path.parts:
                    continue
                if copy.exists() and copy.read_bytes() == path.read_bytes():
                    continue
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
                shutil.copymode(path, copy)
        for copy in list(self.sources.rglob("*")):
            if copy.is_file() and not (ROOT / copy.relative_to(self.sources)).exists():
                copy.unlink()

    def configure(self, *options):
        # Mutants leave variables unused: warnings are no errors here.
        subprocess.run(["cmake", "-G", "Ninja", "-S", str(self.sources), "-B",
                        str(self.build_directory), "-DCMAKE_BUILD_TYPE=Debug",
                        "-DCMAKE_C_FLAGS=-O0 -w", *options],
                       check=True, stdout=subprocess.DEVNULL)

    def build(self, *targets):
        return subprocess.run(["cmake", "--build", str(self.build_directory), "--target", *targets],
                              capture_output=True, text=True)

    @contextlib.contextmanager
    def broken(self, mutant):
        """While in it the copy has the mutant, which fits."""
        path = self.sources / mutant.file
        text = path.read_text()
        path.write_text(mutant.apply(text))
        try:
            yield
        finally:
            path.write_text(text)
