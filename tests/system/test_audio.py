"""The audio verbs on a machine without sound: files, tones, and what is said when there is nothing."""
import array
import json
import math
import os
import pathlib
import tempfile
import unittest
import wave

from overlay import run

NO_SERVER = "unix:/nonexistent/pulse"


def write(path, samples, rate=48000):
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(array.array("h", samples).tobytes())


def read(path):
    with wave.open(str(path), "rb") as file:
        return array.array("h", file.readframes(file.getnframes()))


def tone(hertz, count, rate=48000):
    return [int(8000 * math.sin(2 * math.pi * hertz * i / rate)) for i in range(count)]


def crossings(samples):
    return sum(1 for a, b in zip(samples, samples[1:]) if a < 0 <= b)


class Audio(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        before = {name: os.environ.get(name) for name in ("PULSE_SERVER", "PULSE_COOKIE")}
        self.addCleanup(lambda: [os.environ.__setitem__(n, v) if v else os.environ.pop(n, None)
                                 for n, v in before.items()])
        os.environ["PULSE_SERVER"] = NO_SERVER
        os.environ["PULSE_COOKIE"] = str(self.path / "cookie")

    def test_devices_are_listed_with_what_is_there(self):
        done = run("audio", "devices", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        devices = {d["name"]: d for d in json.loads(done.stdout)["devices"]}
        self.assertEqual(set(devices), {"pulse", "file", "tone", "null", "mirror"})
        self.assertFalse(devices["pulse"]["available"])
        self.assertTrue(devices["file"]["available"])
        text = run("audio", "devices").stdout
        self.assertIn("no sound server answers", text)
        self.assertEqual(len(text.splitlines()), 5)

    def test_a_tone_goes_into_a_file(self):
        out = self.path / "out.wav"
        done = run("audio", "tone", "--hertz", "600", "--seconds", "0.5", "--device",
                   f"file:,{out}", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["seconds"], 0.5)
        samples = read(out)
        self.assertEqual(len(samples), 24000)
        self.assertAlmostEqual(crossings(samples), 300, delta=2)
        self.assertAlmostEqual(max(samples), 8000, delta=10)

    def test_loopback_plays_what_it_hears_a_block_later(self):
        said, out = self.path / "said.wav", self.path / "out.wav"
        write(said, tone(300, 24000))
        done = run("audio", "loopback", "--seconds", "0.5", "--device", f"file:{said},{out}",
                   "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertAlmostEqual(json.loads(done.stdout)["heard_dbov"], -15.3, delta=0.5)
        played = read(out)
        self.assertEqual(list(played[:480]), [0] * 480)
        self.assertEqual(list(played[480:]), tone(300, 24000)[:-480])

    def test_what_cannot_be_opened_says_what_else_there_is(self):
        done = run("audio", "tone", "--seconds", "0.1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("file:IN.wav", done.stderr)
        self.assertEqual(
            run("audio", "loopback", "--device", "file:/nonexistent.wav").returncode, 1)

    def test_wrong_usage_ends_with_2(self):
        for arguments in (["tone", "--device", "banjo"], ["tone", "--device", "null:x"],
                          ["tone", "--seconds", "0"], ["loopback", "--seconds", "601"],
                          ["tone", "--hertz", "5"], ["devices", "extra"], ["loopback", "x"]):
            done = run("audio", *arguments)
            self.assertEqual(done.returncode, 2, (arguments, done.stderr))
            self.assertTrue(done.stderr.startswith("reload: "), arguments)


if __name__ == "__main__":
    unittest.main()
