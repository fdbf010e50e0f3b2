"""An overlay in the laboratory: two bootstrap peers and the enrollment server on the public segment,
coturn beside the first peer, and nodes in homes behind NATs.

    with lab.Lab() as laboratory:
        net = OverlayLab(laboratory)
        home = net.node("anna", laboratory.home("anna", "symmetric"))
        home.ask("status")
"""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import lab

NAME = "lab.example"
PASSWORD = "correct horse battery staple"
KIND = "0xf0000001"
PORT, HTTPS_PORT, TURN_PORT = 6084, 8443, 3478
SECRET = "a secret of the laboratory"
READY_S, VERB_S = 90, 60
ROOT = pathlib.Path(__file__).resolve().parents[3]


def reload_program():
    """$RELOAD_PROGRAM, or a build of this tree."""
    given = os.environ.get("RELOAD_PROGRAM")
    built = [given] if given else [ROOT / "build" / b / "reload" for b in ("release", "asan", "debug")]
    return next((str(p) for p in built if os.access(p, os.X_OK)), None)


def missing():
    return (lab.missing()
            or (None if shutil.which("turnserver") else "coturn is not installed")
            or (None if reload_program() else "reload is not built (./check builds it)"))


class Failure(Exception):
    pass


class Node:
    """`reload peer` on a machine of the laboratory."""

    def __init__(self, net, name, machine, *options):
        self.net, self.name, self.machine = net, name, machine
        self.socket = net.path(name + ".sock")
        self.log = net.path(name + ".log")
        with open(self.log, "ab") as err:
            self.process = net.lab.start(
                machine, [net.program, "peer", "--json", "--control", self.socket, "--identity",
                          net.path(name), "--listen", f"0.0.0.0:{PORT}", *options],
                stdin=subprocess.DEVNULL, stderr=err)
        self.id = None

    def wait_ready(self):
        """Until it has joined."""
        line = lab.read_line(self.process, READY_S)
        if not line:
            raise Failure(f"{self.name} has not joined: {self.last_words()}")
        self.id = json.loads(line)["node_id"]
        return self

    def last_words(self):
        return " / ".join(pathlib.Path(self.log).read_text().splitlines()[-4:])

    def ask(self, *arguments):
        """A verb against this node's control socket; its answer."""
        verb = [arguments[0]] if arguments[0] != "sip" else list(arguments[:2])
        done = subprocess.run([self.net.program, *verb, "--control", self.socket, "--json",
                               *map(str, arguments[len(verb):])], capture_output=True, text=True,
                              timeout=VERB_S)
        if done.returncode != 0:
            raise Failure(f"{self.name}: {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def links_to(self, other):
        return [link for link in self.ask("links")["links"] if link["node_id"] == other.id]


class OverlayLab:
    def __init__(self, laboratory, *options):
        self.lab = laboratory
        self.program = reload_program()
        self.folder = tempfile.TemporaryDirectory(prefix="reload-lab-")
        self.nodes = []
        self.public = [laboratory.host(f"boot{i}", i) for i in (1, 2)]
        self.https = laboratory.host("enroll", 3)
        self._secret("password", PASSWORD)
        self._secret("secret", SECRET)
        url = f"{self.https.address}:{HTTPS_PORT}"
        bootstrap = [w for m in self.public for w in ("--bootstrap", f"{m.address}:{PORT}")]
        self.run("overlay", "create", NAME, "--dir", self.path("overlay"), "--host", url, *bootstrap,
                 "--kind", f"{KIND}:single:USER-MATCH:1:1000", *options)
        self.server = laboratory.start(self.https, [
            self.program, "enroll-server", "--json", "--dir", self.path("overlay"), "--listen", url],
            stderr=subprocess.DEVNULL)
        if not lab.read_line(self.server, 20):
            raise Failure("the enrollment server does not start")
        self._start_turn()
        first = self.start("boot1", self.public[0], "--first", "--turn",
                           f"{self.public[0].address}:{TURN_PORT}", "--turn-secret-file",
                           self.path("secret")).wait_ready()
        self.start("boot2", self.public[1]).wait_ready()
        self._wait_for(lambda: first.ask("status")["turn"]["records"] > 0, "a TURN record")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run(self, *arguments, machine=None):
        inside = ["nsenter", "--net=" + machine.path] if machine else []
        done = subprocess.run([*inside, self.program, *map(str, arguments)], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=VERB_S)
        if done.returncode != 0:
            raise Failure(f"reload {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def enroll(self, name, machine):
        """An account, and its certificate: fetched by the machine that the node will run on."""
        self.run("user", "add", f"{name}@{NAME}", "--dir", self.path("overlay"), "--password-file",
                 self.path("password"))
        self.run("enroll", f"https://{self.https.address}:{HTTPS_PORT}/.well-known/reload-config",
                 "--user", f"{name}@{NAME}", "--password-file", self.path("password"), "--ca",
                 self.path("overlay/ca.pem"), "--identity", self.path(name), machine=machine)

    def start(self, name, machine, *options):
        """Enrolls and starts; wait_ready() is the caller's."""
        self.enroll(name, machine)
        node = Node(self, name, machine, *options)
        self.nodes.append(node)
        return node

    def close(self):
        """After the laboratory, which ends the processes."""
        self.folder.cleanup()

    def _secret(self, name, text):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(text + "\n")

    def _start_turn(self):
        where = self.public[0]
        self.turn = self.lab.start(where, lab.coturn(where.address, TURN_PORT, SECRET,
                                                     self.folder.name),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.lab.wait_for_port(where, TURN_PORT)

    @staticmethod
    def _wait_for(condition, what, timeout=30):
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"{what}: waited in vain")
            time.sleep(0.1)
