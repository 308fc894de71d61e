# SPDX-License-Identifier: MIT
"""Lists of which not everything comes, or not what was asked for."""

import unittest

from odd_server import OddCase, envelope, widget


class Lists(OddCase):
    def page(self, number, count=5, total=23, **more):
        rows = [widget(sitekey=f"0x4{number:04}{i:04}", secret=None) for i in range(count)]
        info = {"page": number, "per_page": 5, "count": count, "total_count": total, **more}
        return envelope(rows, result_info=info)

    LIST = ("local n = 0; print(pcall(function() for w in widgets.list { per_page = 5 } do "
            "n = n + 1 end end)); print(n)")

    def test_a_list_that_ends_short(self):
        done = self.after([self.page(1, total=8), self.page(2, 0, total=8)], self.LIST, 9)
        self.assertIn("the list is incomplete: 5 of 8 widgets came", done.out)

    def test_what_the_script_makes_meanwhile(self):
        """It is in the total of a later page, though it stands on one that was read before."""
        making = ("local n = 0; for w in widgets.list { per_page = 5 } do n = n + 1; if n == 1 then "
                  "assert(widgets.create { name = 'new', domains = { 'a.example' }, "
                  "mode = 'managed' }) end end; print(n)")
        answers = [self.page(1, total=8), self.page(2, 3, total=9), envelope(widget())]
        self.assertEqual(self.after(answers, making, 0).out, "8\n")
        answers[1] = self.page(2, 3, total=10)
        done = self.after(answers, making, 9)
        self.assertIn("the list is incomplete: 8 of 10 widgets came", done.err)
        answers[1] = self.page(2, 2, total=8)  # what was there at first has to come all the same
        done = self.after(answers, making, 9)
        self.assertIn("the list is incomplete: 7 of 8 widgets came", done.err)

    def test_a_list_that_shrinks(self):
        done = self.after([self.page(1, total=8), self.page(2, 3, total=7)], self.LIST, 9)
        self.assertIn("shrank", done.out)

    def test_lists_that_do_not_page(self):
        """The same page again and again, with and without a total."""
        same = self.page(1)
        done = self.after([same] * 5, self.LIST, 9)
        self.assertIn("incomplete: 5 of 23", done.out)
        del same["result_info"]
        done = self.after([same] * 2, self.LIST, 9)
        self.assertIn("the same page again and again", done.out)

    def test_a_list_without_totals(self):
        pages = [self.page(1), self.page(2), self.page(3, 2)]
        for page in pages:
            del page["result_info"]["total_count"]
        done = self.after(pages, self.LIST, 0)
        self.assertEqual(done.out, "true\n12\n")

    def test_lists_of_something_else(self):
        for body in (envelope(None), envelope({"a": 1}), envelope([5]), envelope([{"name": "x"}])):
            with self.subTest(body):
                self.after([body], self.LIST, 9)

    def test_a_refused_page_tells_nothing_of_the_clock(self):
        """Else what a look shows would seem too old, and rows would be read one by one."""
        rows = [widget(sitekey=f"0x4AAA{n}", secret=None, modified_on="2026-01-01T00:00:01Z")
                for n in range(6)]
        info = {"per_page": 5, "total_count": 6}
        later = [{**rows[5], "modified_on": "2036-01-01T00:00:00Z"}]
        answers = [envelope(rows[:5], result_info=info),
                   envelope(later, result_info=info, success=False),
                   envelope(rows, result_info={"per_page": 100, "total_count": 6}),
                   envelope({**rows[0], "name": "new"})]
        self.after(answers, "local kept; local _, err = pcall(function() "
                   "for w in widgets.list { per_page = 5 } do kept = kept or w end end); "
                   "err:forgive 'meant'; task.sleep(1); "
                   "assert(widgets.update(kept, { name = 'new' }).name == 'new')", 0,
                   "--fresh", "1")
        self.assertEqual([method for method, _, _ in self.server.seen], ["GET"] * 3 + ["PUT"])

    def rows(self, text):
        """An answer with these rows, as text."""
        return (b'{"success":true,"errors":[],"messages":[],"result":' + text +
                b',"result_info":{"per_page":5,"total_count":3}}')

    def test_a_page_with_a_row_that_is_no_json(self):
        """Nothing of it is used, also not the rows before."""
        for row in (b'{"sitekey":"0x4c"', b'{"sitekey":"0x4c","x":[1,}', b'{"sitekey":"0x4c\xff"}',
                    b'{"sitekey":"0x4c","x":nil}', b'{"sitekey":"0x4c","x":"\\x"}'):
            with self.subTest(row):
                page = self.rows(b'[{"sitekey":"0x4a"},{"sitekey":"0x4b"},' + row + b"]")
                done = self.after([page], self.LIST, 9)
                self.assertRegex(done.out, r"cannot be read: not .* at byte \d+")
                self.assertTrue(done.out.endswith("\n0\n"), done.out)

    def test_a_row_that_cannot_be_told(self):
        for row, why in ((b'{"sitekey":"0x4c","x":1e999}', "a number that is too large"),
                         (b'{"sitekey":"0x4c","x":' + 600 * b"9" + b"}", "a number that is too long")):
            page = self.rows(b'[{"sitekey":"0x4a"},{"sitekey":"0x4b"},' + row + b"]")
            done = self.after([page], self.LIST, 9)
            self.assertRegex(done.out, f"cannot be read: not JSON: {why} at byte \\d+")
            self.assertTrue(done.out.endswith("\n2\n"), done.out)

    def test_rows_with_secrets(self):
        """Lists hold none, but what would come is no text of the script's."""
        secrets = [f"0x4AAA-made-up-{i}" for i in range(3)]
        rows = [widget(sitekey=f"0x4AAA{i}", secret=secret) for i, secret in enumerate(secrets)]
        page = envelope(rows, result_info={"per_page": 5, "total_count": 3})
        done = self.after(
            [page], "for w in widgets.list { per_page = 5 } do print(w.sitekey, w.secret); "
            "w.secret:write(w.sitekey) end", 0, "--allow=reveal")
        self.assertEqual(done.out, "".join(f"0x4AAA{i}\t[secret]\n" for i in range(3)))
        for i, secret in enumerate(secrets):
            self.assertEqual((self.home / f"0x4AAA{i}").read_text(), secret)

    def test_the_last_of_several_results_counts(self):
        page = (b'{"result":[{"sitekey":"0x4a"},{"sitekey":"0x4b"}],"success":true,'
                b'"result":[{"sitekey":"0x4c"}]}')
        done = self.after([page, self.page(2, 0)], self.LIST.replace("n = n + 1", "print(w.sitekey)"), 9)
        self.assertEqual(done.out.splitlines()[0], "0x4c")

    def test_a_row_asked_for_in_the_middle_of_another(self):
        """By a finalizer, which may run while a row is made."""
        pages = [self.page(n, total=250) for n in range(1, 51)]
        done = self.after(pages, """
            collectgarbage("generational", 1, 100)
            local next_row, seen, is_over = widgets.list { per_page = 5 }, {}, false
            local function take(w) assert(not seen[w.sitekey]) seen[w.sitekey] = true end
            local met = 0
            local function arm()
              setmetatable({}, { __gc = function()
                local ok, w = pcall(next_row)
                if ok and w then take(w) end
                met = met + (ok and 0 or 1)
                if not is_over then arm() end
              end })
            end
            arm()
            for w in next_row do take(w) end
            is_over = true
            local count = 0
            for _ in pairs(seen) do count = count + 1 end
            print(count, met > 0)""", 0)
        self.assertEqual(done.out, "250\ttrue\n")


if __name__ == "__main__":
    unittest.main()
