# SPDX-License-Identifier: MIT
# Whether the validator can fail: samples that hold are spoilt in every single way, and each
# entry of adjustments.py must change a verdict. Without this the other tests could be green for
# nothing.
import json
import unittest
from dataclasses import replace

from jsonschema import Draft202012Validator

import schema
from adjustments import DEVIATIONS, RECORDED, TIGHTENINGS
from samples import BASE, DETAIL, DOCUMENTED_SAMPLES, ITEM, SAMPLES, SITEKEY, WRITABLE
from samples import spoilt, success

# What JSON Schema 2020-12 gives a meaning, and what it and OpenAPI 3.1 call annotations. The
# validator ignores a keyword that it does not know, so a slip of the pen would loosen the contract.
KEYWORDS = set(
    "$ref allOf anyOf oneOf type enum const required properties items additionalProperties"
    " unevaluatedProperties minimum maximum minLength maxLength minItems maxItems uniqueItems"
    " pattern format description example default readOnly".split()
)


def schemas_in(node, is_schema=False):
    """Every schema of a document, found where OpenAPI puts them."""
    if isinstance(node, list):
        for item in node:
            yield from schemas_in(item, is_schema)
    elif isinstance(node, dict):
        if is_schema:
            yield node
            for key in ("items", "additionalProperties"):
                if isinstance(node.get(key), dict):
                    yield from schemas_in(node[key], True)
            for key in ("allOf", "anyOf", "oneOf"):
                yield from schemas_in(node.get(key, []), True)
            for value in node.get("properties", {}).values():
                yield from schemas_in(value, True)
            return
        for key, value in node.items():
            if key == "schemas":
                yield from schemas_in(list(value.values()), True)
            else:
                yield from schemas_in(value, key == "schema")


def put(name, body):
    return replace(SAMPLES[name], request_body=json.dumps(body).encode())


def answered(name, body, status=200):
    return replace(SAMPLES[name], answer_body=json.dumps(body).encode(), status=status)


BOTH = ((schema.published(), SAMPLES), (schema.documented(), DOCUMENTED_SAMPLES))


class ContractTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.contract = BOTH[0][0]

    def assert_refused(self, exchange, hint):
        problems = self.contract.problems(exchange)
        self.assertTrue(any(hint in problem for problem in problems), problems)


class Documents(ContractTest):
    def test_schemas_say_only_what_the_validator_reads(self):
        for contract, _ in BOTH:
            found = list(schemas_in(contract.document))
            self.assertGreater(len(found), 10)
            for node in found:
                Draft202012Validator.check_schema(node)
                unknown = {key for key in node if not key.startswith("x-")} - KEYWORDS
                self.assertEqual(unknown, set(), node)

    def test_the_document_has_the_six_operations(self):
        names = [operation.node["operationId"] for operation in self.contract.operations]
        self.assertEqual(len(set(names)), 6)

    def test_every_operation_has_a_sample(self):
        for contract, samples in BOTH:
            reached = {contract.operation_of(sample).pointer for sample in samples.values()}
            self.assertEqual(reached, {operation.pointer for operation in contract.operations})


