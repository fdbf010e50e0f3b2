"""Overlays in the laboratory. OverlayLab has two bootstrap peers and the enrollment server on the public
segment, coturn beside the first peer, and nodes in homes behind NATs:

    with lab.Lab() as laboratory:
        net = OverlayLab(laboratory)
        home = net.start("anna", laboratory.home("anna", "symmetric")).wait_ready()
        home.ask("status")

Overlay is what any such overlay has: accounts, enrollment, nodes.
"""
import json
import os
import pathlib
import shutil
import socket
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

    def __init__(self, net, name, machine, *options, listen=f"0.0.0.0:{PORT}"):
        self.net, self.name, self.machine = net, name, machine
        self.socket = net.path(name + ".sock")
        self.log = net.path(name + ".log")
        with open(self.log, "ab") as err:
            self.process = net.lab.start(
                machine, [net.program, "peer", "--json", "--control", self.socket, "--identity",
                          net.path(name), "--listen", listen, *options],
                stdin=subprocess.DEVNULL, stderr=err)
        self.id = None

    def wait_ready(self, timeout=READY_S):
        """Until it has joined."""
        line = lab.read_line(self.process, timeout)
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

    def ask_all(self, requests, at_once):
        """Requests of the control socket, so many under way at a time; their answers in order."""
        answers, waiting = [None] * len(requests), list(enumerate(requests))[::-1]
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(self.socket)
            control.settimeout(VERB_S)
            lines = control.makefile("r")

            def send():
                number, request = waiting.pop()
                control.sendall((json.dumps({**request, "id": number}) + "\n").encode())

            for _ in range(min(at_once, len(requests))):
                send()
            for _ in requests:
                answer = json.loads(lines.readline())
                answers[answer["id"]] = answer
                if waiting:
                    send()
        return answers

    def links_to(self, other):
        return [link for link in self.ask("links")["links"] if link["node_id"] == other.id]


class Overlay:
    """Its folder, and the enrollment server on one machine."""

    def __init__(self, laboratory, server, bootstrap, *options):
        self.lab, self.server = laboratory, server
        self.program = reload_program()
        self.folder = tempfile.TemporaryDirectory(prefix="reload-lab-")
        self.nodes = []
        self.secret("password", PASSWORD)
        url = f"{server.address}:{HTTPS_PORT}"
        self.run("overlay", "create", NAME, "--dir", self.path("overlay"), "--host", url,
                 *(word for address in bootstrap for word in ("--bootstrap", address)),
                 "--kind", f"{KIND}:single:USER-MATCH:1:1000", *options)
        process = laboratory.start(server, [
            self.program, "enroll-server", "--json", "--dir", self.path("overlay"), "--listen", url],
            stderr=subprocess.DEVNULL)
        if not lab.read_line(process, 20):
            raise Failure("the enrollment server does not start")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def secret(self, name, text):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(text + "\n")

    def run(self, *arguments, machine=None):
        inside = ["nsenter", "--net=" + machine.path] if machine else []
        done = subprocess.run([*inside, self.program, *map(str, arguments)], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=VERB_S)
        if done.returncode != 0:
            raise Failure(f"reload {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def enroll(self, name, machine):
        """An account, and its certificate: fetched from that machine."""
        self.run("user", "add", f"{name}@{NAME}", "--dir", self.path("overlay"), "--password-file",
                 self.path("password"))
        self.run("enroll", f"https://{self.server.address}:{HTTPS_PORT}/.well-known/reload-config",
                 "--user", f"{name}@{NAME}", "--password-file", self.path("password"), "--ca",
                 self.path("overlay/ca.pem"), "--identity", self.path(name), machine=machine)

    def start(self, name, machine, *options, enroll_at=None, **more):
        """Enrolls and starts; wait_ready() is the caller's."""
        self.enroll(name, enroll_at or machine)
        node = Node(self, name, machine, *options, **more)
        self.nodes.append(node)
        return node

    def wait_for(self, condition, what, timeout=30):
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"{what}: waited in vain")
            time.sleep(0.1)

    def close(self):
        """After the laboratory, which ends the processes."""
        self.folder.cleanup()


class OverlayLab(Overlay):
    def __init__(self, laboratory, *options, turn=True):
        self.public = [laboratory.host(f"boot{i}", i) for i in (1, 2)]
        super().__init__(laboratory, laboratory.host("enroll", 3),
                         [f"{m.address}:{PORT}" for m in self.public], *options)
        self.secret("secret", SECRET)
        offer = ["--turn", f"{self.public[0].address}:{TURN_PORT}", "--turn-secret-file",
                 self.path("secret")] if turn else []
        if turn:
            self._start_turn()
        first = self.start("boot1", self.public[0], "--first", *offer).wait_ready()
        self.start("boot2", self.public[1]).wait_ready()
        if turn:
            self.wait_for(lambda: first.ask("status")["turn"]["records"] > 0, "a TURN record")

    def _start_turn(self):
        where = self.public[0]
        self.turn = self.lab.start(where, lab.coturn(where.address, TURN_PORT, SECRET,
                                                     self.folder.name),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.lab.wait_for_port(where, TURN_PORT)
