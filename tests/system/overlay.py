"""What the system tests share: the program as users have it, and overlays of real processes.

Every process started here is ended by its own pid, all sockets are on 127.0.0.1 with ports that
were free, and everything lies in one temporary folder.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

RELOAD = os.environ["RELOAD_PROGRAM"]
PASSWORD = "correct horse battery staple"
NAME = "test.example"


def run(*arguments, text=None, timeout=60):
    """Runs a verb to its end."""
    return subprocess.run([RELOAD, *map(str, arguments)], input=text or "", capture_output=True,
                          text=True, timeout=timeout)


CLAIMS = []  # sockets that say to other tests on this machine whose a port is


def claim(port):
    """Whether the port is this process's now, among the tests: as long as it lives."""
    claimed = socket.socket(socket.AF_UNIX)
    try:
        claimed.bind(f"\0reload-test-port-{port}")
    except OSError:
        claimed.close()
        return False
    CLAIMS.append(claimed)
    return True


def is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_port():
    """A port that is free now, and that the system gives to nobody who does not ask for it."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    return next(port for port in random.sample(range(first // 2, first), first // 2)
                if claim(port) and is_free(port))


class Process:
    """A running verb that prints a ready line as JSON."""

    def __init__(self, log, *arguments):
        self.log = log
        with open(log, "ab") as err:
            self.process = subprocess.Popen([RELOAD, *map(str, arguments)], stdout=subprocess.PIPE,
                                            stderr=err, stdin=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait(30)
            raise AssertionError(f"reload {arguments[0]} ended with {code}: {pathlib.Path(log).read_text()}")
        self.ready = json.loads(line)

    def terminate(self, timeout=5):
        """SIGTERM; the exit code and how long it took."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout)
        return code, time.monotonic() - start

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Node(Process):
    def __init__(self, overlay, name, *arguments):
        self.socket = os.path.join(overlay.directory, name + ".sock")
        super().__init__(os.path.join(overlay.directory, name + ".log"), "peer", "--json",
                         "--control", self.socket, *arguments)
        self.id = self.ready["node_id"]

    def ask(self, verb, *arguments, code=0):
        """A verb against this node's control socket, with --json."""
        done = run(verb, "--control", self.socket, "--json", *arguments)
        if done.returncode != code:
            raise AssertionError(f"{verb} {arguments}: exit {done.returncode}, not {code}: {done.stderr}")
        return json.loads(done.stdout) if done.stdout else None


class Overlay:
    """An overlay's folder with accounts, its enrollment server, and nodes."""

    def __init__(self, *options, users=(), key="ec", ice=False):
        self.directory = tempfile.mkdtemp(prefix="reload-test-")
        self.processes = []
        self.folder = self.path("overlay")
        self.password = self.path("password")
        with open(self.password, "w") as f:
            f.write(PASSWORD + "\n")
        self.https = free_port()
        self.bootstrap = free_port()
        done = run("overlay", "create", NAME, "--dir", self.folder,
                   *([] if ice else ["--no-ice"]), "--key", key,
                   "--host", f"127.0.0.1:{self.https}", "--bootstrap",
                   f"127.0.0.1:{self.bootstrap}", *options)
        assert done.returncode == 0, done.stderr
        for user in users:
            self.add_user(user)

    def path(self, name):
        return os.path.join(self.directory, name)

    def add_user(self, user):
        done = run("user", "add", f"{user}@{NAME}", "--dir", self.folder, "--password-file",
                   self.password)
        assert done.returncode == 0, done.stderr

    def serve(self):
        server = Process(self.path("enroll-server.log"), "enroll-server", "--json", "--dir",
                         self.folder, "--listen", f"127.0.0.1:{self.https}")
        self.processes.append(server)
        return server

    def enroll(self, user, *options, password=None):
        """The finished `reload enroll --json` for an identity folder of the user's name."""
        return run("enroll", f"https://127.0.0.1:{self.https}/.well-known/reload-config", "--json",
                   "--user", f"{user}@{NAME}", "--password-file", password or self.password,
                   "--ca", os.path.join(self.folder, "ca.pem"), "--identity", self.path(user),
                   *options)

    def start(self, user, *options, first=False):
        listen = self.bootstrap if first else 0
        node = Node(self, user, "--identity", self.path(user), "--listen", f"127.0.0.1:{listen}",
                    *(["--first"] if first else []), *options)
        self.processes.append(node)
        return node

    def close(self):
        for process in reversed(self.processes):
            process.end()
        shutil.rmtree(self.directory, ignore_errors=True)


def wait_until(condition, timeout=20):
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")
        time.sleep(0.1)


class OverlayTest(unittest.TestCase):
    def overlay(self, *options, **words):
        overlay = Overlay(*options, **words)
        self.addCleanup(overlay.close)
        return overlay
