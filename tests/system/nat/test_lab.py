"""The laboratory does what it says: each NAT is of its kind, and the shaper shapes."""
import json
import re
import select
import socket
import time
import unittest

import lab

SILENCE_S = 0.3


def heard(sock, timeout=1):
    """(payload, address), or None."""
    if not select.select([sock], [], [], timeout)[0]:
        return None
    try:
        return sock.recvfrom(2048)
    except OSError:
        return None


class Nats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.lab.__enter__()
        cls.one, cls.two = cls.lab.host("one", 1), cls.lab.host("two", 2)
        cls.a, cls.other_port = cls.lab.udp(cls.one, 1000), cls.lab.udp(cls.one, 1001)
        cls.other_host = cls.lab.udp(cls.two, 1000)
        cls.homes = {kind: cls.lab.home(f"h{i}", kind) for i, kind in enumerate(lab.KINDS)}

    def mapping(self, kind):
        """How three servers see one socket."""
        sock, seen = self.lab.udp(self.homes[kind]), []
        for server, at in ((self.a, (self.one.address, 1000)),
                           (self.other_port, (self.one.address, 1001)),
                           (self.other_host, (self.two.address, 1000))):
            sock.sendto(b"map", at)
            message = heard(server, SILENCE_S if kind == "udp-blocked" else 2)
            seen.append(message and message[1])
        return seen

    def filtering(self, kind):
        """Who is let in to a socket that has sent to `a` alone: a itself, another port of it, another
        host."""
        sock = self.lab.udp(self.homes[kind])
        sock.sendto(b"open", (self.one.address, 1000))
        message = heard(self.a, SILENCE_S if kind == "udp-blocked" else 2)
        if not message:
            return None
        passed = []
        for server in (self.other_host, self.other_port, self.a):
            server.sendto(b"in", message[1])
            passed.append(heard(sock, SILENCE_S) is not None)
            passed_once = heard(sock, 0)
            self.assertIsNone(passed_once)
        other_host, other_port, same = passed
        return {"same": same, "other_port": other_port, "other_host": other_host}

    def check(self, kind, one_mapping, other_port, other_host):
        seen = self.mapping(kind)
        self.assertNotIn(None, seen)
        self.assertEqual({address for address, _ in seen}, {self.homes[kind].public})
        self.assertEqual(len(set(seen)), 1 if one_mapping else 3)
        self.assertEqual(self.filtering(kind), {"same": True, "other_port": other_port,
                                                "other_host": other_host})

    def test_endpoint_independent_maps_once_and_lets_all_in(self):
        self.check("endpoint-independent", True, True, True)

    def test_address_restricted_lets_in_each_port_of_who_was_asked(self):
        self.check("address-restricted", True, True, False)

    def test_port_restricted_lets_in_only_what_was_asked(self):
        self.check("port-restricted", True, False, False)

    def test_symmetric_shows_each_server_another_port(self):
        self.check("symmetric", False, False, False)

    def test_double_is_port_restricted_from_outside(self):
        self.check("double", True, False, False)

    def test_what_came_uncalled_does_not_spoil_the_port(self):
        for kind in ("port-restricted", "double"):
            home = self.homes[kind]
            sock = self.lab.udp(home, 4000)
            for _ in range(3):
                self.a.sendto(b"uncalled", (home.public, 4000))
            self.assertIsNone(heard(sock, SILENCE_S))
            sock.sendto(b"out", (self.one.address, 1000))
            self.assertEqual(heard(self.a)[1], (home.public, 4000))

    def test_udp_blocked_passes_tcp_alone(self):
        self.assertEqual(self.mapping("udp-blocked"), [None] * 3)
        self.assertIsNone(self.filtering("udp-blocked"))
        listener = self.lab.tcp(self.one, 1002)
        listener.listen()
        client = self.lab.tcp(self.homes["udp-blocked"])
        client.connect((self.one.address, 1002))
        accepted, address = listener.accept()
        accepted.close()
        self.assertEqual(address[0], self.homes["udp-blocked"].public)

    def test_homes_do_not_reach_each_other_inside(self):
        target = self.lab.udp(self.homes["symmetric"], 5001)
        source = self.lab.udp(self.homes["endpoint-independent"])
        try:
            source.sendto(b"x", (self.homes["symmetric"].address, 5001))
        except OSError:
            pass
        self.assertIsNone(heard(target, SILENCE_S))


