# SPDX-License-Identifier: MIT
"""Many widgets and many requests at a time. Nothing is timed: what counts is that every answer
reaches the call that asked for it, and that a list is complete."""

import os
import resource
import unittest

from host import IS_SANITIZED, Case, Sandbox

FLEET = 2000 if IS_SANITIZED else 10000


class Scale(Case):
    def test_a_fleet_is_listed_as_it_was_created(self):
        code = """
          local created = task.map(function() N = N + 1 return N <= FLEET and N or nil end,
            function(n)
              return assert(widgets.create {
                name = ('fleet %05d'):format(n), domains = { n .. '.example' }, mode = 'managed',
              })
            end, { concurrency = 64 })
          local seen, count = {}, 0
          for w in widgets.list { per_page = 1000 } do
            count = count + 1
            seen[w.sitekey] = w
          end
          assert(count == FLEET and #created == FLEET, count)
          for n, w in ipairs(created) do
            local listed = seen[w.sitekey]
            assert(w.name == ('fleet %05d'):format(n))
            assert(listed.name == w.name and listed.created_on == w.created_on)
            assert(#listed.domains == 1 and listed.domains[1] == n .. '.example')
          end
          local names = {}
          for w in widgets.list { order = 'name' } do names[#names + 1] = w.name end
          for n = 1, FLEET do assert(names[n] == ('fleet %05d'):format(n)) end
          print(count)"""
        with Sandbox() as sandbox:
            done = self.lua(f"local N, FLEET = 0, {FLEET}; " + code, "--concurrency", "64",
                            sandbox=sandbox)
            self.assertEqual((done.status, done.out), (0, f"{FLEET}\n"), done)
            pages = -(-FLEET // 1000)
            self.assertEqual(sandbox.requests("list"), 2 * pages * [("list", 200)])

    def test_every_endpoint_with_many_in_flight(self):
        code = """
          local many = {}
          for i = 1, 2 * N do many[i] = 'many ' .. i end
          local options = { concurrency = N }
          local made = task.map(many, function(name)
            return assert(widgets.create {
              name = name, domains = { 'a.example' }, mode = 'managed' })
          end, options)
          task.each(made, function(w, i)
            assert(w.name == many[i])
            local got = assert(widgets.get(w.sitekey))
            assert(got.sitekey == w.sitekey and got.name == many[i] and got.secret == w.secret)
          end, options)
          task.each(made, function(w, i)
            local new = assert(widgets.update(w, { domains = { add = { i .. '.example' } } }))
            assert(new.sitekey == w.sitekey and #new.domains == 2)
          end, options)
          task.each(made, function(w)
            local rotated = assert(widgets.rotate_secret(w.sitekey))
            assert(rotated.sitekey == w.sitekey and rotated.secret ~= w.secret)
            w.secret = rotated.secret
          end, options)
          task.each(made, function(w)
            local verdict = assert(turnstile.siteverify { secret = w.secret, response = 'none' })
            assert(verdict.success == false)
          end, options)
          task.each(made, function(_, i)
            if i <= 32 then
              assert(#widgets.all { per_page = 5 + i } == #made)
            end
          end, options)
          task.each(made, function(w) assert(widgets.delete(w)) end, options)
          assert(#widgets.all() == 0)
          print 'done'"""
        for count in (1, 16, 256):
            with self.subTest(count), Sandbox() as sandbox:
                done = self.lua(f"local N = {count}; " + code, "--concurrency", str(count),
                                "--allow", "delete,rotate", sandbox=sandbox)
                self.assertEqual((done.status, done.out), (0, "done\n"), done)
                failures = [entry for entry in sandbox.requests() if entry[1] != 200]
                self.assertEqual(failures, [])

    def test_as_many_files_as_needed(self):
        """A shell's usual limit is lower than what 1,000 connections need; a hard one is told."""
        code = """
          for i = 1, 1000 do
            task.spawn(function()
              local _, err = widgets.get '0x4AAAAAAAAAAAAAAAAAAAAA'
              assert(err.status == 404, err)
            end)
          end"""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 2100:
            self.skipTest("the hard limit of open files is too low here")
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
            done = self.lua(code, "--sandbox", "--concurrency", "1000")
            self.assertEqual((done.status, done.err), (0, ""), done)
            with Sandbox() as sandbox:
                done = self.lua(code, "--concurrency", "1000", sandbox=sandbox)
                self.assertEqual((done.status, done.err), (0, ""), done)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        script = self.script("print 'not here'")
        process = self.start("-c", 'ulimit -n 300; exec "$0" "$@"', os.environ["TSHOST"],
                             "--concurrency=1000", script, program="/bin/sh")
        done = process.finish()
        self.assert_status(done, 2)
        self.assertIn("needs 1064 open files", done.err)


if __name__ == "__main__":
    unittest.main()
