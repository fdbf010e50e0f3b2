"""Two nodes of the laboratory call each other, and each must hear the other over SRTP."""
import json
import pathlib
import subprocess
import sys
import time

import overlay_lab
from overlay_lab import Failure

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from babble import babble  # noqa: E402

FRAMES = 50  # to be heard: 1 s
AUDIBLE_DBOV = -50
SETTLE_S = 10  # a call may still change to a better path


class Talker:
    """`reload sip call` or `answer` of a node, which ends when its call does."""

    def __init__(self, node, *arguments):
        self.node = node
        self.process = node.net.lab.spawn(
            [node.net.program, "sip", arguments[0], "--control", node.socket, "--json",
             *arguments[1:]], stderr=subprocess.PIPE)

    def now(self):
        """The call of the node, or nothing."""
        calls = self.node.ask_all([{"verb": "sip_calls"}], 1)[0]["calls"]
        return calls[0] if calls else {}

    def hears(self):
        call = self.now()
        if self.process.poll() is not None:
            raise Failure(f"a call ended too early: {self.outcome()}")
        return ("ice" in call and call["counters"]["frames_played"] >= FRAMES
                and call["quality"]["heard_dbov"] > AUDIBLE_DBOV)

    def relayed(self):
        call = self.now()
        if "ice" not in call:
            raise Failure(f"a call ended too early: {self.outcome()}")
        return call["ice"]["relayed"]

    def outcome(self):
        """What was said of the call last."""
        try:
            out, err = self.process.communicate(timeout=overlay_lab.VERB_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.node.name}: its call does not end") from None
        if not out:
            raise Failure(f"{self.node.name}: no call: {err.strip()}")
        return json.loads(out.splitlines()[-1])


def check_heard(name, call):
    """A call that has ended, by its last event."""
    counters = call["counters"]
    wrong = [what for what, bad in (
        ("ended otherwise than by a hang-up", (call["state"], call.get("status")) != ("ended", 200)),
        ("no SRTP", "srtp" not in call),
        ("heard nothing", counters["frames_played"] < FRAMES),
        ("took what no key fits", counters["unauthentic"] > 0)) if bad]
    if wrong:
        raise Failure(f"the call of {name} {', '.join(wrong)}: {call}")


def sound_of(node):
    return babble(node.net.path(f"{node.name}.wav"), node.name)


def over(left, right, needed):
    """A call of the left one to the address-of-record of the right one, both registered. Whether its
    media were relayed at the end, for which `needed` is what to wait, and what the caller was told
    last."""
    callee = Talker(right, "answer", "--device", sound_of(right))
    caller = Talker(left, "call", "--device", sound_of(left), f"{right.name}@{overlay_lab.NAME}")
    talkers = (caller, callee)
    try:
        left.net.wait_for(lambda: all([t.hears() for t in talkers]),
                          f"a call of {left.name} to {right.name}", overlay_lab.VERB_S)
        deadline = time.monotonic() + SETTLE_S
        while (relayed := caller.relayed()) != needed and time.monotonic() < deadline:
            time.sleep(0.2)
        left.ask("sip", "hangup")
        outcomes = [talker.outcome() for talker in talkers]
        for talker, outcome in zip(talkers, outcomes):
            check_heard(talker.node.name, outcome)
    finally:
        for talker in talkers:
            if talker.process.poll() is None:
                talker.process.terminate()  # which hangs up
    return relayed, outcomes[0]
