#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets, corpus/<target>/<name>, from the byte vectors, from what is
written here and, when the program is named, from documents and certificates that it and openssl make.

    python3 tests/fuzz/make_corpus.py [--anew] [build/release/reload]

Files that fuzzing found and someone added stay; seeds are written anew under the same names, with the
same bytes as long as nothing here changed. What holds keys and signatures is of other bytes each time
it is made, so it is made only where it is missing, or with --anew.
"""
import base64
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent / "data" / "vectors"
PUBLISHED = HERE.parents[1] / "interop" / "vectors" / "messages.json"
LARGEST = 1100  # bytes; longer vectors differ in certificates only, which the codec does not read
LARGEST_DOCUMENT = 6000
MODELS = {"SINGLE": 0, "ARRAY": 1, "DICTIONARY": 2}


def entries(name):
    return json.loads((VECTORS / f"danpascu_{name}.json").read_text())


ANEW = "--anew" in sys.argv


def seed(target, name, data, largest=LARGEST):
    """data: the bytes, or a function that makes them with keys of its own."""
    folder = HERE / "corpus" / target
    if callable(data):
        if (folder / name).exists() and not ANEW:
            return
        data = data()
    if len(data) > largest:
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def seed_bodies():
    for entry in entries("bodies"):
        body = bytes.fromhex(entry["hex"])
        code = entry["fields"]["message_code"]
        seed("wire_body", entry["name"], code.to_bytes(2, "big") + body)
        seed("wire_message", entry["name"], bytes.fromhex(entry["message_hex"]))
        if entry["name"].startswith("stat_ans_"):
            model = MODELS[entry["name"].removeprefix("stat_ans_").upper()]
            values = body[4 + 4 + 8 + 4:]  # behind the list's length, kind, generation, values' length
            seed("wire_stored_data", entry["name"], bytes([3 + model]) + values)


def seed_messages():
    for entry in entries("headers"):
        seed("wire_header", entry["name"], bytes.fromhex(entry["hex"]))
    for entry in entries("signed_messages"):
        seed("wire_message", entry["name"], bytes.fromhex(entry["hex"]))
        seed("wire_security_block", entry["name"], bytes.fromhex(entry["security_block_hex"]))
    seed("wire_security_block", "none", bytes.fromhex("000000000300000000"))


def seed_stored_data():
    for entry in entries("stored_data"):
        model = MODELS[entry["fields"].get("data_model", "SINGLE")]
        seed("wire_stored_data", entry["name"], bytes([model]) + bytes.fromhex(entry["hex"]))


def seed_sip():
    node = b"\x01\x10" + bytes.fromhex("0123456789abcdef" * 2)
    route = bytes([0, 0, 0, len(node)]) + node
    seed("sip_registration", "route", b"\x02" + len(route).to_bytes(2, "big") + route)
    seed("sip_registration", "uri", b"\x01\x00\x09\x00\x07bob@a.b")
    seed("sip_registration", "unknown", b"\x09\x00\x01x")
    for name, uri in (("gruu", "alice@dht.example.com;gr=ARABI0VniavN7wEjRWeJq83v"),
                      ("prefixed", "sip:a@b;gr=ABIBEAEjRWeJq83vASNFZ4mrze8~"),
                      ("uuid", "sips:%61lice@A.b:5061;gr=urn:uuid:f81d4fae;lr?x=y")):
        seed("sip_uri", name, uri.encode())
    seed("sip_contact_prefs", "scheme", b"(sip.schemes=SIPS)")
    seed("sip_contact_prefs", "nested",
         b'(& (sip.methods=["INVITE"]) (| (a<="b") (! (c>=1))) (sip.schemes=SIP))')


def wav(rate, channels, bits, data, code=1):
    align = channels * bits // 8
    form = struct.pack("<HHIIHH", code, channels, rate, rate * align % 2**32, align, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data"
    body += struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def seed_media():
    rtp = bytes.fromhex("8060000100000bb8cafe0001")
    seed("media_rtp", "plain", rtp + b"\x78payload")
    seed("media_rtp", "padded", bytes.fromhex("a0e0ffff0000000000000007") + b"x\0\0\3")
    seed("media_rtp", "extended", bytes.fromhex("91600001000000010000000200000003bede0001ffffffff")
         + b"y")
    seed("media_rtp", "key", bytes.fromhex("80e1000100000bb8cafe0001058a0320"))
    report = struct.pack(">IBBHIIII", 1, 64, 0, 3, 70000, 480, 0x12345678, 65536)
    cname = bytes.fromhex("81ca0003cafe0001010474657374") + b"\0\0"
    seed("media_rtp", "sender_report",
         struct.pack(">BBHIQIII", 0x81, 200, 12, 0xcafe0001, 1 << 60, 3, 4, 5) + report + cname)
    seed("media_rtp", "bye", struct.pack(">BBHI", 0x80, 201, 1, 7) + cname
         + bytes.fromhex("81cb000100000007"))
    # Each packet with its length before it; the first byte of one is Opus' table of contents.
    seed("media_opus", "frames", bytes([3, 0x08, 1, 2, 9, 0x78] + [7] * 8 + [0, 1, 0x58]) * 3)
    seed("media_opus", "counted", bytes([6, 0x7b, 0x03, 1, 2, 3, 4, 5, 0xfb, 0x81, 2, 0, 0]))
    for rate in (0, 1, 8000, 44100, 2**31 - 1, 2**32 - 1):
        seed("media_wav", f"rate_{rate}", wav(rate, 1, 16, bytes(range(200))))
    seed("media_wav", "stereo_float", wav(48000, 2, 32, bytes(400), code=3))
    seed("media_wav", "many_channels", wav(48000, 64, 8, bytes(640)))
    seed("media_wav", "cut", wav(16000, 1, 16, bytes(50))[:40])


def stun(kind, attributes=b""):
    return struct.pack(">HHI", kind, len(attributes), 0x2112A442) + b"\xa5" * 12 + attributes


def attribute(kind, value):
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def seed_ice():
    mapped = attribute(0x20, bytes.fromhex("00012b0ce721c303"))
    seed("ice_stun", "question", b"\0" + stun(0x0001))
    seed("ice_stun", "question_software", b"\0" + stun(0x0001, attribute(0x8022, b"name")))
    seed("ice_stun", "question_unknown", b"\0" + stun(0x0001, attribute(0x7777, b"")))
    seed("ice_stun", "indication", b"\0" + stun(0x0011))
    seed("ice_stun", "answer", b"\1" + stun(0x0101, mapped))
    seed("ice_stun", "answer_forged", b"\0" + stun(0x0101, mapped)[:8] + bytes(12) + mapped)
    seed("ice_stun", "answer_old", b"\1" + stun(0x0101, attribute(1, b"\0\1\0\x09\xcb\0\x71\5")))
    seed("ice_stun", "answer_error", b"\1" + stun(0x0111, attribute(9, b"\0\0\4\x14")))
    seed("ice_turn", "record", bytes.fromhex("010106cb0071010d96"))
    seed("ice_turn", "record_ipv6", bytes.fromhex("14021220010db8" + "00" * 11 + "010d96"))
    seed("ice_turn", "grant", b"\1\5" + b"123:a" + b"\4pass" + struct.pack(">I", 3600))


def data_frame(sequence, message):
    return struct.pack(">BI", 128, sequence) + len(message).to_bytes(3, "big") + message


def seed_frames():
    ack = struct.pack(">BII", 129, 3, 6)
    seed("frame_stream", "both", b"\x04" + data_frame(0, b"hello") + ack + data_frame(1, b""))
    seed("frame_stream", "acks", b"\x08" + b"".join(struct.pack(">BII", 129, n, 0xfffffffe)
                                                   for n in (0, 5, 39, 12, 5, 2**32 - 1)))
    seed("frame_stream", "largest", b"\xff" + data_frame(7, bytes(300)))
    seed("frame_stream", "too_long", b"\x10" + data_frame(7, bytes(301)) + ack)
    seed("frame_stream", "other_type", b"\x01" + data_frame(7, b"x") + b"\x82" + ack)


def ipv4(protocol, payload, identification=1, offset=0, more=False):
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), identification,
                       (0x2000 if more else 0) | offset // 8, 64, protocol, 0) \
        + bytes([192, 0, 2, 1, 192, 0, 2, 2]) + payload


def pcap(link_type, *packets):
    return struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, link_type) + b"".join(
        struct.pack("<IIII", 1, 2, len(p), len(p)) + p for p in packets)


def seed_captures():
    message = bytes.fromhex(next(m["hex"] for m in json.loads(PUBLISHED.read_text())
                                 if m["name"] == "ping_req_ecdsa"))
    frame = data_frame(0, message)
    udp = struct.pack(">HHHH", 6084, 6084, 8 + len(frame), 0) + frame
    tcp = struct.pack(">HHIIBBHHH", 6084, 40000, 1, 1, 0x50, 0x18, 100, 0, 0) + frame
    half = len(udp) // 16 * 8
    seed("peer_decode", "message", message)
    seed("peer_decode", "hex", message.hex().encode() + b"\n" + frame.hex().encode())
    seed("peer_decode", "frames", frame + struct.pack(">BII", 129, 3, 6))
    seed("peer_decode", "udp", pcap(228, ipv4(17, udp)), 2000)
    seed("peer_decode", "tcp", pcap(101, ipv4(6, tcp)), 2000)
    seed("peer_decode", "ethernet", pcap(1, bytes(12) + b"\x08\0" + ipv4(17, udp)), 2000)
    seed("peer_decode", "fragments", pcap(228, ipv4(17, udp[half:], 7, half),
                                          ipv4(17, udp[:half], 7, 0, True)), 2000)
    for entry in entries("bodies"):
        seed("peer_decode", entry["name"], bytes.fromhex(entry["message_hex"]))


def client_hello(cookie=b"", session=b"", extensions=b""):
    body = b"\xfe\xfd" + bytes(range(32)) + bytes([len(session)]) + session
    body += bytes([len(cookie)]) + cookie + bytes.fromhex("0004c02bc02f0100") + extensions
    length = len(body).to_bytes(3, "big")
    handshake = b"\x01" + length + bytes(5) + length + body
    return b"\x16\xfe\xff" + bytes(8) + struct.pack(">H", len(handshake)) + handshake


def seed_cookies():
    extensions = bytes.fromhex("0014000a0006000400170018000b00020100 00170000")
    seed("link_cookie", "first", client_hello(extensions=extensions))
    seed("link_cookie", "without_extensions", client_hello())
    seed("link_cookie", "session", client_hello(session=bytes(32), extensions=extensions))
    seed("link_cookie", "cookie", client_hello(cookie=bytes(16), extensions=extensions))
    seed("link_cookie", "long_cookie", client_hello(cookie=bytes(255)))
    whole = client_hello(extensions=extensions)
    seed("link_cookie", "fragment", whole[:21] + b"\1" + whole[22:])
    seed("link_cookie", "second_epoch", whole[:3] + b"\0\1" + whole[5:])
    seed("link_cookie", "two_records", whole + whole)


def part(name, content, extra=""):
    return (f'--one-form\r\nContent-Disposition: form-data; name="{name}"\r\n{extra}\r\n'.encode()
            + content + b"\r\n")


def seed_enrollment():
    csr = part("csr", b"\x30\x03\x02\x01\x00", "Content-Type: application/pkcs10\r\n")
    good = part("username", b"alice@example.org") + part("password", b"secret") + part("nodeids", b"2")
    seed("enroll_form", "good", good + part("device", b"phone-1") + csr + b"--one-form--\r\n")
    seed("enroll_form", "twice", good + good + b"--one-form--\r\n")
    seed("enroll_form", "unended", good)
    seed("enroll_form", "odd", part("nodeids", b"-1") + part("device", b"a/b") + part("other", b"x")
         + part("csr", b"MA==", "Content-Type: application/pkcs10\r\n"
                "Content-Transfer-Encoding: base64\r\n") + b"--one-form--")


def seed_control():
    place = {"kind": "CERTIFICATE_BY_USER", "name": "user0@fuzz.example"}
    for request in ({"verb": "status", "id": 1}, {"verb": "links"}, {"verb": "ring", "walk": True},
                    {"verb": "ping", "node": "00" * 16}, {"verb": "ping", "name": "x"},
                    {"verb": "attach", "resource": "ff" * 16}, {"verb": "trace", "name": "y"},
                    {"verb": "store", **place, "value_hex": "00ff", "lifetime": 60},
                    {"verb": "fetch", **place, "index": 0}, {"verb": "stat", **place},
                    {"verb": "find", **place}, {"verb": "remove", **place, "index": 3},
                    {"verb": "fetch", "kind": 1, "user": "user0@fuzz.example", "key_hex": "0a"},
                    {"verb": "sip_register", "scheme": "sips", "lifetime": 600},
                    {"verb": "sip_lookup", "uri": "sip:user0@fuzz.example", "anew": True},
                    {"verb": "sip_forward", "uri": "bob@example.org"}, {"verb": "sip_unregister"},
                    {"verb": "sip_message", "to": "bob@fuzz.example", "text": "hi"},
                    {"verb": "subscribe", "id": {"a": [None, 1.5]}}, {"verb": "leave"}):
        seed("control_json", request["verb"] + "_" + str(len(request)), json.dumps(request).encode())
    seed("control_json", "no_object", b'["verb"]')
    seed("control_json", "deep", b"[" * 900)


def seed_sequences():
    """Steps of node_sequence.c: one byte each, its parameters behind it."""
    run, lose, alter, repeat, alien, cut, connect, store, fetch, jump = range(10)
    second = 128  # the second node
    for name, steps in {
            "quiet": [store, run, 50, fetch + second, 0, run, 100],
            "loss": [lose, 31, store, run, 255, fetch + second, 0, run, 255, lose, 5, jump, 0, 50],
            "altered": [store, run, 9, alter, 0, 0, 60, 1, 0, alter, 1, 0, 11, 255, 0, run, 90],
            "repeated": [store + second, run, 60, repeat, 0, 0, repeat, 1, 0, repeat, 2, 1, run, 40],
            "cut": [cut, run, 200, store, jump, 2, 0, connect, 1, run, 255, fetch, 1, run, 255],
            "alien": [alien, 4, 0xd2, 0x45, 0x4c, 0x4f, 0, alien + second, 0, 0, run, 5],
            "jumps": [jump, 255, 255, jump, 255, 255, store, jump, 0, 30, run, 255]}.items():
        seed("node_sequence", name, bytes(steps))


def make(*words, folder):
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def der(pem):
    return [base64.b64decode(body) for body in re.findall(r"-----BEGIN [A-Z ]+-----([^-]+)-", pem)]


class Overlays:
    """Overlays of the program's making; each is made when it is first asked for."""

    OPTIONS = {"ec": ["--kind", "0xf0000001:array:NODE-MATCH:4:100"],
               "plain": ["--no-ice"], "self_signed": ["--self-signed"]}

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def file(self, name, path):
        if not (self.folder / name).exists():
            make(self.program, "overlay", "create", "overlay.example.org", "--dir", name,
                 "--bootstrap", "192.0.2.1:6084", *self.OPTIONS[name], folder=self.folder)
        return (self.folder / name / path).read_bytes()

    def document(self, name):
        return self.file(name, "overlay.xml")

    def certificate(self, name, path):
        found, = der(self.file(name, path).decode())
        return found

    def chain(self, flags, words):
        paths = {"root": ("ec", "ca.pem"), "node": ("ec", "signer.pem"),
                 "own": ("self_signed", "signer.pem")}
        chain = [self.certificate(*paths[word]) for word in words.split()]
        return bytes([flags]) + b"".join(len(c).to_bytes(2, "big") + c for c in chain)


