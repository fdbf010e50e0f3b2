"""Who may include whom: the arrows of docs/architecture.md, read off the #include lines."""
import re
import sys

from tree import files, lines, report

# A room may include itself, its own row, and what those rows reach.
ALLOWED = {
    "reload": [],
    "reload/wire": ["reload"],
    "reload/frame": ["reload/wire"],
    "reload/config": ["reload/wire"],
    "reload/security": ["reload/config", "reload/wire"],
    "reload/store": ["reload/security", "reload/config", "reload/wire"],
    "reload/node": ["reload/store", "reload/security", "reload/config", "reload/wire"],
    "reload/link": ["reload/frame"],
    "topology": ["reload"],  # the protocol, but not its sockets: see PROTOCOL below
    "certs": ["reload"],
    "ice": ["reload", "reload/link"],
    "usage-sip": ["reload"],
    "media": ["reload/link"],
    "peer": None,  # everything
    "interop": ["reload/wire", "reload/frame", "reload/link", "certs"],
    "tests": None,
}
PROTOCOL = ["reload/wire", "reload/config", "reload/security", "reload/store", "reload/node"]
for room in ("topology", "certs", "ice", "usage-sip"):
    ALLOWED[room] = ALLOWED[room] + PROTOCOL
ALLOWED["certs"] += ["reload/link"]  # struct reload_link_identity_ops, which it implements

PLATFORM = re.compile(r"^(sys/|netinet/|arpa/|net/|poll\.h|pthread\.h|threads\.h|time\.h|unistd\.h"
                      r"|signal\.h|fcntl\.h|netdb\.h|stdio\.h)")
LIBRARIES = {  # library header -> rooms that may include it
    re.compile(r"^(glib|gio|gmodule)"): ("ice", "media", "peer", "tests"),
    re.compile(r"^openssl/"): ("certs", "reload/link", "tests"),
    re.compile(r"^(osip|osipparser)"): ("usage-sip", "tests"),
    re.compile(r"^libxml/"): ("certs", "tests"),
    re.compile(r"^(microhttpd|curl/|ares)"): ("certs", "tests"),
    re.compile(r"^sqlite3"): ("certs", "peer", "tests"),
    re.compile(r"^jansson"): ("peer", "interop", "tests"),
    re.compile(r"^(nice/|agent\.h)"): ("ice", "tests"),
}
# Of the platform's headers the core may have two: stdio.h, for formatting into a buffer, and
# sys/queue.h, which is lists made of macros.
HARMLESS = ("stdio.h", "sys/queue.h")
OUTPUT = re.compile(r"\b(fopen|fprintf|printf|fputs|puts|fwrite)\s*\(")


def room_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "reload" and len(parts) > 2 else parts[0]


def reach(room, seen=None):
    seen = seen if seen is not None else set()
    for other in ALLOWED.get(room) or []:
        if other not in seen:
            seen.add(other)
            reach(other, seen)
    return seen


def check(path):
    room = room_of(path)
    allowed = ALLOWED.get(room)
    core = room.startswith("reload") and room != "reload/link" or room == "topology"
    for number, line in enumerate(lines(path), 1):
        place = f"{path}:{number}"
        if core and OUTPUT.search(line):
            yield f"{place}: output from the core: {line.strip()}"
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not found:
            continue
        kind, header = found.groups()
        if kind == '"':
            other = room_of(header)
            if allowed is not None and other != room and other not in reach(room):
                yield f"{place}: {room} may not include {header}"
            continue
        if core and header not in HARMLESS and PLATFORM.match(header):
            yield f"{place}: the core has no {header}"
        for pattern, rooms in LIBRARIES.items():
            if pattern.match(header) and room not in rooms:
                yield f"{place}: {header} belongs to {', '.join(rooms)}"


def self_test():
    assert room_of("reload/wire/cursor.c") == "reload/wire" and room_of("reload/error.h") == "reload"
    assert "reload/link" not in reach("topology") and "reload/wire" in reach("reload/node")
    assert "reload/node" not in reach("reload/store")


self_test()
sources = files(".c", ".h")
if not sources:
    sys.exit("no sources found")
report([p for path in sources for p in check(path)])
