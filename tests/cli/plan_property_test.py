# SPDX-License-Identifier: MIT
"""Random scripts: a plan that is carried out leaves what the script would have."""

import json
import os
import unittest

from host import ACCOUNT, Case, Sandbox

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


if __name__ == "__main__":
    unittest.main()
