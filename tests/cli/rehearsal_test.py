# SPDX-License-Identifier: MIT
"""What a script does to files and commands while it is planned: it seems to work, and is not done."""

import json
import os
import stat
import unittest
from pathlib import Path

from host import ACCOUNT, Case, Sandbox

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


class Rehearsal(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())

    def tree(self):
        """Everything in the working directory: names, modes, contents."""
        found = {}
        for path in sorted(self.home.rglob("*")):
            status = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
            found[str(path.relative_to(self.home))] = (status.st_mode, content)
        return found

    def plan(self, code, *options, status=0):
        """Runs it as a plan, after which all files are as before; returns the plan."""
        script = self.script('local widgets, fs = require "turnstile".widgets, require "fs" '
                             'local function make() return assert(widgets.create { name = "n", '
                             'domains = { "n.example" }, mode = "managed" }) end ' + code)
        before = self.tree()
        done = self.run_tshost("plan", "--json", *options, script.name, sandbox=self.sandbox)
        self.assert_status(done, status)
        after = self.tree()
        self.assertEqual({name: entry for name, entry in after.items()
                          if not name.startswith("tshost")}, before)
        self.said = done.err
        return json.loads(done.out) if done.out else None

    def remarks(self, code, **more):
        return [remark["text"] for remark in self.plan(code, **more)["remarks"]]

    def test_a_file_that_is_written_is_found_again(self):
        remarks = self.remarks("""
            local f = assert(io.open("out.txt", "w"))
            assert(f:write("one\\ntwo\\n") == f and f:seek() == 8 and f:close())
            f = assert(io.open("./out.txt", "a")) f:write "three" f:close()
            f = assert(io.open(fs.exists "out.txt" and "out.txt", "r+"))
            f:write "ONE" f:close()
            local lines = {}
            for line in io.lines "out.txt" do lines[#lines + 1] = line end
            assert(table.concat(lines, ",") == "ONE,two,three")
            io.output "other.txt" io.write "x" io.close() io.output(io.stdout)
            io.input "other.txt" assert(io.read "a" == "x") io.input():close() io.input(io.stdin)
            assert(fs.is_file "other.txt")
            for row in require "csv".open("out.txt", { header = false }) do
              lines[row[1]] = true
            end
            assert(lines.ONE and lines.three)
            assert(io.open("out.txt", "w")):close()
            assert(select(2, fs.is_file "out.txt"):find "empty")
        """)
        self.assertEqual(remarks, ['io.open("out.txt"): the file is not written',
                                   'io.open("./out.txt"): the file is not written',
                                   'io.open("out.txt"): the file is not written',
                                   'io.output("other.txt"): the file is not written',
                                   'io.open("out.txt"): the file is not written'])

    def test_many_files(self):
        plan = self.plan("""
            for i = 1, 3000 do
              local f = assert(io.open("f" .. i, "w")) f:write(i) f:close()
            end
            for i = 1, 3000 do assert(io.open("f" .. i):read "n" == i) collectgarbage "step" end
        """)
        self.assertEqual(len(plan["remarks"]), 201)
        self.assertEqual(plan["remarks"][200]["text"], "and 2800 more")

    def test_a_file_that_is_there(self):
        (self.home / "old.txt").write_text("old\n")
        (self.home / "link").symlink_to("old.txt")
        self.plan("""
            local f = assert(io.open("old.txt", "a")) f:write "new" f:close()
            assert(io.open("link"):read "a" == "old\\nnew")
            assert(os.rename("old.txt", "moved.txt"))
            assert(not fs.exists "old.txt" and not io.open "old.txt")
            assert(io.open("moved.txt"):read "a" == "old\\nnew")
            assert(os.remove "moved.txt" and not os.remove "moved.txt")
            assert(not fs.is_file "moved.txt" and not pcall(io.lines, "moved.txt"))
        """)

    def test_files_that_could_not_be_written_either(self):
        (self.home / "directory").mkdir()
        (self.home / "file").write_text("x")
        self.plan("""
            local function fails(number, f, ...)
              local ok, text, code = f(...)
              assert(not ok and type(text) == "string" and code == number, text)
            end
            fails(2, io.open, "none/x", "w")
            fails(2, io.open, "none", "r+")
            fails(21, io.open, "directory", "w")
            fails(20, io.open, "file/x", "w")
            fails(2, os.remove, "none")
            fails(2, os.rename, "none", "x")
            assert(not pcall(io.open, "file", "nonsense") and not pcall(io.open))
            assert(not pcall(io.output, "none/x") and not pcall(io.popen, "true", "x"))
            assert(not fs.mkdir "none/x" and not fs.mkdir "file")
        """)

    def test_commands_are_not_run(self):
        remarks = self.remarks("""
            assert(os.execute())
            assert(select("#", os.execute "touch made") == 3)
            local ok, how, code = os.execute "exit 1"
            assert(ok == true and how == "exit" and code == 0)
            local pipe = io.popen "touch made; echo hi"
            assert(pipe:read "a" == "" and pipe:close() == true)
            pipe = io.popen("cat > made", "w")
            assert(io.type(pipe) == "file" and pipe:write "x")
            ok, how, code = pipe:close()
            assert(ok == true and how == "exit" and code == 0)
        """)
        self.assertEqual(len(remarks), 4)
        self.assertEqual(remarks[0],
                         'os.execute("touch made"): the command is not run; it seems to succeed')

    def test_streams_stay_streams(self):
        self.plan("""
            io.open("/dev/null", "w"):write "x"
            io.stdout:write "plainly\\n"
        """)
        self.assertIn("plainly\n", self.said)

    def test_names_for_temporary_files(self):
        self.plan("""
            local name = os.tmpname()
            assert(name ~= os.tmpname())
            print(name)
            local f = io.open(name, "w") f:write "x" f:close()
            assert(io.open(name):read "a" == "x" and os.remove(name))
            assert(io.tmpfile():write "x")
        """)
        self.assertFalse(os.path.exists(self.said.splitlines()[0]))

    def test_directories_are_told_in_the_order_they_are_needed(self):
        (self.home / "there").mkdir()
        plan = self.plan("""
            assert(fs.mkdir "there" and fs.mkdir "there/new" and fs.mkdir "there/new/deep")
            assert(fs.mkdir "there/new" and fs.exists "there/new" and not fs.mkdir "other/x")
            assert(select(2, fs.is_file "there/new"):find "directory")
            assert(make().secret:write "there/new/deep/secret")
        """, status=3)
        root = os.path.realpath(self.home)
        self.assertEqual(plan["directories"], [f"{root}/there/new", f"{root}/there/new/deep"])
        self.assertEqual(plan["remarks"], [])

    def test_deliveries_are_steps(self):
        plan = self.plan("""
            local w = make()
            assert(w.secret:write "secret")
            assert(fs.is_file "secret" and fs.exists "secret")
            assert(io.open("secret"):read "a":find "^planned%-secret")
            widgets.update(w, { name = "m" })
            assert(w.secret:write("secret", { replace = true }))
            assert(w.secret:pipe { "cat", "a b", timeout = 7 })
            assert(w.secret:reveal():find "^planned%-secret")
        """, status=3)
        root = os.path.realpath(self.home)
        shown = [(step["op"], step.get("new") or step["sitekey"]) for step in plan["steps"]]
        self.assertEqual(shown, [(op, "planned-0001")
                                 for op in ("create", "write", "update", "write", "pipe")])
        self.assertEqual(plan["steps"][1]["path"], f"{root}/secret")
        self.assertEqual([plan["steps"][i]["replace"] for i in (1, 3)], [False, True])
        self.assertEqual((plan["steps"][4]["command"], plan["steps"][4]["timeout"]),
                         (["cat", "a b"], 7))
        self.assertEqual(plan["counts"], {"create": 1, "update": 1, "write": 2, "pipe": 1})
        self.assertEqual(plan["requests"], 3)

    def test_deliveries_that_would_fail_fail(self):
        (self.home / "there").write_text("x")
        (self.home / "link").symlink_to("nowhere")
        (self.home / "directory").mkdir()
        self.plan("""
            local secret = make().secret
            local function fails(what, ok, err)
              assert(not ok and err.message:find(what, 1, true), tostring(err))
              err:forgive "meant"
            end
            fails("is there already", secret:write "there")
            fails("no regular file", secret:write "link")
            fails("no regular file", secret:write("link", { replace = true }))
            fails("directory", secret:write("directory", { replace = true }))
            fails("make the directory none first", secret:write "none/x")
            fails("command not found", secret:pipe { "no-such-program-here" })
            assert(secret:write("there", { replace = true }))
            os.remove "there"
            assert(secret:write "there")
            fails("is there already", secret:write "there")
        """, status=3)

    def test_a_module_in_c_is_remarked(self):
        module = Path(os.environ["NATIVE_MODULE"])
        (self.home / "native_module.lua").write_text(
            f'return assert(package.loadlib("{module}", "luaopen_native_module"))()')
        remarks = self.remarks("require 'native_module'")
        self.assertEqual(len(remarks), 1)
        self.assertIn("a module written in C", remarks[0])

    def test_onboard(self):
        (self.home / "tenants.csv").write_text(
            "name,domains\nacme,acme.example\nbolt,bolt.example;shop.bolt.example\n")
        self.sandbox.create("acme", ["old.example"])
        script = SCRIPTS / "onboard.lua"
        before = self.tree()
        done = self.run_tshost("plan", script, "tenants.csv", "--secrets-dir", "secrets",
                               sandbox=self.sandbox)
        self.assert_status(done, 3)
        self.assertEqual({n: e for n, e in self.tree().items() if not n.startswith("tshost")},
                         before)
        self.assertIn('planned-0001  "bolt"\n  + create', done.out)
        self.assertIn("  > secret to the new file secrets/bolt  (", done.out)
        self.assertIn("  > secret to the new file secrets/acme  (", done.out)
        self.assertIn("      domains          + acme.example\n", done.out)
        self.assertIn("Plan: 1 to create, 1 to change, 2 secrets to files\n", done.out)
        self.assertIn("Directories that are made first: secrets\n", done.out)
        self.assertIn("created  secrets/bolt", done.err)
        self.assertEqual(len(self.sandbox.widgets()), 1)

    def test_bulk_domains(self):
        for i in range(3):
            self.sandbox.create(f"w{i}", [f"w{i}.example", "old.example"])
        done = self.run_tshost("plan", SCRIPTS / "bulk_domains.lua", "--all", "--replace",
                               "old.example=new.example", sandbox=self.sandbox)
        self.assert_status(done, 3)
        self.assertEqual(done.out.count("      domains          + new.example\n"
                                        "                       - old.example\n"), 3)
        self.assertIn("Needs: --max-update 3\n", done.out)
        self.assertEqual({op for op, _ in self.sandbox.requests()}, {"create", "list"})

    def test_rotate(self):
        sitekey = self.sandbox.create()["sitekey"]
        done = self.run_tshost("plan", SCRIPTS / "rotate.lua", "--all", "--secrets-dir", "out",
                               sandbox=self.sandbox)
        self.assert_status(done, 3)
        self.assertIn(f'{sitekey}  "acme"\n  ! rotate the secret; the old one stays valid for two '
                      "hours  (", done.out)
        self.assertIn("  > secret to the file out/acme  (", done.out)
        self.assertIn("Needs: --allow rotate=1\n", done.out)
        self.assertFalse((self.home / "out").exists())
        self.assertEqual({op for op, _ in self.sandbox.requests()}, {"create", "list"})
        self.assertIn(ACCOUNT, done.out)


if __name__ == "__main__":
    unittest.main()
