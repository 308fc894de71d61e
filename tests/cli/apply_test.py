# SPDX-License-Identifier: MIT
"""tshost apply: exactly what the plan says, over what the plan saw, once."""

import json
import sqlite3
import subprocess
import unittest

import plans
from host import ACCOUNT, Case, Sandbox
from plans import Plan

PATH = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets"
WRITES = ("create", "update", "delete", "rotate")


class ApplyCase(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox("--entitle", "any-hostname"))

    def plan(self, *steps, **more):
        return Plan(self.sandbox, *steps, **more).save(self.home / "plan.json")

    def apply(self, path, *options, **more):
        return self.run_tshost("apply", *options, path, sandbox=self.sandbox, **more)

    def edit(self, widget, **fields):
        """Somebody else's edit."""
        body = {**plans.saw(widget), **fields}
        body.pop("region", None)
        edited = self.sandbox.ask("PUT", f"{PATH}/{widget['sitekey']}", body)
        del edited["secret"]  # as lists have it
        return edited

    def widget(self, sitekey):
        return next((w for w in self.sandbox.widgets() if w["sitekey"] == sitekey), None)

    def writes_from(self, count):
        """The writes among the requests behind the first `count`."""
        return [op for op, _ in self.sandbox.requests()[count:] if op in WRITES]

    def journal(self, query):
        with sqlite3.connect(self.home / "tshost" / "journal.db") as journal:
            return journal.execute(query).fetchall()


class Apply(ApplyCase):
    def test_each_kind_of_step_once_and_nothing_else(self):
        shop, old = self.sandbox.create("shop"), self.sandbox.create("old")
        acme = plans.create("planned-0001")
        path = self.plan(
            acme,
            plans.update(acme["set"], {"domains": ["b.example"]}, "planned-0001"),
            plans.write("planned-0001", "acme.secret"),
            plans.rotate(shop),
            plans.pipe(shop["sitekey"], "/bin/sh", "-c", "cat > shop.secret"),
            plans.delete(old),
            directory=str(self.home))
        before = len(self.sandbox.requests())
        done = self.apply(path, "--allow", "delete,rotate")
        self.assert_status(done, 0)
        self.assertEqual(sorted(self.writes_from(before)), ["create", "delete", "rotate", "update"])
        self.assertIn("1 created, 1 updated, 1 deleted, 1 rotated", done.err)
        left = {w["name"]: w for w in self.sandbox.widgets()}
        self.assertEqual(set(left), {"acme", "shop"})
        self.assertEqual(left["acme"]["domains"], ["b.example"])
        secrets = {name: self.sandbox.ask("GET", f"{PATH}/{w['sitekey']}")["secret"]
                   for name, w in left.items()}
        self.assertEqual((self.home / "acme.secret").read_text().strip(), secrets["acme"])
        self.assertEqual((self.home / "shop.secret").read_text().strip(), secrets["shop"])

    def test_steps_and_plan_are_in_the_journal(self):
        acme = plans.create("planned-0001")
        path = self.plan(acme, plans.write("planned-0001", self.home / "a"),
                         plans.pipe("planned-0001", "wc", "-c"))
        self.assert_status(self.apply(path), 0)
        self.assertEqual(self.journal("SELECT op, step FROM operation ORDER BY step"),
                         [("create", 1), ("write", 2), ("pipe", 3)])
        [(command, plan_id, steps)] = self.journal("SELECT command, plan_id, plan FROM run")
        self.assertEqual((command, plan_id), ("apply", json.loads(path.read_text())["plan"]))
        self.assertEqual([step["op"] for step in json.loads(steps)], ["create", "write", "pipe"])

    def test_a_second_time_is_refused(self):
        path = self.plan(plans.create("planned-0001"))
        self.assert_status(self.apply(path), 0)
        before = len(self.sandbox.requests())
        done = self.apply(path)
        self.assert_status(done, 5)
        [(run,)] = self.journal("SELECT id FROM run")
        self.assertIn(run, done.err)
        self.assertEqual(self.writes_from(before), [])
        self.assertEqual(len(self.sandbox.widgets()), 1)

    def test_a_plan_without_steps(self):
        done = self.apply(self.plan())
        self.assert_status(done, 0)
        self.assertIn("the plan changes nothing", done.err)

    def test_many_widgets_cost_one_list(self):
        widgets = [self.sandbox.create(f"w{i}") for i in range(40)]
        path = self.plan(*(plans.update(w, {"name": "new " + w["name"]}) for w in widgets))
        before = len(self.sandbox.requests())
        self.assert_status(self.apply(path), 0)
        asked = [op for op, _ in self.sandbox.requests()[before:]]
        self.assertEqual((asked.count("list"), asked.count("get"), asked.count("update")), (1, 0, 40))

    def test_fresh_0_reads_each_widget(self):
        widgets = [self.sandbox.create(f"w{i}") for i in range(5)]
        path = self.plan(*(plans.update(w, {"name": "new " + w["name"]}) for w in widgets))
        before = len(self.sandbox.requests())
        self.assert_status(self.apply(path, "--fresh", "0"), 0)
        asked = [op for op, _ in self.sandbox.requests()[before:]]
        self.assertEqual((asked.count("get"), asked.count("update")), (5, 5))


