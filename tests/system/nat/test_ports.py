"""A peer that lets the system choose its port, where few numbers are free for both TCP and UDP."""
import subprocess
import unittest

import lab
import overlay_lab

FIRST, LAST = 40000, 40063


class Ports(unittest.TestCase):
    def test_a_number_is_found_that_both_tcp_and_udp_have_free(self):
        with lab.Lab() as laboratory:
            machine = laboratory.host("crowded", 1)
            inside = ["nsenter", "--net=" + machine.path]
            subprocess.run([*inside, "sh", "-c", f"echo {FIRST} {LAST} > "
                            "/proc/sys/net/ipv4/ip_local_port_range"], check=True)
            net = overlay_lab.Overlay(laboratory, laboratory.host("enroll", 3),
                                      [f"{machine.address}:1"])
            self.addCleanup(net.close)
            held = [laboratory.udp(machine, port) for port in range(FIRST, LAST + 1) if port % 8 != 1]
            node = net.start("anna", machine, "--first", listen=f"{machine.address}:0")
            node.wait_ready()
            port = int(node.ask("status")["listen"][0].rsplit(":", 1)[1])
            self.assertNotIn(port, [s.getsockname()[1] for s in held])


if __name__ == "__main__":
    lab.run_tests(overlay_lab.missing())