def seed_documents(overlays):
    for name in overlays.OPTIONS:
        seed("certs_document", name, lambda: overlays.document(name), LARGEST_DOCUMENT)
        seed("certs_document", name + "_altered",
             lambda: overlays.document(name).replace(b">100<", b">101<", 1), LARGEST_DOCUMENT)
    for name, flags, words in (("issued", 0, "root node"), ("self_signed", 1, "root own"),
                               ("other_root", 3, "own node root"), ("root_alone", 2, "root root")):
        seed("certs_chain", name, lambda: overlays.chain(flags, words), LARGEST_DOCUMENT)


KEYS = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"],
        "odd_curve": ["ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"],
        "weak": ["rsa:1024"], "ed25519": ["ed25519"]}


def request(folder, key, *options, form="DER"):
    make("openssl", "req", "-new", "-newkey", *KEYS[key], "-nodes", "-keyout", "key.pem", "-subj",
         "/CN=x", *options, "-outform", form, "-out", "request", folder=folder)
    return (folder / "request").read_bytes()


def wanted_name(value):
    return ["-addext", "subjectAltName=" + value]


ATTRIBUTES = """[req]
distinguished_name = name
attributes = more
req_extensions = wanted
prompt = no
[name]
[more]
challengePassword = something
unstructuredName = a phone
[wanted]
basicConstraints = critical,CA:TRUE
keyUsage = digitalSignature,keyCertSign
subjectAltName = email:alice@example.org
"""


