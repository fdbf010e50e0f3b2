#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets, corpus/<target>/<name>, from the byte vectors and, for RFC
7904, from here.

    python3 tests/fuzz/make_corpus.py

Files that fuzzing found and someone added stay; seeds are written anew under the same names.
"""
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent / "data" / "vectors"
LARGEST = 1100  # bytes; longer vectors differ in certificates only, which the codec does not read
MODELS = {"SINGLE": 0, "ARRAY": 1, "DICTIONARY": 2}


def entries(name):
    return json.loads((VECTORS / f"danpascu_{name}.json").read_text())


def seed(target, name, data):
    if len(data) > LARGEST:
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


if __name__ == "__main__":
    seed_bodies()
    seed_messages()
    seed_stored_data()
    seed_sip()
    seed_media()
