# SPDX-License-Identifier: MIT
"""`tshost plan`: what a script would change is told and not done."""

import json
import os
import re
import signal
import subprocess
import unittest

from host import ACCOUNT
from plan_case import CHANGES, PlanCase


class Plans(PlanCase):
    def test_changes_are_told_and_not_made(self):
        before = self.sandbox.widgets()
        done = self.plan(CHANGES)
        self.assertEqual(self.sandbox.widgets(), before)
        self.assertEqual({op for op, _ in self.sandbox.requests()}, {"create", "list"})
        sitekey = before[0]["sitekey"]
        self.assertEqual(done.out, f"""\
planned-0001  "bolt"
  + create  (script.lua:3; undo: deletes it, with --allow delete)
      name             "bolt"
      mode             "managed"
      domains          + bolt.example
  ~ change  (script.lua:5; undo: puts it back)
      domains          + shop.bolt.example
  - delete  (script.lua:9; undo: none, its sitekey is gone)
      domains          - bolt.example
                       - shop.bolt.example

{sitekey}  "acme"
  ~ change  (script.lua:6; undo: puts it back)
      name             "acme" -> "acme 2"
      domains          + new.example
                       - acme.example
  ! rotate the secret at once: the old one is refused from then on  (script.lua:8; undo: none)

Plan: 1 to create, 2 to change, 1 to delete, 1 to rotate
Account: {ACCOUNT}
Cost: about 8 requests, no wait for the rate budget
Needs: --allow delete=1,rotate=1 --max-create 1 --max-update 2
""")

    def test_what_the_script_prints_goes_to_standard_error(self):
        done = self.plan(CHANGES)
        self.assertIn("planned-0001\t[secret]\n", done.err)
        self.assertTrue(done.err.endswith("last words\n"), done.err)
        self.assertNotIn("last words", done.out)
        self.assertNotIn("deleted", done.err)

    def test_no_changes(self):
        done = self.plan("for w in widgets.list() do widgets.update(w, { name = w.name }) end",
                         status=0)
        self.assertEqual(done.out, "Plan: no changes\n")

    def test_findings_of_the_script_stay_findings(self):
        done = self.plan("for _ in widgets.list() do os.exit(3) end", status=3)
        self.assertEqual(done.out, "Plan: no changes\n")

    def test_without_the_api_nothing_is_copied(self):
        self.plan("print 'hello'", status=0)
        self.assertEqual(self.sandbox.requests("list"), [])

    def test_the_steps(self):
        plan = self.saved(CHANGES)
        self.assertEqual((plan["format"], plan["version"]), ("tshost plan", 1))
        self.assertEqual((plan["account"], plan["base_url"]), (ACCOUNT, self.sandbox.url))
        self.assertEqual(plan["counts"], {"create": 1, "update": 2, "delete": 1, "rotate": 1})
        self.assertEqual((plan["arguments"], plan["remarks"]), ([], []))
        self.assertEqual(plan["directory"], os.path.realpath(self.home))
        self.assertEqual(plan["script"], os.path.realpath(self.home / "script.lua"))
        self.assertRegex(plan["sha256"], "^[0-9a-f]{64}$")
        create, first, second, rotate, delete = plan["steps"]
        self.assertEqual(create["op"], "create")
        self.assertEqual(create["new"], "planned-0001")
        self.assertEqual(create["set"], {
            "name": "bolt", "mode": "managed", "domains": ["bolt.example"]})
        self.assertEqual((first["op"], first["sitekey"]), ("update", "planned-0001"))
        self.assertEqual(first["set"], {"domains": ["bolt.example", "shop.bolt.example"]})
        self.assertEqual(first["saw"]["domains"], ["bolt.example"])
        self.assertEqual(second["set"], {"name": "acme 2", "domains": ["new.example"]})
        self.assertEqual(rotate["op"], "rotate")
        self.assertIs(rotate["invalidate_immediately"], True)
        # As the step before leaves it, not as the script saw it first.
        self.assertEqual((rotate["saw"]["name"], rotate["saw"]["domains"]),
                         ("acme 2", ["new.example"]))
        self.assertEqual(delete["saw"]["domains"], ["bolt.example", "shop.bolt.example"])
        self.assertNotIn("secret", json.dumps(plan["steps"]))

    def test_the_same_script_makes_the_same_plan(self):
        """However many requests may be in flight."""
        code = ("local list = {} for i = 1, 300 do list[i] = i end task.each(list, function(i) "
                "assert(widgets.create { name = 'w' .. i, domains = { 'w.example' }, "
                "mode = 'managed' }) end, { concurrency = 64 })")
        plans = [self.saved(code, "--concurrency", "64") for _ in range(3)]
        self.assertEqual([step["new"] for step in plans[0]["steps"]],
                         [f"planned-{i:04}" for i in range(1, 301)])
        self.assertEqual([step["name"] for step in plans[0]["steps"]],
                         [f"w{i}" for i in range(1, 301)])
        self.assertEqual(plans[0]["steps"], plans[1]["steps"])
        self.assertEqual(plans[0]["steps"], plans[2]["steps"])
        self.assertNotEqual(plans[0]["plan"], plans[1]["plan"])

    def test_the_copy_is_like_the_account(self):
        for i in range(7):
            self.sandbox.create(f"Acme {i}", [f"w{i}.example"])
        code = """
            local function show(options)
              local list = {}
              for w in widgets.list(options) do
                list[#list + 1] = table.concat({ w.sitekey, w.name, w.created_on, w.modified_on,
                  w.region, tostring(w.offlabel), table.concat(w.domains, " ") }, " ")
              end
              print(table.concat(list, "\\n"))
            end
            show { per_page = 5 }
            show { order = "name", direction = "desc" }
            show { filter = "name:ACME" }
            show { order = "modified_on", direction = "desc", per_page = 5 }
            print(select(2, widgets.get "0x4AAAAAAAAAAAAAAAAAAAAA"))
        """
        planned = self.plan(code, "--quiet", status=0)
        real = self.run_tshost(self.home / "script.lua", sandbox=self.sandbox)
        shown = planned.err.replace(planned.err.split("CF-Ray ")[-1].split(")")[0], "")
        self.assertEqual(shown, real.out.replace(real.out.split("CF-Ray ")[-1].split(")")[0], ""))
        self.assertIn("Acme 6", real.out)

    def test_later_reads_see_earlier_writes(self):
        self.plan("""
            local made = assert(widgets.create { name = "new", domains = { "n.example" },
              mode = "managed" })
            assert(widgets.get(made.sitekey).name == "new")
            assert(#widgets.all { filter = "name:new" } == 1)
            assert(widgets.update(made.sitekey, { name = "newer" }))
            assert(widgets.all({ order = "modified_on", direction = "desc" })[1].name == "newer")
            assert(widgets.get(made).secret == made.secret)
            local rotated = assert(widgets.rotate_secret(made))
            assert(rotated.secret ~= made.secret)
            assert(select(2, widgets.rotate_secret(made)):forgive "still in grace")
            assert(widgets.delete(made.sitekey))
            assert(select(2, widgets.get(made)).status == 404)
        """)

    def test_a_widget_named_by_its_sitekey_alone(self):
        sitekey = self.sandbox.widgets()[0]["sitekey"]
        plan = self.saved(f"assert(widgets.delete '{sitekey}')")
        self.assertEqual(plan["steps"][0]["saw"]["name"], "acme")
        self.assertEqual(plan["steps"][0]["saw"]["domains"], ["acme.example"])

    def test_a_script_that_fails_has_no_plan(self):
        plan = self.home / "plan.json"
        done = self.plan("widgets.all() error 'oh no'", "-o", plan, status=1)
        self.assertEqual(done.out, "")
        self.assertIn("tshost: no plan", done.err)
        done = self.plan("assert(widgets.create { name = 'x', domains = { 'x' }, mode = 'managed',"
                         " region = 'china' }) widgets.update('0x4AAAAAAAAAAAAAAAAAAAAA', "
                         "{ name = 'y' })", "-o", plan, status=4)
        self.assertEqual(done.out, "")
        self.assertIn("widget not found", done.err)
        done = self.plan("widgets.all() os.exit(7)", status=7)
        self.assertEqual(done.out, "")
        self.assertFalse(plan.exists())

    def test_what_is_no_text_cannot_be_planned(self):
        for delivery in ('write "caf\\xe9"', 'pipe { "cat", "caf\\xe9" }'):
            done = self.plan(
                f"print(widgets.get(widgets.all()[1].sitekey).secret:{delivery})", status=1)
            self.assertRegex(done.err, r"script\.lua:1: a plan cannot hold .*caf.*UTF-8")
            self.assertEqual(done.out, "")

    def test_a_failure_that_the_script_forgives_is_no_step(self):
        plan = self.saved("select(2, widgets.delete '0x4AAAAAAAAAAAAAAAAAAAAA'):forgive 'gone' "
                          "widgets.create { name = 'x', domains = { 'x.example' }, mode = "
                          "'managed' }")
        self.assertEqual([step["op"] for step in plan["steps"]], ["create"])

    def test_options_that_are_not_enough(self):
        done = self.plan(CHANGES, "--allow", "rotate", "--max-update", "1")
        self.assertIn("The options given allow less: ", done.out)
        self.assertIn("delete", done.out.split("allow less: ")[1])
        done = self.plan(CHANGES, "--allow", "rotate,delete")
        self.assertNotIn("allow less", done.out)

    def test_any_hostname_is_counted(self):
        done = self.plan("widgets.create { name = 'x', domains = {}, mode = 'managed' }")
        self.assertIn("Needs: --allow any-hostname=1 --max-create 1\n", done.out)
        self.assertIn("none: any hostname", done.out)
        # A widget that is open already stays so when another field is written.
        done = self.plan("local w = widgets.create { name = 'x', domains = {}, mode = 'managed' } "
                         "widgets.update(w, { name = 'y' })")
        self.assertIn("Needs: --allow any-hostname=2 --max-create 1 --max-update 1\n", done.out)

    def test_more_domains_than_accounts_have(self):
        done = self.plan("local d = {} for i = 1, 16 do d[i] = i .. '.example' end "
                         "widgets.create { name = 'x', domains = d, mode = 'managed' }")
        self.assertIn("planned-0001 would have 16 domains; most accounts may have 15", done.out)

    def test_names_cannot_drive_the_terminal(self):
        name = "\x1b[31m\u202egnp.exe\u2066\x9b1m\x07"
        self.sandbox.create(name, ["hostile.example"])
        done = self.plan("for w in widgets.list() do widgets.update(w, { name = w.name .. '\\27[2J'"
                         " .. '\\u{202E}x' }) end")
        self.assertIsNone(re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]",
                                    done.out))
        self.assertIn("gnp.exe", done.out)

    def test_a_sandbox_file_is_planned_against_and_stays(self):
        self.run_tshost("--sandbox=fleet.db", self.script(
            "assert(require 'turnstile'.widgets.create { name = 'kept', domains = { 'k.example' }, "
            "mode = 'managed' })"))
        before = (self.home / "fleet.db").read_bytes()
        done = self.run_tshost("plan", "--sandbox=fleet.db", "--json", self.script(
            "local widgets = require 'turnstile'.widgets for w in widgets.list() do "
            "assert(widgets.delete(w)) end"))
        self.assert_status(done, 3)
        plan = json.loads(done.out)
        self.assertEqual(plan["base_url"], f"sandbox:{os.path.realpath(self.home)}/fleet.db")
        self.assertEqual(plan["steps"][0]["name"], "kept")
        self.assertEqual((self.home / "fleet.db").read_bytes(), before)
        done = self.run_tshost("plan", "--sandbox=other.db", "script.lua")
        self.assert_status(done, 2)
        self.assertFalse((self.home / "other.db").exists())

    def test_neither_journal_nor_other_state_is_left(self):
        self.plan(CHANGES)
        left = [path.name for path in (self.home / "tshost").glob("*")]
        self.assertEqual([name for name in left if "journal" in name or "lock" in name], [])

    OTHER = "fedcba9876543210fedcba9876543210"
    TWO = (f"local other = turnstile.client {{ account_id = '{OTHER}' }} "
           "for _, c in ipairs { turnstile, other } do assert(c.widgets.create { name = 'x', "
           "domains = { 'x.example' }, mode = 'managed' }) end")

    def test_two_accounts(self):
        done = self.plan(self.TWO, status=8) # this token is for one
        self.assertEqual(done.out, "")
        prelude = 'local turnstile = require "turnstile"; '
        done = self.run_tshost("plan", "--sandbox", "--account", ACCOUNT,
                               self.script(prelude + self.TWO))
        self.assert_status(done, 1)
        self.assertEqual(done.out, "")
        self.assertIn(f"a plan is for one account, and the script writes to {ACCOUNT} and "
                      f"{self.OTHER}", done.err)
        # To read another one, to copy from it, is fine.
        done = self.run_tshost("plan", "--sandbox", "--account", ACCOUNT, self.script(
            prelude + f"local other = turnstile.client {{ account_id = '{self.OTHER}' }} "
            "assert(#other.widgets.all() == 0) assert(turnstile.widgets.create { name = 'x', "
            "domains = { 'x.example' }, mode = 'managed' })"))
        self.assert_status(done, 3)
        self.assertIn(f"Account: {ACCOUNT}\n", done.out)

    def test_the_wait_for_the_rate_budget(self):
        code = ("for i = 1, 90 do assert(widgets.create { name = 'w' .. i, domains = "
                "{ 'w.example' }, mode = 'managed' }) end")
        done = self.plan(code, "--rate", "30/60")
        self.assertRegex(done.out, "Cost: about 91 requests, [0-9a-z ]*min[0-9a-z ]* at "
                                   "the rate budget\n")

    def test_a_plan_beside_a_run_that_has_the_account(self):
        holder = self.start(self.script(
            "require 'turnstile'.widgets.all() print 'ready' io.stdout:flush() io.read()",
            name="holder.lua"), sandbox=self.sandbox, stdin=subprocess.PIPE)
        holder.wait_for_line()
        self.plan(CHANGES)
        holder.process.stdin.close()
        holder.process.stdin = None
        self.assert_status(holder.finish(), 0)

    def test_a_state_directory_that_cannot_be_used(self):
        done = self.plan(CHANGES, environment={"TSHOST_STATE": "/dev/null/none"})
        self.assertIn("Plan: 1 to create", done.out)

    def test_colours(self):
        done = self.plan(CHANGES)
        self.assertNotIn("\x1b", done.out)
        done = self.plan(CHANGES, "--color", "always")
        self.assertIn("\x1b[32m+ create\x1b[0m  (", done.out)

    def test_a_signal_while_the_account_is_copied(self):
        self.sandbox.fault(op="list", kind="delay", ms=60000)
        process = self.start("plan", self.script(
            "io.stderr:write 'begun\\n' require 'turnstile'.widgets.all() print 'not reached'"),
            "-o", "plan.json", sandbox=self.sandbox)
        while not self.sandbox.requests("list"):
            pass
        process.signal(signal.SIGINT)
        done = process.finish()
        self.assert_status(done, 130)
        self.assertEqual(done.out, "")
        self.assertNotIn("not reached", done.err)
        self.assertFalse((self.home / "plan.json").exists())


if __name__ == "__main__":
    unittest.main()
