"""RELOAD messages as RFC 6940 writes them down: a second reading of the text, made without a look
at the C codec, so that one misreading cannot hide in both."""
import os
import struct
from dataclasses import dataclass, field

TOKEN, VERSION, WHOLE = 0xd2454c4f, 0x0a, 0xc0000000
NODE, RESOURCE, OPAQUE = 1, 2, 3
PROBE, ATTACH, STORE, FETCH, FIND, JOIN, LEAVE = 1, 3, 7, 9, 0xd, 0xf, 0x11
UPDATE, ROUTE_QUERY, PING, STAT, APP_ATTACH, CONFIG_UPDATE = 0x13, 0x15, 0x17, 0x19, 0x1d, 0x21
ERROR = 0xffff
(FORBIDDEN, NOT_FOUND, TIMEOUT, GENERATION_TOO_LOW, INCOMPATIBLE, UNSUPPORTED_OPTION, TOO_LARGE,
 TOO_OLD, TTL_EXCEEDED, MESSAGE_TOO_LARGE, UNKNOWN_KIND, UNKNOWN_EXTENSION, RESPONSE_TOO_LARGE,
 CONFIG_TOO_OLD, CONFIG_TOO_NEW, IN_PROGRESS) = range(2, 0x12)
INVALID_MESSAGE = 0x14
FORWARD_CRITICAL, DESTINATION_CRITICAL, RESPONSE_COPY = 1, 2, 4
WILDCARD = b"\xff" * 16
APPEND = LAST = 0xffffffff


class Malformed(Exception):
    pass


def u8(n):
    return struct.pack(">B", n)


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def vec(width, data):
    """A vector <0..2^(8 width)-1>: its length in bytes, then its bytes."""
    return len(data).to_bytes(width, "big") + data


class Reader:
    """Takes a structure apart; whatever is left over at done() is an error."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if self.at + n > len(self.data):
            raise Malformed(f"{n} bytes wanted, {len(self.data) - self.at} there")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, width):
        return int.from_bytes(self.take(width), "big")

    def vec(self, width):
        return self.take(self.number(width))

    def more(self):
        return self.at < len(self.data)

    def done(self):
        if self.more():
            raise Malformed(f"{len(self.data) - self.at} bytes left over")


def each(data, read):
    """All elements of a vector's bytes."""
    r, out = Reader(data), []
    while r.more():
        out.append(read(r))
    return out


# --- s6.3.2.2: Destination ---

def node(node_id):
    return u8(NODE) + vec(1, node_id)


def resource(resource_id):
    return u8(RESOURCE) + vec(1, vec(1, resource_id))


def opaque(data):
    return u8(OPAQUE) + vec(1, vec(1, data))


def destination(r):
    """(type, id); the 2-byte form is an opaque id."""
    first = r.number(1)
    if first & 0x80:
        return OPAQUE, bytes([first]) + r.take(1)
    data = r.vec(1)
    if first in (RESOURCE, OPAQUE):
        inner = Reader(data)
        data = inner.vec(1)
        inner.done()
    if first == 0 or (first == NODE and len(data) != 16):
        raise Malformed("destination")
    return first, data


# --- s6.3: a message ---

@dataclass
class Message:
    code: int = PING
    body: bytes = b""
    dest: bytes = b""
    via: bytes = b""
    options: bytes = b""
    extensions: bytes = b""
    transaction: int = field(default_factory=lambda: int.from_bytes(os.urandom(8), "big"))
    overlay: bytes = bytes(4)
    sequence: int = 1
    ttl: int = 100
    max_response: int = 0
    token: int = TOKEN
    version: int = VERSION
    fragment: int = WHOLE
    length: int = None
    security: bytes = b""

    def contents(self):
        return u16(self.code) + vec(4, self.body) + vec(4, self.extensions)

    def header(self, payload_len):
        lists = self.via + self.dest + self.options
        length = 38 + len(lists) + payload_len if self.length is None else self.length
        return (u32(self.token) + self.overlay + u16(self.sequence) + u8(self.version)
                + u8(self.ttl) + u32(self.fragment) + u32(length) + u64(self.transaction)
                + u32(self.max_response) + u16(len(self.via)) + u16(len(self.dest))
                + u16(len(self.options)) + lists)

    def payload(self):
        return self.contents() + self.security

    def encode(self):
        payload = self.payload()
        return self.header(len(payload)) + payload


