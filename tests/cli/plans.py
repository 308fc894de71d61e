# SPDX-License-Identifier: MIT
"""Plan files made by hand, for tests of what carries them out."""

import json
from datetime import datetime, timedelta, timezone

from host import ACCOUNT

FIELDS = ("name", "mode", "domains", "region", "clearance_level", "bot_fight_mode", "ephemeral_id",
          "offlabel")


def now(seconds=0):
    moment = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def saw(widget):
    """The fields of a widget that a plan keeps."""
    return {name: widget[name] for name in FIELDS if widget.get(name) is not None}


def create(new, name="acme", domains=("acme.example",), **more):
    fields = {"name": name, "domains": list(domains), "mode": "managed", **more}
    return {"op": "create", "new": new, "set": fields}


def update(widget, fields, sitekey=None):
    return {"op": "update", "sitekey": sitekey or widget["sitekey"], "saw": saw(widget),
            "set": fields}


def delete(widget, sitekey=None):
    return {"op": "delete", "sitekey": sitekey or widget["sitekey"], "saw": saw(widget)}


def rotate(widget, sitekey=None, at_once=False):
    return {"op": "rotate", "sitekey": sitekey or widget["sitekey"], "saw": saw(widget),
            "invalidate_immediately": at_once}


def write(sitekey, path, replace=False):
    return {"op": "write", "sitekey": sitekey, "path": str(path), "replace": replace}


def pipe(sitekey, *command):
    return {"op": "pipe", "sitekey": sitekey, "command": list(map(str, command))}


class Plan:
    """A plan for an account at a sandbox."""

    count = 0

    def __init__(self, sandbox, *steps, **more):
        Plan.count += 1
        self.content = {
            "format": "tshost plan", "version": 1, "plan": f"{Plan.count:016x}", "created": now(),
            "account": ACCOUNT, "base_url": getattr(sandbox, "url", sandbox), "steps": list(steps),
            **more,
        }

    def save(self, path):
        path.write_text(json.dumps(self.content), encoding="utf-8")
        return path
