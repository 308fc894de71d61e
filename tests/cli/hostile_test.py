# SPDX-License-Identifier: MIT
"""Scripts and callers that pull the rug away: whatever they do, the process neither crashes nor
claims what is not so."""

import unittest

from host import TSHOST, Case


class Hostile(Case):
    def shell(self, command):
        """Runs a line of shell, in which $TSHOST is the program."""
        done = self.start("-c", command, program="/bin/sh", environment={"TSHOST": TSHOST}).finish()
        self.check_secrets(done)
        return done

    def test_closed_standard_output(self):
        # Eight bytes: as many as an event descriptor would swallow in place of the output.
        done = self.shell("""exec "$TSHOST" -e 'io.write("0123456\\n")' >&-""")
        self.assert_status(done, 1)
        self.assertIn("cannot write to standard output", done.err)

    def test_closed_descriptors_are_given_to_nobody(self):
        self.script("assert(not io.read()) io.stderr:write('lost'); print(#arg)", "quiet.lua")
        done = self.shell('"$TSHOST" quiet.lua a b <&- 2>&-')
        self.assertEqual(done.out, "2\n")
        self.assert_status(done, 0)

    # Whatever Lua allocates may run a finalizer, and that may close the very secret in use.
    def test_secret_closed_by_finalizer(self):
        done = self.lua("""
          collectgarbage("incremental", 0, 1000)
          local w = assert(widgets.create {
            name = "acme", domains = { "acme.example" }, mode = "managed",
          })
          local command, closed = { "sh", "-c", "cat >/dev/null" }, 0
          for i = 1, 40 do
            local secret = assert(widgets.get(w.sitekey)).secret
            setmetatable({}, { __gc = function() local closing <close> = secret end })
            for j = 1, 10 do
              local _ = ("x"):rep(97 * i) -- so that collections fall on all parts of the call
              local ok, problem = pcall(secret.pipe, secret, command)
              if not ok then
                assert(problem:find("was closed", 1, true), problem)
                closed = closed + 1
              end
            end
          end
          assert(closed > 0)""", "--sandbox")
        self.assert_status(done, 0)

    def test_exit_in_a_task_ends_the_others(self):
        done = self.lua("""
          local function exit() widgets.all() os.exit(42) end
          pcall(task.each, { 1, 2 }, function()
            pcall(coroutine.wrap(function() pcall(task.each, { 1, 2 }, exit) print "each" end))
            print "coroutine"
          end)
          print(xpcall(task.each, print, { 1 }, exit))
          print 'main'""", "--sandbox")
        self.assert_status(done, 42)
        self.assertEqual(done.out, "")

    def test_errors_that_spawn_or_fail_when_shown(self):
        done = self.lua("""
          local function shown(fn) return setmetatable({}, { __tostring = fn }) end
          for i = 1, 9 do
            task.spawn(error, shown(function()
              for _ = 1, 100 do pcall(task.spawn, print, "late") end
              return "seen " .. i
            end))
          end
          task.spawn(error, shown(function() error "twice" end))""", "--sandbox")
        self.assert_status(done, 1)
        for i in range(1, 10):
            self.assertIn(f"failed: seen {i}", done.err)
        self.assertIn("an error that cannot be shown", done.err)
        self.assertEqual(done.out, "")

    def test_list_closed_under_a_task_that_waits_for_it(self):
        done = self.lua("""
          local next, _, _, closing = widgets.list()
          local reader = task.spawn(function() return pcall(next) end)
          task.sleep(0)
          do local close <close> = closing end
          print(select(2, reader:await()))""", "--sandbox")
        self.assert_status(done, 0)
        self.assertIn("this list is closed", done.out)

    def test_nothing_is_opened_while_the_state_closes(self):
        done = self.lua("""
          package.loaded.last = setmetatable({}, { __gc = function()
            print(pcall(turnstile.client, { account_id = ("a"):rep(32) }))
            print(pcall(widgets.get, "0x4AAAAAAAAAAAAAAAAAAAAA"))
            print(pcall(task.spawn, print, "late"))
          end })
          widgets.all()""", "--sandbox")
        self.assert_status(done, 0)
        self.assertEqual(done.out.count("false\t"), 3, done.out)

    def test_commands_of_a_script_end_with_their_reader(self):
        done = self.lua("""
          local reader <close> = io.popen "(yes; echo $? >&2) | head -n 1"
          print(reader:read "a")""", "--sandbox")
        self.assert_status(done, 0)
        self.assertIn("141", done.err)


if __name__ == "__main__":
    unittest.main()