class TakingDown(unittest.TestCase):
    def test_nothing_is_left_even_after_a_failure(self):
        import subprocess
        names = []
        with self.assertRaises(ZeroDivisionError):
            with lab.Lab() as laboratory:
                home = laboratory.home("gone", "double")
                process = laboratory.start(home, ["sleep", "100"])
                names.append(laboratory.prefix)
                1 / 0
        left = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn(names[0], left)
        self.assertIsNotNone(process.returncode)


class Shaper(unittest.TestCase):
    def through(self, count, *options, gap=0.0005, size=64):
        """Sends numbered datagrams from left to right: [(number, seconds on the way)], counters."""
        with lab.Lab() as laboratory:
            left, right, shaper = laboratory.cable("l", "r", lab.program("netimp"), *options)
            source, target = laboratory.udp(left), laboratory.udp(right, 7000)
            target.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            arrived = []
            sent = {}

            def take(timeout):
                while message := heard(target, timeout):
                    number = int(message[0].split()[0])
                    arrived.append((number, time.monotonic() - sent[number]))

            for number in range(count):
                sent[number] = time.monotonic()
                source.sendto(str(number).encode().ljust(size), (right.address, 7000))
                take(0)
                time.sleep(gap)
            take(0.5)
            return arrived, json.loads(laboratory.stop(shaper))["left_to_right"]

    def test_without_options_it_is_a_cable(self):
        arrived, counters = self.through(200)
        self.assertEqual([n for n, _ in arrived], list(range(200)))
        self.assertEqual((counters["packets"], counters["delivered"]), (200, 200))

    def test_it_loses_the_share_it_was_told_and_the_same_ones_for_one_seed(self):
        first, counters = self.through(2000, "--loss", 10, "--seed", 7)
        self.assertTrue(140 < counters["lost"] < 260, counters)  # 4.5 standard deviations
        self.assertEqual(len(first), 2000 - counters["lost"])
        again, _ = self.through(2000, "--loss", 10, "--seed", 7)
        self.assertEqual([n for n, _ in first], [n for n, _ in again])
        other, _ = self.through(2000, "--loss", 10, "--seed", 8)
        self.assertNotEqual([n for n, _ in first], [n for n, _ in other])

    def test_it_delays_within_the_jitter(self):
        arrived, _ = self.through(100, "--delay", 100, "--jitter", 50)
        times = sorted(seconds for _, seconds in arrived)
        self.assertEqual(len(times), 100)
        self.assertGreaterEqual(times[0], 0.0999)
        self.assertLess(times[50], 0.145)   # the median lies near 125 ms
        self.assertGreater(times[90], 0.13)  # and the jitter is used

    def test_it_reorders_and_duplicates(self):
        arrived, counters = self.through(1000, "--delay", 20, "--reorder", 10, "--duplicate", 2)
        numbers = [n for n, _ in arrived]
        early = sum(1 for i, n in enumerate(numbers) if any(m < n for m in numbers[i + 1:i + 30]))
        self.assertTrue(60 < counters["reordered"] < 140, counters)
        self.assertGreater(early, 50)
        self.assertTrue(5 <= counters["duplicated"] <= 40, counters)
        self.assertEqual(len(numbers), 1000 + counters["duplicated"])
        self.assertEqual(len(set(numbers)), 1000)

    def test_what_is_longer_than_the_mtu_vanishes(self):
        arrived, counters = self.through(20, "--mtu", 576, size=576 - 28)
        self.assertEqual((len(arrived), counters["too_long"]), (20, 0))
        arrived, counters = self.through(20, "--mtu", 576, size=576 - 27)
        self.assertEqual((len(arrived), counters["too_long"]), (0, 20))


if __name__ == "__main__":
    lab.run_tests(lab.missing())
