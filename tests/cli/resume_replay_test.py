# SPDX-License-Identifier: MIT
"""What a script that is resumed asks for again is answered from the journal: nothing is done twice, and
nothing that is left is taken for done. The stock scripts, killed at every write, end as if nobody had."""

import signal
import unittest

from host import ACCOUNT, Case, Sandbox
from resume_test import PRELUDE, Base

WIDGETS = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets"
ALLOW = ("--allow", "delete,rotate,any-hostname")
STOP = """
  local count = 0
  local function stop()
    count = count + 1
    if os.getenv "STOP" == tostring(count) then os.exit(1) end
  end
"""


class Replay(Base):
    def stop(self, code, at, *options, **more):
        """Runs the script until its `stop()` number `at`."""
        done = self.run_tshost(*ALLOW, *options, self.script(PRELUDE + STOP + code),
                               sandbox=self.sandbox, environment={"STOP": str(at)}, **more)
        self.assert_status(done, 1)
        self.clean()
        return done

    def create(self, name="acme", domains=("acme.example",)):
        made = self.sandbox.create(name, domains)
        self.clean()
        return made

    def change(self, made, **fields):
        live = next(w for w in self.sandbox.widgets() if w["sitekey"] == made["sitekey"])
        body = {name: live[name] for name in ("name", "domains", "mode")}
        self.sandbox.ask("PUT", f"{WIDGETS}/{made['sitekey']}", {**body, **fields})
        self.clean()

    def test_creates_that_are_alike_answer_one_after_the_other(self):
        code = """
          for i = 1, 3 do
            local w = assert(widgets.create {
              name = "twin", mode = "managed", domains = { "b.example", "A.example" } })
            assert(w.secret)
            print(w.sitekey)
            stop()
          end"""
        first = self.stop(code, 2)
        done = self.resume()
        self.assertEqual(done.out.split()[:2], first.out.split())
        self.assertEqual(self.writes(), ["create"])
        self.assertEqual(len(set(done.out.split())), 3)

    def test_an_update_by_sitekey(self):
        made = self.create()
        code = f"""
          local w = assert(widgets.update("{made['sitekey']}", {{ name = "new" }}))
          assert(w.secret and w.name == "new")
          stop()"""
        self.stop(code, 1)
        self.resume()
        self.assertEqual(self.writes(), [])

    def test_an_update_that_depends_on_what_is_there(self):
        """Applied once, though each time it would change something."""
        self.create()
        code = """
          local w = widgets.all()[1]
          print(assert(widgets.update(w, { name = w.name .. "x" })).name)
          stop()
          assert(widgets.update(w, { mode = "invisible" }))"""
        self.stop(code, 1)
        self.assertEqual(self.resume().out, "acmex\n")
        self.assertEqual(self.writes(), ["update"])
        self.assertEqual(self.sandbox.widgets()[0]["name"], "acmex")

    def test_an_update_that_has_nothing_to_change_any_more(self):
        self.create()
        code = """
          for w in widgets.list() do
            assert(widgets.update(w, { domains = { add = { "b.example" } } }))
            stop()
          end"""
        self.stop(code, 1)
        self.resume()
        self.assertEqual([op for op, _ in self.sandbox.requests()], ["list"])

    def test_an_update_that_somebody_has_undone_is_not_sent_again(self):
        made = self.create()
        code = """
          for w in widgets.list() do
            print(assert(widgets.update(w, { domains = { add = { "b.example" } } })).domains[1])
            stop()
          end"""
        self.stop(code, 1)
        self.change(made, domains=["acme.example"])
        self.resume()
        self.assertEqual(self.writes(), [])

    def test_what_the_script_skips_does_not_answer_what_is_left(self):
        self.create()
        code = """
          for _, domain in ipairs { "b.example", "c.example" } do
            local w, is_there = widgets.all()[1], false
            for _, there in ipairs(w.domains) do is_there = is_there or there == domain end
            if not is_there then
              assert(widgets.update(w, { domains = { add = { domain } } }))
            end
            stop()
          end
          local w = widgets.all()[1]
          if w.mode == "managed" then assert(widgets.update(w, { mode = "invisible" })) end
          assert(widgets.update(w, { name = "done" }))"""
        self.stop(code, 1)
        self.resume()
        live = self.sandbox.widgets()[0]
        self.assertEqual((live["domains"], live["mode"], live["name"]),
                         (["acme.example", "b.example", "c.example"], "invisible", "done"))

    def test_a_delete(self):
        made = self.create()
        code = f"""
          assert(widgets.delete "{made['sitekey']}" == true)
          stop()"""
        self.stop(code, 1)
        self.resume()
        self.assertEqual(self.sandbox.requests(), [])

    def test_a_widget_that_was_made_changed_and_deleted(self):
        code = """
          local w = assert(widgets.create {
            name = "a", domains = { "a.example" }, mode = "managed" })
          w = assert(widgets.update(w, { name = "b" }))
          print(w.sitekey, w.name)
          assert(widgets.delete(w))
          stop()"""
        first = self.stop(code, 1)
        self.assertEqual(self.resume().out, first.out)
        self.assertEqual(self.writes(), [])

    def test_a_rotation(self):
        made = self.create()
        code = f"""
          local w = assert(widgets.rotate_secret "{made['sitekey']}")
          stop()
          assert(w.secret:write("secret", {{ replace = true }}))"""
        self.stop(code, 1)
        done = self.resume()
        self.assertEqual(self.writes(), [])
        secret = self.sandbox.ask("GET", f"{WIDGETS}/{made['sitekey']}")["secret"]
        self.assertEqual((self.home / "secret").read_text(), secret)
        self.assertNotIn("rotated since", done.err)

    def test_a_secret_that_somebody_has_rotated_since(self):
        made = self.create()
        code = f"""
          local w = assert(widgets.rotate_secret("{made['sitekey']}",
            {{ invalidate_immediately = true }}))
          stop()
          assert(w.secret:write("secret", {{ replace = true }}))"""
        self.stop(code, 1)
        new = self.sandbox.ask("POST", f"{WIDGETS}/{made['sitekey']}/rotate_secret",
                               {"invalidate_immediately": True})["secret"]
        self.clean()
        done = self.resume()
        self.assertIn(f"{made['sitekey']}: its secret has been rotated since", done.err)
        self.assertEqual(self.writes(), [])
        self.assertEqual((self.home / "secret").read_text(), new)

    def test_a_file_that_holds_the_secret_before_the_rotation(self):
        code = """
          local w = assert(widgets.create {
            name = "a", domains = { "a.example" }, mode = "managed" })
          assert(w.secret:write "secret")
          w = assert(widgets.rotate_secret(w, { invalidate_immediately = true }))
          stop()
          assert(w.secret:write("secret", { replace = true }))"""
        self.stop(code, 1)
        self.resume()
        self.assertEqual(self.writes(), [])
        sitekey = self.sandbox.widgets()[0]["sitekey"]
        secret = self.sandbox.ask("GET", f"{WIDGETS}/{sitekey}")["secret"]
        self.assertEqual((self.home / "secret").read_text(), secret)

    def test_a_file_that_holds_the_secret_and_one_that_does_not(self):
        code = """
          local w = assert(widgets.create {
            name = "a", domains = { "a.example" }, mode = "managed" })
          assert(w.secret:write "mine")
          stop()
          print(w.secret:write "theirs")"""
        self.stop(code, 1)
        before = (self.home / "mine").stat()  # but for when it was read
        (self.home / "theirs").write_text("something else")
        done = self.resume(status=4)
        self.assertIn("is there already", done.out)
        after = (self.home / "mine").stat()
        self.assertEqual((after.st_ino, after.st_ctime_ns), (before.st_ino, before.st_ctime_ns))
        self.assertEqual((self.home / "theirs").read_text(), "something else")

    def test_a_command_that_has_got_the_secret(self):
        code = """
          local w = assert(widgets.create {
            name = "a", domains = { "a.example" }, mode = "managed" })
          for i = 1, 2 do
            assert(w.secret:pipe { "sh", "-c", "cat >> piped; echo >> piped" })
            stop()
          end"""
        self.stop(code, 1)
        self.resume()
        secret = self.sandbox.ask(
            "GET", f"{WIDGETS}/{self.sandbox.widgets()[0]['sitekey']}")["secret"]
        self.assertEqual((self.home / "piped").read_text(), f"{secret}\n" * 2)

    def test_what_is_not_asked_for_again_is_told(self):
        code = """
          if os.getenv "STOP" then
            assert(widgets.create { name = "odd", domains = { "a.example" }, mode = "managed" })
            assert(widgets.update(widgets.all()[1], { name = "odder" }))
          end
          stop()"""
        self.stop(code, 1)
        done = self.resume()
        made = self.sandbox.widgets()[0]
        self.assertIn("has not asked for it again", done.err)
        self.assertIn(f'  create "odd" {made["sitekey"]}', done.err)
        self.assertIn("1 other operation of run", done.err)
        self.assertEqual(made["name"], "odder")

    def test_any_hostname_counts_as_the_run_has_used_it(self):
        code = """
          for _, name in ipairs { "a", "b" } do
            assert(widgets.create { name = name, domains = {}, mode = "managed" })
            stop()
          end"""
        with Sandbox("--entitle", "any-hostname") as self.sandbox:
            done = self.run_tshost("--allow", "any-hostname=1", self.script(PRELUDE + STOP + code),
                                   sandbox=self.sandbox, environment={"STOP": "1"})
            self.assert_status(done, 1)
            self.resume(status=5)
            self.assertEqual(len(self.sandbox.widgets()), 1)
            self.resume("--allow", "any-hostname=2")
            self.assertEqual(len(self.sandbox.widgets()), 2)

    def test_a_failed_write_is_sent_again(self):
        code = """
          for _, name in ipairs { "a", "b", "c" } do
            widgets.create { name = name, domains = { "a.example" }, mode = "managed" }
          end"""
        self.sandbox.fault(op="create", nth=2, kind="502", times=4)
        self.sandbox.fault(op="list", kind="delay", ms=0)
        done = self.run_tshost(self.script(PRELUDE + code), sandbox=self.sandbox)
        self.assert_status(done, 4)
        self.clean()
        self.resume()
        self.assertEqual(self.writes(), ["create"])
        self.assertEqual(sorted(w["name"] for w in self.sandbox.widgets()), ["a", "b", "c"])


