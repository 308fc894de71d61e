# SPDX-License-Identifier: MIT
# Runs tshost, and the sandbox as a server, without the environment of whoever runs the test.
# The binary comes from the environment variable TSHOST, which ctest sets.
import json
import os
import subprocess
import tempfile
import urllib.request

ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "sandbox-token-not-a-secret"
TSHOST = os.path.abspath(os.environ["TSHOST"])
STATES = tempfile.TemporaryDirectory()


def environment(**more):
    """With a state directory of its own."""
    kept = {name: value for name, value in os.environ.items() if "SAN_OPTIONS" in name}
    path = os.path.dirname(TSHOST) + ":/usr/bin:/bin"
    state = tempfile.mkdtemp(dir=STATES.name)
    return {"PATH": path, "LC_ALL": "C.UTF-8", "TSHOST_STATE": state, **kept, **more}


def run(*arguments, **more):
    """Exit status, standard output and standard error of a run."""
    done = subprocess.run(
        [TSHOST, *arguments], env=environment(**more), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False,
    )
    return done.returncode, done.stdout, done.stderr


class Sandbox:
    """A sandbox as a process of its own. Use as a context manager."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [TSHOST, "sandbox", "--account", ACCOUNT, "--token", TOKEN], env=environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )
        self.url = self.process.stdout.readline().strip()
        self.origin = self.url.removesuffix("/client/v4")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.stdout.close()
        if self.process.wait(timeout=60) != 0:
            raise RuntimeError(f"the sandbox ended with status {self.process.returncode}")

    def fail_next(self, op, kind, **more):
        """Orders a fault for the next request of that operation."""
        request = urllib.request.Request(
            f"{self.origin}/sandbox/faults", method="POST",
            data=json.dumps({"op": op, "kind": kind, **more}).encode(),
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=60).close()
