# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a job's events say about the way back, and where they do not say enough."""

from __future__ import annotations

import inspect
import typing as t
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AuthenticationFailed,
    ExoError,
    IncompleteRead,
    InvalidRequest,
    ServiceUnavailable,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._undo_parts import split
from ansible_collections.m365.exchange_online.plugins.plugin_utils import _controller
from ansible_collections.m365.exchange_online.plugins.plugin_utils._controller import from_environment
from ansible_collections.m365.exchange_online.plugins.plugin_utils._job_undo import WRITING, ways_back

pytestmark = pytest.mark.unit

Json = dict[str, t.Any]
MODULE = "m365.exchange_online.exo_cas_mailbox"


def undo(written: int, *guids: str, after: bool = False, before: bool | None = True) -> Json:
    group = {
        "noun": "CASMailbox",
        "before": {"pop_enabled": before},
        "after": {"pop_enabled": after},
        "guids": list(guids),
    }
    return {"format": 2, "tenant_id": "t", "written": f"2026-11-23T09:00:{written:02}+00:00", "groups": [group]}


def event(number: int, res: Json, action: str = MODULE, host: str = "contoso") -> Json:
    data = {"res": res, "task": f"Task {number}", "task_action": action, "host": host}
    return {"id": number, "counter": number, "event": "runner_on_ok", "host_name": host, "event_data": data}