class Stock(Case):
    """onboard.lua, bulk_domains.lua and rotate.lua, killed at each write, before and after it was
    applied, and killed again in the resume."""

    def killed(self, sandbox, arguments, operation, nth, applied):
        fault = {"kind": "delay"} if applied else {"kind": "drop", "applied": False}
        sandbox.ask("DELETE", "/sandbox/requests")
        sandbox.fault(op=operation, nth=nth, ms=60000, times=100, **fault)
        process = self.start(*arguments, sandbox=sandbox)
        while len(sandbox.requests(operation)) < nth and process.process.poll() is None:
            pass
        process.signal(signal.SIGKILL)
        process.finish()
        sandbox.ask("DELETE", "/sandbox/faults")

    def state(self, sandbox):
        state = []
        for row in sandbox.widgets():
            widget = sandbox.ask("GET", f"{WIDGETS}/{row['sitekey']}")
            files = [path.name for path in sorted((self.home / "secrets").glob("*"))
                     if path.read_text() == widget["secret"]]
            state.append((widget["name"], widget["domains"], widget["mode"], files))
        return sorted(state)

    def check(self, operation, count, prepare, *arguments):
        """As nobody has cut it short: the first round is that run."""
        expected = None
        for nth in (0, 1, 3, count):
            for applied in (True, False):
                for again in (0, 1):
                    with self.subTest(nth=nth, applied=applied, again=again), \
                            Sandbox() as sandbox:
                        for path in (self.home / "secrets").glob("*"):
                            path.unlink()
                        prepare(sandbox)
                        if nth == 0:
                            done = self.run_tshost(*arguments, sandbox=sandbox)
                            self.assert_status(done, 0)
                            expected = self.state(sandbox)
                            continue
                        self.killed(sandbox, arguments, operation, nth, applied)
                        if again:
                            self.killed(sandbox, ["resume", "last"], operation, 1, not applied)
                        done = self.run_tshost("resume", "last", sandbox=sandbox)
                        self.assert_status(done, 0)
                        self.assertEqual(self.state(sandbox), expected, done.err)

    def fleet(self, sandbox):
        for i in range(5):
            sandbox.create(f"w{i}", [f"{i}.example"])

    def test_onboard(self):
        tenants = "".join(f"tenant {i},{i}.example\n" for i in range(5))
        (self.home / "tenants.csv").write_text("name,domains\n" + tenants)
        self.check("create", 5, lambda sandbox: sandbox.create("tenant 3", ["old.example"]),
                   "--concurrency", "2", "onboard.lua", "tenants.csv", "--secrets-dir", "secrets")

    def test_bulk_domains(self):
        self.check("update", 5, self.fleet, "--max-update", "5", "--concurrency", "2",
                   "bulk_domains.lua", "--all", "--add", "new.example")

    def test_rotate(self):
        self.check("rotate", 5, self.fleet, "--allow", "rotate=5", "--concurrency", "2",
                   "rotate.lua", "--all", "--secrets-dir", "secrets")


if __name__ == "__main__":
    unittest.main()