SCRIPT = """
  local widgets = require "turnstile".widgets
  local task = require "task"
  local all = widgets.all { order = "name", direction = "asc" }
  task.each(all, function(w)
    if w.name ~= "w0" and w.name ~= "w1" then
      assert(widgets.update(w, { domains = { add = { "more.example" } } }))
    end
  end)
  local rotated = assert(widgets.rotate_secret(all[1]))
  assert(rotated.secret:write "rotated")
  assert(widgets.delete(all[2]))
  local new = assert(widgets.create { name = "new", domains = { "n.example" }, mode = "managed" })
  assert(widgets.update(new, { mode = "invisible" }))
  assert(new.secret:pipe { "/bin/sh", "-c", "cat > piped" })
  local short = assert(widgets.create { name = "short", domains = { "n.example" }, mode = "managed" })
  assert(widgets.delete(short))"""
NEEDS = ("--allow", "delete=2,rotate=1", "--max-create", "2", "--max-update", "7")


class Planned(ApplyCase):
    """Plans as tshost plan saves them."""

    def setUp(self):
        super().setUp()
        self.keys = [self.sandbox.create(f"w{i}")["sitekey"] for i in range(8)]
        done = self.run_tshost("plan", "-o", "plan.json", self.script(SCRIPT), sandbox=self.sandbox)
        self.assert_status(done, 3)
        self.plan = self.home / "plan.json"
        self.sandbox.ask("DELETE", "/sandbox/requests")

    def test_its_operations_and_no_others(self):
        self.assert_status(self.apply(self.plan, *NEEDS, directory="/"), 0)
        planned = [step["op"] for step in json.loads(self.plan.read_text())["steps"]]
        self.assertEqual(sorted(self.writes_from(0)),
                         sorted(op for op in planned if op in WRITES))
        left = {w["name"]: w for w in self.sandbox.widgets()}
        self.assertEqual(set(left), {"w0", "w2", "w3", "w4", "w5", "w6", "w7", "new"})
        self.assertEqual(left["new"]["mode"], "invisible")
        for i in range(2, 8):
            self.assertEqual(left[f"w{i}"]["domains"], ["acme.example", "more.example"])
        for name, file in (("w0", "rotated"), ("new", "piped")):
            secret = self.sandbox.ask("GET", f"{PATH}/{left[name]['sitekey']}")["secret"]
            self.assertEqual((self.home / file).read_text().strip(), secret)

    def test_the_options_that_it_names_are_those_it_needs(self):
        options = json.loads(self.plan.read_text())["options"].split()
        self.assertEqual(tuple(options), NEEDS)
        done = self.apply(self.plan)
        self.assert_status(done, 5)
        self.assertIn("--allow delete=2,rotate=1", done.err)
        self.assertEqual(self.writes_from(0), [])

    def test_one_edit_in_between(self):
        edited = self.edit(self.widget(self.keys[5]), mode="invisible")
        self.sandbox.ask("DELETE", "/sandbox/requests")
        done = self.apply(self.plan, "--on-stale", "skip", *NEEDS)
        self.assert_status(done, 6)
        self.assertEqual(self.widget(self.keys[5]), edited)
        self.assertEqual(self.writes_from(0).count("update"), 6)
        self.assert_status(self.apply(self.plan, *NEEDS), 5)

    def test_undone(self):
        before = {w["sitekey"]: plans.saw(w) for w in self.sandbox.widgets()}
        self.assert_status(self.apply(self.plan, *NEEDS), 0)
        done = self.run_tshost("undo", "last", "--allow", "delete=1", sandbox=self.sandbox)
        self.assert_status(done, 0)
        del before[self.keys[1]]  # the plan deleted it
        self.assertEqual({w["sitekey"]: plans.saw(w) for w in self.sandbox.widgets()}, before)


