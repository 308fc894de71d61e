# SPDX-License-Identifier: MIT
"""`tshost plan`: what a script would change is told, saved, and not done."""

import json
import os
import re
import signal
import stat
import subprocess
import unittest

from host import ACCOUNT, SECRET, TOKEN, Case, Sandbox
from odd_server import OddCase, envelope, widget

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


RANDOM = """
local seed = tonumber(arg[1])
math.randomseed(seed)
local function pick(list) return list[math.random(#list)] end
local all = widgets.all { order = "name" }
for i = 1, 25 do
  local what = math.random(6)
  local w = #all > 0 and pick(all)
  if what == 1 or not w then
    all[#all + 1] = assert(widgets.create { name = "new " .. i, domains = { i .. ".example" },
      mode = pick { "managed", "invisible" } })
  elseif what == 2 then
    assert(widgets.delete(w))
    for at, other in ipairs(all) do
      if other == w then table.remove(all, at) break end
    end
  elseif what == 3 then
    local changed = assert(widgets.update(pick { w, w.sitekey }, { name = "renamed " .. i,
      clearance_level = pick { "managed", "jschallenge" } }))
    for at, other in ipairs(all) do
      if other == w then all[at] = changed break end
    end
  elseif what == 4 then
    assert(widgets.update(w.sitekey, { domains = { add = { i .. ".added.example" },
      remove = { w.domains[1] } } }))
  elseif what == 5 then
    assert(widgets.update(w.sitekey, { domains = { i .. ".only.example" } }))
  else
    assert(widgets.rotate_secret(w, { invalidate_immediately = true }))
  end
end
"""


class Property(Case):
    """What a plan says is what the script does: its steps, carried out one by one on the account as
    it is, find what they saw and leave what the script would have left."""

    FIELDS = ("name", "mode", "domains", "clearance_level", "bot_fight_mode", "ephemeral_id",
              "offlabel")

    def fill(self, sandbox):
        for i in range(6):
            sandbox.create(f"w{i}", [f"w{i}.example", "common.example"])

    def carry_out(self, sandbox, steps):
        path = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets"
        real = {}
        for step in steps:
            sitekey = real.get(step.get("sitekey"), step.get("sitekey"))
            if step["op"] == "create":
                real[step["new"]] = sandbox.ask("POST", path, step["set"])["sitekey"]
                continue
            live = sandbox.ask("GET", f"{path}/{sitekey}")
            for name, value in step["saw"].items():
                self.assertEqual(live[name], value, step)
            if step["op"] == "update":
                self.assertTrue(step["set"], step)
                for name, value in step["set"].items():
                    self.assertNotEqual(live[name], value, step)
                body = {name: live[name] for name in self.FIELDS} | step["set"]
                sandbox.ask("PUT", f"{path}/{sitekey}", body)
            elif step["op"] == "delete":
                sandbox.ask("DELETE", f"{path}/{sitekey}")
            else:
                sandbox.ask("POST", f"{path}/{sitekey}/rotate_secret",
                            {"invalidate_immediately": step["invalidate_immediately"]})

    def fleet(self, sandbox):
        return sorted(([widget[name] for name in self.FIELDS] for widget in sandbox.widgets()),
                      key=repr)

    def test_random_scripts(self):
        script = self.script('local widgets = require "turnstile".widgets ' + RANDOM)
        for seed in range(int(os.environ.get("PLAN_SEEDS", "8"))):
            with self.subTest(seed), Sandbox() as planned, Sandbox() as run:
                self.fill(planned)
                self.fill(run)
                done = self.run_tshost("plan", "--json", script, seed, sandbox=planned)
                self.assert_status(done, 3)
                if seed % 2:
                    self.carry_out(planned, json.loads(done.out)["steps"])
                else:
                    plan = self.home / f"{seed}.json"
                    plan.write_text(done.out)
                    done = self.run_tshost("apply", "--allow", "delete,rotate", plan,
                                           sandbox=planned)
                    self.assert_status(done, 0)
                done = self.run_tshost("--allow", "delete,rotate", script, seed, sandbox=run)
                self.assert_status(done, 0)
                self.assertEqual(self.fleet(planned), self.fleet(run))


