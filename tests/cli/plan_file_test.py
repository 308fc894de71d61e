# SPDX-License-Identifier: MIT
"""The file that a plan is saved in, what keeps a plan from being made, and its command line."""

import json
import stat
import unittest

from host import ACCOUNT, SECRET, TOKEN, Case
from odd_server import OddCase, envelope, widget
from plan_case import PlanCase


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