class Stale(ApplyCase):
    def setUp(self):
        super().setUp()
        self.seen = [self.sandbox.create(f"w{i}") for i in range(6)]

    def apply_after_edit(self, step, *options, **fields):
        path = self.plan(step)
        edited = self.edit(self.seen[0], **fields)
        before = len(self.sandbox.requests())
        done = self.apply(path, *options)
        self.assert_status(done, 6)
        self.assertEqual(self.writes_from(before), [])
        self.assertEqual(self.widget(edited["sitekey"]), edited)
        return done

    def test_any_field_counts_and_is_named(self):
        done = self.apply_after_edit(plans.update(self.seen[0], {"name": "new"}), mode="invisible")
        self.assertIn('`mode` is "invisible", expected "managed"', done.err)
        self.assertIn("step 1", done.err)

    def test_domains_are_told_as_a_set(self):
        done = self.apply_after_edit(plans.update(self.seen[0], {"name": "new"}),
                                     domains=["b.example", "c.example"])
        self.assertIn("no longer has acme.example and now has b.example, c.example", done.err)

    def test_domains_in_another_order_are_the_same(self):
        widget = self.edit(self.seen[0], domains=["a.example", "b.example"])
        step = plans.update(widget, {"name": "new"})
        step["saw"]["domains"] = ["B.example", "a.example"]
        self.assert_status(self.apply(self.plan(step)), 0)

    def test_deletes_and_rotations_too(self):
        self.apply_after_edit(plans.delete(self.seen[0]), "--allow", "delete", name="x")
        widget = self.widget(self.seen[0]["sitekey"])
        self.seen[0] = widget
        self.apply_after_edit(plans.rotate(widget), "--allow", "rotate", name="y")

    def test_a_widget_that_is_gone(self):
        path = self.plan(plans.update(self.seen[0], {"name": "new"}))
        self.sandbox.ask("DELETE", f"{PATH}/{self.seen[0]['sitekey']}")
        done = self.apply(path)
        self.assert_status(done, 6)
        self.assertIn("it has been deleted", done.err)

    def test_skip_goes_on_with_the_others(self):
        path = self.plan(*(plans.update(w, {"name": "new " + w["name"]}) for w in self.seen))
        edited = self.edit(self.seen[2], mode="invisible")
        before = len(self.sandbox.requests())
        done = self.apply(path, "--on-stale", "skip")
        self.assert_status(done, 6)
        self.assertEqual(self.writes_from(before), ["update"] * 5)
        self.assertEqual(self.widget(edited["sitekey"]), edited)

    def test_stop_begins_nothing_more(self):
        path = self.plan(*(plans.update(w, {"name": "new " + w["name"]}) for w in self.seen))
        edited = self.edit(self.seen[2], mode="invisible")
        before = len(self.sandbox.requests())
        done = self.apply(path, "--concurrency", "1")
        self.assert_status(done, 6)
        self.assertEqual(self.writes_from(before), ["update"] * 2)
        self.assertEqual(self.widget(edited["sitekey"]), edited)
        for number in (4, 5, 6):
            self.assertIn(f"not done: step {number}: update", done.err)

    def test_later_steps_of_a_stale_widget_are_not_done(self):
        widget = self.seen[0]
        path = self.plan(plans.update(widget, {"name": "new"}),
                         plans.delete({**widget, "name": "new"}),
                         plans.update(self.seen[1], {"name": "other"}))
        self.edit(widget, mode="invisible")
        done = self.apply(path, "--on-stale", "skip", "--allow", "delete")
        self.assert_status(done, 6)
        self.assertIn("not done: step 2: delete", done.err)
        self.assertIsNotNone(self.widget(widget["sitekey"]))
        self.assertEqual(self.widget(self.seen[1]["sitekey"])["name"], "other")

    def test_a_twin_made_since_the_plan(self):
        path = self.plan(plans.create("planned-0001", "twin", ("a.example", "b.example")))
        twin = self.sandbox.create("twin", ("b.example", "a.example"))
        before = len(self.sandbox.requests())
        done = self.apply(path)
        self.assert_status(done, 6)
        self.assertIn(twin["sitekey"], done.err)
        self.assertEqual(self.writes_from(before), [])

    def test_a_twin_that_the_plan_knew_of(self):
        self.sandbox.create("twin")
        path = self.plan(plans.create("planned-0001", "twin"), plans.create("planned-0002", "twin"))
        self.assert_status(self.apply(path), 0)
        self.assertEqual([w["name"] for w in self.sandbox.widgets()].count("twin"), 3)


