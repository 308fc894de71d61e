# SPDX-License-Identifier: MIT
"""How few requests a bulk edit costs, and that nothing of others is lost for it. What counts is what
the sandbox was asked, and what it holds in the end."""

import random
import unittest

from host import ACCOUNT, IS_SANITIZED, Case, Sandbox

FLEET = 2000 if IS_SANITIZED else 10000
CHANGED = FLEET // 4
EDITS = 100 if IS_SANITIZED else 1000
FAST = ("--rate", "1000000/1")
KEY = "0x4AAAAAAAfleet-{:09}"


def row(number, **fields):
    return {
        "sitekey": KEY.format(number), "name": f"fleet {number}", "mode": "managed",
        "domains": [f"d{number}.example"], "region": "world", "clearance_level": "no_clearance",
        "bot_fight_mode": False, "ephemeral_id": False, "offlabel": False,
        "created_on": "2026-01-02T03:04:05.5Z", "modified_on": "2026-01-02T03:04:05.5Z", **fields,
    }


# An edit by somebody else, in the script's own process: a client of its own knows nothing of ours.
OTHER = f"""
  local other = turnstile.client {{ account_id = '{ACCOUNT}' }}.widgets """


class Fresh(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())

    def fill(self, count, **fields):
        for start in range(0, count, 1000):
            rows = [row(n, **fields) for n in range(start, min(start + 1000, count))]
            self.sandbox.ask("POST", f"/sandbox/accounts/{ACCOUNT}/widgets", {"result": rows})
        self.sandbox.ask("DELETE", "/sandbox/requests")

    def operations(self):
        operations = [operation for operation, _ in self.sandbox.requests()]
        self.sandbox.ask("DELETE", "/sandbox/requests")
        return operations

    def run_with(self, code, *options, status=0):
        done = self.lua(code, *FAST, *options, sandbox=self.sandbox)
        self.assert_status(done, status)
        return done

    def test_a_script_that_keeps_the_loop_to_itself(self):
        """What it was told is too old by the time at which the update can leave."""
        self.fill(1)
        self.run_with(f"""
          local w = assert(widgets.get "{KEY.format(0)}")
          task.each({{ true, false }}, function(is_update)
            if is_update then
              assert(widgets.update(w, {{ name = "new" }}))
            else
              local till = os.clock() + 1.1
              repeat until os.clock() > till
            end
          end)""", "--fresh", "1")
        self.assertEqual(self.operations(), ["get", "list", "update"])

    def test_a_bulk_edit_reads_nothing_but_the_list(self):
        self.fill(FLEET)
        code = f"""
          local n = 0
          task.each(widgets.all(), function(w)
            n = n + 1
            if n % 4 == 0 then
              local new = assert(widgets.update(w, {{ domains = {{ add = {{ 'new.example' }} }} }}))
              assert(#new.domains == 2)
            else
              assert(widgets.update(w, {{ mode = 'managed' }}) == w)
            end
          end, {{ concurrency = 64 }})"""
        pages = FLEET // 1000
        options = ("--concurrency", "64", "--fresh", "600")
        done = self.run_with(code, *options)
        self.assertEqual(sorted(self.operations()), pages * ["list"] + CHANGED * ["update"])
        self.assertIn(f"{CHANGED:,} updated".replace(",", ""), done.err.replace(",", ""))
        self.run_with(code, *options)
        self.assertEqual(self.operations(), pages * ["list"])

    def test_one_look_vouches_for_all_rows(self):
        self.fill(300)
        self.run_with("""
          local all = widgets.all()
          task.sleep(1)
          task.each(all, function(w) assert(widgets.update(w, { mode = 'invisible' })) end)""",
                      "--fresh", "1")
        operations = self.operations()
        self.assertEqual(operations.count("update"), 300)
        self.assertEqual(operations.count("get"), 0)
        self.assertLessEqual(operations.count("list"), 3)  # the list, a look, one more if it is slow

    def test_what_somebody_else_changed_is_read_again(self):
        self.fill(300)
        self.run_with(OTHER + """
          local all = widgets.all()
          assert(other.update(all[7].sitekey, { domains = { add = { 'theirs.example' } } }))
          assert(other.update(all[8].sitekey, { mode = 'invisible' }))
          task.sleep(1)
          for i = 1, 20 do
            assert(widgets.update(all[i], { domains = { add = { 'ours.example' } } }))
          end
          assert(#widgets.get(all[7]).domains == 3)
          assert(widgets.get(all[8]).mode == 'invisible')""", "--fresh", "1")
        operations = self.operations()
        self.assertEqual(operations.count("get"), 2 + 2 + 2)  # the others', ours, the two at the end
        self.assertEqual(operations.count("update"), 22)

    def test_a_conflict_is_told_with_both_versions(self):
        self.fill(3)
        code = OTHER + """
          local w = widgets.all()[1]
          assert(other.update(w.sitekey, { name = 'theirs', mode = 'invisible' }))
          local new, err = widgets.update(w, { name = 'ours', domains = { 'ours.example' } })
          assert(not new)
          print(err.kind, err.outcome, err.expected == w, err.actual.name, err)
          -- What they have set as we want it is no conflict, nor is what we do not name.
          assert(widgets.update(w, { mode = 'invisible' }).name == 'theirs')
          assert(widgets.update(w, { domains = { add = { 'x.example' } } }).name == 'theirs')
          assert(widgets.update(w.sitekey, { name = 'ours' }).name == 'ours')"""
        done = self.run_with(code, "--fresh", "0", status=6)
        self.assertRegex(done.out, r"stale\tnot_applied\ttrue\ttheirs\tupdate 0x4\S+: somebody else "
                         r"has changed `name` since it was read; nothing was sent")
        self.assertIn("1 stale", done.err)
        self.assertRegex(done.err, r"stale: \S*script.lua:\d+: update 0x4")
        self.run_with(code.replace("assert(not new)", "err:forgive 'fine'"), "--fresh", "0")

    def test_our_own_writes_are_no_conflicts(self):
        self.fill(2)
        self.run_with("""
          local w = widgets.all()[1]
          assert(widgets.update(w, { name = 'a', domains = { add = { 'a.example' } } }))
          local now = assert(widgets.update(w, { mode = 'invisible' }))
          assert(now.name == 'a' and #now.domains == 2)
          now = assert(widgets.update(w, { name = 'b' }))
          assert(now.name == 'b' and now.mode == 'invisible')
          assert(widgets.update(now, { name = 'c' }).name == 'c')""")
        self.assertEqual(self.operations(),
                         ["list", "update", "get", "update", "get", "update", "update"])

    def test_tasks_that_change_the_same_widget_take_turns(self):
        self.fill(1)
        self.run_with("""
          local w = widgets.all()[1]
          local names = {}
          for i = 1, 10 do names[i] = ('n%d.example'):format(i) end
          task.each(names, function(name)
            assert(widgets.update(w, { domains = { add = { name } } }))
          end)
          assert(#widgets.get(w).domains == 11)""")

    def test_changed_tables_are_not_relied_on(self):
        """What a script does to its table is a change to be sent, and no snapshot any more."""
        self.fill(4)
        self.run_with("""
          local a, b, c, d = table.unpack(widgets.all())
          table.insert(a.domains, 'more.example')
          assert(#widgets.update(a, { domains = a.domains }).domains == 2)
          b.name = 'changed'
          assert(widgets.update(b, { name = b.name }).name == 'changed')
          local copy = {}
          for k, v in pairs(c) do copy[k] = v end
          assert(widgets.update(copy, { mode = 'invisible' }).mode == 'invisible')
          d.note = 'of the script alone'
          assert(widgets.update(d, { mode = 'invisible' }).mode == 'invisible')""")
        self.assertEqual(self.operations(), ["list"] + 3 * ["get", "update"] + ["update"])

    def test_fresh_0_reads_before_every_write(self):
        self.fill(3)
        self.run_with("""
          for _, w in ipairs(widgets.all()) do
            assert(widgets.update(w, { mode = 'invisible' }))
          end""", "--fresh", "0")
        self.assertEqual(self.operations(), ["list"] + 3 * ["get", "update"])

    def test_waiting_for_the_rate_budget_makes_no_row_fresher(self):
        """What had to wait longer than --fresh is not sent on the strength of what was read before."""
        self.fill(30)
        done = self.lua(OTHER + """
          local all = widgets.all()
          task.each(all, function(w)
            assert(widgets.update(w, { domains = { add = { 'ours.example' } } }))
          end, { concurrency = 30 })""", "--rate", "20/3", "--fresh", "1", "--verbose",
                        sandbox=self.sandbox)
        self.assert_status(done, 0)
        operations = self.operations()
        self.assertEqual(operations.count("update"), 30)
        self.assertIn("look at what changed", done.err)
        self.assertGreater(operations.count("list") + operations.count("get"), 1)

    def test_readings_leave_room_for_the_writes(self):
        """As many updates as the budget has requests: their readings do not use it up for ever, while
        every write comes too late after its own."""
        self.fill(4)
        done = self.lua("""
          local keys = {}
          for i, w in ipairs(widgets.all()) do keys[i] = w.sitekey end
          task.each(keys, function(key) assert(widgets.update(key, { mode = 'invisible' })) end)""",
                        "--rate", "4/3", "--reserve", "0", "--fresh", "0", "--deadline", "45",
                        sandbox=self.sandbox)
        self.assert_status(done, 0)
        self.assertEqual(self.operations().count("update"), 4)

    def test_an_update_that_never_can_begin_in_time(self):
        """With one request in three seconds there is none for the write in time."""
        self.fill(1)
        done = self.lua("""
          local key = widgets.all()[1].sitekey
          local w, err = widgets.update(key, { mode = 'invisible' })
          assert(not w and err.kind == 'timeout' and err.outcome == 'not_applied')""",
                        "--rate", "1/3", "--reserve", "0", "--fresh", "0", "--deadline", "45",
                        sandbox=self.sandbox)
        self.assert_status(done, 9)
        self.assertIn("a higher --rate or --fresh", done.err)
        self.assertEqual(self.operations().count("update"), 0)

    def test_outside_edits_at_random_moments(self):
        """Whenever somebody else edits between the list and the write, both edits are there in the
        end: theirs falls outside what --fresh permits, or it is refused as stale."""
        for fresh in ("0", "0.2"):
            with self.subTest(fresh), Sandbox() as self.sandbox:
                self.edit_at_random(fresh)

    def edit_at_random(self, fresh):
        seed = 20260801
        numbers = random.Random(seed)
        self.fill(EDITS)
        whose = ", ".join(numbers.choice(("'before'", "'after'")) for _ in range(EDITS))
        what = ", ".join(numbers.choice(("'add'", "'name'", "'mode'")) for _ in range(EDITS))
        code = OTHER + f"""
          local whose, what = {{ {whose} }}, {{ {what} }}
          local all = widgets.all {{ order = 'sitekey' }}
          local function theirs(w, i)
            local changes = {{ domains = {{ add = {{ 'theirs.example' }} }} }}
            if what[i] == 'name' then changes = {{ name = 'theirs' }} end
            if what[i] == 'mode' then changes = {{ mode = 'invisible' }} end
            assert(other.update(w.sitekey, changes))
          end
          task.each(all, function(w, i)
            if whose[i] == 'before' then theirs(w, i) end
          end, {{ concurrency = 16 }})
          task.sleep(0.2)
          local stale = 0
          task.each(all, function(w, i)
            local changes = {{ domains = {{ add = {{ 'ours.example' }} }} }}
            if what[i] == 'name' then changes.name = 'ours' end
            local new, err = widgets.update(w, changes)
            if not new then
              assert(err.kind == 'stale' and what[i] == 'name' and err.actual.name == 'theirs', err)
              err:forgive 'expected'
              stale = stale + 1
            end
            if whose[i] == 'after' then theirs(w, i) end
            local now = assert(other.get(w))
            local theirs_is_there = what[i] == 'add' and #now.domains >= 2
              or what[i] == 'name' and now.name == 'theirs' or now.mode == 'invisible'
            assert(theirs_is_there, i)
            assert(not new or #now.domains == (what[i] == 'add' and 3 or 2), i)
          end, {{ concurrency = 16 }})
          print(stale)"""
        done = self.run_with(code, "--fresh", fresh)
        stale = sum(a == "'before'" and b == "'name'"
                    for a, b in zip(whose.split(", "), what.split(", ")))
        self.assertEqual(done.out, f"{stale}\n")
        self.assertGreater(stale, 0)


if __name__ == "__main__":
    unittest.main()
