# SPDX-License-Identifier: MIT
# Where the contract differs from the published document, one entry and one reason each.
# openapi_test.py proves of every entry that it is needed and that it does no more than it says.
from dataclasses import dataclass

WIDGETS = "/paths/~1accounts~1{account_id}~1challenges~1widgets"
WIDGET = WIDGETS + "~1{sitekey}"
ROTATE = WIDGET + "~1rotate_secret"
SCHEMAS = "/components/schemas"
JSON_SCHEMA = "/content/application~1json/schema"

OPERATIONS = (
    WIDGETS + "/get",
    WIDGETS + "/post",
    WIDGET + "/get",
    WIDGET + "/put",
    WIDGET + "/delete",
    ROTATE + "/post",
)


@dataclass(frozen=True)
class Adjustment:
    """Sets `key` to `value` in the object at `path` (a JSON pointer), for the reason `why`."""

    path: str
    key: str
    value: object
    why: str


# The published schema refuses these, and the service was seen to answer them.
DEVIATIONS = (
    Adjustment(
        SCHEMAS + "/turnstile_messages/items/properties",
        "code",
        {"type": "integer", "anyOf": [{"minimum": 1000}, {"const": 971}]},
        "a code is 1000 or more by the schema, yet rate-limited callers get 971",
    ),
)

# The published schema does not name these, and the service was seen to answer them. The schema is
# open and lets them pass; they need a name because TIGHTENINGS closes it.
RECORDED = (
    Adjustment(
        SCHEMAS + "/turnstile_result_info/properties",
        "total_pages",
        {"type": "number"},
        "recorded list answers carry it beside total_count",
    ),
    Adjustment(
        SCHEMAS + "/turnstile_messages/items/properties",
        "error_chain",
        {"$ref": "#/components/schemas/turnstile_messages"},
        "malformed credentials are answered with 6003 and a chain of causes",
    ),
)

# Left as published although it looks wrong: `maxLength: 10` on the array of domains. JSON Schema
# gives maxLength no meaning on arrays, so it refuses nothing; read as maxItems it would refuse
# widgets that exist, as the product allows 15 names and more.


def _answers(key, value, why):
    return tuple(
        Adjustment(operation + "/responses/200" + JSON_SCHEMA, key, value, why)
        for operation in OPERATIONS
    )


def _bodies(key, value, why):
    return tuple(
        Adjustment(operation + "/requestBody" + JSON_SCHEMA, key, value, why)
        for operation in OPERATIONS
        if operation.endswith(("/post", "/put"))
    )


def _closed(schema, why):
    return Adjustment(f"{SCHEMAS}/{schema}", "additionalProperties", False, why)


UNKNOWN_ANSWER = (
    "the schema is open, but a sandbox that answers members of its own invention, or a secret in "
    "a list, would teach scripts to rely on them"
)

# The published schema lets these pass, and its prose or the recorded service does not.
TIGHTENINGS = (
    *_bodies(
        "additionalProperties",
        False,
        "the service refuses a member it does not know, read-only ones included",
    ),
    *_answers("required", ["result"], "an answer without its result is useless")[1:],
    *_answers("unevaluatedProperties", False, UNKNOWN_ANSWER),
    Adjustment(
        WIDGETS + "/get/responses/200" + JSON_SCHEMA,
        "required",
        ["result", "result_info"],
        "a client cannot tell a page from the whole without it",
    ),
    _closed("turnstile_widget_list", UNKNOWN_ANSWER),
    _closed("turnstile_widget_detail", UNKNOWN_ANSWER),
    _closed("turnstile_result_info", UNKNOWN_ANSWER),
    _closed("turnstile_api-response-common-failure", UNKNOWN_ANSWER),
    Adjustment(
        SCHEMAS + "/turnstile_messages/items", "additionalProperties", False, UNKNOWN_ANSWER
    ),
    Adjustment(
        SCHEMAS + "/turnstile_api-response-common/properties/success",
        "const",
        True,
        "the envelope of a success says so",
    ),
    Adjustment(
        SCHEMAS + "/turnstile_api-response-common-failure/properties/success",
        "const",
        False,
        "the envelope of a failure says so",
    ),
    Adjustment(
        SCHEMAS + "/turnstile_api-response-common-failure/properties/errors",
        "minItems",
        1,
        "published as minLength, which means nothing on an array: a failure names a cause",
    ),
    Adjustment(
        SCHEMAS + "/turnstile_api-response-common-failure/properties/result",
        "type",
        "null",
        "a failure has no result; no recorded one carries an object",
    ),
)