class Order(ApplyCase):
    def test_what_needs_a_failed_create_is_not_done(self):
        acme = plans.create("planned-0001", bot_fight_mode=True)  # which the account may not
        path = self.plan(acme, plans.update(acme["set"], {"name": "b"}, "planned-0001"),
                         plans.write("planned-0001", self.home / "secret"),
                         plans.create("planned-0002", "other"))
        done = self.apply(path, "--concurrency", "1")
        self.assert_status(done, 4)
        self.assertIn("not done: step 2: update planned-0001, because step 1 failed", done.err)
        self.assertIn("not done: step 3", done.err)
        self.assertFalse((self.home / "secret").exists())
        self.assertEqual([w["name"] for w in self.sandbox.widgets()], ["other"])

    def test_deliveries_to_one_file_keep_their_order(self):
        first, second = plans.create("planned-0001", "a"), plans.create("planned-0002", "b")
        target = self.home / "secret"
        path = self.plan(first, second, plans.write("planned-0001", target),
                         plans.write("planned-0002", target, replace=True))
        self.assert_status(self.apply(path), 0)
        sitekey = next(w["sitekey"] for w in self.sandbox.widgets() if w["name"] == "b")
        secret = self.sandbox.ask("GET", f"{PATH}/{sitekey}")["secret"]
        self.assertEqual(target.read_text().strip(), secret)

    def test_a_failed_delivery_does_not_hold_up_the_widget(self):
        widget = self.sandbox.create("a")
        target = self.home / "there"
        target.write_text("mine")
        path = self.plan(plans.write(widget["sitekey"], target), plans.update(widget, {"name": "b"}))
        done = self.apply(path)
        self.assert_status(done, 4)
        self.assertEqual(self.widget(widget["sitekey"])["name"], "b")
        self.assertEqual(target.read_text(), "mine")

    def test_a_secret_that_can_not_be_read(self):
        path = self.plan(plans.write("0x4AAAAAAAnobody", self.home / "secret"))
        done = self.apply(path)
        self.assert_status(done, 4)
        self.assertIn("reading the secret", done.err)

    def test_directories_are_made_first(self):
        path = self.plan(plans.create("planned-0001"), plans.write("planned-0001", "out/secret"),
                         directories=["out"], directory=str(self.home))
        self.assert_status(self.apply(path, directory="/"), 0)
        self.assertTrue((self.home / "out" / "secret").exists())