def seed_requests(folder):
    name = wanted_name("email:alice@example.org")
    for kind in KEYS:
        for form in ("DER", "PEM"):
            seed("certs_csr", f"{kind}_{form.lower()}",
                 lambda: request(folder, kind, *name, form=form), LARGEST_DOCUMENT)
    for kind, value in {"two_names": "email:alice@example.org,email:bob@example.org",
                        "other_names": "DNS:example.org,IP:192.0.2.1,URI:reload://example.org",
                        "no_address": "email:alice", "nul": "DER:300b8109616c00696365406578",
                        "upper_case": "email:Alice@EXAMPLE.org", "long": f"email:{'a' * 300}@b.c",
                        "malformed": "DER:040161", "no_list": "DER:3081"}.items():
        seed("certs_csr", "name_" + kind, lambda: request(folder, "ec", *wanted_name(value)))
    for kind, options in {"no_name": [], "sha1": [*name, "-sha1"], "sha512": [*name, "-sha512"],
                          "attributes": ["-config", "attributes.cnf"]}.items():
        seed("certs_csr", kind, lambda: request(folder, "ec", *options))
    for kind, change in {
            "broken_signature": lambda der: der[:-1] + bytes([der[-1] ^ 1]),
            "other_text": lambda der: der.replace(b"alice@", b"alicf@"),
            "other_version": lambda der: der.replace(b"\x02\x01\x00", b"\x02\x01\x05", 1),
            "other_point": lambda der: der.replace(b"\x03\x42\x00\x04", b"\x03\x42\x00\x05", 1),
            "truncated": lambda der: der[:-20], "bytes_behind": lambda der: der + b"\0"}.items():
        seed("certs_csr", kind, lambda: change(request(folder, "ec", *name)))
    seed("certs_csr", "empty", b"")


if __name__ == "__main__":
    seed_ice()
    seed_frames()
    seed_enrollment()
    seed_control()
    seed_sequences()
    seed_cookies()
    seed_captures()
    program = [word for word in sys.argv[1:] if word != "--anew"]
    if program:
        with tempfile.TemporaryDirectory() as place:
            (pathlib.Path(place) / "attributes.cnf").write_text(ATTRIBUTES)
            seed_documents(Overlays(pathlib.Path(program[0]).resolve(), pathlib.Path(place)))
            seed_requests(pathlib.Path(place))
    seed_bodies()
    seed_messages()
    seed_stored_data()
    seed_sip()
    seed_media()
