# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller's API on loopback, in memory: the lists and objects that a set-up and a restore talk to.

It is stricter than AWX, which ignores a field that it does not know.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from awx.kinds import KINDS, UNIFIED, Refused, check, check_survey

API = "/api/v2"
ENCRYPTED = "$encrypted$"
TOKEN = "a-token-of-the-controller"
VERSION = "24.6.1"
_PAGING = ("page", "page_size", "order_by")

Object = dict[str, Any]


class Missing(Exception):
    """There is no such object or list."""


@dataclass
class Controller:
    """What the controller holds. ``requests``: method and path of each, in turn. ``page_size``: unless asked."""

    page_size: int = 25
    url: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    objects: dict[str, dict[int, Object]] = field(default_factory=lambda: {name: {} for name in KINDS})
    links: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    surveys: dict[int, Object] = field(default_factory=dict)
    jobs: dict[int, Object] = field(default_factory=dict)
    events: dict[int, list[Object]] = field(default_factory=dict)
    lost_events: int = 0
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # --- what tests ask ---

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path in self.requests if method != "GET"]

    def named(self, kind: str, name: str) -> Object:
        (found,) = [one for one in self.objects[kind].values() if name in (one.get("name"), one.get("identifier"))]
        return found

    def linked(self, one: Object, link: str) -> list[Object]:
        """The objects behind a sub-resource."""
        kind = KINDS[_plural(one["type"])].links[link]
        return [self.objects[kind][number] for number in self.links.get((one["id"], link), [])]

    # --- the API ---

    def add(self, name: str, values: Mapping[str, Any]) -> Object:
        kind = KINDS[name]
        # Whoever makes a node names its type, which is no field.
        values = {key: value for key, value in values.items() if key != "type"}
        check(kind, values)
        for key, one in kind.fields.items():
            if one.required and key not in values:
                raise Refused(**{key: "This field is required."})
        number = next(self._ids)
        filled = {key: copy.deepcopy(values.get(key, one.default)) for key, one in kind.fields.items()}
        made = {"id": number, "type": kind.type, "url": f"{API}/{name}/{number}/", **filled}
        self._consistent(name, made)
        self.objects[name][number] = made
        return made

    def change(self, name: str, number: int, values: Mapping[str, Any]) -> Object:
        values = {key: value for key, value in values.items() if key != "type"}
        check(KINDS[name], values)
        former = self.one(name, number)
        if name == "credential_types" and values.get("inputs", former["inputs"]) != former["inputs"]:
            in_use = [one for one in self.objects["credentials"].values() if one["credential_type"] == number]
            if in_use:
                raise PermissionError
        changed = {**former, **copy.deepcopy(dict(values))}
        self._consistent(name, changed)
        self.objects[name][number] = changed
        return changed

    def one(self, name: str, number: int) -> Object:
        if number not in self.objects.get(name, {}):
            raise Missing
        return self.objects[name][number]

    def _consistent(self, name: str, one: Object) -> None:
        for key, rule in KINDS[name].fields.items():
            if rule.of and one[key] is not None and not self._exists(rule.of, one[key]):
                raise Refused(**{key: f'Invalid pk "{one[key]}" - object does not exist.'})
        self._check_unique(name, one)
        if name == "credentials":
            self._check_inputs(one)

    def _check_unique(self, name: str, one: Object) -> None:
        kind = KINDS[name]
        others = [other for other in self.objects[name].values() if other["id"] != one["id"]]
        twins = [other for other in others if all(other[key] == one[key] for key in kind.unique)]
        if kind.unique and twins:
            raise Refused(__all__=f"{kind.type} with this {' and '.join(kind.unique)} already exists.")

    def _check_inputs(self, credential: Object) -> None:
        fields = self.objects["credential_types"][credential["credential_type"]]["inputs"].get("fields", [])
        rules = {rule["id"]: rule for rule in fields}
        for name, value in credential["inputs"].items():
            if name not in rules:
                raise Refused(inputs=f"Additional properties are not allowed ('{name}' was unexpected)")
            if value == ENCRYPTED:
                raise Refused(inputs=f"{ENCRYPTED} is a reserved keyword, and may not be used for {name}.")
            if rules[name].get("choices") and value not in rules[name]["choices"]:
                raise Refused(inputs=f"{name} is none of its choices.")

    def _exists(self, kind: str, number: int) -> bool:
        kinds = UNIFIED if kind == "unified_job_templates" else (kind,)
        return any(number in self.objects[name] for name in kinds)

    def listed(self, name: str) -> list[Object]:
        if name == "unified_job_templates":
            return list(itertools.chain.from_iterable(self.objects[kind].values() for kind in UNIFIED))
        if name not in self.objects:
            raise Missing
        return list(self.objects[name].values())

    def link(self, name: str, number: int, link: str, body: Mapping[str, Any]) -> None:
        kind = KINDS[name].links[link]
        self.one(kind, body["id"])
        now = self.links.setdefault((number, link), [])
        if body.get("disassociate"):
            now.remove(body["id"])
            return
        if kind == "credentials":
            self._one_of_each_type([*now, body["id"]])
        now.append(body["id"])

    def _one_of_each_type(self, numbers: list[int]) -> None:
        types = [self.objects["credentials"][number]["credential_type"] for number in numbers]
        if len(set(types)) != len(types):
            raise Refused(error="Cannot assign multiple credentials of one type.")

    def approve(self, node: int, body: Mapping[str, Any]) -> Object:
        """Makes the approval of a node."""
        made = self.add("workflow_approval_templates", body)
        self.one("workflow_job_template_nodes", node)["unified_job_template"] = made["id"]
        return made

    def shown(self, one: Object) -> Object:
        """An object as the API sends it: secrets hidden, with what is related."""
        shown = copy.deepcopy(one)
        name = _plural(one["type"])
        base = one["url"]
        shown["related"] = {link: f"{base}{link}/" for link in KINDS[name].links}
        shown["summary_fields"] = {}
        if name in ("job_templates", "workflow_job_templates"):
            shown["related"]["survey_spec"] = f"{base}survey_spec/"
        if name == "projects":
            shown |= {"scm_revision": "f" * 40, "status": "successful"}
            shown["related"]["update"] = f"{base}update/"
            shown["summary_fields"]["current_update"] = {"id": one["id"]}
        if name == "workflow_job_template_nodes" and one["unified_job_template"] is not None:
            (target,) = [o for o in self.listed("unified_job_templates") if o["id"] == one["unified_job_template"]]
            shown["related"]["unified_job_template"] = target["url"]
        if name == "credentials":
            self._hide(shown)
        return shown

    def _hide(self, credential: Object) -> None:
        fields = self.objects["credential_types"][credential["credential_type"]]["inputs"].get("fields", [])
        secret = {rule["id"] for rule in fields if rule.get("secret")}
        for name in secret & set(credential["inputs"]):
            credential["inputs"][name] = ENCRYPTED


