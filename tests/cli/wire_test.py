# SPDX-License-Identifier: MIT
"""What a call costs in requests, and what is made of answers that the sandbox does not give."""

import json
import unittest

from host import Case, Sandbox
from odd_server import NO_WIDGET, OddCase, envelope, widget

MISUSES = """
  local bad = {
    function() widgets.get 'a/b' end,
    function() widgets.create { name = 'x' } end,
    function() widgets.create { name = 'x', domains = { 'a:1' }, mode = 'managed' } end,
    function() widgets.update('%s', { colour = 'red' }) end,
    function() widgets.delete '' end,
    function() widgets.list { pag = 1 } end,
    function() widgets.all { per_page = 1 } end,
    function() widgets.creat {} end,
    function() turnstile.siteverify { secret = 'x' } end,
    function() widgets.rotate_secret('%s', { now = true }) end,
  }
  for _, fn in ipairs(bad) do assert(not pcall(fn)) end
""" % (NO_WIDGET, NO_WIDGET)


class Requests(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())

    def count(self, code, *options):
        """The operations of a script that must end well."""
        before = len(self.sandbox.requests())
        done = self.lua(code, *options, sandbox=self.sandbox)
        self.assert_status(done, 0)
        return [operation for operation, _ in self.sandbox.requests()[before:]]

    def test_no_call_sends_nothing(self):
        self.assertEqual(self.count("print(turnstile.widgets.get)"), [])
        self.assertEqual(self.count("for _ = 1, 3 do local _ = widgets.list() end"), [])

    def test_misuse_sends_nothing(self):
        self.assertEqual(self.count(MISUSES), [])

    def test_a_refusal_sends_nothing(self):
        for call in ("widgets.delete '%s'", "widgets.rotate_secret '%s'"):
            self.assertEqual(self.count(f"local _, e = {call % NO_WIDGET}; e:forgive 'x'"), [])

    def test_each_call_is_one_request(self):
        key = self.sandbox.create()["sitekey"]
        self.assertEqual(self.count(f"widgets.get '{key}'"), ["get"])
        self.assertEqual(self.count("widgets.create { name = 'x', domains = { 'x.example' }, "
                                    "mode = 'managed' }"), ["create"])
        self.assertEqual(self.count(f"widgets.delete '{key}'", "--allow=delete"), ["delete"])

    def test_an_update_reads_and_writes_what_differs(self):
        key = self.sandbox.create(domains=("a.example", "b.example"))["sitekey"]
        self.assertEqual(self.count(f"widgets.update('{key}', {{ name = 'b' }})"),
                         ["get", "update"])
        for changes in ("name = 'b'", "domains = { 'B.example', 'a.example.' }",
                        "domains = { add = { 'A.example' }, remove = { 'c.example' } }", ""):
            with self.subTest(changes):
                self.assertEqual(self.count(f"widgets.update('{key}', {{ {changes} }})"), ["get"])

    def test_pages(self):
        for i in range(23):
            self.sandbox.create(f"acme {i}")
        self.assertEqual(self.count("widgets.all()"), ["list"])
        self.assertEqual(self.count("widgets.all { per_page = 5 }"), 5 * ["list"])
        self.assertEqual(self.count("widgets.all { per_page = 23 }"), ["list"])
        self.assertEqual(self.count("widgets.all { filter = 'name:nothing' }"), ["list"])

    def test_a_loop_that_ends_early_reads_no_further(self):
        for i in range(60):
            self.sandbox.create(f"acme {i}")
        operations = self.count("for w in widgets.list { per_page = 5 } do break end")
        self.assertLessEqual(len(operations), 9)  # the pages that were under way


class ManyDomains(Case):
    """Lists that no buffer was made for in advance."""

    def test_each_change_does_what_it_says(self):
        sandbox = self.enterContext(Sandbox("--max-domains", "900"))
        names = [f"{i * 7919 % 1000:03}.a-rather-long-name.example" for i in range(800)]
        many = "local function many(first, last, form) local t = {} for i = first, last do " \
               "t[#t + 1] = form:format(i * 7919 % 1000) end return t end; "
        form, shouted = "'%03d.a-rather-long-name.example'", "'%03d.A-Rather-Long-Name.example'"
        done = self.lua(
            many + "local w = assert(widgets.create { name = 'many', mode = 'managed', "
            f"domains = many(0, 399, {form}) }}); "
            f"w = assert(widgets.update(w, {{ domains = {{ add = many(300, 599, {shouted}), "
            "remove = many(0, 99, " + form + ") } })); "
            "assert(widgets.update(w.sitekey, { name = 'still many' }))", sandbox=sandbox)
        self.assert_status(done, 0)
        self.assertEqual(sandbox.widgets()[0]["domains"], sorted(names[100:600]))
        done = self.lua(
            many + "local w = widgets.all()[1]; "
            f"w = assert(widgets.update(w, {{ domains = many(0, 799, {form}) }})); "
            f"assert(widgets.update(w.sitekey, {{ domains = many(0, 799, {form}) }}))",
            sandbox=sandbox)
        self.assert_status(done, 0)
        self.assertEqual(sandbox.widgets()[0]["domains"], sorted(names))


