"""What ICE needs in the laboratory: our STUN responder and coturn on the public segment, and pairs
of channels whose candidates the test carries, as the overlay would."""
import json
import shutil
import subprocess
import tempfile

import lab

SECRET = "a secret of the laboratory"
STUN_PORT, TURN_PORT = 6084, 3478
RESULT_S = 40


def missing():
    return lab.missing() or (None if shutil.which("turnserver") else "coturn is not installed")


class Services:
    """203.0.113.1 answers Binding requests, 203.0.113.2 relays."""

    def __init__(self, laboratory):
        self.lab = laboratory
        self.folder = tempfile.TemporaryDirectory()
        self.stun_host, self.turn_host = laboratory.host("stun", 1), laboratory.host("turn", 2)
        self.stun = laboratory.start(self.stun_host, [
            lab.program("test_stun_server"), f"{self.stun_host.address}:{STUN_PORT}"])
        if lab.read_line(self.stun, 10) != "ready\n":
            raise RuntimeError("the STUN server does not start")
        self.turn = laboratory.start(self.turn_host, lab.coturn(
            self.turn_host.address, TURN_PORT, SECRET, self.folder.name), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        laboratory.wait_for_port(self.turn_host, TURN_PORT)

    def without_turn(self):
        return ["--stun", f"{self.stun_host.address}:{STUN_PORT}"]

    def with_turn(self):
        turn = f"{self.turn_host.address}:{TURN_PORT}"
        return self.without_turn() + ["--turn-secret", SECRET, "--turn-udp", turn,
                                      "--turn-tcp", turn]

    def counters(self):
        """Ends the STUN server; what it counted."""
        return json.loads(self.lab.stop(self.stun))


class Pair:
    """Two channels, one on each machine."""

    def __init__(self, laboratory, left, right, options):
        self.ends = [laboratory.start(machine, [lab.program("test_ice_channel"), role, *options])
                     for machine, role in ((left, "controlling"), (right, "controlled"))]

    def introduce(self):
        """Carries the candidates both ways, as an Attach and its answer do."""
        hellos = [lab.read_line(end, 20) for end in self.ends]
        if None in hellos:
            return False
        for end, hello in zip(self.ends, reversed(hellos)):
            end.stdin.write(hello)
            end.stdin.flush()
        return True

    def results(self):
        """What each end says about the path, as soon as it knows."""
        lines = [lab.read_line(end, RESULT_S) for end in self.ends]
        return [json.loads(line) if line else {"connected": False, "error": "silent"}
                for line in lines]

    def close(self):
        for end in self.ends:
            end.stdin.close()
        for end in self.ends:
            end.wait(10)
            end.stdout.close()
