"""What happens to links while they are in use: a path that dies in one direction, a NAT that gets
another address, a machine that sleeps. Whoever is concerned is routed round, and comes back."""
import signal
import subprocess
import unittest

import lab
import overlay_lab

PATIENCE_S = 120  # only against a hang: a loaded machine takes its time


def inside(machine, *command, text=None):
    subprocess.run(["nsenter", "--net=" + machine.path, *command], input=text, text=True, check=True)


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab().__enter__()
        cls.addClassCleanup(lambda: cls.net.close())
        cls.addClassCleanup(cls.lab.close)
        cls.net = overlay_lab.OverlayLab(cls.lab, turn=False)
        cls.home = cls.net.start("home", cls.lab.home("home", "port-restricted"))
        cls.host = cls.net.start("host", cls.lab.host("host", 4))
        cls.home.wait_ready()
        cls.host.wait_ready()
        for node in cls.net.nodes:
            node.ask("store", "--kind", overlay_lab.KIND, f"of {node.name}")

    def fetches(self, reader, writers):
        """How many of these values it finds."""
        requests = [{"verb": "fetch", "kind": overlay_lab.KIND,
                     "user": f"{writer.name}@{overlay_lab.NAME}"} for writer in writers]
        answers = reader.ask_all(requests, len(requests))
        return sum([v["value"].get("text") for v in a.get("values", [])] == [f"of {w.name}"]
                   for w, a in zip(writers, answers))

    def until_all_is_well(self, nodes):
        self.net.wait_for(lambda: all(self.fetches(n, self.net.nodes) == len(self.net.nodes)
                                      for n in nodes), "every value for everybody", PATIENCE_S)

    # R6940-6.6-5
    def test_a_path_that_is_dead_in_one_direction_is_given_up_by_both_ends(self):
        deaf, heard = self.host, self.net.nodes[1]
        deaf.ask("attach", heard.id)
        self.assertTrue(deaf.links_to(heard))
        inside(deaf.machine, "nft", "-f", "-", text=f"""
            table ip fault {{
                chain input {{
                    type filter hook input priority 0;
                    ip saddr {heard.machine.address} drop
                }}
            }}""")
        try:
            self.net.wait_for(lambda: not deaf.links_to(heard) and not heard.links_to(deaf),
                              "the end of the link at both ends", PATIENCE_S)
            self.until_all_is_well([deaf, heard])  # round each other
        finally:
            inside(deaf.machine, "nft", "delete", "table", "ip", "fault")
        self.until_all_is_well(self.net.nodes)

    def test_a_nat_that_gets_another_address_costs_its_peer_no_more_than_its_links(self):
        router = lab.Machine("router", f"{self.lab.prefix}-home-nat", None, None)
        old, new = self.home.machine.public, f"{lab.SERVER_NET}.150"
        inside(router, "ip", "address", "delete", f"{old}/24", "dev", "wan")
        inside(router, "ip", "address", "add", f"{new}/24", "dev", "wan")
        inside(router, "nft", "flush", "ruleset")
        inside(router, "nft", "-f", "-",
               text=lab.rules_of("port-restricted", new, self.home.machine.address))
        # Its own nodes are still linked to an address that nobody has.
        self.net.wait_for(lambda: any(new in link["remote"]["address"]
                                      for node in self.net.nodes if node is not self.home
                                      for link in node.links_to(self.home)),
                          "a link to the new address", PATIENCE_S)
        self.until_all_is_well(self.net.nodes)

    def test_a_peer_that_slept_is_replaced_and_comes_back_at_once(self):
        others = [node for node in self.net.nodes if node is not self.host]
        self.host.process.send_signal(signal.SIGSTOP)  # nsenter has become the peer
        try:
            self.net.wait_for(lambda: (self.fetches(others[0], self.net.nodes),
                                       not any(n.links_to(self.host) for n in others))[1],
                              "the end of all links to it", PATIENCE_S)
            self.until_all_is_well(others)
        finally:
            self.host.process.send_signal(signal.SIGCONT)
        self.until_all_is_well(self.net.nodes)
        self.net.wait_for(lambda: len(self.host.ask("ring", "--walk")["members"])
                          == len(self.net.nodes), "the whole ring as it sees it", PATIENCE_S)


if __name__ == "__main__":
    lab.run_tests(overlay_lab.missing())
