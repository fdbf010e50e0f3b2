"""Wireshark's RELOAD dissector, another program's reading of RFC 6940, reads each published message: every
byte belongs to a field, each number is what the bytes say, and it complains of nothing but its own
faults, which interop/wireshark/known_faults.json lists."""
import json
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
MESSAGES = json.loads((ROOT / "interop/vectors/messages.json").read_text())
KNOWN = json.loads((ROOT / "interop/wireshark/known_faults.json").read_text())
PORT = 6084
KINDS = ('"4026531841","VECTOR-SINGLE","SINGLE"', '"4026531842","VECTOR-ARRAY","ARRAY"',
         '"4026531843","VECTOR-DICTIONARY","DICTIONARY"')
COMPLAINT = re.compile(r"^(_ws\.expert\.message|_ws\.malformed|_ws\.unreassembled)")
BITS = re.compile(r"fragment\.|option\.flag")  # shown as numbers of their own


def packet(number, message):
    """A message in a data frame (s6.6.2), in UDP, in IPv4."""
    frame = b"\x80" + struct.pack(">I", number) + len(message).to_bytes(3, "big") + message
    udp = struct.pack(">HHHH", PORT, PORT, len(frame) + 8, 0) + frame
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                       bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])) + udp


def capture(path, messages):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))  # raw IP
        for number, message in enumerate(messages):
            data = packet(number, message)
            file.write(struct.pack("<IIII", number, 0, len(data), len(data)) + data)


def dissect(messages):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "vectors.pcap"
        capture(path, messages)
        tables = [word for kind in KINDS for word in ("-o", f"uat:reload_kindids:{kind}")]
        done = subprocess.run(["tshark", "-n", "-r", str(path), *tables, "-T", "pdml"],
                              capture_output=True, timeout=120, check=True)
    return xml.etree.ElementTree.fromstring(done.stdout).findall("packet")


def is_ours(field):
    """Not another dissector's, as those of certificates and XML."""
    return not field.get("name") or field.get("name").startswith(("reload", "_ws"))


class Reading:
    """What the dissector makes of one message."""

    def __init__(self, pdml, message):
        self.covered, self.faults, self.code = bytearray(len(message)), set(), None
        layers = [p for p in pdml.findall("proto") if p.get("name") == "reload"]
        self.layers = len(layers)
        for layer in layers:
            self.start = int(layer.get("pos"))
            self.walk(layer)
        for field in pdml.iter("field"):
            if COMPLAINT.match(field.get("name", "")):
                self.faults.add(f"complains: {field.get('show')}")
        if any(p.get("name") == "_ws.malformed" for p in pdml.iter("proto")):
            self.faults.add("calls it malformed")
        for gap in re.finditer(rb"\0+", bytes(self.covered)):
            self.faults.add(f"does not read {gap.end() - gap.start()} bytes at {gap.start()}")

    def walk(self, parent):
        for field in parent:
            name = field.get("name", "")
            if name == "reload.message.code" and self.code is None:
                self.code = int(field.get("show"))
            below = [f for f in field if not f.get("name", "").startswith("_ws")]
            if below and all(is_ours(f) for f in below):
                self.walk(field)
                continue
            self.cover(field)
            if is_ours(field) and not below and not BITS.search(name):
                self.check(field, name)

    def cover(self, field):
        at, size = int(field.get("pos", 0)) - self.start, int(field.get("size", 0))
        for i in range(max(at, 0), min(at + size, len(self.covered))):
            self.covered[i] = 1

    def check(self, field, name):
        text, value = field.get("show", ""), field.get("value", "")
        if not value or len(value) > 16 or ".opaque" in name:
            return
        if re.fullmatch(r"\d+|0x[0-9a-f]+", text) and int(text, 0) != int(value, 16):
            self.faults.add(f"misreads {name}")
        if "Unknown (" in field.get("showname", ""):
            self.faults.add(f"does not know the value of {name}")


@unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
class Wireshark(unittest.TestCase):
    def readings(self, messages):
        packets = dissect(messages)
        self.assertEqual(len(packets), len(messages))
        return [Reading(p, m) for p, m in zip(packets, messages)]

    def test_each_message_is_read_and_nothing_but_the_known_faults_is_found(self):
        new, seen = [], set()
        readings = self.readings([bytes.fromhex(v["hex"]) for v in MESSAGES])
        for vector, reading in zip(MESSAGES, readings):
            self.assertEqual((reading.layers, reading.code), (1, vector["message_code"]),
                             vector["name"])
            known = {**KNOWN["everywhere"], **KNOWN["messages"].get(vector["name"], {})}
            new += [f"{vector['name']}: {fault}" for fault in sorted(reading.faults - set(known))]
            seen |= {(vector["name"], fault) for fault in reading.faults}
        for name, faults in KNOWN["messages"].items():
            for fault in faults:
                if (name, fault) not in seen:
                    print(f"no longer: {name}: {fault}")
        print(f"{len(MESSAGES)} messages, {len(seen)} faults of the dissector, {len(new)} new")
        self.assertEqual(new, [])

    def test_a_wrong_byte_would_show(self):
        ping = next(bytes.fromhex(v["hex"]) for v in MESSAGES if v["name"] == "ping_req")
        body = ping.index(b"padding") - 2
        spoiled = ping[:body] + b"\xff\xff" + ping[body + 2:]
        reading, = self.readings([spoiled])
        self.assertTrue(reading.faults - set(KNOWN["everywhere"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
