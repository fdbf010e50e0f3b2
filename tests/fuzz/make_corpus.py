#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets, corpus/<target>/<name>, from the byte vectors, from what is
written here and, when the program is named, from documents and certificates that it and openssl make.

    python3 tests/fuzz/make_corpus.py [build/release/reload]

Files that fuzzing found and someone added stay; seeds are written anew under the same names.
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
LARGEST = 1100  # bytes; longer vectors differ in certificates only, which the codec does not read
LARGEST_DOCUMENT = 6000
MODELS = {"SINGLE": 0, "ARRAY": 1, "DICTIONARY": 2}


def entries(name):
    return json.loads((VECTORS / f"danpascu_{name}.json").read_text())


def seed(target, name, data, largest=LARGEST):
    if len(data) > largest:
        return
    folder = HERE / "corpus" / target
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


def seed_documents(program, folder):
    for name, options in {"ec": ["--kind", "0xf0000001:array:NODE-MATCH:4:100"],
                          "plain": ["--no-ice"], "self_signed": ["--self-signed"]}.items():
        make(program, "overlay", "create", "overlay.example.org", "--dir", name,
             "--bootstrap", "192.0.2.1:6084", *options, folder=folder)
        document = (folder / name / "overlay.xml").read_bytes()
        seed("certs_document", name, document, LARGEST_DOCUMENT)
        seed("certs_document", name + "_altered", document.replace(b">100<", b">101<", 1),
             LARGEST_DOCUMENT)
    root, = der((folder / "ec" / "ca.pem").read_text())
    node, = der((folder / "ec" / "signer.pem").read_text())
    own, = der((folder / "self_signed" / "signer.pem").read_text())
    for name, flags, chain in (("issued", 0, (root, node)), ("self_signed", 1, (root, own)),
                               ("other_root", 3, (own, node, root)), ("root_alone", 2, (root, root))):
        entries = b"".join(len(c).to_bytes(2, "big") + c for c in chain)
        seed("certs_chain", name, bytes([flags]) + entries, LARGEST_DOCUMENT)


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
            seed("certs_csr", f"{kind}_{form.lower()}", request(folder, kind, *name, form=form),
                 LARGEST_DOCUMENT)
    for kind, value in {"two_names": "email:alice@example.org,email:bob@example.org",
                        "other_names": "DNS:example.org,IP:192.0.2.1,URI:reload://example.org",
                        "no_address": "email:alice", "nul": "DER:300b8109616c00696365406578",
                        "upper_case": "email:Alice@EXAMPLE.org", "long": f"email:{'a' * 300}@b.c",
                        "malformed": "DER:040161", "no_list": "DER:3081"}.items():
        seed("certs_csr", "name_" + kind, request(folder, "ec", *wanted_name(value)))
    seed("certs_csr", "no_name", request(folder, "ec"))
    seed("certs_csr", "sha1", request(folder, "ec", *name, "-sha1"))
    seed("certs_csr", "sha512", request(folder, "ec", *name, "-sha512"))
    (folder / "attributes.cnf").write_text(ATTRIBUTES)
    seed("certs_csr", "attributes", request(folder, "ec", "-config", "attributes.cnf"))
    der = request(folder, "ec", *name)
    seed("certs_csr", "broken_signature", der[:-1] + bytes([der[-1] ^ 1]))
    seed("certs_csr", "other_text", der.replace(b"alice@", b"alicf@"))
    seed("certs_csr", "other_version", der.replace(b"\x02\x01\x00", b"\x02\x01\x05", 1))
    seed("certs_csr", "other_point", der.replace(b"\x03\x42\x00\x04", b"\x03\x42\x00\x05", 1))
    seed("certs_csr", "truncated", der[:-20])
    seed("certs_csr", "bytes_behind", der + b"\0")
    seed("certs_csr", "empty", b"")


if __name__ == "__main__":
    seed_ice()
    seed_frames()
    seed_enrollment()
    seed_control()
    seed_sequences()
    if len(sys.argv) > 1:
        with tempfile.TemporaryDirectory() as place:
            seed_documents(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(place))
            seed_requests(pathlib.Path(place))
    seed_bodies()
    seed_messages()
    seed_stored_data()
    seed_sip()
    seed_media()
