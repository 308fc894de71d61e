# SPDX-License-Identifier: MIT
"""The scene of a killed run: a server of its own with a few widgets, a state directory and one for
secrets, and `killer.c`, which kills the run as it is about to make the n-th call that counts."""

import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "cli"))

from host import ACCOUNT, IS_SANITIZED, PATIENCE, SECRET, TOKEN, TSHOST, Sandbox
from state_bed import IN_DOUBT, WRITES, Journal

SCRIPTS = Path(__file__).parent
KILLER = os.path.abspath(os.environ["KILLER"])
GRANTS = ("--allow", "delete,rotate")
TIME = "2026-01-01T00:00:00Z"
FLEET = {"old update": ["gone.example", "kept.example"], "old rotate": ["rotate.example"],
         "old delete": ["delete.example"], "old grace": ["grace.example"],
         "old delete too": ["too.example"]}

# What an uninterrupted run leaves: the widgets, and the files with whose secret is in them.
WIDGETS = collections.Counter({
    ("new one, renamed", ("one.example",), "managed"): 1,
    ("new two", ("b.two.example", "two.example"), "managed"): 1,
    ("new three", ("three.example",), "managed"): 1,
    ("twin", ("twin.example",), "managed"): 2,
    ("old update", ("kept.example", "new.example"), "invisible"): 1,
    ("old rotate", ("rotate.example",), "managed"): 1,
    ("old grace", ("grace.example",), "managed"): 1,
})
FILES = {"new one": "new one, renamed", "new three": "new three", "twin 1": "twin",
         "twin 2": "twin", "old rotate": "old rotate", "old grace": "old grace"}
PIPED = {"piped two": "new two", "piped grace": "old grace"}
APPLIED = {"create": 5, "update": 3, "delete": 2, "rotate": 2}

# And what is left when it was undone: deletions and rotations stay.
UNDONE_WIDGETS = collections.Counter({
    ("old update", ("gone.example", "kept.example"), "managed"): 1,
    ("old rotate", ("rotate.example",), "managed"): 1,
    ("old grace", ("grace.example",), "managed"): 1,
})
UNDONE_APPLIED = {"create": 5, "update": 4, "delete": 7, "rotate": 2}


class Call(collections.namedtuple("Call", "number thread name target")):
    """A system call that counts: the number-th of the run, by that thread; 0 is the first."""

    @property
    def kinds(self):
        return "any", self.name, f"thread{self.thread}"

    def __str__(self):
        return f"call {self.number}, {self.name} {self.target} by thread {self.thread}"