def read_header(raw):
    """The forwarding header and what follows it."""
    r = Reader(raw)
    m = Message(token=r.number(4), overlay=r.take(4), sequence=r.number(2), version=r.number(1),
                ttl=r.number(1), fragment=r.number(4), length=r.number(4),
                transaction=r.number(8), max_response=r.number(4))
    via, dest, options = r.number(2), r.number(2), r.number(2)
    m.via, m.dest, m.options = r.take(via), r.take(dest), r.take(options)
    if m.length != len(raw):
        raise Malformed(f"length field {m.length}, message {len(raw)}")
    return m, raw[r.at:]


def read_message(raw):
    m, payload = read_header(raw)
    r = Reader(payload)
    m.code, m.body, m.extensions = r.number(2), r.vec(4), r.vec(4)
    m.security = payload[r.at:]
    return m


def option(kind, flags, data=b""):
    return u8(kind) + u8(flags) + vec(2, data)


def extension(kind, critical, data=b""):
    return u16(kind) + u8(critical) + vec(4, data)


def error(code, info=b""):
    return u16(code) + vec(2, info)


def read_error(body):
    r = Reader(body)
    code, info = r.number(2), r.vec(2)
    r.done()
    return code, info


# --- s6.6.2: frames ---

def data_frame(sequence, message):
    return b"\x80" + u32(sequence) + vec(3, message)


def ack_frame(sequence, received):
    return b"\x81" + u32(sequence) + u32(received)


# --- s6.4, s6.5: overlay and link methods ---

def candidate(host, port, link=4, priority=2130706431, kind=1, address=None):
    where = address or u8(1) + vec(1, bytes(map(int, host.split("."))) + u16(port))
    return where + u8(link) + vec(1, b"1") + u32(priority) + u8(kind) + vec(2, b"")


def attach(candidates, role=b"passive", send_update=0, ufrag=b"", password=b""):
    return (vec(1, ufrag) + vec(1, password) + vec(1, role) + vec(2, candidates)
            + u8(send_update))


def read_attach(body):
    r = Reader(body)
    out = {"ufrag": r.vec(1), "password": r.vec(1), "role": r.vec(1),
           "candidates": each(r.vec(2), read_candidate), "send_update": r.number(1)}
    r.done()
    return out


def read_candidate(r):
    kind, address = r.number(1), Reader(r.vec(1))
    where = (address.take(4 if kind == 1 else 16), address.number(2))
    address.done()
    link, foundation, priority, cand = r.number(1), r.vec(1), r.number(4), r.number(1)
    if cand in (2, 4):
        r.number(1), r.vec(1)
    extensions = each(r.vec(2), lambda e: (e.vec(2), e.vec(2)))
    return {"address": where, "link": link, "foundation": foundation, "priority": priority,
            "type": cand, "extensions": extensions}


def app_attach(application, candidates, role=b"passive"):
    return (vec(1, b"") + vec(1, b"") + u16(application) + vec(1, role) + vec(2, candidates))


def ids(list_of_ids):
    return vec(2, b"".join(list_of_ids))


def read_ids(r):
    return each(r.vec(2), lambda e: e.take(16))


def update(kind, predecessors=(), successors=(), fingers=(), uptime=1):
    """ChordUpdate: 1 peer_ready, 2 neighbors, 3 full."""
    body = u32(uptime) + u8(kind)
    if kind >= 2:
        body += ids(predecessors) + ids(successors)
    return body + ids(fingers) if kind == 3 else body