class Failures(OddCase):
    """Lists of which not everything comes are no copy of an account."""

    CODE = "widgets.create { name = 'x', domains = { 'x.example' }, mode = 'managed' }"

    def page(self, number, count, total, **more):
        rows = [widget(sitekey=f"0x4{number:04}{i:04}", modified_on="2026-01-01T00:00:00Z",
                       **more) for i in range(count)]
        for row in rows:
            del row["secret"]
        return envelope(rows, result_info={"page": number, "per_page": 5, "count": count,
                                           "total_count": total})

    def lua(self, code, *options, **more):
        prelude = 'local widgets = require "turnstile".widgets; '
        return self.run_tshost("plan", *options, self.script(prelude + code), **more)

    def test_a_list_that_stays_incomplete(self):
        done = self.after([self.page(1, 5, 8), self.page(2, 0, 8)], self.CODE, 9)
        self.assertIn("the list is incomplete: 5 of 8 widgets came", done.err)
        self.assertEqual(done.out, "")
        done = self.after([self.page(1, 5, 8), self.page(2, 2, 7)], self.CODE, 9)
        self.assertIn("deleted while the account was being copied", done.err)
        done = self.after([self.page(1, 5, 10), self.page(1, 5, 10)], self.CODE, 9)
        self.assertIn("the same page again and again", done.err)
        done = self.after([envelope({"a": 1})], self.CODE, 9)
        self.assertIn("the answer cannot be read", done.err)
        self.after([(502, {}, b"bad gateway")] * 5, self.CODE, 9)

    def test_the_script_cannot_make_good_for_it(self):
        done = self.after([self.page(1, 5, 8), self.page(2, 0, 8)],
                          f"pcall(widgets.all) pcall(function() {self.CODE} end) os.exit(0)", 9)
        self.assertEqual(done.out, "")

    def test_a_widget_that_moves_between_pages_is_there_once(self):
        second = self.page(2, 2, 7)
        second["result"].append(self.page(1, 5, 7)["result"][4])
        done = self.after([self.page(1, 5, 7), second], "print(#widgets.all())", 0)
        self.assertIn("\n7\n", "\n" + done.err)

    def test_a_list_that_grows(self):
        self.after([self.page(1, 5, 8), self.page(2, 5, 11), self.page(3, 1, 11)],
                   "assert(#widgets.all() == 11)", 0)

    def test_a_list_without_totals(self):
        pages = [self.page(1, 5, 0), self.page(2, 2, 0)]
        for page in pages:
            del page["result_info"]["total_count"]
        self.after(pages, "assert(#widgets.all() == 7)", 0)

    def test_credentials_that_are_rejected(self):
        refusal = {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}],
                   "messages": [], "result": None}
        done = self.after([(401, {}, refusal)], self.CODE, 8)
        self.assertEqual(done.out, "")
        self.assertIn("Authentication error", done.err)


