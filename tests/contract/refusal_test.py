# SPDX-License-Identifier: MIT
# Every refusal of the sandbox, driven by raw HTTP. A refusal must hold against the published
# document, and a request that the document refuses must be refused here too.
import re
import unittest

from sandbox_case import WIDGET, SandboxCase, assert_reached
from serve import ACCOUNT, TOKEN
from wire import WIDGETS

NOBODY = f"{WIDGETS}/0x4AAAAAAAAAAAAAAAAAAAAAA"


def tearDownModule():
    assert_reached(400, 401, 403, 404, 429)


class Refusals(SandboxCase):
    def targets(self):
        """(method, target, body) of a request that holds, for each operation."""
        sitekey = self.create()["sitekey"]
        return (
            ("GET", WIDGETS, None),
            ("POST", WIDGETS, WIDGET),
            ("GET", f"{WIDGETS}/{sitekey}", None),
            ("PUT", f"{WIDGETS}/{sitekey}", WIDGET),
            ("DELETE", f"{WIDGETS}/{sitekey}", None),
            ("POST", f"{WIDGETS}/{sitekey}/rotate_secret", {}),
        )

    def test_credentials(self):
        def bearer(text):
            return {"Authorization": text}

        for method, target, body in self.targets():
            with self.subTest(f"{method} {target}"):
                call = (method, target, body)
                self.refused(400, 9106, *call, headers={})
                self.refused(400, 9106, *call, headers={"X-Auth-Email": "ops@acme.example"})
                self.refused(401, 10000, *call, headers=bearer("Bearer another-token"))
                for value in (
                    "Bearer",
                    "Bearer ",
                    f"Bearer  {TOKEN}",
                    f"Bearer Bearer {TOKEN}",
                    f'Bearer "{TOKEN}"',
                    f"Basic {TOKEN}",
                    TOKEN,
                ):
                    errors = self.refused(400, 6003, *call, headers=bearer(value))
                    self.assertEqual(errors[0]["error_chain"][0]["code"], 6111)
                key = {"X-Auth-Email": "ops", "X-Auth-Key": TOKEN}
                self.refused(400, 6003, *call, headers=key)
                key = {"X-Auth-Email": "ops@acme.example", "X-Auth-Key": "two words"}
                self.refused(400, 6003, *call, headers=key)
                key["X-Auth-Key"] = "another-key"
                self.refused(401, 10000, *call, headers=key)

    def test_another_account_is_forbidden(self):
        for method, target, body in self.targets():
            with self.subTest(f"{method} {target}"):
                other = target.replace(ACCOUNT, ACCOUNT[::-1])
                self.refused(403, 10000, method, other, body)

    def test_a_weak_token_may_read_or_nothing(self):
        for token, permission in (("reader-token", "read"), ("stranger-token", "none")):
            self.control("credentials", {"token": token, "permission": permission})
            headers = {"Authorization": f"Bearer {token}"}
            for method, target, body in self.targets():
                with self.subTest(f"{method} {target}", permission=permission):
                    if permission == "read" and method == "GET":
                        self.ok(method, target, headers=headers)
                    else:
                        self.refused(403, 10000, method, target, body, headers=headers)

    def test_an_account_that_cannot_be_is_not_found_before_credentials(self):
        for method, target, body in self.targets():
            with self.subTest(f"{method} {target}"):
                for account in ("acme", "0" * 31, "g" * 32):
                    other = target.replace(ACCOUNT, account)
                    errors = self.refused(404, 7003, method, other, body, headers={})
                    self.assertEqual(errors[1]["code"], 7000)

    def test_an_unknown_widget_is_not_found(self):
        for method, target, body in (
            ("GET", NOBODY, None),
            ("PUT", NOBODY, WIDGET),
            ("DELETE", NOBODY, None),
            ("POST", f"{NOBODY}/rotate_secret", {}),
        ):
            with self.subTest(f"{method} {target}"):
                self.refused(404, 10404, method, target, body)
        self.refused(404, 10404, "GET", f"{WIDGETS}/{'k' * 33}", is_declared=False)

    def test_routes_and_methods(self):
        self.refused(404, 10404, "GET", "/nowhere", is_declared=False)
        self.refused(404, 7000, "GET", WIDGETS[:-1], is_declared=False)
        self.refused(404, 7000, "GET", f"{NOBODY}/rotate_secret/more", is_declared=False)
        for method, target in (
            ("PATCH", NOBODY),
            ("POST", NOBODY),
            ("PUT", WIDGETS),
            ("DELETE", WIDGETS),
            ("PATCH", WIDGETS),
            ("GET", f"{NOBODY}/rotate_secret"),
            ("PUT", f"{NOBODY}/rotate_secret"),
        ):
            with self.subTest(f"{method} {target}"):
                body = None if method in ("GET", "DELETE") else WIDGET
                self.refused(405, 10405, method, target, body, is_declared=False)

    def bodies(self):
        return [call for call in self.targets() if call[2] is not None]

    def test_bodies_that_are_not_json(self):
        for method, target, _ in self.bodies():
            for kind in (None, "text/plain", "application/x-www-form-urlencoded"):
                with self.subTest(f"{method} {target}", kind=kind):
                    self.refused(
                        415, 10415, method, target, WIDGET, kind=kind, is_declared=False
                    )
            for body in (
                b"",
                b"{",
                b"[]",
                b"null",
                b'"text"',
                b"{'name': 1}",
                b'{"name":"acme","mode":"managed","domains":["a.example"],}',
                b'{"name":"\xff","mode":"managed","domains":["a.example"]}',
                b'{"name":"\xed\xa0\x80","mode":"managed","domains":["a.example"]}',
                b"[" * 100_000,
            ):
                with self.subTest(f"{method} {target}", body=body[:40]):
                    self.refused(400, 10400, method, target, body, is_declared=False)

    def test_a_body_that_is_too_large(self):
        for method, target, _ in self.bodies():
            with self.subTest(f"{method} {target}"):
                exchange = self.wire.send(method, target, b" " * (1024 * 1024 + 1))
                self.assertEqual(exchange.status, 413)
                self.judge(exchange)
                self.setUp()

    def test_unknown_and_read_only_members(self):
        for method, target, body in self.bodies():
            names = ["invented", "sitekey", "secret", "created_on", "modified_on"]
            names += ["deployed_via", "last_modified_via", "Name", ""]
            names += ["name"] if "rotate" in target else ["invalidate_immediately"]
            for name in names:
                with self.subTest(f"{method} {target}", name=name):
                    wrong = {**body, name: "text"}
                    errors = self.refused(400, 10400, method, target, wrong, is_declared=False)
                    self.assertEqual(errors[0]["message"], f'json: unknown field "{name}"')

    def test_missing_members(self):
        for method, target, body in self.bodies():
            for name in body:
                with self.subTest(f"{method} {target}", name=name):
                    less = {key: value for key, value in body.items() if key != name}
                    errors = self.refused(400, 10400, method, target, less, is_declared=False)
                    self.assertEqual(errors[0]["message"], f"missing field `{name}`")

    def test_wrong_values(self):
        wrong = {
            "name": ("", "n" * 255, 1, None, True, [], {}),
            "mode": ("", "Managed", "non_interactive", 1, None, []),
            "domains": ("acme.example", None, {}, [1], [None], [[]]),
            "region": ("", "moon", 1, None),
            "clearance_level": ("", "none", 1, None),
            "bot_fight_mode": (0, 1, "true", None, []),
            "ephemeral_id": (0, "false", None),
            "offlabel": (1, "false", None),
        }
        for method, target, body in self.bodies():
            if "rotate" in target:
                continue
            for name, values in wrong.items():
                for value in values:
                    with self.subTest(f"{method} {target}", name=name, value=str(value)[:9]):
                        bad = {**body, name: value}
                        self.refused(400, 10400, method, target, bad, is_declared=False)
        rotate = self.bodies()[-1][1]
        for value in (0, 1, "true", None, {}):
            with self.subTest("rotate", value=value):
                bad = {"invalidate_immediately": value}
                self.refused(400, 10400, "POST", rotate, bad, is_declared=False)

    def test_domains_that_are_none(self):
        too_many = [f"d{number}.example" for number in range(16)]
        for method, target, body in self.bodies()[:2]:
            for domains in (
                [""],
                ["*.acme.example"],
                ["https://acme.example"],
                ["acme.example:443"],
                ["acme.example/login"],
                ["acme example"],
                ["-acme.example"],
                ["acme..example"],
                ["b\u00fccher.example"],
                ["300.1.1.1"],
                ["a" * 64 + ".example"],
                [("a" * 49 + ".") * 5 + "example"],
                ["acme.example\u0000"],
                too_many,
            ):
                with self.subTest(f"{method} {target}", domains=domains[0][:20]):
                    bad = {**body, "domains": domains}
                    self.refused(400, 10400, method, target, bad)

    def test_characters_that_no_name_has(self):
        # Cut short or taken over, they would come back different from what was sent.
        for method, target, body in self.bodies()[:2]:
            for name in ("acme\u0000", "acme\u0000login", "\u0000"):
                with self.subTest(f"{method} {target}", name=name):
                    self.refused(400, 10400, method, target, {**body, "name": name})

    def test_what_the_account_may_not_do(self):
        for method, target, body in self.bodies()[:2]:
            for flag in ("bot_fight_mode", "ephemeral_id", "offlabel"):
                errors = self.refused(403, 10403, method, target, {**body, flag: True})
                self.assertEqual(
                    errors[0]["message"], f"not entitled to widgets with `{flag}` set to true"
                )
                self.ok(method, target, {**body, flag: False})
            self.refused(403, 10403, method, target, {**body, "domains": []})

    def test_the_region_stays(self):
        sitekey = self.create(region="china")["sitekey"]
        moved = {**WIDGET, "region": "world"}
        self.refused(400, 10400, "PUT", f"{WIDGETS}/{sitekey}", moved)

    def test_a_refused_write_changes_nothing(self):
        sitekey = self.create()["sitekey"]
        before = self.result("GET", f"{WIDGETS}/{sitekey}")
        for body in ({**WIDGET, "name": ""}, {**WIDGET, "offlabel": True}, {"name": "other"}):
            self.wire.send("PUT", f"{WIDGETS}/{sitekey}", body)
        self.assertEqual(self.result("GET", f"{WIDGETS}/{sitekey}"), before)


