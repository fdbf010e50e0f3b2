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
    """Make it, read `probe` (the command, up to the cases), close it."""

    def __init__(self, probe, dtls=False):
        self.overlay = Overlay(*kinds(), users=("peer", "probe"))
        try:
            self.overlay.serve()
            for user in ("peer", "probe"):
                done = self.overlay.enroll(user)
                assert done.returncode == 0, done.stderr
            self.peer = self.overlay.start("peer", *(["--dtls"] if dtls else []), first=True)
        except BaseException:
            self.overlay.close()
            raise
        node = self.overlay.path("probe")
        self.loose = ["--config", os.path.join(node, "overlay.xml"),
                      "--cert", os.path.join(node, "node.pem"),
                      "--key", os.path.join(node, "node.key"),
                      "--peer", f"127.0.0.1:{self.overlay.bootstrap}"]
        self.probe = [probe, *self.loose, "--authority", self.overlay.folder,
                      *(["--dtls"] if dtls else [])]

    def close(self):
        self.overlay.close()
