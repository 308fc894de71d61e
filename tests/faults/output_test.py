# SPDX-License-Identifier: MIT
"""Standard output, error and input that are closed or full: the run ends with the right status, what
is printed never reaches a file or a connection of the run, and nothing is written to the API once
output is known to be lost."""

import itertools
import os
import unittest

from state_bed import Journal, StateCase

COUNT = 60
BLOCK = 4096  # what the C library holds back before it writes
NAMES = {0: "input", 1: "output", 2: "error"}

# Says much on every stream and takes what it can get from standard input, around each write.
NOISY = """
for i = 1, %d do
  local fields = { name = "w" .. i, domains = { ("w%%d.example"):format(i) }, mode = "managed" }
  assert(widgets.create(fields))
  print(("printed "):rep(32))
  io.stderr:write(("complained "):rep(32), "\\n")
  io.read "l"
end
io.stdout:flush()
""" % COUNT

SILENT = """
for i = 1, 5 do
  assert(widgets.create { name = "w" .. i, domains = { "w.example" }, mode = "managed" })
end
"""


class Output(StateCase):
    def run_with(self, redirection, script, *options):
        """Runs it from a shell, which closes descriptors as people do."""
        return self.run_tshost("-c", f'exec "$0" "$@" {redirection}', os.environ["TSHOST"], *options,
                               script, program="/bin/sh", sandbox=self.sandbox)

    def check_files(self, words=(b"printed", b"complained")):
        for path in self.state.iterdir():
            content = path.read_bytes()
            for word in words:
                self.assertNotIn(word, content, path)

    def check_journal(self, exit_status):
        """Everything was recorded, the end of the run included."""
        journal = Journal(self.state)
        self.assert_explained(journal)
        self.assertEqual(journal.count("done"), len(self.writes()))
        self.assertEqual(journal.runs[-1][1], exit_status)
        return journal

    def test_descriptors_that_are_closed(self):
        script = self.prepared(NOISY)
        for closed in itertools.chain.from_iterable(
                itertools.combinations((0, 1, 2), count) for count in range(4)):
            with self.subTest(closed=[NAMES[fd] for fd in closed]):
                self.sandbox.ask("DELETE", "/sandbox/requests")
                done = self.run_with(" ".join(f"{fd}{'<' if fd == 0 else '>'}&-" for fd in closed),
                                     script)
                expected = 1 if 1 in closed else 0
                self.assert_status(done, expected)
                self.assertEqual(bool(done.err), 2 not in closed)
                self.assertEqual("printed" in done.out, 1 not in closed)
                self.check_files()
                journal = Journal(self.state)
                self.assertEqual(journal.problems, [])
                self.assertEqual(journal.count("done"), len(journal.operations))
                self.assertEqual(journal.runs[-1][1], expected)

    def test_all_closed_and_nothing_said(self):
        script = self.prepared(SILENT)
        done = self.run_with("<&- >&- 2>&-", script, "--quiet")
        self.assert_status(done, 0)
        self.assertEqual(len(self.writes()), 5)
        self.check_journal(0)
        self.check_files()

    def check_stopped(self, done, writes):
        self.assert_status(done, 1)
        self.assertEqual(done.err.count("cannot write to standard output"), 1, done)
        self.assertNotIn("failed", done.err)
        self.assertEqual(self.writes(), [("create", 200)] * writes)
        self.check_journal(1)
        self.sandbox.ask("DELETE", "/sandbox/requests")

    def test_nothing_is_written_once_output_is_lost(self):
        script = self.prepared(NOISY)
        self.check_stopped(self.run_with(">/dev/full", script), 1)
        self.state = self.home / "another"
        self.check_stopped(self.run_with(">&-", script), 1)
        self.state = self.home / "third"
        self.check_stopped(self.into_a_closed_pipe(script), 1)

    def test_what_waits_in_a_buffer_is_not_known_to_be_lost(self):
        code = NOISY.replace("print(", "io.write(")
        self.check_stopped(self.run_with(">/dev/full", self.prepared(code)), BLOCK // 256 + 1)

    def into_a_closed_pipe(self, script):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            run = self.start(script, stdout=writer, sandbox=self.sandbox)
        finally:
            os.close(writer)
        return run.finish()

    def test_nothing_at_all_is_written_when_it_is_lost_before(self):
        code = 'print "x" ' + SILENT
        done = self.run_with(">/dev/full", self.prepared(code))
        self.assert_status(done, 1)
        self.assertEqual(self.writes(), [])
        self.assertFalse((self.state / "journal.db").exists())

    def test_the_script_cannot_talk_it_away(self):
        code = 'pcall(function() print(("x"):rep(9000)) ' + SILENT + " end) os.exit(0)"
        done = self.run_with(">/dev/full", self.prepared(code))
        self.assert_status(done, 1)
        self.assertEqual(self.writes(), [])

    def test_tasks_end_with_it(self):
        code = """
          task.each({ 1, 2, 3, 4, 5, 6, 7, 8 }, function(i)
            for n = 1, 50 do
              assert(widgets.create { name = "w" .. i, domains = { "w.example" }, mode = "managed" })
              print "printed"
            end
          end, { concurrency = 8 })"""
        done = self.run_with(">/dev/full", self.prepared(code))
        self.assert_status(done, 1)
        self.assertLessEqual(len(self.writes()), 8)  # those that were in flight with the first
        self.check_journal(1)

    def test_nobody_reads_the_errors(self):
        done = self.run_with("2>/dev/full", self.prepared(NOISY))
        self.assert_status(done, 0)
        self.assertEqual(len(self.writes()), COUNT)
        self.check_journal(0)

    def test_commands_find_no_file_of_ours(self):
        """What a run starts gets standard streams and nothing else, whatever was closed."""
        look = "ls -l /proc/self/fd > fds-$0"
        code = SILENT + f"""
          local w = widgets.all()[1]
          assert(assert(widgets.get(w)).secret:pipe {{ "sh", "-c", "{look}", arg[1] }})"""
        for number, redirection in enumerate(("", "<&-", ">&-", "2>&-", "<&- >&- 2>&-")):
            with self.subTest(redirection):
                script = self.prepared(code)
                self.run_tshost("-c", f'exec "$0" "$@" {redirection}', os.environ["TSHOST"],
                                script, number, program="/bin/sh", sandbox=self.sandbox)
                listed = (self.home / f"fds-{number}").read_text(encoding="utf-8")
                self.assertNotIn(str(self.state), listed)


if __name__ == "__main__":
    unittest.main()
