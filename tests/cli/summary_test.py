# SPDX-License-Identifier: MIT
"""The summary at the end of a run, for people and with --json: every way in which a run can end,
what stands beside each failure, what to type next, and that no text of a stranger breaks it."""

import json
import re
import shlex
import signal
import subprocess
import unittest

from host import ACCOUNT, TSHOST, Case, Sandbox
from odd_server import NO_WIDGET, OddCase, envelope, widget
from screen import Terminal

MAKE = "widgets.create { name = 'acme', domains = { 'a.example' }, mode = 'managed' }"
FAILED = f"widgets.update('{NO_WIDGET}', {{ name = 'x' }})"
NOBODY = "http://127.0.0.1:9/client/v4"

MEMBERS = {"event", "run", "exit", "status", "error", "counts", "requests", "elapsed_ms",
           "waited_ms", "resumes", "verdicts", "failures", "failures_left_out", "next"}
FAILURE_MEMBERS = {"kind", "op", "sitekey", "name", "file", "line", "message", "option", "status",
                   "code", "ray", "forgiven"}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class SummaryCase(Case):
    def summary_of(self, done, status=None):
        """The object in the last line, with all that it always has."""
        summary = done.summary
        self.assertEqual(set(summary), MEMBERS, done)
        self.assertEqual(summary["event"], "summary")
        self.assertEqual(summary["exit"], done.status)
        for failure in summary["failures"]:
            self.assertEqual(set(failure), FAILURE_MEMBERS)
            self.assertIn(failure["kind"], summary["counts"])
        if status is not None:
            self.assert_status(done, status)
        return summary