class Files(PlanCase):
    """The plan file."""

    CODE = ("widgets.create { name = 'x', domains = { 'x.example' }, mode = 'managed' } "
            "print(table.concat(arg, ' '))")

    def test_it_is_private_and_told(self):
        done = self.plan(self.CODE, "-o", "plan.json")
        path = self.home / "plan.json"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertTrue(done.out.endswith("Saved: tshost apply --max-create 1 plan.json\n"))
        done = self.plan(self.CODE, "-o", "it's.json", "--base-url", self.sandbox.url + "/",
                         "--account", ACCOUNT)
        self.assertTrue(done.out.endswith(
            f"Saved: tshost apply --max-create 1 --base-url={self.sandbox.url}/ "
            "'it'\\''s.json'\n"), done.out)
        script = self.script("local widgets = require 'turnstile'.widgets " + self.CODE)
        done = self.run_tshost("plan", "--sandbox", script, "-o", "none.json")
        self.assertTrue(done.out.endswith("Saved: none.json; it cannot be applied, as this sandbox "
                                          "has ended\n"), done.out)
        plan = json.loads(path.read_text())
        self.assertEqual(plan["steps"][0]["name"], "x")
        self.assertEqual([entry.name for entry in self.home.iterdir() if "plan" in entry.name],
                         ["plan.json"])

    def test_it_replaces_a_plan_and_nothing_else(self):
        path = self.home / "plan.json"
        self.plan(self.CODE, "-o", path)
        first = json.loads(path.read_text())
        self.plan(self.CODE, "-o", path)
        self.assertNotEqual(json.loads(path.read_text())["plan"], first["plan"])
        other = self.home / "precious"
        for text in ("precious", "", '{"format": 1}'):
            other.write_text(text)
            self.sandbox.ask("DELETE", "/sandbox/requests")
            done = self.plan(self.CODE, "-o", other, status=2)
            self.assertIn("is there and is no plan", done.err)
            self.assertEqual(other.read_text(), text)
            self.assertEqual(self.sandbox.requests(), [])
        link = self.home / "link"
        link.symlink_to(path)
        self.plan(self.CODE, "-o", link, status=2)
        self.plan(self.CODE, "-o", self.home, status=2)
        self.plan(self.CODE, "-o", self.home / "none" / "plan.json", status=2)
        self.plan(self.CODE, "-o", "", status=2)

    def test_the_option_may_stand_at_the_end(self):
        script = self.script("local widgets = require 'turnstile'.widgets " + self.CODE)
        done = self.run_tshost("plan", script, "one", "-o", "plan.json", sandbox=self.sandbox)
        self.assertIn("one\n", done.err)
        plan = json.loads((self.home / "plan.json").read_text())
        self.assertEqual(plan["arguments"], ["one"])
        done = self.run_tshost("plan", "-o", "plan.json", script, "-o", "mine",
                               sandbox=self.sandbox)
        self.assertIn("-o mine\n", done.err)
        self.assertFalse((self.home / "mine").exists())

    def test_it_is_json_whatever_the_script_was_given(self):
        script = self.script("local widgets = require 'turnstile'.widgets " + self.CODE
                             + " io.open(arg[1], 'w'):close()")
        done = self.run_tshost("plan", "-o", "plan.json", script, "\udcff\x1b",
                               sandbox=self.sandbox)
        self.assert_status(done, 3)
        plan = json.loads((self.home / "plan.json").read_bytes().decode("utf-8"))
        self.assertEqual(plan["arguments"], ["??"])
        self.assertEqual(len(plan["remarks"]), 1)

    def test_it_holds_no_secret(self):
        done = self.plan("""
            for w in widgets.list() do
              w = assert(widgets.get(w))
              w = assert(widgets.rotate_secret(w))
              print(w.secret:reveal(), tostring(w.secret))
              assert(widgets.update(w, { name = w.name .. "!" }))
            end
        """, "-o", "plan.json", "--verbose")
        text = done.out + done.err
        for path in self.home.rglob("*"):
            text += path.read_bytes().decode(errors="replace") if path.is_file() else ""
        for secret in (*self.secrets, TOKEN):
            self.assertNotIn(secret, text)
        self.assertIsNone(SECRET.search(text))
        self.assertNotIn("planned-secret", (self.home / "plan.json").read_text())
        self.assertIn("planned-secret-0001\t[secret]", done.err)

    def test_output_that_is_lost(self):
        script = self.script("local widgets = require 'turnstile'.widgets " + self.CODE)
        with open("/dev/full", "w", encoding="utf-8") as full:
            process = self.start("plan", script, sandbox=self.sandbox, stdout=full)
            done = process.finish()
        self.assert_status(done, 1)
        self.assertIn("cannot write to standard output", done.err)


class Usage(Case):
    def test_what_is_wrong_with_the_command_line(self):
        for arguments in (["plan"], ["plan", "--nonsense", "x.lua"], ["plan", "none.lua"],
                          ["plan", "-o", "a", "-o", "b", "x.lua"]):
            with self.subTest(arguments):
                done = self.run_tshost(*arguments)
                self.assert_status(done, 2)
                self.assertEqual(done.out, "")

    def test_help(self):
        done = self.run_tshost("plan", "--help")
        self.assert_status(done, 0)
        self.assertIn("--output", done.out)
        self.assertIn("--sandbox", done.out)

    def test_without_an_account(self):
        done = self.run_tshost("plan", self.script("require 'turnstile'.widgets.all()"))
        self.assert_status(done, 2)
        self.assertIn("no account", done.err)
        done = self.run_tshost("plan", "--account", ACCOUNT,
                               self.script("require 'turnstile'.widgets.all()"))
        self.assert_status(done, 8)


if __name__ == "__main__":
    unittest.main()