def _wanted(event: Object, query: Mapping[str, str]) -> bool:
    """Whether an event passes the filters of its list."""
    kinds, host = query.get("event__in"), query.get("host_name")
    return (kinds is None or event["event"] in kinds.split(",")) and host in (None, event["host_name"])


def _matches(one: Object, query: Mapping[str, str]) -> bool:
    """Whether an object passes the filters of its list: all of the plain ones, and one of those with or__."""
    filters = {key: value for key, value in query.items() if key not in _PAGING}
    _check_filters(one["type"], filters)
    passed = {key: str(one.get(key.removeprefix("or__"))) == value for key, value in filters.items()}
    either = [passes for key, passes in passed.items() if key.startswith("or__")]
    every = [passes for key, passes in passed.items() if not key.startswith("or__")]
    return all(every) and (not either or any(either))


def _check_filters(kind: str, filters: Iterable[str]) -> None:
    """AWX refuses a filter that names no field."""
    known = {"id", "type", "organization", *KINDS[_plural(kind)].fields}
    for key in filters:
        if key.removeprefix("or__") not in known:
            raise Refused(detail=f"{_plural(kind)} has no field named '{key.removeprefix('or__')}'")


def _plural(kind: str) -> str:
    return next(name for name, one in KINDS.items() if one.type == kind)