class Summary(SummaryCase):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())

    def end_of(self, code, *options, **more):
        return self.lua(code, "--max-wait", "0", *options, **{"sandbox": self.sandbox, **more})

    def json_of(self, code, *options, status=None, **more):
        return self.summary_of(self.end_of(code, "--json", *options, **more), status)

    def test_every_way_to_end(self):
        stale = f"""
          local w = assert({MAKE})
          assert(turnstile.client {{ account_id = '{ACCOUNT}' }}.widgets.update(w.sitekey, {{ name = 'b' }}))
          widgets.update(w, {{ name = 'c' }})"""
        doubt = f"local w, e = {MAKE}; assert(e.outcome == 'unknown')"
        for status, word, code, counts, options, more in (
                (0, "done", MAKE, {"created": 1}, (), {}),
                (1, "failed", "error 'oops'", {}, (), {}),
                (1, "failed", "task.spawn(error, 'unheard')", {"script": 1}, (), {}),
                (2, "usage", MAKE, {"usage": 1}, (),
                 {"environment": {"CLOUDFLARE_ACCOUNT_ID": None}}),
                (3, "findings", "os.exit(3)", {}, (), {}),
                (42, "failed", "os.exit(42)", {}, (), {}),
                (4, "partial", FAILED, {"failed": 1}, (), {}),
                (5, "refused", MAKE, {"refused": 1}, ("--read-only",), {}),
                (6, "stale", stale, {"stale": 1, "created": 1, "updated": 1}, ("--fresh", "0"), {}),
                (8, "credentials", MAKE, {"credentials": 1}, (),
                 {"environment": {"CLOUDFLARE_API_TOKEN": "another"}}),
                (8, "credentials", MAKE, {"credentials": 1}, (),
                 {"environment": {"CLOUDFLARE_API_TOKEN": None}}),
                (9, "unreachable", MAKE, {"unsent": 1}, (), {"sandbox": NOBODY}),
                (9, "unreachable", f"widgets.get '{NO_WIDGET}'", {"reads_failed": 1}, (),
                 {"sandbox": NOBODY}),
                (10, "unsettled", doubt, {"in_doubt": 1}, (), {})):
            with self.subTest(status=status, code=code):
                if status == 10:
                    self.sandbox.fault(op="create", kind="drop")
                    self.sandbox.fault(op="list", kind="502", times=1000)
                summary = self.json_of(code, *options, status=status, **more)
                self.assertEqual(summary["status"], word)
                told = {name: count for name, count in summary["counts"].items()
                        if count and name != "reads"}
                self.assertEqual(told, counts)

    def test_locked_and_interrupted(self):
        holder = self.start("--json", self.script("""
          io.stdout:setvbuf 'line'
          require 'turnstile'.widgets.all()
          print 'mine'
          require 'task'.sleep(1000)""", "hold.lua"), sandbox=self.sandbox)
        holder.wait_for_line()
        locked = self.json_of("widgets.all()", status=7)
        self.assertEqual((locked["status"], locked["counts"]["locked"]), ("locked", 1))
        self.assertIn("--if-locked wait=10m", locked["next"][0])
        holder.signal(signal.SIGTERM)
        self.assertEqual(self.summary_of(holder.finish(), 143)["status"], "interrupted")

    def test_before_there_is_a_run(self):
        for arguments, error in (
                (("--json",), "no script given"),
                (("--json", "nowhere.lua"), "no such script"),
                (("--json", "-e", "x ="), "(command line):1:"),
                (("--json", "--sandbox=/nowhere/file.db", "-e", ""), "/nowhere/file.db")):
            with self.subTest(arguments):
                done = self.run_tshost(*arguments)
                self.assertIn(error, self.summary_of(done)["error"])
                self.assertTrue(done.lines[0].startswith("tshost: "), done)
                quiet = self.run_tshost("--quiet", *arguments)
                self.assertEqual(len(quiet.lines), 1, quiet)
                self.assertIn(error, self.summary_of(quiet)["error"])

    def test_nothing_but_the_object(self):
        done = self.end_of(f"""
          require 'log'.warn 'not now'
          task.each({{ 1, 2 }}, function() {FAILED} end, {{ progress = 'Job' }})
          error 'oops'""", "--quiet", "--json")
        self.assertEqual(len(done.lines), 1, done)
        self.assertEqual(self.summary_of(done, 4)["counts"]["failed"], 2)

    def test_beside_the_progress(self):
        done = self.end_of("task.each({ 1, 2 }, function() end, { progress = 'Job' })",
                           "--json", "--progress", "json")
        events = [json.loads(line)["event"] for line in done.lines]
        self.assertEqual(events[-1], "summary")
        self.assertEqual(events.count("summary"), 1)
        self.assertIn("end", events)

    def test_quiet_when_nothing_happened(self):
        self.sandbox.create()
        for options in ((), ("--read-only",), ("--verbose",), ("--color", "always")):
            done = self.end_of("assert(#widgets.all() == 1)", *options)
            self.assertEqual((done.status, done.err), (0, ""), options)

    def test_a_failure_with_all_that_is_known(self):
        done = self.end_of(FAILED)
        self.assertRegex(
            done.err, rf"(?m)^  failed: \S+script\.lua:1: update {NO_WIDGET}: widget not found "
            r"\(HTTP 404, code 10404, CF-Ray [0-9a-f]+-TSH\)$")
        (failure,) = self.json_of(FAILED)["failures"]
        self.assertRegex(failure.pop("ray"), r"^[0-9a-f]+-TSH$")
        self.assertTrue(failure.pop("file").endswith("/script.lua"))
        self.assertEqual(failure, {
            "kind": "failed", "op": "update", "sitekey": NO_WIDGET, "name": None, "line": 1,
            "message": "widget not found", "option": None, "status": 404, "code": 10404,
            "forgiven": None})

    def test_a_failure_of_something_that_has_no_sitekey(self):
        (failure,) = self.json_of(MAKE, "--max-create", "0")["failures"]
        self.assertEqual((failure["op"], failure["sitekey"], failure["name"]),
                         ("create", None, "acme"))
        self.assertEqual(failure["option"], "--max-create")
        (failure,) = self.json_of("task.spawn(error, 'unheard')")["failures"]
        self.assertEqual((failure["kind"], failure["op"], failure["file"], failure["line"]),
                         ("script", None, None, None))

    def test_forgiven(self):
        code = f"local _, err = {FAILED}; err:forgive 'gone is fine'"
        summary = self.json_of(code, status=0)
        self.assertEqual((summary["counts"]["forgiven"], summary["counts"]["failed"]), (1, 0))
        self.assertEqual(summary["failures"][0]["forgiven"], "gone is fine")
        self.assertRegex(self.end_of(code).err, r"(?m)^  forgiven: .*\): gone is fine$")

    def test_deliveries(self):
        code = f"""
          local w = assert({MAKE})
          for i = 1, 3 do w.secret:write(arg[1] .. (i < 3 and i or 2)) end
          w.secret:pipe {{ 'sh', '-c', 'cat > /dev/null' }}
          w.secret:pipe {{ 'false' }}"""
        script = self.script("local turnstile = require 'turnstile'; local widgets = turnstile.widgets;"
                             + code)
        counts = self.summary_of(self.run_tshost("--json", script, "a", sandbox=self.sandbox), 4)["counts"]
        self.assertEqual([counts[name] for name in ("written", "piped", "undelivered", "failed")],
                         [2, 1, 2, 0])
        done = self.run_tshost(script, "b", sandbox=self.sandbox)
        self.assertIn("1 created, 2 secrets written, 1 secret piped, 2 secrets not delivered; 1 request",
                      done.err)

    def test_the_rate_budget(self):
        code = f"for _ = 1, 8 do widgets.get '{NO_WIDGET}' end; {FAILED}"
        done = self.end_of(code, "--rate", "5/2")
        self.assertRegex(done.err, r"1 failed; \d+ requests in \d.*, \d.* s of it waiting for the rate budget")
        summary = self.json_of(code, "--rate", "5/2")
        self.assertGreaterEqual(summary["waited_ms"], 1000)
        self.assertGreaterEqual(summary["elapsed_ms"], summary["waited_ms"])

    def test_aligned_and_in_order(self):
        done = self.end_of(f"""
          local _, err = {FAILED}; err:forgive 'fine'
          {FAILED}
          local w = assert({MAKE}); widgets.delete(w)""", "--verbose")
        self.assert_status(done, 5)
        rows = [line for line in done.lines if line.startswith("  ")]
        self.assertEqual([row.split(":")[0].strip() for row in rows],
                         ["refused", "failed", "forgiven", "next", "next", "next"])
        self.assertEqual({len(re.match(r"  [a-z ]+: +", row)[0]) for row in rows}, {12}, done)

    def test_many_failures(self):
        code = f"for _ = 1, 1045 do {FAILED} end; for _ = 1, 22 do widgets.delete '{NO_WIDGET}' end"
        done = self.end_of(code)
        self.assertEqual(len(re.findall(r"(?m)^  failed:  \S+script", done.err)), 20)
        self.assertEqual(len(re.findall(r"(?m)^  refused: \S+script", done.err)), 20)
        self.assertIn("\n  failed:  and 1,025 more\n", done.err)
        self.assertIn("\n  refused: and 2 more\n", done.err)
        self.assertRegex(done.err, r"\n  next:    \S+ log --failed \S+\n")
        summary = self.json_of(code, status=5)
        self.assertEqual((len(summary["failures"]), summary["failures_left_out"]), (1000, 67))

    def test_what_stands_under_next_works(self):
        """Copied as it is into a shell, where the first run was."""
        target = self.sandbox.create("it's \"one\" $HOME")["sitekey"]
        script = self.script("assert(require 'turnstile'.widgets.delete(arg[1])) print(arg[2])", "a b.lua")
        words = [script.name, target, "it's \"one\" $HOME"]
        summary = self.summary_of(self.run_tshost("--json", *words, sandbox=self.sandbox), 5)
        self.assertEqual(shlex.split(summary["next"][0]),
                         [TSHOST, "--json", "--allow", "delete=1", *words])
        text = self.run_tshost(*words, sandbox=self.sandbox)
        (line,) = [line for line in text.lines if "--allow delete=1" in line and "next" in line]
        again = subprocess.run(["sh", "-c", line.partition("next:")[2]], cwd=self.home, timeout=60,
                               env=self.environment(self.sandbox), capture_output=True, text=True,
                               check=False)
        self.assertEqual((again.returncode, again.stdout), (0, "it's \"one\" $HOME\n"), again)

    def test_a_token_in_the_wrong_place(self):
        token = "cfut_" + "made-up-" * 5
        code = f"local _, err = {MAKE}"
        for options in (("--token-file", token), ("--sandbox", "--token-file", token, "--max-create", "0")):
            done = self.lua(code, "--json", *options, sandbox=self.sandbox)
            self.assertNotIn("made-up", done.err)
            self.summary_of(done)
            self.assertNotIn("made-up", self.lua(code, *options, sandbox=self.sandbox).err)

    def test_no_secret(self):
        """The run's every output is searched for them in any case; here they are in every failure's
        reach."""
        code = f"""
          local w = assert({MAKE})
          w.secret:write '/nowhere/x'
          w.secret:pipe {{ 'sh', '-c', 'cat >/dev/null; exit 1' }}
          local _, err = widgets.update('{NO_WIDGET}', {{ name = tostring(w.secret) }})
          err:forgive(tostring(w.secret))
          widgets.rotate_secret(w)
          error(tostring(w.secret))"""
        for options in ((), ("--json",), ("--verbose",)):
            self.assert_status(self.end_of(code, *options), 5)


