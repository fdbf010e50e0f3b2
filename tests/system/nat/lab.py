"""A NAT laboratory of network namespaces: a public segment, and homes behind NATs of every kind.

    with Lab() as lab:
        server = lab.host("stun", 1)              # 203.0.113.1
        home = lab.home("anna", "symmetric")      # a machine behind a NAT
        lab.start(home, ["program", ...])         # runs there
        sock = lab.udp(home, 5000)                # or: a socket of this process, but there

Everything has a name that no other laboratory has, and leaving the block takes all of it down: the
processes by their own pids, then the namespaces with what is in them. Root only; missing() says why
it cannot run here.
"""
import contextlib
import ctypes
import itertools
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

KINDS = ("endpoint-independent", "address-restricted", "port-restricted", "symmetric", "double",
         "udp-blocked")
SERVER_NET = "203.0.113"  # RFC 5737: documentation addresses, reachable by nobody else
NOWHERE = SERVER_NET + ".254"
CLONE_NEWNET = 0x40000000
PROCESS_END_S = 5

# What every NAT has: nobody outside may begin, and what comes uncalled leaves no trace in the
# connection tracking, which would else take the port from the flow that leaves next.
COMMON = """
table ip lab {{
    {sets}
    chain input {{
        type filter hook input priority 0;
        iifname "wan" ct state new drop
    }}
    chain forward {{
        type filter hook forward priority 0;
        {forward}
        iifname "wan" ct state new ct status & dnat == 0 drop
    }}
    chain prerouting {{
        type nat hook prerouting priority dstnat;
        {prerouting}
    }}
    chain postrouting {{
        type nat hook postrouting priority srcnat;
        {postrouting}
    }}
}}
"""
SNAT = 'oifname "wan" snat to {wan}'  # keeps the port: one mapping for all destinations
RULES = {
    # The whole address is mapped both ways; anybody may send to it.
    "endpoint-independent": {"prerouting": 'iifname "wan" meta l4proto udp dnat to {host}',
                             "postrouting": SNAT},
    # Whoever was sent to from this port may answer, from any of its ports.
    "address-restricted": {
        "sets": "set asked { type ipv4_addr . inet_service; flags dynamic,timeout; timeout 2m; }",
        "forward": 'oifname "wan" meta l4proto udp update @asked {{ ip daddr . udp sport }}',
        "prerouting": 'iifname "wan" meta l4proto udp ip saddr . udp dport @asked dnat to {host}',
        "postrouting": SNAT},
    # Only the address and port that was sent to may answer.
    "port-restricted": {"postrouting": SNAT},
    # As before, and each destination sees another port.
    "symmetric": {"postrouting": 'oifname "wan" masquerade random,fully-random'},
    "udp-blocked": {"forward": "meta l4proto udp drop", "postrouting": SNAT},
}


def run_tests(reason):
    """Those of the program that calls this; reason: why they cannot run here, or None."""
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main(verbosity=2)


def missing():
    """Why there can be no laboratory here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for tool in ("ip", "nft"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    trial = f"rl-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", trial], capture_output=True).returncode != 0:
        return "network namespaces cannot be made here"
    rules = subprocess.run(["ip", "netns", "exec", trial, "nft", "-f", "-"], capture_output=True,
                           text=True, input=rules_of("symmetric", "192.0.2.1", "192.0.2.2"))
    subprocess.run(["ip", "netns", "del", trial], check=True)
    return "nft has no NAT here: " + rules.stderr.strip() if rules.returncode else None


def rules_of(kind, wan, host):
    parts = dict.fromkeys(("forward", "prerouting", "postrouting", "sets"), "")
    for place, text in RULES[kind].items():
        parts[place] = text if place == "sets" else text.format(wan=wan, host=host)
    return COMMON.format(**parts)


class Machine:
    """A network namespace with one machine's addresses."""

    def __init__(self, name, namespace, address, public):
        self.name, self.namespace = name, namespace
        self.address = address  # its own
        self.public = public    # as the public segment sees it
        self.path = "/run/netns/" + namespace


