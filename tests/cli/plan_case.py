# SPDX-License-Identifier: MIT
"""What the tests of `tshost plan` have in common."""

import json

from host import Case, Sandbox

CHANGES = """
local first = widgets.all({ order = "name" })[1]
local made = assert(widgets.create { name = "bolt", domains = { "bolt.example" }, mode = "managed" })
print(made.sitekey, made.secret)
made = assert(widgets.update(made, { domains = { add = { "shop.bolt.example" } } }))
first = assert(widgets.update(first, {
  name = "acme 2", domains = { add = { "new.example" }, remove = { "acme.example" } } }))
assert(widgets.rotate_secret(first, { invalidate_immediately = true }))
assert(widgets.delete(made))
io.stdout:write("last words\\n")
"""


class PlanCase(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())
        self.secrets = [self.sandbox.create()["secret"]]

    def plan(self, code, *options, status=3, **more):
        done = self.lua(code, "plan", *options, sandbox=self.sandbox, **more)
        self.assert_status(done, status)
        return done

    def saved(self, code, *options, **more):
        """The plan as it is printed with --json."""
        return json.loads(self.plan(code, "--json", *options, **more).out)

    def lua(self, code, *options, **more):
        command, *options = options
        self.assertEqual(command, "plan")
        prelude = ('local turnstile, task = require "turnstile", require "task"; '
                   "local widgets = turnstile.widgets; ")
        return self.run_tshost("plan", *options, self.script(prelude + code).name, **more)