class Verdicts(ContractTest):
    def test_samples_hold(self):
        for contract, samples in BOTH:
            for name, sample in samples.items():
                with self.subTest(name):
                    self.assertEqual(contract.problems(sample), [])

    def test_every_spoilt_sample_is_refused(self):
        for contract, samples in BOTH:
            count = 0
            for name, sample in samples.items():
                for what, exchange in spoilt(sample):
                    count += 1
                    with self.subTest(name, what=what):
                        self.assertNotEqual(contract.problems(exchange), [])
            self.assertGreater(count, 250)

    def test_values_outside_their_range_are_refused(self):
        for member, value, keyword in (
            ("mode", "non_interactive", "enum"),
            ("region", "moon", "enum"),
            ("clearance_level", "none", "enum"),
            ("name", "", "minLength"),
            ("name", "n" * 255, "maxLength"),
        ):
            with self.subTest(member, value=value[:9]):
                hint = f"{member}: {keyword}"
                self.assert_refused(put("create", {**WRITABLE, member: value}), hint)
                self.assert_refused(put("update", {**WRITABLE, member: value}), hint)
                self.assert_refused(answered("get", success({**DETAIL, member: value})), hint)
        for member, value in (
            ("created_on", "2026-01-02 03:04:05Z"),
            ("created_on", "2026-13-02T03:04:05Z"),
            ("modified_on", "2026-01-02T03:04:05"),
            ("modified_on", "yesterday"),
        ):
            with self.subTest(member, value=value):
                answer = success({**DETAIL, member: value})
                self.assert_refused(answered("get", answer), f"{member}: format")

    def test_read_only_members_are_refused_in_requests(self):
        for member in set(DETAIL) - set(WRITABLE):
            with self.subTest(member):
                body = {**WRITABLE, member: DETAIL[member]}
                self.assert_refused(put("update", body), f"'{member}' was unexpected")
                self.assert_refused(put("create", body), f"'{member}' was unexpected")

    def test_a_secret_in_a_list_is_refused(self):
        answer = json.loads(SAMPLES["list"].answer_body)
        answer["result"] = [ITEM, DETAIL]
        self.assert_refused(answered("list", answer), "answer/result/1")

    def test_queries_are_judged(self):
        for query, hint in (
            ("per_page=4", "per_page: minimum"),
            ("per_page=1001", "per_page: maximum"),
            ("per_page=many", "per_page: type"),
            ("page=0", "page: minimum"),
            ("page=", "page: type"),
            ("page=1&page=2", "page is given twice"),
            ("order=mode", "order: enum"),
            ("direction=ASC", "direction: enum"),
            ("cursor=abc", "cursor is not declared"),
            ("page", "cannot be read"),
        ):
            with self.subTest(query):
                self.assert_refused(replace(SAMPLES["list"], query=query), hint)
        self.assert_refused(replace(SAMPLES["get"], query="page=1"), "page is not declared")

    def test_requests_outside_the_document_are_refused(self):
        for method, path in (
            ("PATCH", f"{BASE}/{SITEKEY}"),
            ("PUT", BASE),
            ("GET", f"{BASE}/"),
            ("GET", BASE.replace("/client/v4", "")),
            ("GET", f"{BASE}/{SITEKEY}/rotate_secret"),
        ):
            with self.subTest(f"{method} {path}"):
                exchange = replace(SAMPLES["get"], method=method, path=path)
                self.assert_refused(exchange, "is no operation")
        long = replace(SAMPLES["get"], path=f"{BASE}/{'k' * 33}")
        self.assert_refused(long, "path sitekey: maxLength")

    def test_bodies_must_be_declared_json(self):
        for name, change, hint in (
            ("create", {"request_headers": {}}, "content type none"),
            ("create", {"request_headers": {"content-type": "text/json"}}, "content type text/"),
            ("create", {"request_body": b""}, "is missing"),
            ("rotate", {"request_body": b""}, "is missing"),
            ("create", {"request_body": b'{"name":"a","name":"b"}'}, "appears twice"),
            ("create", {"request_body": b"\xff{}"}, "cannot be read"),
            ("get", {"request_body": b"{}"}, "the operation has none"),
            ("delete", {"request_body": b"{}"}, "the operation has none"),
            ("get", {"answer_headers": {}}, "content type none"),
            ("get", {"answer_headers": {"content-type": "text/html"}}, "is not JSON"),
            ("get", {"answer_body": b""}, "cannot be read"),
            ("get", {"answer_body": b"<html>"}, "cannot be read"),
            ("get", {"answer_body": b'{"success":NaN}'}, "NaN is not JSON"),
        ):
            with self.subTest(name, change=change):
                self.assert_refused(replace(SAMPLES[name], **change), hint)

    def test_statuses_must_be_declared(self):
        for status in (201, 204, 302, 500, 502):
            with self.subTest(status):
                exchange = replace(SAMPLES["create"], status=status)
                self.assert_refused(exchange, f"status {status} is not declared")
        # A success envelope under a failure status, and the other way round.
        self.assert_refused(replace(SAMPLES["get"], status=404), "answer/success: const")
        self.assert_refused(replace(SAMPLES["unknown"], status=200), "answer/success: const")

    def test_fifteen_domains_hold(self):
        """The published maxLength of 10 is on the array and therefore means nothing."""
        domains = [f"d{number}.example" for number in range(15)]
        exchange = put("create", {**WRITABLE, "domains": domains})
        self.assertEqual(self.contract.problems(exchange), [])

    def test_siteverify_verdicts_agree_with_themselves(self):
        contract = BOTH[1][0]
        for name, change in (
            ("verdict", {"error-codes": ["bad-request"]}),
            ("verdict", {"success": False}),
            ("duplicate", {"error-codes": []}),
            ("duplicate", {"error-codes": ["no-such-code"]}),
            ("duplicate", {"success": True}),
        ):
            sample = DOCUMENTED_SAMPLES[name]
            answer = {**json.loads(sample.answer_body), **change}
            spoilt_answer = replace(sample, answer_body=json.dumps(answer).encode())
            with self.subTest(name, change=change):
                self.assertNotEqual(contract.problems(spoilt_answer), [])

    def test_problems_quote_no_secret(self):
        answer = success({**DETAIL, "secret": [DETAIL["secret"]], "mode": DETAIL["secret"]})
        problems = self.contract.problems(answered("get", answer))
        self.assertGreater(len(problems), 1)
        self.assertNotIn("not-a-secret", " ".join(problems))


class Adjustments(unittest.TestCase):
    """Each entry is taken away in turn, all others stay."""

    EVERY = DEVIATIONS + RECORDED + TIGHTENINGS

    def without(self, entry):
        others = [other for other in self.EVERY if other is not entry]
        return schema.Contract(schema.adjust(schema.load("openapi-turnstile.json"), others))

    def test_an_answer_that_was_recorded_is_refused_without_its_entry(self):
        for entry in DEVIATIONS + RECORDED:
            with self.subTest(entry.why):
                contract = self.without(entry)
                self.assertTrue(any(map(contract.problems, SAMPLES.values())))

    def test_a_spoilt_sample_passes_without_its_entry(self):
        cases = [exchange for sample in SAMPLES.values() for _, exchange in spoilt(sample)]
        empty = replace(
            SAMPLES["unknown"],
            answer_body=b'{"success":false,"errors":[],"messages":[],"result":null}',
        )
        swapped = answered("get", {**success(DETAIL), "success": False})
        denied = json.loads(SAMPLES["unknown"].answer_body)
        cases += [empty, swapped, answered("unknown", {**denied, "success": True}, 404)]
        full = schema.published()
        for exchange in cases:
            self.assertNotEqual(full.problems(exchange), [])
        for entry in TIGHTENINGS:
            with self.subTest(entry.why, path=entry.path, key=entry.key):
                contract = self.without(entry)
                self.assertFalse(all(map(contract.problems, cases)))

    def test_the_published_schema_is_loosened_for_one_code_only(self):
        full = schema.published()
        for code, is_fine in ((971, True), (970, False), (972, False), (999, False), (1000, True)):
            answer = json.loads(SAMPLES["throttled"].answer_body)
            answer["errors"][0]["code"] = code
            problems = full.problems(answered("throttled", answer, 429))
            self.assertEqual(problems == [], is_fine, code)


if __name__ == "__main__":
    unittest.main()
