"""Who a call is with: certificates, fingerprints, and what the wire shows. The caller is written here
by hand, on a channel that `reload connect` opens."""
import contextlib
import os
import re
import select
import socket
import struct
import subprocess
import time
import unittest

from openssl_overlay import openssl
from overlay import NAME, RELOAD, free_port, wait_until
from test_call import ALICE, BOB, CAROL, Talk, ask

ETH_P_ALL, IP_HEADER, UDP, OUTGOING, SO_RCVBUFFORCE = 3, 14, 17, 4, 33


def descriptors(pid):
    """What a process has open; it goes on opening and closing meanwhile."""
    folder = f"/proc/{pid}/fd/"
    for fd in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(folder + fd)


def udp_ports(pid):
    """The ports of a process's UDP sockets."""
    sockets = set(descriptors(pid))
    with open("/proc/net/udp") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return {int(row[1].partition(":")[2], 16) for row in rows if f"socket:[{row[9]}]" in sockets}


class Caller:
    """alice's hand-made SIP, byte by byte."""

    def __init__(self, node, callee):
        self.process = subprocess.Popen([RELOAD, "connect", "--control", node.socket, callee.id, "5060"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.text = ""

    def send(self, method, sequence, user=ALICE, body="", tag="", branch="first"):
        lines = [f"{method} sip:{BOB} SIP/2.0",
                 f"Via: SIP/2.0/TLS {NAME};branch=z9hG4bK{branch}{sequence}{method}",
                 "Max-Forwards: 70", f"From: <sip:{user}>;tag=a1", f"To: <sip:{BOB}>{tag}",
                 "Call-ID: by-hand", f"CSeq: {sequence} {method}", f"Contact: <sip:{ALICE}>"]
        if body:
            lines.append("Content-Type: application/sdp")
        lines += [f"Content-Length: {len(body)}", "", body]
        self.process.stdin.write("\r\n".join(lines).encode())
        self.process.stdin.flush()

    def answer(self, status, timeout=30):
        """The next response of this status: head and body."""
        deadline = time.monotonic() + timeout
        while True:
            head, end, rest = self.text.partition("\r\n\r\n")
            if end:
                size = int(re.search(r"(?im)^Content-Length: *(\d+)", head).group(1))
                body, self.text = rest[:size], rest[size:]
                if head.startswith(f"SIP/2.0 {status} "):
                    return head, body
                continue
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"no {status}"
            piece = os.read(self.process.stdout.fileno(), 65536)
            assert piece, "the channel is closed"
            self.text += piece.decode()

    def close(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def offer(port, fingerprint):
    return "\r\n".join([
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
        f"m=audio {port} UDP/TLS/RTP/SAVPF 111", "a=rtpmap:111 opus/48000/2", "a=rtcp-mux",
        f"a=fingerprint:sha-256 {fingerprint}", "a=setup:actpass", "a=sendrecv", ""])


class Identity(Talk):
    def caller(self, alice, bob):
        caller = Caller(alice, bob)
        self.addCleanup(caller.close)
        return caller

    def dtls_server(self, overlay):
        """A far end of OpenSSL's own: its port and the fingerprint of its certificate."""
        key, certificate, port = overlay.path("m.key"), overlay.path("m.pem"), free_port()
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", certificate, "-subj", "/CN=m", "-days", "2")
        text = openssl("x509", "-in", certificate, "-noout", "-fingerprint", "-sha256")
        server = subprocess.Popen(["openssl", "s_server", "-dtls1_2", "-accept", f"127.0.0.1:{port}",
                                   "-cert", certificate, "-key", key, "-quiet", "-use_srtp",
                                   "SRTP_AEAD_AES_128_GCM"], stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def end():
            server.kill()
            server.wait()
            server.stdin.close()

        self.addCleanup(end)
        return port, text.decode().strip().partition("=")[2]

    def answered(self, caller, bob, heard, port, fingerprint):
        """bob takes the call; his description."""
        caller.send("INVITE", 1, body=offer(port, fingerprint))
        self.state(heard, "offered")
        ask(bob, "sip_answer", device="null")
        head, body = caller.answer(200)
        tag = re.search(r"(?im)^To:.*(;tag=\S+)", head).group(1)
        caller.send("ACK", 1, tag=tag)
        return tag, body

    def test_an_invite_in_the_name_of_somebody_else_is_refused_and_counted(self):
        _, alice, bob = self.pair()
        caller = self.caller(alice, bob)
        caller.send("INVITE", 1, user=CAROL, body=offer(9, ":".join(["AB"] * 32)))
        caller.answer(403)
        refused = ask(bob, "sip_calls")["refused"]
        self.assertEqual(refused, {"From is not the certificate's user": 1})
        self.assertEqual(ask(bob, "sip_calls")["calls"], [])

    def test_keys_of_another_certificate_than_signalled_are_refused(self):
        overlay, alice, bob = self.pair()
        port, fingerprint = self.dtls_server(overlay)
        heard = self.events(bob)
        caller = self.caller(alice, bob)
        self.answered(caller, bob, heard, port, ":".join(["AB"] * 32))
        closing = self.state(heard, "closing")
        self.assertIn("not the one that was signalled", closing["reason"])
        self.assertEqual((closing["counters"]["rtp_sent"], closing["media"]), (0, "failed"))

    def test_media_of_the_certificate_that_was_signalled_and_from_elsewhere(self):
        overlay, alice, bob = self.pair()
        port, fingerprint = self.dtls_server(overlay)
        heard = self.events(bob)
        caller = self.caller(alice, bob)
        tag, body = self.answered(caller, bob, heard, port, fingerprint)
        self.assertNotRegex(body, r"RTP/AVP")
        self.media(heard, "secure")
        place = ("127.0.0.1", int(re.search(r"m=audio (\d+) UDP/TLS/RTP/SAVPF", body).group(1)))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for i in range(50):
                stranger.sendto(bytes([0x80, 111, 0, i]) + bytes(60), place)
        wait_until(lambda: ask(bob, "sip_calls")["calls"][0]["counters"]["elsewhere"] == 50)
        self.assertEqual(ask(bob, "sip_calls")["calls"][0]["counters"]["rtp_received"], 0)
        caller.send("BYE", 2, tag=tag)
        self.assertEqual(self.state(heard, "ended")["status"], 200)

    def test_an_offer_without_keys_is_refused(self):
        _, alice, bob = self.pair()
        caller = self.caller(alice, bob)
        clear = offer(9, "").replace("UDP/TLS/RTP/SAVPF", "RTP/AVP").replace("a=fingerprint:sha-256 \r\n", "")
        caller.send("INVITE", 1, body=clear)
        caller.answer(488)

    def test_the_wire_shows_srtp_only(self):
        try:
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        except PermissionError:
            self.skipTest("sniffing the loopback needs root")
        self.addCleanup(wire.close)
        wire.bind(("lo", ETH_P_ALL))
        wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 27)  # others use the loopback, too
        _, alice, bob = self.pair()
        heard = self.establish(alice, bob)
        ask(alice, "sip_press", keys="0123")
        wait_until(lambda: ask(bob, "sip_calls")["calls"][0]["counters"]["rtp_received"] > 150)
        ports = udp_ports(alice.process.pid) | udp_ports(bob.process.pid)
        list(self.end(alice, heard))
        self.look(self.sniffed(wire, ports))

    def sniffed(self, wire, ports):
        """What went over UDP between these ports."""
        packets = []
        wire.setblocking(False)
        while True:
            try:
                frame, (_, _, direction, *_) = wire.recvfrom(65536)
            except BlockingIOError:
                break
            head = IP_HEADER + (frame[IP_HEADER] & 15) * 4
            if direction != OUTGOING and frame[IP_HEADER] >> 4 == 4 and frame[IP_HEADER + 9] == UDP:
                pair = struct.unpack("!HH", frame[head:head + 4])
                if ports.issuperset(pair):
                    packets.append(frame[head + 8:])
        return packets

    def look(self, packets):
        kinds = {"dtls": [p for p in packets if 20 <= p[0] <= 63],
                 "rtp": [p for p in packets if 128 <= p[0] <= 191 and not 192 <= p[1] <= 223],
                 "rtcp": [p for p in packets if 128 <= p[0] <= 191 and 192 <= p[1] <= 223]}
        self.assertEqual(sum(map(len, kinds.values())), len(packets))
        self.assertGreater(len(kinds["rtp"]), 100)
        self.assertGreater(len(kinds["rtcp"]), 0)
        first = min(i for i, p in enumerate(packets) if p[0] >= 128)
        self.assertTrue(all(p[0] < 128 for p in packets[:first]))
        self.assertTrue(any(p[0] == 22 for p in packets[:first]), "keys come first")
        # The first byte of Opus (its configuration) hardly changes in a call; encrypted it is any.
        self.assertGreater(len({p[12] for p in kinds["rtp"] if p[0] == 0x80}), 50)
        # Reports end with the index of SRTCP, its encryption bit set (RFC 3711 s3.4), and the tag
        # of GCM comes before that (RFC 7714 s9.2).
        self.assertTrue(all(p[-4] & 0x80 for p in kinds["rtcp"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