def read_update(body):
    r = Reader(body)
    out = {"uptime": r.number(4), "type": r.number(1), "predecessors": [], "successors": [],
           "fingers": []}
    if out["type"] >= 2:
        out["predecessors"], out["successors"] = read_ids(r), read_ids(r)
    if out["type"] == 3:
        out["fingers"] = read_ids(r)
    r.done()
    return out


def leave(node_id, kind, peers):
    return node_id + vec(2, u8(kind) + ids(peers))


def route_query(where, send_update=0, data=b""):
    return u8(send_update) + where + vec(2, data)


def config_update(kind, content):
    inner = vec(3, content)
    return u8(kind) + u32(len(inner)) + inner


# --- s7: data ---

def value(data, exists=1):
    return u8(exists) + vec(4, data)


def entry(index, data, exists=1):
    return u32(index) + value(data, exists)


def pair(key, data, exists=1):
    return vec(2, key) + value(data, exists)


def stored(time_ms, lifetime, stored_value, signature):
    return vec(4, u64(time_ms) + u32(lifetime) + stored_value + signature)


def kind_data(kind, values, generation=0):
    return u32(kind) + u64(generation) + vec(4, b"".join(values))


def store(resource_id, kinds, replica=0):
    return vec(1, resource_id) + u8(replica) + vec(4, b"".join(kinds))


def specifier(kind, model=b"", generation=0):
    return u32(kind) + u64(generation) + vec(2, model)


def ranges(*pairs):
    return vec(2, b"".join(u32(a) + u32(b) for a, b in pairs))


def keys(*names):
    return vec(2, b"".join(vec(2, n) for n in names))


def fetch(resource_id, *specifiers):
    return vec(1, resource_id) + vec(2, b"".join(specifiers))


def find(resource_id, *kinds):
    return vec(1, resource_id) + vec(1, b"".join(map(u32, kinds)))


def read_signature(r):
    start = r.at
    hash_alg, sig_alg, kind, identity = r.number(1), r.number(1), r.number(1), r.vec(2)
    return {"algorithm": (hash_alg, sig_alg), "type": kind, "identity": identity,
            "value": r.vec(2), "raw": r.data[start:r.at]}


def read_store_answer(body):
    def one(r):
        return r.number(4), r.number(8), each(r.vec(2), lambda e: e.take(16))
    r = Reader(body)
    out = each(r.vec(2), one)
    r.done()
    return out


def read_value(r, model):
    """(place, exists, data): place is an index, a key or None."""
    place = {"single": lambda: None, "array": lambda: r.number(4),
             "dictionary": lambda: r.vec(2)}[model]()
    return place, r.number(1), r.vec(4)


def read_stored(r, model):
    r = Reader(r.vec(4))
    time_ms, lifetime, start = r.number(8), r.number(4), r.at
    place, exists, data = read_value(r, model)
    raw = r.data[start:r.at]
    signature = read_signature(r)
    r.done()
    return {"time": time_ms, "lifetime": lifetime, "place": place, "exists": exists,
            "data": data, "raw": raw, "signature": signature}


def read_meta(r, model):
    r = Reader(r.vec(4))
    out = {"time": r.number(8), "lifetime": r.number(4)}
    out["place"] = {"single": lambda: None, "array": lambda: r.number(4),
                    "dictionary": lambda: r.vec(2)}[model]()
    out |= {"exists": r.number(1), "length": r.number(4), "hash_alg": r.number(1),
            "hash": r.vec(1)}
    r.done()
    return out


def read_fetch_answer(body, models, read=read_stored):
    """[(kind, generation, values)]; models: Kind-ID to model."""
    def one(r):
        kind, generation, values = r.number(4), r.number(8), r.vec(4)
        return kind, generation, each(values, lambda e: read(e, models[kind]))
    r = Reader(body)
    out = each(r.vec(4), one)
    r.done()
    return out


def read_find_answer(body):
    r = Reader(body)
    out = each(r.vec(2), lambda e: (e.number(4), e.vec(1)))
    r.done()
    return out
