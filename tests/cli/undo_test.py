# SPDX-License-Identifier: MIT
"""tshost undo: what a run has done is taken back, and what others have done since is kept."""

import json
import os
import random
import unittest

import plans
from host import ACCOUNT, Case, Process, Sandbox

PATH = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets"
WRITES = ("create", "update", "delete", "rotate")
CASES = int(os.environ.get("UNDO_CASES", "12"))
SEED = int(os.environ.get("UNDO_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)


class UndoCase(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox("--entitle", "any-hostname"))

    def run_script(self, code, *options, status=0):
        """Runs it and returns the run's id."""
        done = self.lua(code, "--allow", "delete,rotate,any-hostname", *options,
                        sandbox=self.sandbox)
        self.assert_status(done, status)
        return self.runs()[0]["run"]

    def runs(self):
        out = self.run_tshost("log", "--json", sandbox=self.sandbox).out
        return [json.loads(line) for line in out.splitlines()]

    def undo(self, *arguments, status=0):
        before = len(self.sandbox.requests())
        done = self.run_tshost("undo", *arguments, sandbox=self.sandbox)
        self.assert_status(done, status)
        self.writes = [op for op, _ in self.sandbox.requests()[before:] if op in WRITES]
        return done

    def edit(self, sitekey, **fields):
        """Somebody else's edit."""
        widget = next(w for w in self.sandbox.widgets() if w["sitekey"] == sitekey)
        body = {**plans.saw(widget), **fields}
        body.pop("region", None)
        self.sandbox.ask("PUT", f"{PATH}/{sitekey}", body)

    def delete(self, sitekey):
        self.sandbox.ask("DELETE", f"{PATH}/{sitekey}")

    def fields(self):
        """The writable fields of all widgets, by sitekey."""
        return {w["sitekey"]: {**plans.saw(w), "domains": sorted(w["domains"])}
                for w in self.sandbox.widgets()}


class Undo(UndoCase):
    def setUp(self):
        super().setUp()
        self.keys = [self.sandbox.create(f"w{i}", [f"w{i}.example"])["sitekey"] for i in range(4)]
        self.before = self.fields()

    def test_everything_goes_back(self):
        self.run_script(f"""
            local w = assert(widgets.create {{ name = "new", domains = {{ "a.example" }}, mode = "managed" }})
            assert(widgets.update(w, {{ name = "newer" }}))
            local u = assert(widgets.update("{self.keys[0]}", {{ name = "x" }}))
            u = assert(widgets.update(u, {{ domains = {{ add = {{ "b.example" }} }}, mode = "invisible" }}))
            assert(widgets.update(u, {{ name = "y" }}))
            assert(widgets.update("{self.keys[1]}", {{ domains = {{}} }}))""")
        done = self.undo("last", "--allow", "delete=1")
        self.assertEqual(self.fields(), self.before)
        self.assertEqual(sorted(self.writes), ["delete", "update", "update"])
        self.assertIn("2 updated, 1 deleted", done.err)

    def test_other_fields_that_others_have_edited_are_kept(self):
        self.run_script(f'assert(widgets.update("{self.keys[0]}", {{ name = "x" }}))')
        self.edit(self.keys[0], mode="invisible", domains=["b.example"])
        self.undo("last")
        self.assertEqual(self.fields()[self.keys[0]], {
            **self.before[self.keys[0]], "mode": "invisible", "domains": ["b.example"]})

    def test_conflicts_are_shown_and_the_others_done(self):
        self.run_script(f"""
            assert(widgets.update("{self.keys[0]}", {{ name = "x", mode = "invisible" }}))
            assert(widgets.update("{self.keys[1]}", {{ name = "y" }}))""")
        self.edit(self.keys[0], mode="non-interactive")
        left = self.fields()[self.keys[0]]
        done = self.undo("last", status=6)
        self.assertEqual(self.fields(), {**self.before, self.keys[0]: left})
        self.assertIn(self.keys[0], done.err)
        self.assertIn('`mode` is "non-interactive", expected "invisible"', done.err)

    def test_created_widgets_only_as_they_were_left(self):
        run = self.run_script("""
            for i = 1, 3 do
              assert(widgets.create { name = "n" .. i, domains = { "a.example" }, mode = "managed" })
            end""")
        made = {w["name"]: w["sitekey"] for w in self.sandbox.widgets() if w["name"][0] == "n"}
        self.edit(made["n1"], domains=["b.example"])
        self.delete(made["n2"])
        done = self.undo(run, status=5)
        self.assertIn("--allow delete=1", done.err)
        self.assertEqual(self.writes, [])
        done = self.undo(run, "--allow", "delete=1", status=6)
        self.assertEqual(set(self.fields()) - set(self.before), {made["n1"]})
        self.assertIn(made["n1"], done.err)

    def test_what_can_not_be_undone_is_told(self):
        self.run_script(f"""
            assert(widgets.delete("{self.keys[0]}"))
            local w = assert(widgets.rotate_secret("{self.keys[1]}"))
            w.secret:write "secret"
            assert(widgets.rotate_secret("{self.keys[2]}", {{ invalidate_immediately = true }}))""")
        done = self.undo("last")
        self.assertEqual(self.writes, [])
        for text in (f'{self.keys[0]} "w0": deleted', f'{self.keys[1]} "w1": secret rotated:',
                     f'{self.keys[2]} "w2": secret rotated at once',
                     f"stays in {self.home}/secret", "nothing to undo"):
            self.assertIn(text, done.err)

    def test_dry_run_shows_and_writes_nothing(self):
        run = self.run_script(f"""
            assert(widgets.create {{ name = "new", domains = {{ "a.example" }}, mode = "managed" }})
            assert(widgets.update("{self.keys[0]}", {{ domains = {{ "b.example" }} }}))
            assert(widgets.update("{self.keys[1]}", {{ name = "\\27[2Jx" }}))
            assert(widgets.update("{self.keys[2]}", {{ name = "z" }}))""")
        self.edit(self.keys[2], name="other")
        count = len(self.runs())
        done = self.undo("--dry-run", run, status=3)
        self.assertEqual((self.writes, len(self.runs())), ([], count))
        for text in ("- b.example", "+ w0.example", '"?[2Jx" -> "w1"', "Undo: 2 to change, 1 to delete",
                     "Needs: --allow delete=1", "Conflicts, left as they are:",
                     f'{self.keys[2]} "z": changed since: `name` is "other", expected "z"'):
            self.assertIn(text, done.out)
        self.assertNotIn("\x1b", done.out)

    def test_dry_run_of_nothing(self):
        self.run_script(f'assert(widgets.delete("{self.keys[0]}"))')
        self.assertIn("Undo: no changes", self.undo("--dry-run", "last").out)

    def test_a_second_time_there_is_nothing_to_do(self):
        run = self.run_script(f'assert(widgets.update("{self.keys[0]}", {{ name = "x" }}))')
        self.undo(run)
        by = self.runs()[0]["run"]
        done = self.undo(run)
        self.assertIn(f"nothing to undo of run {run}, which run {by} has undone", done.err)
        self.assertEqual((self.writes, self.runs()[0]["run"]), ([], by))

    def test_an_undo_can_be_undone(self):
        run = self.run_script(f'assert(widgets.update("{self.keys[0]}", {{ name = "x", domains = {{}} }}))')
        after = self.fields()
        self.undo(run)
        self.assertEqual(self.fields(), self.before)
        undo = self.runs()[0]
        self.assertEqual((undo["command"], undo["of"]), ("undo", run))
        self.undo("last", "--allow", "any-hostname=1")
        self.assertEqual(self.fields(), after)

    def test_an_apply_can_be_undone(self):
        path = plans.Plan(self.sandbox, plans.create("planned-0001"), plans.update(
            {"sitekey": self.keys[0], **self.before[self.keys[0]]}, {"name": "x"})).save(
                self.home / "plan.json")
        self.assert_status(self.run_tshost("apply", path, sandbox=self.sandbox), 0)
        self.undo("last", "--allow", "delete")
        self.assertEqual(self.fields(), self.before)

    def test_writes_that_were_not_applied_are_none(self):
        self.run_script(f"""
            widgets.update("0x4AAAAAAAnobody", {{ name = "x" }})
            assert(widgets.update("{self.keys[0]}", {{ name = "x" }}))""", status=4)
        self.undo("last")
        self.assertEqual(self.writes, ["update"])
        self.assertEqual(self.fields(), self.before)

    def test_doubt_is_settled_first(self):
        self.sandbox.fault(op="update", kind="drop")
        self.sandbox.fault(op="get", nth=2, kind="502", times=1000)
        run = self.run_script(f'widgets.update("{self.keys[0]}", {{ name = "x" }})', "--max-wait",
                              "0", status=10)
        done = self.undo(run, status=10)
        self.assertIn(f"tshost resume {run}", done.err)
        self.assertEqual(self.writes, [])

    def test_what_is_no_run(self):
        for arguments in ((), ("a", "b"), ("nosuchrun",)):
            with self.subTest(arguments):
                self.undo(*arguments, status=2)

    def test_where_the_run_was_its_undo_is(self):
        run = self.run_script(f'assert(widgets.update("{self.keys[0]}", {{ name = "x" }}))')
        environment = {"CLOUDFLARE_BASE_URL": "http://127.0.0.1:9/client/v4",
                       "CLOUDFLARE_ACCOUNT_ID": "f" * 32}
        done = self.run_tshost("undo", run, sandbox=self.sandbox, environment=environment)
        self.assert_status(done, 0)
        self.assertEqual(self.fields(), self.before)

    def test_a_sandbox_file(self):
        code = 'require "turnstile".widgets.create { name = "n", domains = { "a.example" }, mode = "managed" }'
        self.assert_status(self.run_tshost("--sandbox=fleet.db", "-e", code), 0)
        done = self.run_tshost("undo", "last", "--allow", "delete")
        self.assert_status(done, 0)
        count = 'print(#require "turnstile".widgets.all())'
        self.assertEqual(self.run_tshost("--sandbox=fleet.db", "-e", count).out, "0\n")

    def test_other_accounts_of_the_run(self):
        other = "f" * 32
        prelude = f"""
            local turnstile = require "turnstile"
            local ours = turnstile.widgets
            local theirs = turnstile.client {{ account_id = "{other}" }}.widgets
            local new = {{ name = "n", domains = {{ "a.example" }}, mode = "managed" }}\n"""
        run = ("--sandbox=fleet.db", "-e")
        self.assert_status(self.run_tshost(
            *run, prelude + "assert(ours.create(new)); assert(theirs.create(new))"), 0)
        self.assert_status(self.run_tshost(*run, prelude + """
            for _, widgets in ipairs { ours, theirs } do
              assert(widgets.update(widgets.all()[1], { name = "x" }))
              assert(widgets.create(new))
            end"""), 0)
        self.assert_status(self.run_tshost("undo", "last", "--allow", "delete=2"), 0)
        done = self.run_tshost(*run, prelude + """
            for _, widgets in ipairs { ours, theirs } do
              for w in widgets.list() do print(w.name) end
            end""")
        self.assertEqual(done.out, "n\nn\n")

    def test_help(self):
        done = self.run_tshost("undo", "--help")
        self.assert_status(done, 0)
        self.assertIn("--dry-run", done.out)


NAMES = ("a", "b", "c", "d")
MODES = ("managed", "invisible", "non-interactive")
DOMAINS = ("a.example", "b.example", "c.example", "d.example")


def random_fields(chance):
    fields = {}
    while not fields:
        if chance.random() < 0.5:
            fields["name"] = chance.choice(NAMES)
        if chance.random() < 0.4:
            fields["mode"] = chance.choice(MODES)
        if chance.random() < 0.5:
            fields["domains"] = chance.sample(DOMAINS, chance.randrange(0, 4))
    return fields


def lua_fields(fields):
    parts = []
    for name, value in fields.items():
        if name == "domains":
            parts.append("domains = {" + ", ".join(f'"{domain}"' for domain in value) + "}")
        else:
            parts.append(f'{name} = "{value}"')
    return "{ " + ", ".join(parts) + " }"


class Property(UndoCase):
    """Random scripts, and random edits of others between run and undo."""

    def run_tshost(self, *arguments, sandbox=None):
        with Process(arguments, self.environment(sandbox), self.home) as process:
            done = process.finish()  # and is closed, as there may be thousands
        self.check_secrets(done)
        return done

    def random_script(self, chance, keys):
        lines, alive, rotated = ["local made = {}"], [f'"{key}"' for key in keys], set()
        for _ in range(chance.randrange(1, 14)):
            what = chance.random()
            if what < 0.2 or not alive:
                made = len(lines)
                fields = {"name": "a", "domains": ["a.example"], "mode": "managed",
                          **random_fields(chance)}
                lines.append(f"made[{made}] = assert(widgets.create {lua_fields(fields)}).sitekey")
                alive.append(f"made[{made}]")
            elif what < 0.85:
                fields = lua_fields(random_fields(chance))
                lines.append(f"assert(widgets.update({chance.choice(alive)}, {fields}))")
            elif what < 0.93:
                subject = chance.choice(alive)
                if subject not in rotated:  # else the service refuses it for two hours
                    lines.append(f"assert(widgets.rotate_secret({subject}))")
                rotated.add(subject)
            else:
                lines.append(f"assert(widgets.delete({alive.pop(chance.randrange(len(alive)))}))")
        return "\n".join(lines)

    def edit_at_random(self, chance):
        for sitekey in self.fields():
            what = chance.random()
            if what < 0.4:
                self.edit(sitekey, **random_fields(chance))
            elif what < 0.5:
                self.delete(sitekey)

    @staticmethod
    def expected(before, left, now):
        """How the widget should be after the undo, and whether there is a conflict."""
        if before is None:
            is_conflict = now is not None and now != left
            return (now if is_conflict else None), is_conflict
        changed = [name for name in before if left[name] != before[name]]
        if now is None:
            return None, bool(changed)
        if any(now[name] not in (left[name], before[name]) for name in changed):
            return now, True
        return {**now, **{name: before[name] for name in changed}}, False

    def one(self, seed):
        chance = random.Random(seed)
        for sitekey in self.fields():
            self.delete(sitekey)
        keys = [self.sandbox.create("abc"[i % 3], [DOMAINS[i % 4]])["sitekey"] for i in range(6)]
        before = self.fields()
        count = len(self.runs())
        self.run_script(self.random_script(chance, keys))
        if len(self.runs()) == count:
            return  # it had nothing to change
        left = self.fields()
        self.edit_at_random(chance)
        now = self.fields()
        wanted, conflicts = {}, []
        for sitekey in {**before, **left}:
            if sitekey not in left:
                continue  # the run deleted it
            fields, is_conflict = self.expected(before.get(sitekey), left[sitekey], now.get(sitekey))
            if fields:
                wanted[sitekey] = fields
            if is_conflict:
                conflicts.append(sitekey)
        done = self.undo("last", "--allow", "delete,any-hostname", status=6 if conflicts else 0)
        self.assertEqual(self.fields(), wanted, done)
        for sitekey in conflicts:
            self.assertIn(sitekey, done.err)

    def test_each_widget_ends_as_before_or_untouched_and_reported(self):
        print(f"UNDO_SEED={SEED} UNDO_CASES={CASES}", flush=True)
        for case in range(CASES):
            with self.subTest(seed=SEED + case):
                self.one(SEED + case)


if __name__ == "__main__":
    unittest.main()
