"""The release programs are hardened as the presets ask: read off their ELF files.

    python3 tests/rules/hardening.py FILE...
"""
import pathlib
import struct
import sys

from tree import report

DYN, X86_64 = 3, 62
LOAD, DYNAMIC, GNU_STACK, GNU_RELRO = 1, 2, 0x6474e551, 0x6474e552
DT_STRTAB, DT_STRSZ, DT_FLAGS, DT_FLAGS_1 = 5, 10, 30, 0x6ffffffb
BIND_NOW, NOW, PIE = 8, 1, 0x08000000
ENDBR64, FEW = b"\xf3\x0f\x1e\xfa", 50  # a program built without has those of its startup files


class Elf:
    """A 64-bit little-endian program."""

    def __init__(self, data):
        self.data = data
        self.type, self.machine = struct.unpack_from("<HH", data, 16)
        at, = struct.unpack_from("<Q", data, 32)
        size, count = struct.unpack_from("<HH", data, 54)
        self.segments = [struct.unpack_from("<IIQQQQQQ", data, at + i * size) for i in range(count)]
        self.dynamic = dict(struct.iter_unpack("<QQ", self.content(DYNAMIC)))

    def segment(self, kind):
        return next((s for s in self.segments if s[0] == kind), None)

    def content(self, kind):
        segment = self.segment(kind)
        return self.data[segment[2]:segment[2] + segment[5]] if segment else b""

    def imports(self):
        """The names in the dynamic string table."""
        address, size = self.dynamic[DT_STRTAB], self.dynamic[DT_STRSZ]
        home = next(s for s in self.segments if s[0] == LOAD and s[3] <= address < s[3] + s[5])
        start = address - home[3] + home[2]
        return set(self.data[start:start + size].decode().split("\0"))

    def landing_places(self):
        """How many functions begin as x86's indirect branch tracking wants. (The property note is
        no measure: Debian's startup files lack it, and so does what is linked with them.)"""
        return sum(self.data[s[2]:s[2] + s[5]].count(ENDBR64)
                   for s in self.segments if s[0] == LOAD and s[1] & 1)


def problems(path):
    elf = Elf(path.read_bytes())
    names = elf.imports()
    stack = elf.segment(GNU_STACK)
    return [f"{path}: {what}" for what, good in {
        "not position independent": elf.type == DYN and elf.dynamic.get(DT_FLAGS_1, 0) & PIE,
        "tables of the linker stay writable": elf.segment(GNU_RELRO),
        "symbols are bound lazily": elf.dynamic.get(DT_FLAGS, 0) & BIND_NOW
        or elf.dynamic.get(DT_FLAGS_1, 0) & NOW,
        "the stack is executable": stack and not stack[1] & 1,
        "no stack protector": "__stack_chk_fail" in names,
        "no fortified function": any(n.startswith("__") and n.endswith("_chk") for n in names),
        "no control flow protection": elf.machine != X86_64
        or elf.landing_places() > FEW,
    }.items() if not good]


paths = [pathlib.Path(name) for name in sys.argv[1:]]
if not all(path.is_file() for path in paths):
    print("skipped: there is no release build (cmake --preset release)")
    raise SystemExit(77)
report([problem for path in paths for problem in problems(path)])
