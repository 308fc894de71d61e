# SPDX-License-Identifier: MIT
"""--read-only and --allow: what is refused, that nothing is sent then, and that the flag is named."""

import re
import shlex
import unittest

from host import Case, Sandbox

MAKE = "local function make(name) return assert(widgets.create { name = name or 'acme', domains = " \
       "{ 'a.example' }, mode = 'managed' }) end; "


class Permissions(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox("--entitle", "any-hostname"))

    def refused(self, code, flag, *options):
        done = self.lua(code, *options, sandbox=self.sandbox)
        self.assert_status(done, 5)
        self.assertIn(flag, done.err)
        self.assertIn("script.lua:1", done.err)
        return done

    def test_read_only(self):
        key = self.sandbox.create()["sitekey"]
        for call in (
            "widgets.create { name = 'b', domains = { 'b.example' }, mode = 'managed' }",
            f"widgets.update('{key}', {{ name = 'b' }})",
            f"widgets.delete('{key}')",
            f"widgets.rotate_secret('{key}')",
        ):
            with self.subTest(call):
                code = f"local r, e = {call}; assert(r == nil and e.kind == 'refused'); print(e)"
                done = self.refused(code, "--read-only", "--read-only", "--allow", "delete,rotate")
                self.assertIn("refused by --read-only", done.out)
        operations = {operation for operation, _ in self.sandbox.requests()}
        self.assertLessEqual(operations, {"create", "get"}) # the create is the test's own
        self.assertEqual(self.sandbox.widgets()[0]["name"], "acme")
        # Reading, and an update that has nothing to change, are no writes.
        done = self.lua(f"assert(widgets.get('{key}')); assert(#widgets.all() == 1); "
                        f"assert(widgets.update('{key}', {{ name = 'acme' }}))", "--read-only",
                        sandbox=self.sandbox)
        self.assert_status(done, 0)

    def test_what_cannot_be_undone_needs_a_grant(self):
        self.refused(MAKE + "widgets.delete(make())",
                     "not allowed without --allow delete (or --allow delete=N)")
        self.refused(MAKE + "widgets.rotate_secret(make())", "--allow rotate")
        self.refused(MAKE + "make().secret:reveal()", "--allow reveal")
        self.refused("widgets.create { name = 'x', domains = {}, mode = 'managed' }",
                     "--allow any-hostname")
        self.refused(MAKE + "widgets.update(make(), { domains = {} })", "--allow any-hostname")
        self.refused(MAKE + "widgets.update(make(), { domains = { remove = { 'A.example' } } })",
                     "--allow any-hostname")
        self.assertEqual(self.sandbox.requests("delete"), [])
        self.assertEqual(self.sandbox.requests("rotate"), [])
        self.assertEqual(self.sandbox.requests("update"), [])

    def test_grants(self):
        done = self.lua(MAKE + "assert(widgets.rotate_secret(make())); assert(widgets.delete(make()));"
                        "assert(make().secret:reveal()); assert(widgets.update(make(), "
                        "{ domains = {} }))", "--allow", "delete,rotate", "--allow=reveal",
                        "--allow", "any-hostname", sandbox=self.sandbox)
        self.assert_status(done, 0)

    def test_one_grant_is_not_another(self):
        self.refused(MAKE + "widgets.delete(make())", "--allow delete", "--allow",
                     "rotate,reveal,any-hostname")

    def test_caps_are_counted_over_the_run(self):
        code = MAKE + ("local made = {}; for i = 1, 10 do made[i] = make() end; local n = 0; "
                       "task.each(made, function(w) if widgets.delete(w) then n = n + 1 end end); "
                       "print(n)")
        done = self.refused(code, "the cap of --allow delete=3 is reached; --allow delete=4 or more "
                            "would allow it", "--allow", "delete=3")
        self.assertEqual(done.out, "3\n")
        self.assertEqual(len(self.sandbox.requests("delete")), 3)
        self.assertIn("3 deleted", done.err)
        self.assertIn("7 refused", done.err)

    def test_creates_and_updates_have_caps(self):
        code = ("for i = 1, 5 do local w, e = widgets.create { name = 'n' .. i, domains = "
                "{ 'a.example' }, mode = 'managed' }; assert(w or e.kind == 'refused') end; "
                "for w in widgets.list() do for _, name in ipairs { 'x', 'x', 'y' } do "
                "widgets.update(w.sitekey, { name = name }) end end")
        done = self.refused(code, "create n3: the cap of --max-create 2 is reached; --max-create 3 or "
                            "more would allow it", "--max-create", "2", "--max-update=3")
        # Two changes for each widget, as the second "x" is no change and needs no leave.
        self.assertIn("2 created, 3 updated, 2 unchanged, 4 refused", done.err)
        self.assertIn("the cap of --max-update 3 is reached; --max-update 4 or more would allow it",
                      done.err)
        self.assertEqual(len(self.sandbox.requests("create")), 2)
        self.assertEqual(len(self.sandbox.requests("update")), 3)

    def test_a_cap_may_be_none(self):
        key = self.sandbox.create()["sitekey"]
        self.refused(MAKE + "make()", "--max-create 1 or more would allow it", "--max-create", "0")
        self.refused(f"widgets.update('{key}', {{ name = 'b' }})",
                     "--max-update 1 or more would allow it", "--max-update", "0")
        self.assertEqual(self.sandbox.requests("update"), [])
        self.assertEqual(len(self.sandbox.requests("create")), 1) # the test's own

    def test_a_write_that_is_sent_again_counts_once(self):
        key = self.sandbox.create()["sitekey"]
        for operation, code, option in (
            ("create", "widgets.create { name = 'n', domains = { 'a.example' }, mode = 'managed' }",
             "--max-create=1"),
            ("update", f"widgets.update('{key}', {{ domains = {{}} }})",
             "--max-update=1 --allow=any-hostname=1"),
            ("rotate", f"widgets.rotate_secret('{key}')", "--allow=rotate=1"),
            ("delete", f"widgets.delete('{key}')", "--allow=delete=1"),
        ):
            with self.subTest(operation):
                self.sandbox.ask("DELETE", "/sandbox/requests")
                self.sandbox.fault(op=operation, times=1, kind="drop", applied=False)
                done = self.lua(f"assert({code})", *option.split(), sandbox=self.sandbox)
                self.assert_status(done, 0)
                self.assertEqual(len(self.sandbox.requests(operation)), 2)
                self.assertIn("1 settled by reading", done.err)

    def test_a_write_that_is_withdrawn_does_not_count(self):
        key = self.sandbox.create()["sitekey"]
        self.sandbox.fault(op="get", times=1, kind="delay", ms=300)
        done = self.lua(f"local busy = task.spawn(widgets.get, '{key}'); local create = task.spawn("
                        "widgets.create, { name = 'n', domains = { 'a.example' }, mode = 'managed' "
                        "}); task.sleep(0); create:cancel(); busy:await(); assert(widgets.create { "
                        "name = 'm', domains = { 'a.example' }, mode = 'managed' })",
                        "--max-create=1", "--concurrency=1", sandbox=self.sandbox)
        self.assert_status(done, 0)
        self.assertIn("1 created, 1 withdrawn", done.err)

    def test_immediate_invalidation_is_shown(self):
        keys = [self.sandbox.create(name)["sitekey"] for name in ("a", "b")]
        first = f"widgets.rotate_secret('{keys[0]}', {{ invalidate_immediately = true }})"
        self.refused(first, f"rotate_secret {keys[0]} (invalidate_immediately): not allowed without "
                     "--allow rotate")
        done = self.lua(f"assert({first}); assert(widgets.rotate_secret('{keys[1]}'))",
                        "--allow=rotate", sandbox=self.sandbox)
        self.assert_status(done, 0)
        self.assertIn("2 rotated (1 at once)", done.err)

    def test_immediate_invalidation_is_shown_when_its_answer_is_lost(self):
        key = self.sandbox.create()["sitekey"]
        for applied in (True, False):
            self.sandbox.fault(op="rotate", times=1, kind="drop", applied=applied)
            done = self.lua(f"assert(widgets.rotate_secret(assert(widgets.get '{key}'), "
                            "{ invalidate_immediately = true }))", "--allow=rotate",
                            sandbox=self.sandbox)
            self.assert_status(done, 0)
            self.assertIn("1 rotated (1 at once), 1 settled by reading", done.err)

    def next_step(self, done):
        """Runs what the summary says to type."""
        self.assert_status(done, 5)
        command = shlex.split(re.search(r"^  next: +(.*?)  # ", done.err, re.M)[1])
        return self.run_tshost(*command[1:], sandbox=self.sandbox)

    def test_the_next_step_lets_it_pass(self):
        path = self.script(
            'local widgets = require "turnstile".widgets; for i = 1, 3 do '
            "local w = widgets.create { name = 'n', domains = { 'a.example' }, mode = 'managed' }; "
            "if w then widgets.delete(w) end end")
        code = path.read_text()
        for arguments in ([path], ["--", path], [path, "--max-create"], ["-e", code],
                          ["-e", code, "--", "x"]):
            with self.subTest(arguments):
                done = self.run_tshost("--max-create", "2", "--allow", "delete=1", *arguments,
                                       sandbox=self.sandbox)
                done = self.next_step(done)
                self.assertIn("3 created, 2 deleted, 1 refused", done.err)
                done = self.next_step(done) # the third could not be asked for before
                self.assert_status(done, 0)
                self.assertIn("3 created, 3 deleted;", done.err)

    def test_caps_add_up(self):
        code = MAKE + "for _ = 1, 5 do assert(widgets.delete(make())) end"
        done = self.lua(code, "--allow", "delete=2", "--allow", "delete=3", sandbox=self.sandbox)
        self.assert_status(done, 0)

    def test_a_refusal_can_be_forgiven(self):
        done = self.lua(MAKE + "local _, e = widgets.delete(make()); e:forgive 'as expected'",
                        sandbox=self.sandbox)
        self.assert_status(done, 0)
        self.assertIn("forgiven: ", done.err)
        self.assertIn("as expected", done.err)


if __name__ == "__main__":
    unittest.main()