class Hostile(OddCase, SummaryCase):
    def test_what_a_server_says(self):
        said = "no\x1b[2J\n\x9b31m\u202e\"\\}\u2028{\x00 \x7f"
        for options in ((), ("--json",)):
            self.server.answers = [(400, {"CF-Ray": "8f\x1b[2J\"x"}, envelope(
                None, success=False, errors=[{"code": 10400, "message": said}]))] * 2
            done = self.lua(MAKE + "; widgets.delete '" + NO_WIDGET + "'", "--allow", "delete",
                            *options, sandbox=self.url)
            self.assertIsNone(CONTROL.search(done.err), done)
            self.assert_status(done, 4)
        for failure in self.summary_of(done)["failures"]:
            self.assertTrue(failure["message"].startswith("no"), failure)

    def test_what_a_script_says(self):
        """Names, reasons, errors and the script's own name."""
        script = "a\x1b[2J\n\u202eb.lua"
        code = (r"""
          local widgets = require "turnstile".widgets
          local function fields(name) return { name = name, domains = { "a.example" }, mode = "managed" } end
          for _, name in ipairs { "\27[2J\7 name", "\u{202e}\u{9b}\"\\", "long " .. ("ü"):rep(200) } do
            local ok, w, err = pcall(widgets.create, fields(name))
            if ok and err then err:forgive("\27]0;x\7\255\0 why") end
          end
          require "task".spawn(error, "\27[2J\255\n\u{2028}unheard\0x")
          error("\27[2J\255\0\nlast", 0)""")
        for options in ((), ("--json",), ("--quiet", "--json"), ("--verbose",)):
            self.server.answers = [(403, {}, envelope(None, success=False, errors=[]))] * 3
            done = self.run_tshost(*options, self.script(code, script), sandbox=self.url)
            self.assertIsNone(CONTROL.search(done.err), done)
            if "--json" in options:
                self.summary_of(done)

    def test_garbage_for_an_answer(self):
        for body in (b"\xff\x00\x1b[2J", b"<html>\x9b</html>", b"{\"success\": false, \"errors\": [7]}"):
            with self.subTest(body):
                self.server.answers = [(403, {"Content-Type": "x/\x1b[2J"}, body)] * 2
                done = self.lua(MAKE, "--json", sandbox=self.url)
                self.assertIsNone(CONTROL.search(done.err), done)
                self.summary_of(done)


