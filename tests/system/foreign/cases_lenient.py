"""Certificates of another program, whose URI holds a Node-ID alone (RFC 6940 s11.3: a Destination): a
peer takes them by a switch, and nothing else with them."""
import crypto
import wire
from bench import NAME, Bench, answered, row, silent

BARE = "reload://{id}@{overlay}/"


class BareUris(Bench):
    """A peer with --bare-uris."""

    def make(self):
        self.create_overlay()
        self.peer(0x40, "--first", "--bare-uris")


def signer(c, name, **words):
    made = c.bench.identities
    if name not in made:
        made[name] = c.bench.new_identity(name, [bytes.fromhex("7d" * 16)], user="bare@" + NAME, **words)
    return made[name]


FORMS = {
    "a bare Node-ID in the URI is read": ({"uri": BARE}, answered),
    "the RFC's own form is read as before": ({}, answered),
    "a bare Node-ID of another overlay is refused": ({"uri": BARE, "overlay": "other.example"}, silent),
    "fifteen bytes are no Node-ID": ({"uri": "reload://" + "7d" * 15 + "@{overlay}/"}, silent),
    "seventeen bytes are no Node-ID": ({"uri": "reload://" + "7d" * 17 + "@{overlay}/"}, silent),
    "a resource in the URI is refused": ({"uri": "reload://021110{id}@{overlay}/"}, silent),
}
for text, (form, expect) in FORMS.items():
    row(BareUris, f"certificates: {text}", "R6940-14.15-1 R6940-14.15-2",
        lambda c, text=text, form=form: crypto.seal(c.message(), signer(c, text.replace(" ", "-"), **form)),
        expect)


def over_its_own_link(c):
    c.become(signer(c, "bare-link", uri=BARE))
    return c.message()


def pinged(c, m):
    c.test.assertEqual(c.host.request(c.link, m).code, wire.PING + 1)


row(BareUris, "a node with a bare Node-ID in its certificate has a link", "R6940-6.5.1.13-2", over_its_own_link,
    pinged)