class _Api:
    """The paths, answered from a controller."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller

    async def handle(self, request: web.Request) -> web.Response:
        self.controller.requests.append((request.method, request.path))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._answer(401, {"detail": "Authentication credentials were not provided."})
        body = await request.json() if request.method in ("POST", "PATCH") else {}
        parts = request.path.removeprefix(API).strip("/").split("/")
        try:
            return self._route(request, parts, body)
        except Refused as refused:
            return self._answer(400, refused.body)
        except PermissionError:
            return self._answer(403, {"detail": "You do not have permission to perform this action."})
        except Missing:
            return self._answer(404, {"detail": "Not found."})

    def _route(self, request: web.Request, parts: list[str], body: Any) -> web.Response:
        name, *rest = parts
        if name == "jobs":
            return self._job(request, rest)
        if name == "project_updates":
            return self._answer(200, {"status": "successful", "id": int(rest[0])})
        if not rest:
            return self._collection(request, name, body)
        number = int(rest[0])
        if len(rest) == 1:
            return self._object(request, name, number, body)
        return self._below(request, name, number, rest[1], body)

    def _collection(self, request: web.Request, name: str, body: Any) -> web.Response:
        if request.method == "POST":
            return self._answer(201, self.controller.shown(self.controller.add(name, body)))
        found = [one for one in self.controller.listed(name) if _matches(one, request.query)]
        return self._page(request, [self.controller.shown(one) for one in found])

    def _object(self, request: web.Request, name: str, number: int, body: Any) -> web.Response:
        if request.method == "PATCH":
            return self._answer(200, self.controller.shown(self.controller.change(name, number, body)))
        return self._answer(200, self.controller.shown(self.controller.one(name, number)))

    def _below(self, request: web.Request, name: str, number: int, what: str, body: Any) -> web.Response:
        one = self.controller.one(name, number)
        if what == "survey_spec":
            return self._survey(request, number, body)
        if what == "create_approval_template" and request.method == "POST":
            return self._answer(201, self.controller.shown(self.controller.approve(number, body)))
        if what not in KINDS[name].links:
            raise Missing
        if request.method == "POST":
            self.controller.link(name, number, what, body)
            return self._answer(204, None)
        return self._page(request, [self.controller.shown(other) for other in self.controller.linked(one, what)])

    def _survey(self, request: web.Request, number: int, body: Any) -> web.Response:
        if request.method == "POST":
            check_survey(body)
            self.controller.surveys[number] = body
        return self._answer(200, self.controller.surveys.get(number, {}))

    def _job(self, request: web.Request, rest: list[str]) -> web.Response:
        number = int(rest[0])
        if number not in self.controller.jobs:
            raise Missing
        if rest[1:] == ["job_events"]:
            return self._page(request, [one for one in self.controller.events[number] if _wanted(one, request.query)])
        return self._answer(200, self.controller.jobs[number])

    def _page(self, request: web.Request, found: list[Object]) -> web.Response:
        size = min(int(request.query.get("page_size", self.controller.page_size)), 200)
        page = int(request.query.get("page", 1))
        end = page * size
        query = {**request.query, "page": str(page + 1)}
        more = str(request.rel_url.with_query(query)) if end < len(found) else None
        results = found[end - size : end]
        if more is None and self.controller.lost_events:
            results = results[: -self.controller.lost_events]
        return self._answer(200, {"count": len(found), "next": more, "previous": None, "results": results})

    def _answer(self, status: int, body: Any) -> web.Response:
        headers = {"X-API-Product-Name": "AWX", "X-API-Product-Version": VERSION}
        if body is None:
            return web.Response(status=status, headers=headers)
        return web.json_response(body, status=status, headers=headers)


@contextmanager
def running(controller: Controller) -> Iterator[Controller]:
    """The controller, answering on a free port of loopback; its ``url`` says where."""
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", API + "/{path:.*}", _Api(controller).handle)
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        controller.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    def serve() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        started.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield controller
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
