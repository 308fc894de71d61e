# SPDX-License-Identifier: MIT
# Judges exchanges by an OpenAPI document: what the request may be, what its answer must be.
# Documents are OpenAPI 3.1, whose schemas are JSON Schema 2020-12 as they stand.
import copy
import datetime
import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from jsonschema import Draft202012Validator, FormatChecker, RefResolver

from adjustments import DEVIATIONS, RECORDED, TIGHTENINGS

HERE = Path(__file__).resolve().parent
FAILURE = "#/components/schemas/turnstile_api-response-common-failure"
RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")

# The validator's own date-time check wants a package that Debian 12 does not have.
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def is_date_time(value):
    if not isinstance(value, str):
        return True
    match = RFC3339.fullmatch(value)
    return bool(match) and bool(datetime.datetime.fromisoformat(match[1]))


@dataclass(frozen=True)
class Operation:
    pointer: str  # of the operation in the document
    method: str
    path: re.Pattern  # named groups g0, g1, … are the path parameters
    names: tuple  # of the path parameters, in order
    parameters: dict  # (place, name) → (pointer of the schema, is required)
    node: dict


def escape(token):
    return token.replace("~", "~0").replace("/", "~1").replace("%", "%25").replace(" ", "%20")


def adjust(document, adjustments):
    """Applies adjustments to a copy. A path that leads nowhere raises: it has outlived its use."""
    document = copy.deepcopy(document)
    for adjustment in adjustments:
        node = document
        for token in adjustment.path.split("/")[1:]:
            node = node[token.replace("~1", "/").replace("~0", "~")]
        node[adjustment.key] = copy.deepcopy(adjustment.value)
    return document


