#!/usr/bin/env python3
"""Writes the seeds of the wire fuzz targets, corpus/<target>/<name>, from the byte vectors.

    python3 tests/fuzz/make_corpus.py

Files that fuzzing found and someone added stay; seeds are written anew under the same names.
"""
import json
import pathlib

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


if __name__ == "__main__":
    seed_bodies()
    seed_messages()
    seed_stored_data()
