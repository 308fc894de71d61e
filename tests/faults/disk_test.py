# SPDX-License-Identifier: MIT
"""Disks that are full, that fill up in the middle of a run, or that fail: the run ends with status 9
and the reason, nothing is sent from then on, and the journal has what was done."""

import contextlib
import os
import subprocess
import unittest

from state_bed import IS_SANITIZED, ONE_BY_ONE, TOGETHER, Journal, StateCase

SHIM = os.environ["FAILING_DISK"]
MANY = 400
SOME = 30
FULL = "cannot grow: the disk is full|No space left on device|database or disk is full"

# Two writes are noted, for which the disk takes as long as the FIFO has nobody who writes to it.
# Reads go on meanwhile, and the two are sent when they are on the disk, no sooner.
MEANWHILE = """
local first = widgets.create { name = "first", domains = { "first.example" }, mode = "managed" }
assert(os.execute("mkfifo " .. arg[1]))
local reading = task.spawn(widgets.get, first.sitekey)
local creating = {}
for i = 1, 2 do
  local fields = { name = "w" .. i, domains = { "more.example" }, mode = "managed" }
  creating[i] = task.spawn(widgets.create, fields)
end
reading:await()
print(widgets.get(first.sitekey).name, #widgets.all())
local fifo = assert(io.open(arg[1], "w"))
os.remove(arg[1])
fifo:close()
for i = 1, 2 do assert(creating[i]:await()) end
print(#widgets.all())
"""


def has_mounts():
    """Whether this process may mount; elsewhere there is no disk to fill."""
    return subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"],
        stderr=subprocess.DEVNULL, check=False).returncode == 0


class Disk(StateCase):
    def assert_stopped(self, done, reason):
        """Ended by the journal; returns what the journal says, compared with the server."""
        self.assert_status(done, 9)
        self.assertRegex(done.err, reason)
        self.assertEqual(done.err.count("journal.db"), 1, done)
        self.assertRegex(done.out, r"^[1-9]\d*\t")  # the script was told of each, too
        journal = Journal(self.state)
        self.assert_explained(journal)
        return journal

    def check_part(self, done, count, reason):
        """Of so many writes some went out; each of these is in the journal, and no other."""
        self.assert_status(done, 9)
        self.assertRegex(done.err, reason)
        self.assertEqual(done.err.count("journal.db"), 1, done)
        failures = int(done.out.split("\t")[0])
        arrived = len(self.writes())
        self.sandbox.ask("DELETE", "/sandbox/requests")
        journal = Journal(self.state)
        self.assertEqual(journal.problems, [])
        self.assertEqual(arrived, count - failures)
        self.assertLess(arrived, count)
        self.assertEqual(journal.count("done", "intent"), len(journal.operations))
        self.assertLessEqual(arrived, len(journal.operations))


@unittest.skipUnless(has_mounts(), "mounting is not allowed here")
class Full(Disk):
    @contextlib.contextmanager
    def disk(self, size):
        """The state directory lies on a new disk of so many KiB."""
        options = f"size={size}k,mode=700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.state], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", self.state], check=True)

    def work(self, code, *arguments):
        return self.run_tshost(self.prepared(code), self.state, *arguments, sandbox=self.sandbox)

    def test_too_small_from_the_start(self):
        for size in (4, 8, 16, 24, 32, 48, 64, 96, 128):
            with self.subTest(size=size), self.disk(size):
                journal = self.assert_stopped(self.work(TOGETHER, MANY), FULL)
                self.assertEqual(self.writes(), [])
                self.assertEqual(journal.operations, [])

    def test_fills_up_by_its_own_weight(self):
        for size in (320, 512, 800, 1024):
            for code in (ONE_BY_ONE, TOGETHER):
                with self.subTest(size=size, at_once=code is TOGETHER), self.disk(size):
                    self.check_part(self.work(code, MANY), MANY, FULL)
                    self.assertEqual(Journal(self.state).runs[0][1:], (None, None))

    def test_somebody_fills_it_in_the_middle(self):
        at = MANY // 2
        with self.disk(4096):
            journal = self.assert_stopped(self.work(ONE_BY_ONE, MANY, at), FULL)
        # What SQLite has room for in the pages that are there still goes in.
        self.assertTrue(at - 1 <= len(self.writes()) < MANY, len(self.writes()))
        self.assertEqual(len(journal.operations), len(self.writes()))
        self.assertGreaterEqual(journal.count("done"), at - 2)

    def test_the_next_run_goes_on_when_there_is_room(self):
        with self.disk(4096):
            self.assert_status(self.work(ONE_BY_ONE, 60, 40), 9)
            (self.state / "filler").unlink()
            self.assert_status(self.work(ONE_BY_ONE, 10), 0)
            journal = Journal(self.state)
        self.assert_explained(journal)
        self.assertEqual([run[1] for run in journal.runs], [None, 0])
        self.assertGreaterEqual(journal.count("done"), 48)

    def test_who_only_reads_needs_no_room(self):
        with self.disk(4):
            done = self.run_tshost("--read-only", self.prepared("print(#widgets.all())"),
                                   sandbox=self.sandbox)
        self.assertEqual((done.status, done.out), (0, "0\n"))


class Shimmed(Disk):
    """The disk is one of a library that is loaded first."""

    def shimmed(self, **settings):
        environment = {"LD_PRELOAD": SHIM, "FAIL_BELOW": str(self.state) + "/journal.db",
                       **{name: str(value) for name, value in settings.items()}}
        if IS_SANITIZED:
            environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + \
                ":verify_asan_link_order=0"
        return environment


class Slow(Shimmed):
    """A disk that takes its time."""

    def test_the_run_goes_on_meanwhile(self):
        fifo = self.home / "fifo"
        done = self.run_tshost(self.prepared(MEANWHILE), fifo, sandbox=self.sandbox,
                               environment=self.shimmed(HOLD=fifo))
        self.assertEqual((done.status, done.out), (0, "first\t1\n3\n"), done)
        self.assert_explained(Journal(self.state))


class Failing(Shimmed):
    """The disk fails from the n-th of a call on."""

    def work(self, call, number, errno, code=ONE_BY_ONE):
        return self.run_tshost(
            self.prepared(code), self.state, SOME, sandbox=self.sandbox,
            environment=self.shimmed(FAIL_CALL=call, FAIL_FROM=number, FAIL_ERRNO=errno))

    def check(self, call, errno, reason, numbers):
        for number in numbers:
            for code in (ONE_BY_ONE, TOGETHER):
                with self.subTest(call=call, number=number, at_once=code is TOGETHER):
                    self.state = self.home / f"{call}-{errno}-{number}-{len(code)}"
                    self.state.mkdir(mode=0o700)
                    self.check_part(self.work(call, number, errno, code), SOME, reason)

    def test_sync(self):
        self.check("sync", 5, "Input/output error", (1, 2, 3, 4))

    def test_write(self):
        self.check("write", 5, "Input/output error", (1, 2, 3, 5, 8, 9, 20))

    def test_quota(self):
        self.check("write", 122, "Disk quota exceeded", (4, 12))

    def test_without_the_failure_it_passes(self):
        done = self.work("sync", 1000000, 5)
        self.assertEqual((done.status, done.out.split("\t")[0]), (0, "0"), done)
        self.assertEqual(len(self.writes()), SOME)


if __name__ == "__main__":
    unittest.main()
