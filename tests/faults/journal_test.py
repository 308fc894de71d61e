# SPDX-License-Identifier: MIT
"""State directories and journals that cannot be used: the run ends with status 9 and the reason,
nothing is sent, and what lies there is left as it is. And several processes with one journal."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import unittest

from state_bed import ONE_BY_ONE, TOGETHER, Journal, Sandbox, StateCase

NOBODY = 65534
PROCESSES = 8
EACH = 40
CREATE = 'assert(widgets.create { name = "w", domains = { "w.example" }, mode = "managed" })'

# Ends with status 9 if it fails, for nothing else counts.
CAREFREE = """
for i = 1, 3 do
  local fields = { name = "w" .. i, domains = { "w.example" }, mode = "managed" }
  print(pcall(widgets.create, fields))
end
"""


class Refused(StateCase):
    def check_refused(self, reason, **more):
        """Everything fails, and says why; no request arrives but reads."""
        before = self.writes()
        done = self.run_tshost(self.prepared(CAREFREE), sandbox=self.sandbox, **more)
        self.assert_status(done, 9)
        self.assertRegex(done.err, reason)
        self.assertNotIn("created", done.err)
        self.assertEqual(self.writes(), before)
        return done

    def work(self, **more):
        done = self.run_tshost(self.prepared(CREATE), sandbox=self.sandbox, **more)
        self.assert_status(done, 0)
        return done


class Files(Refused):
    """In the place of journal.db."""

    def setUp(self):
        super().setUp()
        self.work()
        self.path = self.state / "journal.db"
        self.fold()

    def fold(self):
        """All of it into the one file, as when the last process has written its log back."""
        database = sqlite3.connect(self.path)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()

    def replace(self, content):
        self.path.write_bytes(content)
        self.path.chmod(0o600)
        for name in ("journal.db-wal", "journal.db-shm"):
            (self.state / name).unlink(missing_ok=True)

    def check_kept(self, content, reason):
        self.replace(content)
        self.check_refused(reason)
        self.assertEqual(self.path.read_bytes(), content)

    def test_garbage(self):
        for content in (b"\\0" * 100, b"not a database " * 1000, os.urandom(8192),
                        b"SQLite format 3\0" + os.urandom(5000)):
            with self.subTest(content[:16]):
                self.check_kept(content, r"journal\.db")

    def test_truncated(self):
        whole = self.path.read_bytes()
        for size in (99, 100, 1000, 4096, len(whole) - 4096):
            with self.subTest(size=size):
                self.check_kept(whole[:size], r"journal\.db")

    def test_commands_tell_of_them_and_leave_them(self):
        whole = self.path.read_bytes()
        for content in (os.urandom(8192), whole[:4096], whole[:99]):
            for command in ("log", "log --verify", "log --prune 90d", "log last", "resume last",
                            "undo last"):
                with self.subTest(content[:16], command=command):
                    self.replace(content)
                    done = self.run_tshost(*command.split(), sandbox=self.sandbox)
                    self.assert_status(done, 9)
                    self.assertIn("journal.db", done.err)
                    self.assertNotIn("[tshost:", done.err)
                    self.assertEqual(self.path.read_bytes(), content)

    def test_empty_is_new(self):
        self.replace(b"")
        self.work()
        self.assertEqual(len(Journal(self.state).operations), 1)

    def test_a_page_of_zeros(self):
        """Once the damage is come upon nothing is sent."""
        whole = self.path.read_bytes()
        for page in range(1, len(whole) // 4096):
            with self.subTest(page=page):
                content = whole[:page * 4096] + bytes(4096) + whole[(page + 1) * 4096:]
                self.replace(content)
                before = self.writes()
                done = self.run_tshost(self.prepared(CAREFREE), sandbox=self.sandbox)
                sent = len(self.writes()) - len(before)
                if done.status == 0:  # a page that nothing came by
                    self.assertEqual(sent, 3)
                else:
                    self.assert_status(done, 9)
                    self.assertIn("damaged", done.err)
                    self.assertLessEqual(sent, 1)  # the damage lay where its outcome was to be

    def test_another_program(self):
        self.path.unlink()
        database = sqlite3.connect(self.path)
        database.execute("CREATE TABLE customers (name TEXT)")
        database.commit()
        database.close()
        self.check_kept(self.path.read_bytes(), "is no state file of tshost")

    def test_a_newer_version(self):
        database = sqlite3.connect(self.path)
        database.execute("INSERT INTO format VALUES (99, 'tshost 99.0')")
        database.execute("PRAGMA user_version = 99")
        database.commit()
        database.close()
        self.fold()
        self.check_kept(self.path.read_bytes(), r"was made by tshost 99\.0; use that version")

    def swap(self):
        """Moves the journal away and returns where to."""
        moved = self.home / "moved.db"
        shutil.move(self.path, moved)
        return moved

    def test_a_directory(self):
        self.swap()
        self.path.mkdir()
        self.check_refused(r"cannot open .*journal\.db")

    def test_links(self):
        target = self.swap()
        content = target.read_bytes()
        for where in (target, self.home / "nowhere", "/dev/null", "/dev/full"):
            with self.subTest(where):
                self.path.symlink_to(where)
                self.check_refused(r"cannot open .*journal\.db")
                self.path.unlink()
        self.assertFalse((self.home / "nowhere").exists())
        os.link(target, self.path)
        self.check_refused("not a plain file of yours")
        self.assertEqual(target.read_bytes(), content)

    def test_pipes_and_sockets(self):
        self.swap()
        os.mkfifo(self.path, 0o600)
        self.check_refused("not a plain file of yours")
        self.path.unlink()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.path))
            self.check_refused(r"cannot open .*journal\.db")

    def test_files_beside_it(self):
        for name in ("journal.db-wal", "journal.db-shm"):
            target = self.home / f"target-{name}"
            target.write_bytes(b"precious")
            path = self.state / name
            for kind in ("link", "directory", "pipe"):
                with self.subTest(name, kind=kind):
                    path.unlink(missing_ok=True)
                    if kind == "link":
                        path.symlink_to(target)
                    elif kind == "directory":
                        path.mkdir()
                    else:
                        os.mkfifo(path, 0o600)
                    self.check_refused(r"journal\.db")
                    self.assertEqual(target.read_bytes(), b"precious")
                    if kind == "directory":
                        path.rmdir()
            path.unlink()

    def test_a_log_of_garbage_is_not_taken_for_one(self):
        (self.state / "journal.db-wal").write_bytes(os.urandom(40000))
        self.work()
        journal = Journal(self.state)
        self.assertEqual(journal.problems, [])
        self.assertEqual(journal.count("done"), 2)


class Directories(Refused):
    def test_a_file(self):
        self.state.rmdir()
        self.state.write_bytes(b"precious")
        self.check_refused("state")
        self.assertEqual(self.state.read_bytes(), b"precious")

    def test_nowhere(self):
        self.check_refused("no place for state", environment={
            "TSHOST_STATE": "", "XDG_STATE_HOME": "", "HOME": ""})

    def test_others_may_write(self):
        self.state.chmod(0o770)
        self.check_refused("others may write to the state directory")

    @unittest.skipUnless(os.geteuid() == 0, "needs to be root")
    def test_of_another_user(self):
        os.chown(self.state, NOBODY, NOBODY)
        self.check_refused("belongs to another user")

    @unittest.skipUnless(os.geteuid() == 0, "needs to be root")
    def test_files_of_another_user(self):
        self.work()
        os.chown(self.state / "journal.db", NOBODY, NOBODY)
        self.check_refused("not a plain file of yours")

    def test_read_only(self):
        """By its mode, which only root is not kept by; on a read-only disk even root is."""
        for was_used in (False, True):
            with self.subTest(was_used=was_used):
                if was_used:
                    self.work()
                self.state.chmod(0o500)
                try:
                    with self.read_only():
                        self.check_refused("Permission denied|Read-only file system")
                finally:
                    self.state.chmod(0o700)

    def read_only(self):
        return ReadOnly(self.state) if os.geteuid() == 0 else open(os.devnull, "rb")

    def test_read_only_runs_go_on(self):
        self.state.chmod(0o770)
        done = self.run_tshost("--read-only", self.prepared("print(#widgets.all())"),
                               sandbox=self.sandbox)
        self.assertEqual((done.status, done.out), (0, "0\n"))


class Refusing(StateCase):
    """A journal that can be opened, and does not take all that it is told."""

    def setUp(self):
        super().setUp()
        done = self.run_tshost(self.prepared(CREATE), sandbox=self.sandbox)
        self.assert_status(done, 0)

    def refuse(self, what):
        database = sqlite3.connect(self.state / "journal.db")
        database.execute(
            f"CREATE TRIGGER refuse BEFORE {what} BEGIN SELECT raise(ABORT, 'no room'); END")
        database.commit()
        database.close()

    def work(self):
        done = self.run_tshost(self.prepared(CREATE + CREATE), sandbox=self.sandbox)
        self.assert_status(done, 9)
        self.assertEqual(done.err.count("no room"), 1, done)
        return done

    def test_a_run_that_is_not_in_it_has_no_name(self):
        self.refuse("INSERT ON operation")
        done = self.work()
        self.assertRegex(done.err, r"tshost: 1 not recorded; 0 requests in [^;]*\n")
        self.assertNotIn("next:", done.err)
        self.assertEqual(len(Journal(self.state).runs), 1)

    def test_what_it_lacks_is_found_out_by_a_resume(self):
        self.refuse("INSERT ON outcome")
        done = self.work()
        self.assertIn("tshost: 1 created, 1 not recorded; 1 request in ", done.err)
        run = Journal(self.state).runs[-1][0]
        self.assertRegex(done.err, f"next: +.*tshost resume {run}  # when the journal can be")
        self.assertEqual(Journal(self.state).operations[-1].state, "intent")

    def test_the_end_of_a_run(self):
        self.refuse("UPDATE ON run")
        done = self.run_tshost(self.prepared(CREATE), sandbox=self.sandbox)
        self.assert_status(done, 9)
        self.assertIn("tshost: 1 created, 1 not recorded; 1 request in ", done.err)


class ReadOnly:
    """Mounts a directory over itself, read-only."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        subprocess.run(["mount", "--bind", self.path, self.path], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", self.path], check=True)

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=True)