class Lab:
    _numbers = itertools.count()

    def __init__(self):
        self.prefix = f"rl{os.getpid()}x{next(self._numbers)}"
        self._namespaces, self._processes, self._sockets = [], [], []
        self._homes = itertools.count(1)
        self._ports = itertools.count(1)
        self._close = contextlib.ExitStack()

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            # A test that runs out of time is told to end: take the laboratory down then, too.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        try:
            self._net = self._namespace("net")
            # What is for nobody here goes to a router that swallows it, as the Internet does: an
            # error in its place would tell a server that its peer is gone.
            self._ip(self._net, "link add br0 type bridge", f"address add {NOWHERE}/24 dev br0",
                     "link set br0 up")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    # --- building ---

    def host(self, name, number):
        """A machine on the public segment."""
        space, address = self._namespace(name), f"{SERVER_NET}.{number}"
        self._plug(space, "wan", address)
        return Machine(name, space, address, address)

    def home(self, name, kind):
        """A machine behind a NAT of that kind; `double` is a port-restricted NAT behind another."""
        number = next(self._homes)
        wan, inside = f"{SERVER_NET}.{100 + number}", f"10.{number}.0"
        router = self._namespace(name + "-nat")
        self._plug(router, "wan", wan)
        if kind == "double":
            outer, router = router, self._namespace(name + "-nat2")
            middle = f"100.64.{number}"
            self._join(outer, f"{middle}.1", router, f"{middle}.2", "wan")
            self._translate(outer, "port-restricted", wan, f"{middle}.2")
            kind, wan_inside = "port-restricted", f"{middle}.2"
        else:
            wan_inside = wan
        space = self._namespace(name)
        self._join(router, f"{inside}.1", space, f"{inside}.2", "eth0")
        self._translate(router, kind, wan_inside, f"{inside}.2")
        return Machine(name, space, f"{inside}.2", wan)

    def cable(self, left, right, netimp, *options, mtu=1500):
        """Two machines of a net of their own, 198.51.100.1 and .2, with the shaper between. `mtu` is
        what the machines know of; the shaper's own --mtu nobody is told of."""
        spaces = self._namespace(left), self._namespace(right)
        machines = [Machine(n, s, f"198.51.100.{i}", f"198.51.100.{i}")
                    for i, (n, s) in enumerate(zip((left, right), spaces), 1)]
        shaper = self.spawn([netimp, machines[0].path, machines[1].path, "imp0", *map(str, options)])
        if shaper.stdout.readline() != "ready\n":
            raise RuntimeError(f"netimp ended with {shaper.wait(PROCESS_END_S)}")
        for space, machine in zip(spaces, machines):
            self._ip(space, f"address add {machine.address}/24 dev imp0",
                     "link set imp0 addrgenmode none", f"link set imp0 mtu {mtu} up")
        return machines[0], machines[1], shaper

    # --- using ---

    def start(self, machine, arguments, **more):
        """Runs a program on a machine. Its standard input and output are pipes."""
        return self.spawn(["nsenter", "--net=" + machine.path, *map(str, arguments)], **more)

    def spawn(self, arguments, **more):
        process = subprocess.Popen(arguments, text=True, **{
            "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **more})
        self._processes.append(process)
        return process

    def stop(self, process):
        """SIGTERM; returns what the process still wrote."""
        process.terminate()
        return process.communicate(timeout=PROCESS_END_S)[0]

    def udp(self, machine, port=0):
        return self._socket(machine, socket.SOCK_DGRAM, port)

    def tcp(self, machine, port=0):
        return self._socket(machine, socket.SOCK_STREAM, port)

    def wait_for_port(self, machine, port):
        """Until a server on that machine accepts TCP there."""
        for _ in range(200):
            probe = self.tcp(machine)
            if probe.connect_ex((machine.address, port)) == 0:
                return
            time.sleep(0.1)
        raise RuntimeError(f"nothing listens on port {port} of {machine.name}")

    def _socket(self, machine, kind, port):
        """A socket of this process in a machine's namespace, which it keeps."""
        made = []

        def make():  # a thread of its own, since the namespace is the thread's
            libc = ctypes.CDLL(None, use_errno=True)
            with open(machine.path) as namespace:
                if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    return
                made.append(socket.socket(socket.AF_INET, kind))

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if not made:
            raise OSError(f"no socket in {machine.namespace}")
        self._sockets.append(made[0])
        made[0].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made[0].bind(("0.0.0.0", port))
        made[0].settimeout(1)
        return made[0]

    # --- taking down ---

    def close(self):
        for sock in self._sockets:
            sock.close()
        for process in self._processes:
            if process.poll() is None:
                process.terminate()
        for process in self._processes:
            try:
                process.wait(PROCESS_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    with contextlib.suppress(OSError):
                        pipe.close()
        for space in reversed(self._namespaces):
            subprocess.run(["ip", "netns", "del", space], capture_output=True)
        self._namespaces.clear()
        self._processes.clear()

    # --- the commands ---

    def _namespace(self, name):
        space = f"{self.prefix}-{name}"
        subprocess.run(["ip", "netns", "add", space], check=True)
        self._namespaces.append(space)
        self._ip(space, "link set lo up")
        return space

    def _ip(self, space, *commands):
        subprocess.run(["ip", "-n", space, "-batch", "-"], input="\n".join(commands) + "\n",
                       text=True, check=True, capture_output=True)

    def _plug(self, space, device, address):
        """A cable from a namespace to the public segment."""
        port = f"p{next(self._ports)}"
        self._ip(self._net, f"link add {port} type veth peer name {device} netns {space}",
                 f"link set {port} master br0", f"link set {port} up")
        self._ip(space, f"address add {address}/24 dev {device}", f"link set {device} up",
                 f"route add default via {NOWHERE}")

    def _join(self, router, gateway, space, address, device):
        """A cable from a router's inside to a namespace, which sends all its traffic there."""
        self._ip(router, f"link add lan type veth peer name {device} netns {space}",
                 f"address add {gateway}/24 dev lan", "link set lan up")
        self._ip(space, f"address add {address}/24 dev {device}", f"link set {device} up",
                 f"route add default via {gateway}")

    def _translate(self, router, kind, wan, host):
        run = ["nsenter", f"--net=/run/netns/{router}"]
        subprocess.run([*run, "nft", "-f", "-"], input=rules_of(kind, wan, host), text=True,
                       check=True)
        subprocess.run([*run, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"], check=True)


def program(name):
    """A program of the tests: where $RELOAD_TEST_PROGRAMS says, or in a build of this tree. None: it
    is not built."""
    root = pathlib.Path(__file__).resolve().parents[3]
    given = os.environ.get("RELOAD_TEST_PROGRAMS")
    folders = [pathlib.Path(given)] if given else [root / "build" / b / "tests"
                                                   for b in ("release", "asan", "debug")]
    return next((str(f / name) for f in folders if os.access(f / name, os.X_OK)), None)


def read_line(process, timeout):
    """The next line of its standard output, or None."""
    if not select.select([process.stdout], [], [], timeout)[0]:
        return None
    return process.stdout.readline() or None


def coturn(address, port, secret, folder):
    """The command of a TURN server whose credentials are made from a secret."""
    return ["turnserver", "-n", "--listening-ip", address, "--relay-ip", address,
            "--listening-port", str(port), "--use-auth-secret", "--static-auth-secret", secret,
            "--realm", "lab", "--no-tls", "--no-dtls", "--no-cli", "--no-software-attribute",
            "--log-file", "/dev/null", "--pidfile", "/dev/null", "--userdb", f"{folder}/turndb"]


def needs_relay(left, right):
    """Where both sides make a direct path impossible: no UDP at all, or a port that the other side
    cannot foresee meets a filter that wants to have asked that very port."""
    pair = {left, right}
    if "udp-blocked" in pair:
        return True
    picky = {"port-restricted", "double", "symmetric"}
    return "symmetric" in pair and pair <= picky
