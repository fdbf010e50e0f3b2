"""An overlay with a Kind for each data model and policy, and one peer in it, for reload-probe."""
import os

from overlay import Overlay

MODELS = {"single": 1, "array": 8, "dictionary": 4}
POLICIES = ("user-match", "node-match", "user-node-match", "node-multiple")
FIRST_KIND, VALUE_BYTES = 0xF0000001, 200


def kinds():
    options, number = [], FIRST_KIND
    for model, count in MODELS.items():
        for policy in POLICIES:
            multiple = ":3" if policy == "node-multiple" else ""
            options += ["--kind", f"{number}:{model}:{policy}:{count}:{VALUE_BYTES}{multiple}"]
            number += 1
    return options


class ProbeOverlay:
    """Make it, read `probe` (the command, up to the cases), close it. The peer runs from the start;
    `stop` and `start` let another program be the peer."""

    def __init__(self, probe, *options, dtls=False):
        """options: of `reload peer`, besides what makes it a peer."""
        self.dtls = ["--dtls"] if dtls else []
        self.options = [*self.dtls, *options]
        self.overlay = Overlay(*kinds(), users=("peer", "probe"))
        try:
            self.overlay.serve()
            for user in ("peer", "probe"):
                done = self.overlay.enroll(user)
                assert done.returncode == 0, done.stderr
            self.start()
        except BaseException:
            self.overlay.close()
            raise
        node = self.overlay.path("probe")
        self.loose = ["--config", os.path.join(node, "overlay.xml"),
                      "--cert", os.path.join(node, "node.pem"),
                      "--key", os.path.join(node, "node.key"),
                      "--peer", f"127.0.0.1:{self.overlay.bootstrap}"]
        self.probe = [probe, *self.loose, "--authority", self.overlay.folder, *self.dtls]

    def start(self):
        self.peer = self.overlay.start("peer", *self.options, first=True)

    def stop(self):
        self.peer.end()
        self.overlay.processes.remove(self.peer)

    def close(self):
        self.overlay.close()
