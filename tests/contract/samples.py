# SPDX-License-Identifier: MIT
# Exchanges that hold, one for every kind of request and answer, and every way to spoil them.
# What openapi_test.py needs to show that the validator refuses what it should.
import copy
import json
from dataclasses import replace

from exchange import Exchange
from serve import ACCOUNT

SITEKEY = "0x4AAAAAAABnPIDROzLxd4K2"
BASE = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets"

ITEM = {
    "sitekey": SITEKEY,
    "name": "acme login",
    "domains": ["203.0.113.1", "acme.example"],
    "mode": "managed",
    "region": "world",
    "clearance_level": "no_clearance",
    "bot_fight_mode": False,
    "ephemeral_id": False,
    "offlabel": False,
    "created_on": "2026-01-02T03:04:05.184511Z",
    "modified_on": "2026-01-02T03:04:05.94052Z",
    "deployed_via": "api",
    "last_modified_via": "dashboard",
}
DETAIL = {**ITEM, "secret": "0x4AAAAAAABnPIsecret-not-a-secret-0"}
WRITABLE = {
    name: ITEM[name]
    for name in (
        "name",
        "domains",
        "mode",
        "region",
        "clearance_level",
        "bot_fight_mode",
        "ephemeral_id",
        "offlabel",
    )
}
RESULT_INFO = {"page": 1, "per_page": 25, "count": 1, "total_count": 1, "total_pages": 1}


def success(result, **more):
    return {"success": True, "errors": [], "messages": [], "result": result, **more}


def failure(*errors):
    return {"success": False, "errors": list(errors), "messages": [], "result": None}


def exchange(method, path, body, answer, status=200, query=""):
    """Made up, but shaped as the proxy records it."""
    request = b"" if body is None else json.dumps(body).encode()
    headers = {"authorization": "Bearer [hidden]"}
    if request:
        headers["content-type"] = "application/json"
    answer_headers = {"content-type": "application/json"}
    return Exchange(
        method, path, query, headers, request, status, answer_headers, json.dumps(answer).encode()
    )


THROTTLED = {"code": 971, "message": "Please wait and consider throttling your request speed"}
MALFORMED = {
    "code": 6003,
    "message": "Invalid request headers",
    "error_chain": [{"code": 6111, "message": "Invalid format for Authorization header"}],
}
UNKNOWN = {"code": 10404, "message": "widget not found"}

SAMPLES = {
    "list": exchange(
        "GET",
        BASE,
        None,
        success([ITEM], result_info=RESULT_INFO),
        query="page=1&per_page=25&order=name&direction=asc&filter=name%3Aacme",
    ),
    "create": exchange("POST", BASE, WRITABLE, success(DETAIL)),
    "get": exchange("GET", f"{BASE}/{SITEKEY}", None, success(DETAIL)),
    "update": exchange("PUT", f"{BASE}/{SITEKEY}", WRITABLE, success(DETAIL)),
    "delete": exchange("DELETE", f"{BASE}/{SITEKEY}", None, success(DETAIL)),
    "rotate": exchange(
        "POST",
        f"{BASE}/{SITEKEY}/rotate_secret",
        {"invalidate_immediately": False},
        success(DETAIL),
    ),
    "throttled": exchange("GET", BASE, None, failure(THROTTLED), 429),
    "malformed": exchange("GET", BASE, None, failure(MALFORMED), 400),
    "unknown": exchange("DELETE", f"{BASE}/{SITEKEY}", None, failure(UNKNOWN), 404),
}

