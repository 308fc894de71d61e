# SPDX-License-Identifier: MIT
# Starts `tshost sandbox` for a test and ends it by its own process id.
# The binary comes from the environment variable TSHOST, which ctest sets.
import os
import signal
import subprocess
import tempfile

ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "sandbox-token-not-a-secret"


def tshost():
    """The binary under test, as an absolute path."""
    return os.path.abspath(os.environ["TSHOST"])


class Sandbox:
    """A sandbox of its own, empty, on a free port. Use as a context manager."""

    def __init__(self, *options):
        self._command = [tshost(), "sandbox", "--listen", "127.0.0.1:0"]
        self._command += ["--account", ACCOUNT, "--token", TOKEN, *options]

    def __enter__(self):
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors
        )
        self.url = self._process.stdout.readline().decode().strip()
        if not self.url.startswith("http://127.0.0.1:"):
            self._end()
            raise RuntimeError(f"the sandbox did not start: {self._said()}")
        self.origin = self.url.removesuffix("/client/v4")
        return self

    def __exit__(self, *_):
        status = self._end()
        said = self._said()
        # A sanitizer's report must fail the test, and it comes with a status that is not 0.
        if status != 0:
            raise RuntimeError(f"the sandbox ended with status {status}: {said}")

    def _end(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self._process.stdout.close()

    def _said(self):
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace")
        self._errors.close()
        return said[-4000:]
