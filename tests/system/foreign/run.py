"""Talks RFC 6940 to real `reload peer` processes with a codec of its own: run.py [-k WORD] [-v].

Each case sends bytes over a TLS link and looks at the bytes that come back; what it shares with the
program under test is the RFC's text.
"""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bench  # noqa: E402
import cases_link  # noqa: E402,F401
import cases_header  # noqa: E402,F401
import cases_security  # noqa: E402,F401
import cases_methods  # noqa: E402,F401
import cases_store  # noqa: E402,F401
import cases_fragment  # noqa: E402,F401
import cases_ring  # noqa: E402,F401
import cases_loose  # noqa: E402,F401
import cases_founder  # noqa: E402,F401
import cases_self  # noqa: E402,F401
import cases_hostile  # noqa: E402,F401
import cases_lenient  # noqa: E402,F401

for made in bench.CASES:
    globals()[made.__name__] = bench.suite(made)

if __name__ == "__main__":
    unittest.main()