class Answers(OddCase):
    GET = f"local w, e = widgets.get '{NO_WIDGET}'; "

    def test_unknown_fields_are_kept(self):
        answer = widget(tier=3, nested={"list": [1, 2.5], "none": None}, gone=None)
        done = self.after([envelope(answer)], self.GET + "print(w.tier, math.type(w.tier), "
                          "w.nested.list[1], w.nested.list[2], w.gone, w.secret)", 0)
        self.assertEqual(done.out, "3\tinteger\t1\t2.5\tnil\t[secret]\n")

    def test_an_update_sends_known_fields_only(self):
        answer = widget(tier=3, modified_on="2026-01-01T00:00:00Z", region="world", offlabel=False,
                        clearance_level=None, domains=["B.example", "a.example"])
        self.after([envelope(answer), envelope(answer)],
                   f"assert(widgets.update('{NO_WIDGET}', {{ name = 'b' }}))", 0)
        method, path, body = self.server.seen[1]
        self.assertEqual((method, path.rsplit("/", 1)[1]), ("PUT", NO_WIDGET))
        self.assertEqual(json.loads(body), {
            "name": "b", "domains": ["B.example", "a.example"], "mode": "managed",
            "offlabel": False})

    def test_domains_that_come_in_another_form_are_the_same_domains(self):
        answer = widget(domains=["c.example", "B.example.", "a.example", "A.example"])
        update = f"local w = widgets.update('{NO_WIDGET}', {{ domains = %s }}); print(#w.domains)"
        for changes in ("{ add = { 'b.example' }, remove = { 'd.example' } }",
                        "{ 'c.example', 'a.example', 'B.example' }"):
            self.after([envelope(answer)], update % changes, 0)  # nothing to be sent
        self.after([envelope(answer), envelope(answer)],
                   update % "{ add = { 'D.example' }, remove = { 'a.example.' } }", 0)
        self.assertEqual(json.loads(self.server.seen[1][2])["domains"],
                         ["b.example", "c.example", "d.example"])

    def test_a_create_sends_what_it_was_given(self):
        name = 'a "quoted" \\ name\twith ü\x7f'
        self.after([envelope(widget())],
                   "assert(widgets.create { name = 'a \"quoted\" \\\\ name\\twith ü\\x7f', mode = "
                   "'invisible', domains = { 'b.example', 'A.example', 'b.example.' }, "
                   "offlabel = false, bot_fight_mode = true, region = 'world' })", 0)
        self.assertEqual(json.loads(self.server.seen[0][2]), {
            "name": name, "domains": ["a.example", "b.example"], "mode": "invisible",
            "region": "world", "bot_fight_mode": True, "offlabel": False})

    def test_an_update_of_a_widget_that_lacks_what_must_be_sent(self):
        answer = widget()
        del answer["mode"]
        done = self.after([envelope(answer)], f"local _, e = widgets.update('{NO_WIDGET}', "
                          "{ name = 'b' }); print(e.kind, e.outcome)", 4)
        self.assertEqual(done.out, "decode\tnot_applied\n")
        self.assertIn("has no `mode` that an update could send back", done.err)

    def test_an_update_of_a_widget_in_a_form_that_is_not_known(self):
        # Sent back without what was not understood, it could admit any hostname.
        for name, value in (("domains", [{"hostname": "a.example"}]), ("domains", {"0": "a"}),
                            ("domains", "a.example"), ("domains", ["a.example", None]),
                            ("domains", ["a.example\0b"]), ("name", 5), ("mode", ["managed"]),
                            ("offlabel", "false"), ("clearance_level", True)):
            for changes in ("{ name = 'b' }", "{ domains = { add = { 'b.example' } } }",
                            "{ domains = { 'b.example' } }"):
                with self.subTest(f"{name} {value} {changes}"):
                    done = self.after(
                        [envelope(widget(**{name: value}))],
                        f"local _, e = widgets.update('{NO_WIDGET}', {changes}); print(e.kind)", 4)
                    self.assertEqual(done.out, "decode\n")
                    self.assertIn(f"has no `{name}` that an update could send back", done.err)

    def test_what_is_no_widget(self):
        for body in (envelope(None), envelope([]), envelope("x"), envelope({}), {}, [], None, 5,
                     envelope({"sitekey": ""}), {"success": "yes"}, b"", b"{", b"<html>", b"\xff",
                     b'{"success":true,"result":' + b"[" * 3000 + b"]" * 3000 + b"}"):
            with self.subTest(str(body)[:60]):
                done = self.after([body], self.GET + "print(w, e.kind, e.status)", 9)
                self.assertEqual(done.out, "nil\tdecode\t200\n")

    def test_a_created_widget_that_cannot_be_read(self):
        create = ("local w, e = widgets.create { name = 'x', domains = { 'x.example' }, "
                  "mode = 'managed' }; print(w, e.kind, e.outcome)")
        for body in (envelope(None), b"{", b"", envelope({"name": "x"})):
            done = self.after([body], create, 10)
            self.assertEqual(done.out, "nil\tdecode\tunknown\n")
        done = self.after([{"success": False, "errors": [{"message": "no"}], "result": None}],
                          create, 4)  # whatever the status: it says no
        self.assertEqual(done.out, "nil\tapi\tnot_applied\n")

    def test_errors_of_the_api(self):
        errors = {"success": False, "errors": [{"code": 10000, "message": "Authentication error"},
                                               {"message": "no code"}], "result": None}
        done = self.after([(403, {"CF-Ray": "8f-TST"}, errors)],
                          self.GET + "print(e, #e.errors, e.errors[2].code)", 8)
        self.assertEqual(done.out, f"get {NO_WIDGET}: HTTP 403, code 10000: Authentication error "
                         "(CF-Ray 8f-TST)\t2\tnil\n")
        for body in ({"success": False}, {"success": False, "errors": []},
                     {"success": False, "errors": [None]}, {"success": False, "errors": "x"},
                     {"success": False, "errors": [{"code": "x", "message": 5}]}):
            with self.subTest(body):
                done = self.after([(404, {}, body)], self.GET + "print(e.kind, e.code)", 0)
                self.assertEqual(done.out, "api\tnil\n")

    def test_messages_cannot_forge_lines(self):
        text = "first\nsecond\r\x1b[31mred\u202e\x00"
        errors = {"success": False, "errors": [{"code": 1, "message": text}], "result": None}
        done = self.after([(404, {}, errors)], self.GET + "io.write(tostring(e))", 0)
        self.assertEqual(len(done.out.splitlines()), 1, done)
        self.assertNotIn("\x1b", done.out)

    def test_pages_of_html(self):
        page = b"<html>" + b"x" * 5000
        done = self.after(5 * [(502, {"Content-Type": "text/html"}, page)],
                          self.GET + "print(e.kind, e.status, e.retryable, e)", 9)
        self.assertIn("http\t502\ttrue", done.out)
        self.assertIn("text/html", done.out)
        self.assertNotIn("xxx", done.out)

    def test_redirects_are_not_followed(self):
        done = self.after([(302, {"Location": self.url + "/elsewhere"}, b"")],
                          self.GET + "print(e.kind, e.status)", 9)
        self.assertEqual(done.out, "http\t302\n")
        self.assertEqual(len(self.server.seen), 1)

    def test_a_delete_answers_what_it_likes(self):
        for result in (None, widget(), {}):
            self.after([envelope(result)], f"assert(widgets.delete '{NO_WIDGET}' == true)", 0,
                       "--allow=delete")

    def test_siteverify(self):
        code = "local v, e = turnstile.siteverify { secret = 'x', response = 'y' }; "
        done = self.after([{"success": True, "hostname": "a.example", "error-codes": []}],
                          code + "print(v.success, v.hostname)", 0)
        self.assertEqual(done.out, "true\ta.example\n")
        done = self.after([(400, {}, {"success": False, "error-codes": ["bad-request"]})],
                          code + "print(v.success, v['error-codes'][1])", 0)
        self.assertEqual(done.out, "false\tbad-request\n")
        for body in (b"", b"[]", b"<html>", b'{"success":1}'):
            done = self.after([(200, {}, body)], code + "print(v, e.kind)", 9)
            self.assertEqual(done.out, "nil\tdecode\n")


if __name__ == "__main__":
    unittest.main()