class Api:
    """A controller in a table of paths; lists come in pages of two."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.lists: dict[str, list[Json]] = {}
        self.lost = 0

    def job(self, number: int, events: Sequence[Json] = (), **more: t.Any) -> Json:
        job = {
            "id": number,
            "type": "job",
            "job_type": "run",
            "status": "canceled",
            "event_processing_finished": True,
            **more,
        }
        self.objects[f"jobs/{number}/"] = self.objects[f"/api/v2/jobs/{number}/"] = job
        self.lists[f"jobs/{number}/job_events/"] = list(events)
        return job

    def workflow(self, number: int, jobs: Sequence[int | None], status: str = "successful") -> None:
        paths = [None if job is None else f"/api/v2/jobs/{job}/" for job in jobs]
        self.workflow_of_paths(number, paths, status)

    def workflow_of_paths(self, number: int, paths: Sequence[str | None], status: str = "successful") -> None:
        workflow = {"id": number, "type": "workflow_job", "status": status}
        for path in (f"workflow_jobs/{number}/", f"/api/v2/workflow_jobs/{number}/"):
            self.objects[path] = workflow
        nodes = [{"id": index, "related": {"job": path} if path else {}} for index, path in enumerate(paths)]
        self.lists[f"workflow_jobs/{number}/workflow_nodes/"] = nodes

    def get(self, path: str, query: Mapping[str, t.Any]) -> Json | None:
        name, _dash, start = path.partition("?")
        if name not in self.lists:
            return self.objects.get(path)
        kinds = query.get("event__in", "").split(",")
        every = [one for one in self.lists[name] if one.get("host_name") in (None, "contoso")]
        every = [one for one in every if start or one.get("event", kinds[0]) in kinds]
        end = int(start or 0) + 2
        more = f"{name}?{end}" if end < len(every) else None
        page = every[end - 2 : end]
        page = page if more else page[: len(page) - self.lost]
        return {"count": len(every), "next": more, "results": page}


@pytest.fixture
def api() -> Api:
    return Api()


def written(contents: Sequence[Json]) -> list[str]:
    return [content["written"][-8:-6] for content in contents]


def test_the_last_change_comes_first_over_all_pages(api: Api) -> None:
    api.job(7, [event(number, {"undo": undo(number, f"guid{number}")}) for number in range(1, 6)])
    assert written(ways_back(api.get, 7, "contoso")) == ["05", "04", "03", "02", "01"]


def test_another_host_is_left_alone(api: Api) -> None:
    api.job(7, [event(1, {"undo": undo(1, "a")}, host="fabrikam"), event(2, {"undo": undo(2, "b")})])
    assert written(ways_back(api.get, 7, "contoso")) == ["02"]


def test_a_loop_holds_several(api: Api) -> None:
    items = [{"undo": undo(1, "a")}, {"changed": False}, {"undo": undo(2, "b")}]
    api.job(7, [event(1, {"results": items})])
    assert written(ways_back(api.get, 7, "contoso")) == ["02", "01"]


def test_a_change_that_was_announced_and_made_is_told_once_by_the_newer(api: Api) -> None:
    announced, made = undo(1, "a", "b", "c", before=None), undo(2, "a", "b", before=True)
    api.job(7, [event(1, {"undo": announced}), event(2, {"undo": made})])
    first, second = ways_back(api.get, 7, "contoso")
    assert (first["groups"][0]["guids"], first["groups"][0]["before"]) == (["a", "b"], {"pop_enabled": True})
    assert second["groups"][0]["guids"] == ["c"]


def test_two_changes_of_one_object_are_both_taken_back(api: Api) -> None:
    api.job(
        7,
        [event(1, {"undo": undo(1, "a", after=False)}), event(2, {"undo": undo(2, "a", after=True, before=False)})],
    )
    assert written(ways_back(api.get, 7, "contoso")) == ["02", "01"]


def test_a_change_that_was_made_turned_and_made_again_is_taken_back_to_its_start(api: Api) -> None:
    """Each of the three was announced and then made."""
    close, reopen = ({"after": False, "before": True}, {"after": True, "before": False})
    changes = [close, close, reopen, reopen, close, close]
    api.job(7, [event(number, {"undo": undo(number, "a", **change)}) for number, change in enumerate(changes)])
    assert written(ways_back(api.get, 7, "contoso")) == ["05", "03", "01"]


def test_a_try_that_failed_is_taken_back_too(api: Api) -> None:
    tried = event(1, {"failed": True, "changed": True, "undo": undo(1, "a", "b")})
    api.job(7, [{**tried, "event": "runner_retry"}, event(2, {"changed": True, "undo": undo(2, "b")})])
    assert [content["groups"][0]["guids"] for content in ways_back(api.get, 7, "contoso")] == [["b"], ["a"]]


def parts_of(written: int, count: int = 3) -> list[Json]:
    """What a task tells in so many parts."""
    guids = [str(uuid.UUID(int=number)) for number in range(40 * count - 20)]
    parts = split(undo(written, *guids), 2_000)
    assert len(parts) == count
    return parts


def test_what_was_told_in_parts_comes_back_whole_and_once(api: Api) -> None:
    """The first part is in the announcement and in what made it, the others in results of their own."""
    first, *others = parts_of(1)
    made = {**first, "written": undo(2)["written"]}
    telling = [{**event(9, {"undo": part}), "event": "runner_item_on_ok", "id": part["part"]} for part in others]
    api.job(7, [event(20, {"undo": first}), *telling, event(21, {"changed": True, "undo": made})])
    (content,) = ways_back(api.get, 7, "contoso")
    assert (written([content]), len(content["groups"])) == (["02"], 3)
    assert len(set().union(*(group["guids"] for group in content["groups"]))) == 100


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_part_that_is_missing_is_refused(api: Api, lost: int) -> None:
    parts = [part for part in parts_of(1) if part["part"] != lost]
    api.job(7, [event(part["part"], {"undo": part}) for part in parts])
    with pytest.raises(InvalidRequest, match=rf"Job 7 has only 2 of the 3 parts .* Missing: {lost}\."):
        ways_back(api.get, 7, "contoso")


def test_nothing_changed_is_nothing_to_take_back(api: Api) -> None:
    api.job(7, [event(1, {"changed": False}), event(2, {}, action="m365.exchange_online.exo_cas_mailbox_info")])
    assert ways_back(api.get, 7, "contoso") == []


def test_slices_and_nodes_are_looked_at_and_check_mode_is_not(api: Api) -> None:
    api.job(1, [event(1, {"undo": undo(1, "a")})])
    api.job(2, [event(1, {"undo": undo(2, "b")})])
    api.job(3, [event(1, {"undo": undo(3, "c")})], job_type="check")
    api.job(4, [event(1, {"undo": undo(4, "d")})])
    api.workflow(8, [1, 2])
    api.workflow_of_paths(9, ["/api/v2/jobs/3/", None, "/api/v2/workflow_jobs/8/", "/api/v2/jobs/4/"])
    assert written(ways_back(api.get, 9, "contoso")) == ["04", "02", "01"]


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ({"status": "running"}, "has not ended"),
        ({"event_processing_finished": False}, "not all stored"),
        ({"job_type": "check"}, "check mode"),
    ],
)
def test_a_job_that_can_not_be_taken_back(api: Api, job: Json, message: str) -> None:
    api.job(7, [event(1, {"undo": undo(1, "a")})], **job)
    with pytest.raises(InvalidRequest, match=message):
        ways_back(api.get, 7, "contoso")


def test_a_job_that_is_not_there(api: Api) -> None:
    with pytest.raises(InvalidRequest, match="no job 7"):
        ways_back(api.get, 7, "contoso")


@pytest.mark.parametrize("count", [1, 5])
def test_a_list_that_is_cut_short_is_refused(api: Api, count: int) -> None:
    api.job(7, [event(number, {"undo": undo(number, f"g{number}")}) for number in range(count)])
    api.lost = 1
    with pytest.raises(IncompleteRead, match=rf"has {count} entries, and {count - 1} arrived"):
        ways_back(api.get, 7, "contoso")


@pytest.mark.parametrize("action", [MODULE, "exo_cas_mailbox"])
@pytest.mark.parametrize(
    "res",
    [
        {},
        {"censored": "hidden", "changed": True},
        {"changed": True, "undo_file": "/exo/undo/contoso.json"},
        {"changed": True, "failed": True},
        {"changed": True, "undo": {"format": 2, "groups": ["damaged"]}},
        {"changed": True, "results": [{"changed": True, "undo": undo(2, "b")}, {"changed": True}]},
    ],
)
def test_a_change_without_its_way_back_is_refused(api: Api, res: Json, action: str) -> None:
    api.job(7, [event(1, {"undo": undo(1, "a")}), event(2, res, action=action)])
    with pytest.raises(IncompleteRead, match="what these tasks changed: Task 2"):
        ways_back(api.get, 7, "contoso")


def test_every_module_with_a_way_back_is_known() -> None:
    modules = Path(inspect.getfile(_controller)).parents[1] / "modules"
    texts = {path.stem: path.read_text(encoding="utf-8") for path in modules.glob("*.py")}
    assert {name for name, text in texts.items() if "exchange_online.writing.undo" in text} == WRITING


def test_a_list_that_is_not_there_is_refused(api: Api) -> None:
    api.job(7)
    del api.lists["jobs/7/job_events/"]
    with pytest.raises(IncompleteRead, match="no list jobs/7/job_events/"):
        ways_back(api.get, 7, "contoso")


def test_a_job_of_a_workflow_that_is_gone_is_refused(api: Api) -> None:
    api.job(1, [event(1, {"undo": undo(1, "a")})])
    api.workflow(8, [1, 2])
    with pytest.raises(IncompleteRead, match="jobs/2/ of workflow job 8 is gone"):
        ways_back(api.get, 8, "contoso")


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"CONTROLLER_HOST": "https://awx.example.com/", "CONTROLLER_OAUTH_TOKEN": "t"}, "https://awx.example.com/api/v2/"),
        ({"TOWER_HOST": "awx.example.com", "TOWER_USERNAME": "u", "TOWER_PASSWORD": "p"}, "https://awx.example.com/api/v2/"),
        (
            {
                "CONTROLLER_HOST": "https://aap.example.com/x",
                "CONTROLLER_OAUTH_TOKEN": "t",
                "CONTROLLER_OPTIONAL_API_URLPATTERN_PREFIX": "/api/controller/",
            },
            "https://aap.example.com/x/api/controller/v2/",
        ),
    ],
)  # fmt: skip
def test_where_the_controller_is(environment: dict[str, str], url: str) -> None:
    controller = from_environment(environment)
    assert controller.origin + controller.api == url
    assert controller.verify


def environment_of(host: str, **more: str) -> dict[str, str]:
    return {"CONTROLLER_HOST": host, "CONTROLLER_OAUTH_TOKEN": "t", **more}


@pytest.mark.parametrize("host", ["http://awx.example.com", "http://10.0.0.5:8052/x", "ftp://localhost"])
def test_the_token_does_not_cross_the_network_in_clear(host: str) -> None:
    with pytest.raises(InvalidRequest, match="in clear"):
        from_environment(environment_of(host))


@pytest.mark.parametrize(
    ("host", "more"),
    [
        ("http://127.0.0.1:8052", {}),
        ("http://[::1]", {}),
        ("http://localhost", {}),
        ("http://awx.example.com", {"EXO_ALLOW_HTTP_CONTROLLER": "true"}),
    ],
)
def test_plain_http_where_it_is_meant(host: str, more: dict[str, str]) -> None:
    assert from_environment(environment_of(host, **more)).origin == host


def test_the_token_is_not_shown() -> None:
    environment = {"CONTROLLER_HOST": "a", "CONTROLLER_OAUTH_TOKEN": "secret-token", "CONTROLLER_VERIFY_SSL": "False"}
    controller = from_environment(environment)
    assert "secret-token" not in repr(controller)
    assert not controller.verify


@pytest.mark.parametrize("environment", [{}, {"CONTROLLER_HOST": "a"}, {"CONTROLLER_OAUTH_TOKEN": "t"}])
def test_without_a_controller_or_a_token(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="Which controller"):
        from_environment(environment)


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationFailed), (302, ServiceUnavailable)])
def test_a_refusal_names_the_controller(status: int, kind: type[ExoError]) -> None:
    controller = _controller.Controller("https://awx.example.com", "/api/v2/", True, "Bearer secret-token")
    refusal = controller._refusal(status)
    assert isinstance(refusal, kind)
    assert "awx.example.com" in refusal.message
    assert "secret-token" not in refusal.to_fail_kwargs()["msg"]
