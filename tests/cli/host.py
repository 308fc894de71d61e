# SPDX-License-Identifier: MIT
"""Runs tshost for the tests: a clean environment, a sandbox, and a look at every output for secrets."""

import json
import os
import re
import select
import signal
import subprocess
import tempfile
import unittest
import urllib.request
from pathlib import Path

TSHOST = os.path.abspath(os.environ["TSHOST"])
IS_SANITIZED = os.environ.get("IS_SANITIZED", "0") != "0"

ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "sandbox-token-not-a-secret"
PATIENCE = 60  # seconds for anything; a test that needs them has failed

# Widget secrets are longer than sitekeys, which may be shown.
SECRET = re.compile(r"0x4[\w-]{30,}")


class Done:
    """What a run has left behind."""

    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    def __repr__(self):
        return f"status {self.status}\nout: {self.out}\nerr: {self.err}"

    @property
    def lines(self):
        return self.err.splitlines()

    @property
    def summary(self):
        """The object that --json ends standard error with."""
        return json.loads(self.lines[-1])


class Process:
    """A tshost under way. Its output is read as it comes; `finish` gives the rest."""

    def __init__(self, arguments, environment, directory, stdin=subprocess.DEVNULL,
                 stdout=subprocess.PIPE, program=TSHOST):
        self._err = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [program, *map(str, arguments)],
            env=environment,
            cwd=directory,
            stdin=stdin,
            stdout=stdout,
            stderr=self._err,
        )
        self._out = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._err):
            if stream:
                stream.close()

    def wait_for_line(self, count=1):
        """Waits until standard output has that many lines, and returns the last of them."""
        stream = self.process.stdout
        while self._out.count(b"\n") < count:
            if not select.select([stream], [], [], PATIENCE)[0]:
                raise AssertionError(f"no line came: {self._out!r}")
            data = os.read(stream.fileno(), 65536)
            if not data:
                raise AssertionError(f"it ended before line {count}: {self._out!r} {self.said()}")
            self._out += data
        return self._out.splitlines()[count - 1].decode()

    def signal(self, number):
        self.process.send_signal(number)

    def said(self):
        self._err.seek(0)
        return self._err.read().decode(errors="replace")

    def finish(self, patience=PATIENCE):
        out, _ = self.process.communicate(timeout=patience)
        text = (self._out + (out or b"")).decode(errors="replace")
        return Done(self.process.returncode, text, self.said())


class Sandbox:
    """`tshost sandbox` in a process of its own, with its switches."""

    def __init__(self, *options):
        arguments = ["sandbox", "--listen", "127.0.0.1:0", "--account", ACCOUNT, "--token", TOKEN]
        self._process = Process([*arguments, *options], dict(os.environ), "/")
        self.url = self._process.wait_for_line()
        self.origin = self.url.removesuffix("/client/v4")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self._process.signal(signal.SIGTERM)
        done = self._process.finish()
        self._process.__exit__()
        if done.status != 0 and kind is None:
            raise AssertionError(f"the sandbox ended with {done}")

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            self.origin + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["result"]

    def fault(self, **fault):
        self.ask("POST", "/sandbox/faults", fault)

    def requests(self, operation=None):
        """What was asked so far, as (operation, status)."""
        seen = [(entry["op"], entry["status"]) for entry in self.ask("GET", "/sandbox/requests")]
        return [entry for entry in seen if operation in (None, entry[0])]

    def widgets(self):
        path = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets?per_page=1000"
        return self.ask("GET", path)

    def create(self, name="acme", domains=("acme.example",)):
        body = {"name": name, "domains": list(domains), "mode": "managed"}
        return self.ask("POST", f"/client/v4/accounts/{ACCOUNT}/challenges/widgets", body)


class Case(unittest.TestCase):
    """A test with a directory of its own. Every output of every run is searched for secrets."""

    def setUp(self):
        self.home = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def environment(self, sandbox=None, **more):
        clean = {name: os.environ[name] for name in os.environ
                 if name == "PATH" or name.endswith("SAN_OPTIONS")}
        clean.update(HOME=str(self.home), XDG_STATE_HOME=str(self.home))
        if sandbox:
            clean.update(CLOUDFLARE_BASE_URL=getattr(sandbox, "url", sandbox),
                         CLOUDFLARE_ACCOUNT_ID=ACCOUNT, CLOUDFLARE_API_TOKEN=TOKEN)
        clean.update(more)
        return {name: value for name, value in clean.items() if value is not None}

    def script(self, text, name="script.lua"):
        path = self.home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, *arguments, sandbox=None, environment=None, directory=None, **options):
        environment = self.environment(sandbox, **(environment or {}))
        return self.enterContext(
            Process(arguments, environment, directory or self.home, **options))

    def run_tshost(self, *arguments, text=None, is_revealing=False, **options):
        """Runs it to its end; text is its standard input."""
        stdin = subprocess.DEVNULL
        if text is not None:
            stdin = tempfile.TemporaryFile()
            self.addCleanup(stdin.close)
            stdin.write(text.encode())
            stdin.seek(0)
        done = self.start(*arguments, stdin=stdin, **options).finish()
        self.check_secrets(done, is_revealing)
        return done

    def lua(self, code, *options, **more):
        """Runs a script of that text, with `widgets`, `task` and `turnstile` at hand."""
        prelude = ('local turnstile, task = require "turnstile", require "task"; '
                   "local widgets = turnstile.widgets; ")
        return self.run_tshost(*options, self.script(prelude + code), **more)

    def check_secrets(self, done, is_revealing=False):
        for text in (done.out, done.err):
            self.assertNotIn(TOKEN, text)
            if not is_revealing:
                self.assertIsNone(SECRET.search(text), text)
        for mark in ("AddressSanitizer", "LeakSanitizer", "runtime error:", "PANIC", "panic"):
            self.assertNotIn(mark, done.err)

    def assert_status(self, done, status):
        self.assertEqual(done.status, status, done)