class Quota(SandboxCase):
    OPTIONS = ("--max-widgets", "2", "--max-domains", "3")

    def test_no_more_widgets_or_domains_than_allowed(self):
        first = self.create(domains=["a.example", "b.example", "c.example"])
        too_many = {**WIDGET, "domains": ["a.example", "b.example", "c.example", "d.example"]}
        self.refused(400, 10400, "POST", WIDGETS, too_many)
        self.create()
        self.refused(403, 10403, "POST", WIDGETS, WIDGET)
        self.result("DELETE", f"{WIDGETS}/{first['sitekey']}")
        self.create()


class RateLimit(SandboxCase):
    OPTIONS = ("--rate", "6/60")

    def headers(self, exchange):
        limit = re.fullmatch(r'"(\w+)";r=(\d+);t=(\d+)', exchange.answer_headers["ratelimit"])
        policy = exchange.answer_headers["ratelimit-policy"]
        policy = re.fullmatch(r'"(\w+)";q=(\d+);w=(\d+)', policy)
        self.assertEqual(limit[1], policy[1])
        return tuple(map(int, (limit[2], limit[3], policy[2], policy[3])))

    def test_the_budget_is_told_and_then_enforced(self):
        self.control("clock", {"advance": 60})
        for left in (5, 4, 3, 2, 1, 0):
            exchange = self.wire.send("GET", WIDGETS)
            self.judge(exchange)
            remaining, reset_s, quota, window_s = self.headers(exchange)
            self.assertEqual((remaining, quota, window_s), (left, 6, 60))
            self.assertLessEqual(reset_s, 60)
            self.assertNotIn("retry-after", exchange.answer_headers)
        for method, target, body in (
            ("GET", WIDGETS, None),
            ("POST", WIDGETS, WIDGET),
            ("GET", NOBODY, None),
            ("PUT", NOBODY, WIDGET),
            ("DELETE", NOBODY, None),
            ("POST", f"{NOBODY}/rotate_secret", {}),
        ):
            self.refused(429, 971, method, target, body)
            self.assertEqual(self.headers(self.refusal)[0], 0)
            self.assertIn(int(self.refusal.answer_headers["retry-after"]), range(1, 61))
        self.control("clock", {"advance": 60})
        self.ok("GET", WIDGETS)

    def test_a_refusal_on_order_is_a_refusal(self):
        self.control("clock", {"advance": 60})
        self.control("faults", {"op": "list", "kind": "429", "retry_after": 7})
        self.refused(429, 971, "GET", WIDGETS)
        self.assertEqual(self.refusal.answer_headers["retry-after"], "7")
        self.headers(self.refusal)
        self.ok("GET", WIDGETS)


if __name__ == "__main__":
    unittest.main()