def load(name):
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def parse_json(data):
    """JSON as both sides must speak it: UTF-8, no member twice, no NaN. Raises ValueError."""

    def members(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError(f"a member appears twice among {names}")
        return dict(pairs)

    def constant(name):
        raise ValueError(f"{name} is not JSON")

    try:
        text = data.decode("utf-8")
        return json.loads(text, object_pairs_hook=members, parse_constant=constant)
    except RecursionError:
        raise ValueError("is nested too deep") from None


def media_type(headers):
    return headers.get("content-type", "").split(";")[0].strip().lower()


class Contract:
    """The operations of one document. `problems` of an exchange that holds are an empty list."""

    def __init__(self, document):
        if not document["openapi"].startswith("3.1."):
            raise ValueError("only OpenAPI 3.1 documents carry JSON Schema as it stands")
        self.document = document
        self.resolver = RefResolver("", document)
        self.prefix = urlsplit(document["servers"][0]["url"]).path.rstrip("/")
        self.operations = [
            self._operation(path, item, method)
            for path, item in document["paths"].items()
            for method in item
            if method != "parameters"
        ]

    def _operation(self, path, item, method):
        item_pointer = f"#/paths/{escape(path)}"
        names = tuple(re.findall(r"\{(\w+)\}", path))
        pattern = "".join(
            f"(?P<g{names.index(part[1:-1])}>[^/]+)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{\w+\})", path)
        )
        parameters = {}
        for pointer, holder in ((item_pointer, item), (f"{item_pointer}/{method}", item[method])):
            for index, parameter in enumerate(holder.get("parameters", ())):
                parameters[parameter["in"], parameter["name"]] = (
                    f"{pointer}/parameters/{index}/schema",
                    parameter.get("required", False),
                )
        return Operation(
            f"{item_pointer}/{method}",
            method.upper(),
            re.compile(re.escape(self.prefix) + pattern),
            names,
            parameters,
            item[method],
        )

    def operation_of(self, exchange):
        """The operation that a method and path name, None when there is none."""
        for operation in self.operations:
            if operation.method == exchange.method and operation.path.fullmatch(exchange.path):
                return operation
        return None

    def check(self, pointer, value, place):
        """Complaints about `value` against the schema at `pointer`; they quote no secrets."""
        validator = Draft202012Validator(
            {"$ref": pointer}, resolver=self.resolver, format_checker=FORMATS
        )
        problems = []
        for error in validator.iter_errors(value):
            where = "/".join([place, *map(str, error.absolute_path)])
            if error.validator in ("required", "additionalProperties", "unevaluatedProperties"):
                problems.append(f"{where}: {error.message}")
            else:
                wanted = json.dumps(error.validator_value)[:120]
                problems.append(f"{where}: {error.validator} {wanted} refuses it")
        return problems

    def request_problems(self, exchange):
        operation = self.operation_of(exchange)
        if operation is None:
            return [f"request: {exchange.method} {exchange.path} is no operation"]
        problems = []
        values = operation.path.fullmatch(exchange.path)
        for index, name in enumerate(operation.names):
            pointer, _ = operation.parameters["path", name]
            problems += self.check(pointer, unquote(values[f"g{index}"]), f"request path {name}")
        problems += self._query_problems(operation, exchange.query)
        problems += self._body_problems(operation, exchange)
        return problems

    def _query_problems(self, operation, query):
        problems, seen = [], set()
        try:
            pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
        except ValueError as error:
            return [f"request query: cannot be read: {error}"]
        for name, text in pairs:
            if ("query", name) not in operation.parameters:
                problems.append(f"request query: {name} is not declared")
                continue
            if name in seen:
                problems.append(f"request query: {name} is given twice")
            seen.add(name)
            pointer, _ = operation.parameters["query", name]
            if self.resolver.resolve(pointer)[1].get("type") in ("number", "integer"):
                try:
                    value = json.loads(text)
                except ValueError:
                    value = text
            else:
                value = text
            problems += self.check(pointer, value, f"request query {name}")
        for (place, name), (_, is_required) in operation.parameters.items():
            if place == "query" and is_required and name not in seen:
                problems.append(f"request query: {name} is missing")
        return problems

    def _body_problems(self, operation, exchange):
        declared = operation.node.get("requestBody")
        body, kind = exchange.request_body, media_type(exchange.request_headers)
        if declared is None:
            return ["request body: the operation has none"] if body else []
        if not body:
            return ["request body: is missing"] if declared.get("required") else []
        if kind not in declared["content"]:
            return [f"request body: content type {kind or 'none'} is not declared"]
        try:
            if kind == "application/x-www-form-urlencoded":
                pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
                value = dict(pairs)
            else:
                value = parse_json(body)
        except ValueError as error:
            return [f"request body: cannot be read: {error}"]
        pointer = f"{operation.pointer}/requestBody/content/{escape(kind)}/schema"
        return self.check(pointer, value, "request body")

    def answer_problems(self, exchange):
        """An answer to what is no operation must still be a failure in the common envelope."""
        operation = self.operation_of(exchange)
        if operation is None:
            declared, pointer = ("4XX",), FAILURE
        else:
            declared = operation.node["responses"]
            pointer = None
        keys = (str(exchange.status), f"{exchange.status // 100}XX")
        status = next((key for key in keys if key in declared), None)
        if status is None:
            return [f"answer: status {exchange.status} is not declared"]
        kind = media_type(exchange.answer_headers)
        if kind != "application/json":
            return [f"answer: content type {kind or 'none'} is not JSON"]
        try:
            value = parse_json(exchange.answer_body)
        except ValueError as error:
            return [f"answer: cannot be read: {error}"]
        pointer = pointer or (
            f"{operation.pointer}/responses/{status}/content/{escape(kind)}/schema"
        )
        return self.check(pointer, value, "answer")

    def problems(self, exchange):
        return self.request_problems(exchange) + self.answer_problems(exchange)


def published():
    """The widget operations, adjusted."""
    document = load("openapi-turnstile.json")
    return Contract(adjust(document, DEVIATIONS + RECORDED + TIGHTENINGS))


def documented():
    """What the sandbox serves beside them: token verification and siteverify."""
    return Contract(load("openapi-documented.json"))