class Colors(SummaryCase):
    CODE = ("local widgets = require 'turnstile'.widgets "
            f"widgets.update('{NO_WIDGET}', {{ name = 'x' }}) error 'oops'")

    def is_colored(self, *options, **environment):
        """On a terminal."""
        environment = self.environment(**{"TERM": "xterm", **environment})
        with Terminal([TSHOST, "--sandbox", *options, "-e", self.CODE], environment,
                      self.home) as terminal:
            self.assertEqual(terminal.finish(), 4)
            return b"\x1b[31m" in terminal.bytes

    def test_on_a_terminal(self):
        self.assertTrue(self.is_colored())
        self.assertTrue(self.is_colored(NO_COLOR=""))
        self.assertTrue(self.is_colored("--color", "always", NO_COLOR="1", TERM="dumb"))
        self.assertFalse(self.is_colored("--color", "never"))
        self.assertFalse(self.is_colored(NO_COLOR="1"))
        self.assertFalse(self.is_colored(TERM="dumb"))

    def test_elsewhere(self):
        run = ("--sandbox", "-e", self.CODE)
        plain = self.run_tshost(*run)
        self.assertNotIn("\x1b", plain.err)
        colored = self.run_tshost("--color=always", *run)
        self.assertIn("\x1b[31mtshost: \x1b[0m", colored.err)
        self.assertIn("\x1b[31m1 failed\x1b[0m", colored.err)
        bare = re.sub(r"\x1b\[\d+m", "", colored.err)
        ray = re.compile("CF-Ray [0-9a-f]+")
        self.assertEqual(ray.sub("", bare).split(" in ")[0], ray.sub("", plain.err).split(" in ")[0])
        self.assertNotIn("\x1b", self.run_tshost("--color=always", "--json", "--quiet", *run).err)
        self.assert_status(self.run_tshost("--color", "sometimes", *run), 2)

    def test_it_fits_the_terminal(self):
        for columns in (60, 80, 200):
            with Terminal([TSHOST, "--sandbox", "-e", self.CODE], self.environment(TERM="xterm"),
                          self.home, columns=columns) as terminal:
                terminal.finish()
                rows = terminal.screen.text
            self.assertTrue(all(len(row) <= columns for row in rows), rows)
            told = " ".join(row.strip() for row in rows)
            self.assertRegex(told, rf"failed: \(command line\):1: update {NO_WIDGET}: widget not found "
                                   r"\(HTTP 404, code 10404, CF-Ray [0-9a-f]+-TSH\)")
            for word in ("(HTTP", "failed:"):  # a row begins or ends there, none breaks inside
                self.assertTrue(any(word in row for row in rows), rows)


if __name__ == "__main__":
    unittest.main()
