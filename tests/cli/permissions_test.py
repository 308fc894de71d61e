# SPDX-License-Identifier: MIT
"""--read-only and --allow: what is refused, that nothing is sent then, and that the flag is named."""

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
        self.refused(MAKE + "widgets.delete(make())", "--allow delete")
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
        done = self.refused(code, "the cap of --allow delete=3 is reached", "--allow", "delete=3")
        self.assertEqual(done.out, "3\n")
        self.assertEqual(len(self.sandbox.requests("delete")), 3)
        self.assertIn("3 deleted", done.err)
        self.assertIn("7 refused", done.err)

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