class Together(StateCase):
    """Runs that do not keep each other out, as they write to different places."""

    def begin(self, count, script, *arguments):
        """As many runs, each with a server of its own."""
        servers = [self.enterContext(Sandbox()) for _ in range(count)]
        return [self.start(script, *arguments, sandbox=server) for server in servers], servers

    def check_all_done(self, runs, servers, journal):
        self.assertEqual(journal.problems, [])
        self.assertEqual([run[1:] for run in journal.runs], [(0, "done")] * len(runs))
        self.assertEqual(journal.count("done"), len(runs) * EACH)
        self.assertEqual(journal.count("done"), len(journal.operations))
        for server in servers:
            self.assertEqual(len(server.widgets()), EACH)

    def test_many_with_one_journal(self):
        for code in (ONE_BY_ONE, TOGETHER):
            with self.subTest(at_once=code is TOGETHER):
                self.state = self.home / f"state-{len(code)}"
                runs, servers = self.begin(PROCESSES, self.prepared(code), self.state, EACH)
                for run in runs:
                    done = run.finish()
                    self.assertEqual((done.status, done.out.split("\t")[0]), (0, "0"), done)
                self.check_all_done(runs, servers, Journal(self.state))

    def test_one_prunes_meanwhile(self):
        """Runs of long ago go, and nothing of those under way."""
        script = self.prepared(ONE_BY_ONE)
        for run in self.begin(PROCESSES, script, self.state, EACH)[0]:
            self.assert_status(run.finish(), 0)
        self.age(days=100)
        runs, servers = self.begin(PROCESSES // 2, script, self.state, 5 * EACH)
        pruned = 0
        while any(run.process.poll() is None for run in runs):
            done = self.run_tshost("log", "--prune", "90d")
            self.assert_status(done, 0)
            pruned += int(done.out.split(" ")[0])
        self.assertEqual(pruned, PROCESSES)
        for run in runs:
            self.assert_status(run.finish(), 0)
        journal = Journal(self.state)
        self.assertEqual(journal.problems, [])
        self.assertEqual([run[1:] for run in journal.runs], [(0, "done")] * len(runs))
        self.assertEqual(journal.count("done"), 5 * EACH * len(runs))
        self.assertEqual(len(journal.operations), journal.count("done"))
        self.assertTrue(all(len(server.widgets()) == 5 * EACH for server in servers))
        self.assert_status(self.run_tshost("log", "--verify"), 0)

    def age(self, days):
        """Everything in the journal happened so long before."""
        database = sqlite3.connect(self.state / "journal.db")
        back = days * 86400 * 1000000
        database.execute("UPDATE run SET started = started - ?1, ended = ended - ?1", (back,))
        database.commit()
        database.close()

    def test_some_are_killed(self):
        """What the others do is complete, and of the killed ones everything is explained."""
        code = "print 'up' io.stdout:flush() " + ONE_BY_ONE
        runs, servers = self.begin(PROCESSES, self.prepared(code), self.state, 10 * EACH)
        for run in runs[::2]:
            run.wait_for_line()
            run.signal(signal.SIGKILL)
        for number, run in enumerate(runs):
            self.assertEqual(run.finish().status, 0 if number % 2 else -signal.SIGKILL)
        journal = Journal(self.state)
        self.assertEqual(journal.problems, [])
        live = sum(len(server.widgets()) for server in servers)
        self.assertGreaterEqual(journal.count("done"), 10 * EACH * PROCESSES // 2)
        self.assertLessEqual(journal.count("done"), live)
        self.assertLessEqual(live, journal.count("done", "intent"))
        self.assert_status(self.run_tshost("log", "--verify"), 0)


if __name__ == "__main__":
    unittest.main()
