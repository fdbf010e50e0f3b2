"""TLS-TCP-FH-NO-ICE (RFC 6940 s6.6.2, s6.6.5) and a small node that sends and answers over it."""
import select
import socket
import ssl
import time

import crypto
import wire

TIMEOUT = 5


class Closed(Exception):
    pass


def node_id_of(certificate):
    """The Node-ID in the URI of a certificate as ssl.getpeercert() tells it."""
    for kind, text in certificate.get("subjectAltName", ()):
        if kind == "URI":
            return bytes.fromhex(text[len("reload://0110"):].split("@")[0])
    return None


def reversed_list(raw):
    """The entries of a Via List, last first."""
    r, entries = wire.Reader(raw), []
    while r.more():
        start = r.at
        wire.destination(r)
        entries.insert(0, raw[start:r.at])
    return b"".join(entries)


class Link:
    """One TLS connection with its frames. Acknowledges what comes, keeps what it saw."""

    def __init__(self, tls):
        self.tls, self.buffer, self.sequence = tls, b"", 0
        self.peer_id = node_id_of(tls.getpeercert())
        self.seen, self.acks, self.messages, self.closed = [], [], [], False
        self.received = []  # sequence numbers of data frames, in order
        tls.setblocking(False)

    def fileno(self):
        return self.tls.fileno()

    def write(self, data):
        """Raw bytes into the TLS stream."""
        end = time.monotonic() + TIMEOUT
        while data:
            try:
                data = data[self.tls.send(data):]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                if time.monotonic() > end:
                    raise Closed("the link takes nothing")
                self.read()
                select.select([], [self], [], 0.1)
            except OSError as e:
                self.closed = True
                raise Closed(str(e))

    def frame(self, message):
        """The next data frame around a message."""
        self.sequence += 1
        return wire.data_frame(self.sequence - 1, message)

    def send(self, message):
        self.write(self.frame(message))

    def read(self):
        """Takes what is there; new messages go to self.messages."""
        while not self.closed:
            try:
                data = self.tls.recv(65536)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError:
                data = b""
            self.closed = not data
            self.buffer += data
        while self.take_frame():
            pass

    def take_frame(self):
        b = self.buffer
        if b[:1] == b"\x81" and len(b) >= 9:
            self.acks.append((int.from_bytes(b[1:5], "big"), int.from_bytes(b[5:9], "big")))
            self.buffer = b[9:]
            return True
        if b[:1] == b"\x80" and len(b) >= 8:
            size = int.from_bytes(b[5:8], "big")
            if len(b) < 8 + size:
                return False
            self.buffer = b[8 + size:]
            self.acknowledge(int.from_bytes(b[1:5], "big"))
            self.messages.append(b[8:8 + size])
            self.seen.append(b[8:8 + size])
            return True
        if b and b[0] not in (0x80, 0x81):
            raise wire.Malformed(f"frame type {b[0]:#x}")
        return False

    def acknowledge(self, n):
        mask = sum(1 << (n - m) for m in self.received[-32:] if n - 32 < m < n)
        self.received.append(n)
        if not self.closed:
            try:
                self.write(wire.ack_frame(n, mask))
            except Closed:
                pass

    def close(self):
        self.closed = True
        self.tls.close()


def context(identity, roots, server=False):
    side = ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT
    made = ssl.SSLContext(side)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= 0x80000  # PARTIAL_CHAIN: a self-made certificate is its own root
    made.load_verify_locations(roots)
    made.load_cert_chain(identity.cert, identity.key)
    return made


class Host:
    """A node with links, that answers what it is asked and remembers it in `asked`."""

    def __init__(self, identity, overlay, roots, verifier=None, sequence=1):
        self.identity, self.overlay, self.roots = identity, overlay, roots
        self.verifier, self.sequence, self.context = verifier, sequence, None
        self.links, self.asked, self.answers, self.faults = [], [], {}, []
        self.answer = {wire.PING: lambda *_: (wire.PING + 1, wire.u64(1)
                                              + wire.u64(int(time.time() * 1000))),
                       wire.UPDATE: lambda *_: (wire.UPDATE + 1, b""),
                       wire.CONFIG_UPDATE: lambda *_: (wire.CONFIG_UPDATE + 1, b"")}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def dial(self, port):
        tcp = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link((self.context or context(self.identity, self.roots)).wrap_socket(tcp))
        self.links.append(link)
        return link

    def accept(self):
        """The far end dials: we are the TLS server (s6.5.1.13)."""
        tcp, _ = self.listener.accept()
        tcp.settimeout(TIMEOUT)
        try:
            link = Link(context(self.identity, self.roots, True).wrap_socket(tcp,
                                                                             server_side=True))
        except (OSError, ssl.SSLError) as e:
            self.faults.append(f"accept: {e}")
            return
        self.links.append(link)

    def link_to(self, node_id):
        return next((l for l in self.links if l.peer_id == node_id and not l.closed), None)

    def pump(self, until, timeout=TIMEOUT):
        """Runs until until() is true; what it gave, or what it gives when time is over."""
        end = time.monotonic() + timeout
        while True:
            done = until()
            left = end - time.monotonic()
            if done or left <= 0:
                return done
            self.links = [l for l in self.links if not l.closed]
            ready = select.select([self.listener, *self.links], [], [], min(left, 0.2))[0]
            for one in ready:
                if one is self.listener:
                    self.accept()
                else:
                    one.read()
            for link in list(self.links):
                self.take(link)

    def take(self, link):
        while link.messages:
            raw = link.messages.pop(0)
            try:
                m = wire.read_message(raw)
            except wire.Malformed as e:
                self.faults.append(f"{e}: {raw.hex()}")
                continue
            if m.code == wire.ERROR or m.code % 2 == 0:
                self.answers.setdefault(m.transaction, []).append((link, m, raw))
            else:
                self.serve(link, m)

    def serve(self, link, m):
        self.asked.append((link, m))
        if m.code in self.answer:
            made = self.answer[m.code](link, m)
            if made:
                self.respond(link, m, *made)

    def message(self, code, body, dest, **fields):
        fields.setdefault("sequence", self.sequence)
        return wire.Message(code=code, body=body, dest=dest,
                            overlay=crypto.overlay_hash(self.overlay), **fields)

    def respond(self, link, request, code, body, others=()):
        """Back the way it came: previous hop, then the Via List reversed (s6.1.2)."""
        m = self.message(code, body, wire.node(link.peer_id) + reversed_list(request.via),
                         transaction=request.transaction)
        try:
            link.send(crypto.seal(m, self.identity, others).encode())
        except Closed:
            pass

    def sealed(self, code, body, dest, **fields):
        return crypto.seal(self.message(code, body, dest, **fields), self.identity)

    def request(self, link, m, timeout=TIMEOUT):
        """Sends a message; its answer, or None when time is over or the link closed."""
        link.send(m if isinstance(m, bytes) else m.encode())
        return self.wait(link, m, timeout)

    def wait(self, link, m, timeout=TIMEOUT):
        self.pump(lambda: m.transaction in self.answers or link.closed, timeout)
        found = self.answers.get(m.transaction)
        return found[-1][1] if found else None

    def close(self):
        for link in self.links:
            link.close()
        self.listener.close()
