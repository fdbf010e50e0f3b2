"""The published vectors (interop/vectors) are what the code makes, openssl verifies each signature over
the signed bytes that they name, and `reload decode` reads them."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "interop/vectors"
KEYS = json.loads((FOLDER / "keys.json").read_text())
MESSAGES = json.loads((FOLDER / "messages.json").read_text())
RANDOM = ("hex", "signature_hex")  # of an ECDSA signature
EXPERIMENTAL = ("exp_a_req", "exp_a_ans", "exp_b_req", "exp_b_ans")


def without_random(vector):
    return {k: v for k, v in vector.items() if vector["deterministic"] or k not in RANDOM}


class Vectors(unittest.TestCase):
    def test_they_are_what_the_code_makes(self):
        made = subprocess.run([os.environ["RELOAD_MAKE_VECTORS"], str(FOLDER / "keys.json")],
                              capture_output=True, text=True, timeout=60, check=True)
        made = json.loads(made.stdout)
        self.assertEqual([v["name"] for v in made], [v["name"] for v in MESSAGES])
        for ours, published in zip(made, MESSAGES):
            self.assertEqual(without_random(ours), without_random(published), ours["name"])

    def test_there_is_one_for_each_message_code(self):
        header = (ROOT / "reload/wire/message.h").read_text()
        codes = {int(code, 16) for name, code in
                 re.findall(r"RELOAD_(\w+) = 0x([0-9a-f]+),", header)
                 if name.lower() not in EXPERIMENTAL}
        self.assertEqual({v["message_code"] for v in MESSAGES}, codes)

    def test_decode_reads_each(self):
        for vector in MESSAGES:
            done = subprocess.run([os.environ["RELOAD_PROGRAM"], "decode", "--json", "-"],
                                  input=vector["hex"], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, vector["name"] + done.stderr)
            self.assertEqual(json.loads(done.stdout)["message"], vector["message"])

    def test_the_signed_bytes_are_those_of_the_message(self):
        """R6940-6.3.4-16, by offsets: overlay, transaction_id, what lies between header and SecurityBlock,
        SignerIdentity."""
        for vector in MESSAGES:
            raw, signed = bytes.fromhex(vector["hex"]), bytes.fromhex(vector["signature_input_hex"])
            identity = bytes.fromhex(vector["signer_identity_hex"])
            contents = signed[12:len(signed) - len(identity)]
            self.assertEqual(signed, raw[4:8] + raw[20:28] + contents + identity)
            self.assertIn(contents, raw)
            self.assertIn(bytes.fromhex(vector["body_hex"]), contents)
            self.assertTrue(raw.endswith(bytes.fromhex(vector["signature_hex"])))

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_openssl_verifies_each_signature(self):
        with tempfile.TemporaryDirectory() as folder:
            keys = {name: self.public_key(folder, name) for name in KEYS["nodes"]}
            for vector in MESSAGES:
                for what in ("", "value_"):
                    if what + "signature_hex" not in vector:
                        continue
                    signed = bytes.fromhex(vector[what + "signature_input_hex"])
                    value = bytes.fromhex(vector[what + "signature_hex"])
                    key = keys[vector["signer"]]
                    self.assertTrue(self.verify(folder, key, signed, value), vector["name"])
                    self.assertFalse(self.verify(folder, key, signed + b"\0", value))

    def public_key(self, folder, name):
        path = pathlib.Path(folder) / f"{name}.pem"
        done = subprocess.run(["openssl", "x509", "-pubkey", "-noout"], capture_output=True,
                              input=KEYS["nodes"][name]["certificate_pem"].encode(), check=True)
        path.write_bytes(done.stdout)
        return path

    def verify(self, folder, key, signed, value):
        path = pathlib.Path(folder) / "signature"
        path.write_bytes(value)
        return subprocess.run(["openssl", "dgst", "-sha256", "-verify", str(key), "-signature",
                               str(path)], input=signed, capture_output=True).returncode == 0


if __name__ == "__main__":
    unittest.main(verbosity=2)