class Point(collections.namedtuple("Point", "kind number seen")):
    """Where to kill: at the number-th call of a kind; seen: which call that was. Threads take turns
    differently each time, so what is to be met for certain goes by a kind of its own."""

    @property
    def argument(self):
        return f"{self.kind}:{self.number}"

    def earlier(self):
        return self._replace(number=self.number - self.number // 8)

    def reached(self, calls):
        """How many there are of which the point is the number-th."""
        return sum(self.kind in call.kinds for call in calls)

    def __str__(self):
        return f"{self.argument}, seen as {self.seen}"


def points_at(calls):
    """All points there are, by kind: one for each of the kinds of a call."""
    found = collections.defaultdict(list)
    for call in calls:
        for kind in call.kinds:
            found[kind].append(Point(kind, len(found[kind]) + 1, call))
    return found


class Traced(collections.namedtuple("Traced", "status said calls")):
    """What a run came to, and the calls up to its end, also that at which it was killed."""

    def is_killed(self):
        return self.status == -signal.SIGKILL

    def problems(self, point):
        """What is wrong with how it ended: it is killed at the point, or does not come so far."""
        reached = point.reached(self.calls)
        if self.is_killed():
            return [f"killed at {reached}"] if reached != point.number else []
        if self.status != 0:
            return [f"status {self.status}: {self.said}"]
        return [f"not killed, of {reached}"] if reached >= point.number else []


class Scene:
    """script: what is run; with is_planned, of what a plan is applied; with is_undone, what has been
    run and is undone. at_once: how many operations there may be under way."""

    def __init__(self, script="kill.lua", is_planned=False, is_undone=False, at_once=1):
        self.script, self.at_once = SCRIPTS / script, at_once
        self._directory = tempfile.TemporaryDirectory()
        self.home = Path(self._directory.name)
        self.state, self.secrets = self.home / "state", self.home / "secrets"
        self.secrets.mkdir()
        self.sandbox = Sandbox()
        self.sandbox.ask("POST", f"/sandbox/accounts/{ACCOUNT}/widgets", {"result": [
            {"sitekey": f"0x4AAAAAAAkilled{number:08}", "name": name, "domains": domains,
             "mode": "managed", "created_on": TIME, "modified_on": TIME}
            for number, (name, domains) in enumerate(FLEET.items())]})
        self.plan = self.home / "plan.json" if is_planned else None
        if is_planned:
            status, said = self.run("plan", "-o", self.plan, *GRANTS, self.script, self.secrets)
            assert status == 3 and self.plan.exists(), said
            shutil.rmtree(self.state)
        self.undone = None
        if is_undone:
            status, said = self.run(*self.work())
            assert status == 0, said
            self.undone = Journal(self.state).runs[0][0]
            self.kept = {path.name: path.read_bytes() for path in self.secrets.iterdir()}

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self.sandbox.__exit__(*details)
        self._directory.cleanup()

    def environment(self):
        clean = {name: os.environ[name] for name in os.environ
                 if name == "PATH" or name.endswith("SAN_OPTIONS")}
        # Leak checking does not work while another process traces.
        asan = clean.get("ASAN_OPTIONS", "")
        clean["ASAN_OPTIONS"] = f"{asan}:detect_leaks=0" if asan else "detect_leaks=0"
        return {**clean, "HOME": str(self.home), "TSHOST_STATE": str(self.state),
                "CLOUDFLARE_BASE_URL": self.sandbox.url, "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
                "CLOUDFLARE_API_TOKEN": TOKEN}

    def run(self, *arguments, program=(TSHOST,)):
        """Runs tshost; its status, that of a killed one is -9, and what it said."""
        done = subprocess.run([*program, *map(str, arguments)], env=self.environment(),
                              cwd=self.home, check=False, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=PATIENCE)
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert TOKEN not in said and not SECRET.search(said), said
        return done.returncode, said

    def trace(self, *arguments, kill_at=None):
        """Runs tshost, and kills it at that point. Calls count from when it first comes by its
        state."""
        report = self.home / "report"
        point = kill_at.argument if kill_at else "any:0"
        status, said = self.run(*arguments, program=(KILLER, report, self.state, point, TSHOST))
        lines = [line.split(" ", 3) for line in report.read_text().splitlines()]
        return Traced(status, said, [Call(int(number), int(thread), name, target)
                                     for number, thread, name, target in lines])

    def work(self):
        if self.plan:
            return "apply", *GRANTS, self.plan
        if self.undone:
            return "undo", "--allow", "delete", self.undone
        return *GRANTS, self.script, self.secrets

    def go_on(self):
        """How to finish what a killed run left: it is resumed, or begun when nothing came of it."""
        runs = Journal(self.state).runs if self.has_journal() else []
        return ("resume", "last") if len(runs) > bool(self.undone) else self.work()

    def has_journal(self):
        return (self.state / "journal.db").exists()

    def applied(self):
        """How often each write was carried out."""
        return collections.Counter(op for op, status in self.sandbox.requests()
                                   if op in WRITES and status == 200)

    def secrets_of(self):
        """The live secrets by the names of their widgets."""
        live = collections.defaultdict(set)
        for widget in self.sandbox.widgets():
            path = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets/{widget['sitekey']}"
            live[widget["name"]].add(self.sandbox.ask("GET", path)["secret"])
        return live

    def unexplained(self):
        """What a killed run has left that the journal does not explain."""
        found = []
        applied = self.applied()
        if not self.has_journal():
            return [f"written without a journal: {applied}"] if applied else []
        journal = Journal(self.state)
        found += journal.problems
        for op, count in applied.items():
            states = collections.Counter(operation.state for operation in journal.operations
                                         if operation.op == op)
            possible = states["done"] + sum(states[state] for state in IN_DOUBT)
            if not states["done"] <= count <= possible:
                found.append(f"{op}: {count} carried out, the journal has {dict(states)}")
        if journal.count(*IN_DOUBT) > self.at_once:
            found.append(f"more than one in doubt: {journal.operations}")
        found += self.unexplained_files(journal)
        return found

    def unexplained_files(self, journal):
        """A file of a secret has all of it, and a delivery that is done has its file."""
        found = []
        written = sum(op.op == "write" for op in journal.operations if op.state == "done")
        begun = sum(op.op == "write" for op in journal.operations)
        files = [path for path in self.secrets.iterdir() if path.name in FILES]
        if not written <= len(files) <= begun + self.at_once:  # noted when they are there
            found.append(f"{len(files)} files, {written} deliveries done of {begun}")
        for path in files:
            if not SECRET.fullmatch(path.read_text()):
                found.append(f"{path.name}: {path.read_text()!r}")
        return found

    def differences(self):
        """In what it is unlike what an uninterrupted run leaves."""
        widgets = collections.Counter(
            (widget["name"], tuple(sorted(widget["domains"])), widget["mode"])
            for widget in self.sandbox.widgets())
        expected, applied = WIDGETS, APPLIED
        if self.undone:
            expected, applied = UNDONE_WIDGETS, UNDONE_APPLIED
        found = []
        if widgets != expected:
            found.append(f"too many: {widgets - expected}, missing: {expected - widgets}")
        if self.applied() != applied:
            found.append(f"carried out: {dict(self.applied())}")
        return found + self.differences_of_files()

    def differences_of_files(self):
        content = {path.name: path.read_text() for path in self.secrets.iterdir()}
        if self.undone:
            return [f"{name} is not as before" for name, text in self.kept.items()
                    if content.pop(name, "").encode() != text] + list(content)
        found, live = [], self.secrets_of()
        if len({content.get("twin 1"), content.get("twin 2")}) != 2:
            found.append("the twins share a file's secret")
        for name, widget in FILES.items():
            if content.pop(name, None) not in live[widget]:
                found.append(f"{name} has no live secret")
        for name, widget in PIPED.items():
            text = content.pop(name, "")
            if not any(re.fullmatch(f"({re.escape(secret)})+", text) for secret in live[widget]):
                found.append(f"{name} did not get the live secret: {text!r}")
        return found + [f"left behind: {name}" for name in content]


def can_trace():
    """Whether processes can be traced here."""
    return subprocess.run([KILLER, os.devnull, "/", "any:1", "true"], stderr=subprocess.DEVNULL,
                          check=False).returncode == -signal.SIGKILL