class Refused(ApplyCase):
    def check_refused(self, path, *options, status=5):
        before = len(self.sandbox.requests())
        done = self.apply(path, *options)
        self.assert_status(done, status)
        self.assertEqual(self.writes_from(before), [])
        return done

    def test_another_account(self):
        path = self.plan(plans.create("planned-0001"), account="f" * 32)
        self.assertIn("--account " + "f" * 32, self.check_refused(path).err)

    def test_another_base_url(self):
        path = self.plan(plans.create("planned-0001"), base_url="https://api.example/client/v4")
        self.assertIn("--base-url https://api.example/client/v4", self.check_refused(path).err)

    def test_the_same_base_url_written_otherwise(self):
        path = self.plan(plans.create("planned-0001"), base_url=self.sandbox.url + "/")
        self.assert_status(self.apply(path), 0)

    def test_caps_over_the_whole_plan_before_the_first_write(self):
        seen = [self.sandbox.create(f"w{i}") for i in range(4)]
        path = self.plan(plans.create("planned-0001", domains=()), *map(plans.delete, seen[:2]),
                         plans.rotate(seen[2]), plans.update(seen[3], {"name": "b"}))
        done = self.check_refused(path, "--allow", "delete=1", "--max-update", "0")
        options = "--allow delete=2,rotate=1,any-hostname=1 --max-update 1"
        self.assertIn(options, done.err)
        self.assert_status(self.apply(path, *options.split()), 0)

    def test_read_only(self):
        path = self.plan(plans.create("planned-0001"))
        self.assertIn("--read-only", self.check_refused(path, "--read-only").err)

    def test_a_plan_that_could_not_be_begun_was_not_applied(self):
        first, second = self.sandbox.create("a"), self.sandbox.create("b")
        for step in (plans.update(first, {"name": "c"}), plans.rotate(second),
                     plans.write(second["sitekey"], self.home / "secret"),
                     plans.create("planned-0001")):
            with self.subTest(step["op"]):
                path = self.plan(step)
                for token in ("wrong", None):
                    done = self.apply(path, "--allow", "rotate",
                                      environment={"CLOUDFLARE_API_TOKEN": token})
                    self.assert_status(done, 8)
                with self.holder():
                    self.assert_status(self.apply(path, "--allow", "rotate"), 7)
                self.assert_status(self.apply(path, "--allow", "rotate"), 0)

    def holder(self):
        """Another run, which has the account."""
        process = self.start("-e", """
            local widgets = require "turnstile".widgets
            widgets.all()
            print "ready"
            io.flush()
            io.read()""", sandbox=self.sandbox, stdin=subprocess.PIPE)
        process.wait_for_line()
        return process

    def test_usage(self):
        for arguments in ((), ("a", "b"), ("--on-stale", "x", "a"), ("/no/such/file",), ("/",)):
            with self.subTest(arguments):
                done = self.run_tshost("apply", *arguments, sandbox=self.sandbox)
                self.assert_status(done, 2)
                self.assertEqual(len(done.lines), 1)

    def test_help(self):
        done = self.run_tshost("apply", "--help")
        self.assert_status(done, 0)
        self.assertIn("--on-stale", done.out)
        self.assertNotIn("--execute", done.out)


WIDGET = {"sitekey": "0x4AAAAAAAwidget", "name": "a", "domains": ["a.example"], "mode": "managed"}

