"""ICE through each pair of NATs: every pair connects, and over a relay only where no direct path can
be.

    test_ice_matrix.py [KIND...]    only rows and columns of these kinds
"""
import concurrent.futures
import sys
import time
import unittest

import ice_lab
import lab

AT_ONCE = 4
NO_CANDIDATES = [{"connected": False, "error": "no candidates"}] * 2
KINDS = [a for a in sys.argv[1:] if a in lab.KINDS] or list(lab.KINDS)
sys.argv = sys.argv[:1]


class Matrix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab().__enter__()
        cls.addClassCleanup(cls.lab.close)
        cls.services = ice_lab.Services(cls.lab)
        cls.left = {kind: cls.lab.home(f"l{i}", kind) for i, kind in enumerate(KINDS)}
        cls.right = {kind: cls.lab.home(f"r{i}", kind) for i, kind in enumerate(KINDS)}

    def cell(self, left, right, options):
        pair = ice_lab.Pair(self.lab, self.left[left], self.right[right], options)
        start = time.monotonic()
        try:
            found = pair.results() if pair.introduce() else NO_CANDIDATES
        finally:
            pair.close()
        return found, time.monotonic() - start

    def check(self, cells, options, relayed):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(lambda cell: self.cell(*cell, options), cells))
        for cell, (ends, seconds) in zip(cells, results):
            print("%-21s %-21s %5.1f s %s" % (*cell, seconds, " | ".join(
                f"{r['local']}-{r['remote']} {r['connect_ms']} ms" if r["connected"] else r["error"]
                for r in ends)))
        for cell, (ends, _) in zip(cells, results):
            with self.subTest(left=cell[0], right=cell[1]):
                for end in ends:
                    self.assertTrue(end["connected"], end)
                    self.assertEqual(end["relayed"], relayed(*cell), end)

    def test_a_pair_connects_and_is_relayed_only_where_it_must_be(self):
        cells = [(left, right) for left in KINDS for right in KINDS]
        self.check(cells, self.services.with_turn(), lab.needs_relay)

    def test_b_peers_alone_are_enough_where_a_direct_path_exists(self):
        cells = [(left, right) for left in KINDS for right in KINDS if not lab.needs_relay(left, right)]
        self.check(cells, self.services.without_turn(), lambda *_: False)
        # Each end asked our responder, and nothing it was asked was strange to it.
        counters = self.services.counters()
        self.assertGreaterEqual(counters["answered"], 2 * len(cells), counters)
        self.assertEqual((counters["refused"], counters["malformed"]), (0, 0), counters)


if __name__ == "__main__":
    lab.run_tests(ice_lab.missing())