VERDICT = {
    "success": True,
    "error-codes": [],
    "challenge_ts": "2026-01-02T03:04:05.678Z",
    "hostname": "acme.example",
    "action": "login",
    "cdata": "",
    "metadata": {"interactive": False, "ephemeral_id": "x:00ff"},
}
TESTING = {
    "success": True,
    "error-codes": [],
    "challenge_ts": "2026-01-02T03:04:05.678Z",
    "hostname": "example.com",
    "metadata": {"interactive": False, "result_with_testing_key": True},
}
DUPLICATE = {"success": False, "error-codes": ["timeout-or-duplicate"], "messages": []}
UNREADABLE = {"success": False, "error-codes": ["bad-request"], "messages": []}
ACTIVE = {"code": 10000, "message": "This API Token is valid and active", "type": None}
TOKEN_ID = "ed17574386854bf78a67040be0a770b0"
DENIED = {"code": 1000, "message": "Invalid API Token"}

SITEVERIFY = ("POST", "/turnstile/v0/siteverify", {"secret": "no secret", "response": "a token"})
VERIFY = ("GET", "/client/v4/user/tokens/verify", None)
VERIFY_HERE = ("GET", f"/client/v4/accounts/{ACCOUNT}/tokens/verify", None)
GOOD_TOKEN = {
    **success({"id": TOKEN_ID, "status": "active"}),
    "messages": [ACTIVE],
}

# The same for openapi-documented.json.
DOCUMENTED_SAMPLES = {
    "verdict": exchange(*SITEVERIFY, VERDICT),
    "testing": exchange(*SITEVERIFY, TESTING),
    "duplicate": exchange(*SITEVERIFY, DUPLICATE),
    "unreadable": exchange(*SITEVERIFY, UNREADABLE, 400),
    "good token": exchange(*VERIFY, GOOD_TOKEN),
    "good account token": exchange(*VERIFY_HERE, GOOD_TOKEN),
    "bad token": exchange(*VERIFY, failure(DENIED), 401),
    "malformed token": exchange(*VERIFY_HERE, failure(MALFORMED), 400),
}

# Members that may be missing; everything else that a sample holds must be there.
OPTIONAL = {
    "request": {"region", "clearance_level", "bot_fight_mode", "ephemeral_id", "offlabel"}
    | {"invalidate_immediately"},
    "answer": {"deployed_via", "last_modified_via", "total_pages", "error_chain", "type"}
    | {"action", "cdata", "metadata", "interactive", "result_with_testing_key"},
}


def _places(value, path=()):
    """Every place inside a JSON value, containers before what they hold."""
    yield path
    if isinstance(value, dict):
        for name in value:
            yield from _places(value[name], (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, (*path, index))


def _at(value, path):
    for step in path:
        value = value[step]
    return value


def _with(value, path, new):
    if not path:
        return new
    value = copy.deepcopy(value)
    _at(value, path[:-1])[path[-1]] = new
    return value


def _without(value, path):
    value = copy.deepcopy(value)
    del _at(value, path[:-1])[path[-1]]
    return value


def spoilt_json(value, optional):
    """(what was done, the spoilt value) for every single change that must be refused."""
    for path in _places(value):
        name, old = "/".join(map(str, path)) or "the whole", _at(value, path)
        for wrong in (17, "text", True, None, [], {}):
            if type(wrong) is not type(old):
                yield f"{name} becomes {wrong!r}", _with(value, path, wrong)
        if isinstance(old, dict):
            yield f"{name} gets a member", _with(value, (*path, "invented"), 1)
        is_member = path and isinstance(path[-1], str)
        if is_member and path[-1] not in optional and path[-2:] != ("metadata", "ephemeral_id"):
            yield f"{name} is dropped", _without(value, path)


def spoilt(sample):
    """(what was done, the exchange) for every single change of a sample's two bodies."""
    if sample.request_body:
        body = json.loads(sample.request_body)
        for what, value in spoilt_json(body, OPTIONAL["request"]):
            yield f"request: {what}", replace(sample, request_body=json.dumps(value).encode())
    body = json.loads(sample.answer_body)
    for what, value in spoilt_json(body, OPTIONAL["answer"]):
        yield f"answer: {what}", replace(sample, answer_body=json.dumps(value).encode())