# How a plan is spoiled, and what is said of it.
SPOILED = {
    "format": (lambda p: p.update(format="x"), "is no plan"),
    "version": (lambda p: p.update(version=2), "plan format 2"),
    "no version": (lambda p: p.pop("version"), "`version`"),
    "unknown member": (lambda p: p.update(extra=1), "`extra` is not known"),
    "no steps": (lambda p: p.pop("steps"), "`steps` is missing"),
    "id": (lambda p: p.update(plan="a b"), "`plan`"),
    "created": (lambda p: p.update(created="today"), "`created`"),
    "no directory": (lambda p: p.pop("directory"), "step 3: `path` must begin with a slash"),
    "directory": (lambda p: p.update(directory="here"), "`directory`"),
    "no account": (lambda p: p.update(account=""), "`account`"),
    "steps are an object": (lambda p: p.update(steps={"a": 1}), "`steps` must be a list"),
    "a step is a number": (lambda p: p["steps"].insert(0, 7), "step 1: `op`"),
    "op": (lambda p: p["steps"][0].update(op="reveal"), "step 1: `op`"),
    "unknown in a step": (lambda p: p["steps"][0].update(x=1), "step 1: `x` is not known"),
    "missing in a step": (lambda p: p["steps"][1].pop("saw"), "step 2: `saw` is missing"),
    "bad field": (lambda p: p["steps"][1]["set"].update(mode="x"), "step 2: `set`"),
    "fixed field": (lambda p: p["steps"][1]["set"].update(region="china"), "step 2: `set`"),
    "unknown field": (lambda p: p["steps"][1]["set"].update(secret="x"), "step 2: `set`"),
    "null field": (lambda p: p["steps"][1]["set"].update(name=None), "step 2: `set`"),
    "bad saw": (lambda p: p["steps"][1]["saw"].update(secret="x"), "step 2: `saw`"),
    "empty set": (lambda p: p["steps"][1].update(set={}), "`set` is empty"),
    "sitekey": (lambda p: p["steps"][1].update(sitekey="../x"), "step 2: `sitekey`"),
    "long sitekey": (lambda p: p["steps"][1].update(sitekey="x" * 99), "step 2: `sitekey`"),
    "placeholder before it is made": (lambda p: p["steps"].reverse(), "made by a later step"),
    "placeholder twice": (lambda p: p["steps"].append(p["steps"][0]), "`new` is that of step 1"),
    "after a delete": (lambda p: p["steps"].extend([plans.delete(WIDGET), plans.delete(WIDGET)]),
                       "is deleted by step"),
    "empty path": (lambda p: p["steps"].append(plans.write("planned-0001", "")), "`path`"),
    "NUL in a path": (lambda p: p["steps"].append(plans.write("planned-0001", "a\0b")), "`path`"),
    "empty command": (lambda p: p["steps"].append(plans.pipe("planned-0001")), "`command`"),
    "timeout": (lambda p: p["steps"].append({**plans.pipe("planned-0001", "true"), "timeout": -1}),
                "`timeout`"),
    "hostile name": (lambda p: p.update({"\x1b[2Jx\n": 1}), "is not known"),
}


class Spoiled(ApplyCase):
    def good(self):
        acme = plans.create("planned-0001")
        return Plan(self.sandbox, acme, plans.update(WIDGET, {"name": "b"}),
                    plans.write("planned-0001", "x"), directory=str(self.home)).content

    def check_unread(self, data, said):
        path = self.home / "plan.json"
        path.write_bytes(data)
        done = self.apply(path)
        self.assert_status(done, 2)
        self.assertEqual(len(done.lines), 1, done)
        self.assertIn(said, done.err)
        self.assertNotIn("\x1b", done.err)
        self.assertEqual([op for op, _ in self.sandbox.requests()], [])

    def test_plans_that_were_edited(self):
        for what, (spoil, said) in SPOILED.items():
            with self.subTest(what):
                plan = self.good()
                spoil(plan)
                self.check_unread(json.dumps(plan).encode(), said)

    def test_plans_that_were_cut_off(self):
        text = json.dumps(self.good(), indent=1).encode()
        for length in {1, 2, 30, len(text) // 2, len(text) - 2}:
            with self.subTest(length):
                self.check_unread(text[:length], "damaged at line")

    def test_what_is_no_plan(self):
        for data, said in ((b"", "empty"), (b"\0" * 100, "is no plan"), (b"[1]", "is no plan"),
                           (b"print(1)", "is no plan"), (b"{}", "is no plan"),
                           (b'{"a":' * 5000, "damaged at line"), (b'{"\xff\xfe":1}', "is no plan"),
                           (b"{" + b" " * (65 << 20), "larger than 64 MiB")):
            with self.subTest(data[:20]):
                self.check_unread(data, said)

    def test_bytes_that_were_changed(self):
        text = json.dumps(self.good()).encode()
        for at in range(0, len(text), 7):
            path = self.home / "plan.json"
            path.write_bytes(text[:at] + b"\x01" + text[at + 1:])
            done = self.apply(path, "--read-only")  # should it be read as a plan all the same
            self.assertIn(done.status, (2, 5), done)
            self.assertNotIn("traceback", done.err)


if __name__ == "__main__":
    unittest.main()
