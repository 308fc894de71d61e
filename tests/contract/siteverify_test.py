# SPDX-License-Identifier: MIT
# What the sandbox serves beside the widget operations: token verification and siteverify. Each
# answer must hold against openapi-documented.json.
import json
import unittest
import uuid
from urllib.parse import urlencode

import schema
from sandbox_case import WIDGET, SandboxCase
from serve import ACCOUNT, TOKEN
from wire import BEARER, WIDGETS

SITEVERIFY = "/turnstile/v0/siteverify"
VERIFY = ("/client/v4/user/tokens/verify", f"/client/v4/accounts/{ACCOUNT}/tokens/verify")
DUMMY = "XXXX.DUMMY.TOKEN.XXXX"
FORM = "application/x-www-form-urlencoded"


class DocumentedCase(SandboxCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.widgets = cls.contract
        cls.contract = schema.documented()


class TokenVerification(DocumentedCase):
    def test_a_good_token_is_active(self):
        answers = [self.ok("GET", target) for target in VERIFY]
        for answer in answers:
            self.assertEqual(answer["result"]["status"], "active")
            self.assertEqual(answer["messages"][0]["code"], 10000)
        self.assertEqual(answers[0]["result"], answers[1]["result"])

    def test_refusals(self):
        for target in VERIFY:
            with self.subTest(target):
                self.refused(401, 1000, "GET", target, headers={"Authorization": "Bearer other"})
                self.refused(400, 6003, "GET", target, headers={"Authorization": "Bearer"})
                self.refused(400, 9106, "GET", target, headers={})
        other = VERIFY[1].replace(ACCOUNT, ACCOUNT[::-1])
        self.refused(403, 10000, "GET", other)
        key = {"X-Auth-Email": "ops@acme.example", "X-Auth-Key": TOKEN}
        self.refused(401, 1000, "GET", VERIFY[0], headers=key)


class Siteverify(DocumentedCase):
    OPTIONS = ("--entitle", "ephemeral_id,any-hostname")

    def setUp(self):
        super().setUp()
        self.widget = self.create()

    def create(self, **more):
        exchange = self.wire.send("POST", WIDGETS, {**WIDGET, **more})
        self.assertEqual(self.widgets.problems(exchange), [])
        return json.loads(exchange.answer_body)["result"]

    def rotate(self, is_immediate):
        target = f"{WIDGETS}/{self.widget['sitekey']}/rotate_secret"
        exchange = self.wire.send("POST", target, {"invalidate_immediately": is_immediate})
        self.assertEqual(self.widgets.problems(exchange), [])
        return json.loads(exchange.answer_body)["result"]["secret"]

    def mint(self, **more):
        body = {"sitekey": self.widget["sitekey"], "hostname": "acme.example", **more}
        return self.control("tokens", body)["token"]

    def verify(self, status=200, is_declared=True, kind="application/json", **fields):
        """The verdict. Without credentials, which siteverify does not ask for."""
        body = urlencode(fields).encode() if kind == FORM else fields
        exchange = self.wire.send("POST", SITEVERIFY, body, headers={}, kind=kind)
        self.assertEqual(exchange.status, status)
        problems = self.contract.request_problems(exchange)
        self.assertEqual(problems == [], is_declared, problems)
        return self.judge(exchange)

    def fails(self, code, **fields):
        verdict = self.verify(**fields)
        self.assertEqual((verdict["success"], verdict["error-codes"]), (False, [code]))

    def test_a_good_token_passes_once(self):
        for kind in ("application/json", FORM):
            token = self.mint(action="login", cdata="tenant-7")
            secret = self.widget["secret"]
            verdict = self.verify(secret=secret, response=token, kind=kind)
            self.assertTrue(verdict["success"])
            self.assertEqual(
                (verdict["hostname"], verdict["action"], verdict["cdata"]),
                ("acme.example", "login", "tenant-7"),
            )
            self.assertNotIn("ephemeral_id", verdict["metadata"])
            self.fails("timeout-or-duplicate", secret=secret, response=token, kind=kind)

    def test_multipart_forms_are_read(self):
        fields = {"secret": self.widget["secret"], "response": self.mint(), "remoteip": "::1"}
        parts = "".join(
            f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        exchange = self.wire.send(
            "POST",
            SITEVERIFY,
            f"{parts}--cut--\r\n".encode(),
            headers={},
            kind="multipart/form-data; boundary=cut",
        )
        self.assertTrue(self.judge(exchange)["success"], exchange.answer_body)

    def test_an_idempotency_key_allows_the_same_call_again(self):
        fields = {"secret": self.widget["secret"], "response": self.mint()}
        key = str(uuid.uuid4())
        first = self.verify(idempotency_key=key, **fields)
        self.assertTrue(first["success"])
        self.assertEqual(self.verify(idempotency_key=key, **fields), first)
        self.fails("timeout-or-duplicate", idempotency_key=str(uuid.uuid4()), **fields)
        self.fails("timeout-or-duplicate", **fields)

    def test_ephemeral_ids_come_with_the_entitlement(self):
        self.widget = self.create(ephemeral_id=True, domains=[])
        verdict = self.verify(
            secret=self.widget["secret"], response=self.mint(hostname="anywhere.example")
        )
        self.assertRegex(verdict["metadata"]["ephemeral_id"], "^x:[0-9a-f]+$")

    def test_verdicts_against(self):
        secret = self.widget["secret"]
        self.fails("missing-input-secret", response="x", is_declared=False)
        self.fails("missing-input-secret", secret="", response="x", is_declared=False)
        self.fails("missing-input-response", secret=secret, is_declared=False)
        self.fails("invalid-input-secret", secret="no such secret", response=self.mint())
        self.fails("invalid-input-response", secret=secret, response="forged")
        self.fails("invalid-input-response", secret=secret, response=DUMMY)
        self.fails(
            "invalid-input-response", secret=secret, response="r" * 2049, is_declared=False
        )
        self.fails("invalid-input-response", secret=self.create()["secret"], response=self.mint())
        self.fails("timeout-or-duplicate", secret=secret, response=self.mint(age=301))

    def test_bodies_that_cannot_be_read(self):
        for body, kind in (
            (b"{", "application/json"),
            (b"[]", "application/json"),
            (b'{"secret":1}', "application/json"),
            (b"\xff", "application/json"),
            (b"--cut\r\n", "multipart/form-data"),
            (b"text", "text/plain"),
        ):
            with self.subTest(body=body, kind=kind):
                exchange = self.wire.send("POST", SITEVERIFY, body, headers={}, kind=kind)
                self.assertEqual(exchange.status, 400)
                self.assertEqual(self.judge(exchange)["error-codes"], ["bad-request"])

    def test_both_secrets_hold_during_the_grace_period(self):
        old = self.widget["secret"]
        now = self.rotate(True)
        self.fails("invalid-input-secret", secret=old, response=self.mint())
        self.assertTrue(self.verify(secret=now, response=self.mint())["success"])
        later = self.rotate(False)
        for secret in (now, later):
            self.assertTrue(self.verify(secret=secret, response=self.mint())["success"])
        self.control("clock", {"advance": 7201})
        self.fails("invalid-input-secret", secret=now, response=self.mint())
        self.assertTrue(self.verify(secret=later, response=self.mint())["success"])
        self.assertNotEqual(self.rotate(False), later)

    def test_testing_keys(self):
        def testing(digit):
            return f"{digit}x0000000000000000000000000000000AA"

        verdict = self.verify(secret=testing(1), response=DUMMY)
        self.assertEqual((verdict["success"], verdict["hostname"]), (True, "example.com"))
        self.assertTrue(verdict["metadata"]["result_with_testing_key"])
        self.fails("invalid-input-response", secret=testing(2), response=DUMMY)
        self.fails("timeout-or-duplicate", secret=testing(3), response=DUMMY)
        self.fails("invalid-input-secret", secret=testing(1), response=self.mint())

    def test_credentials_are_not_needed_and_not_looked_at(self):
        body = {"secret": self.widget["secret"], "response": self.mint()}
        wrong = {"Authorization": "Bearer another-token"}
        for headers in (wrong, BEARER):
            exchange = self.wire.send("POST", SITEVERIFY, body, headers=headers)
            self.assertEqual(exchange.status, 200)
            self.judge(exchange)


if __name__ == "__main__":
    unittest.main()
