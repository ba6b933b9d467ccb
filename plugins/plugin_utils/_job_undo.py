# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of a job in AWX, out of the job's events. PRIVATE to the collection.

A task with C(undo_in_result) returns what it is about to change, and AWX keeps that in the job's events, also when the
job is killed. Facts about the events: a result beyond 700,000 characters is stored as an empty one; a sliced launch is
a workflow job whose nodes are the slices.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import IncompleteRead, InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._text import listed
from ansible_collections.m365.exchange_online.plugins.module_utils._undo_parts import whole

Json = Mapping[str, t.Any]
# Answers a path of the API and a query; None where there is no such object.
Get = t.Callable[[str, Mapping[str, t.Any]], Json | None]

_UNFINISHED = ("new", "pending", "waiting", "running")
# A try that failed may have written, and the next one that succeeds tells of the rest alone.
_RESULTS = "runner_on_ok,runner_on_failed,runner_item_on_ok,runner_item_on_failed,runner_retry"
_PAGE_SIZE = 200
# The modules that write to a tenant, as a task may also name them where C(collections) is set.
WRITING = frozenset(
    {
        "exo_authentication_policy",
        "exo_cas_mailbox",
        "exo_cas_mailbox_plan",
        "exo_organization_config",
        "exo_restore",
        "exo_smtp_auth",
        "exo_transport_config",
        "exo_user",
    }
)


def ways_back(get: Get, job: int, host: str) -> list[dict[str, t.Any]]:
    """What a job changed in a host's tenant, for C(content) of exo_restore: the last change first.

    job: the number of a job, or of a workflow job, whose nodes are then looked at. Raises InvalidRequest where there is
    no such job or it has not ended, or a part of what it told is missing, and IncompleteRead where not all of its
    events arrived.
    """
    contents: list[dict[str, t.Any]] = []
    for one in _jobs(get, job):
        contents += whole(_contents(_events(get, one, host), one), f"Job {one['id']}")
    contents.sort(key=lambda content: str(content.get("written")), reverse=True)
    return told_once(contents)


def told_once(contents: Sequence[Json]) -> list[dict[str, t.Any]]:
    """The contents, newest first, without what the one after it tells too.

    A run announces a change in check mode and then makes it, so one change may be told twice. The newer telling is
    nearer to the write. Where another change of the same settings lies between, it was made twice, and both count.
    """
    told: dict[str, str] = {}
    kept = []
    for content in contents:
        groups = [_untold(group, told) for group in content["groups"]]
        groups = [group for group in groups if group["guids"]]
        if groups:
            kept.append({**content, "groups": groups})
    return kept


def _untold(group: Json, told: dict[str, str]) -> dict[str, t.Any]:
    """The group without the objects whose change is the one that was told last; notes those that stay.

    told: by object and settings, the values that it was given.
    """
    kind = [group.get("noun"), group.get("verb"), group.get("identity"), sorted(group.get("after") or {})]
    change = json.dumps(group.get("after"), sort_keys=True)
    keys = {guid: json.dumps([guid, *kind]) for guid in group["guids"]}
    guids = [guid for guid, key in keys.items() if told.get(key) != change]
    told.update({keys[guid]: change for guid in guids})
    return {**group, "guids": guids}


def _jobs(get: Get, number: int) -> list[Json]:
    """The jobs that may have written something: the job itself, or those of a workflow job's nodes."""
    job = get(f"jobs/{number}/", {})
    if job is not None:
        if job.get("job_type") == "check":
            raise InvalidRequest(f"Job {number} ran in check mode, so there is nothing to take back.")
        return [_ended(job)]
    workflow = get(f"workflow_jobs/{number}/", {})
    if workflow is None:
        raise InvalidRequest(
            f"The controller has no job {number} that these credentials may see.",
            hint="A job's number is in the address of its page.",
        )
    return list(_jobs_of_nodes(get, _ended(workflow)))


def _jobs_of_nodes(get: Get, workflow: Json) -> Iterator[Json]:
    for node in _pages(get, f"workflow_jobs/{workflow['id']}/workflow_nodes/", {}):
        path = (node.get("related") or {}).get("job")
        if not path:
            continue
        job = get(path, {})
        if job is None:
            raise IncompleteRead(
                f"{path} of workflow job {workflow['id']} is gone, and with it what it changed. Nothing is taken back.",
                hint="Take back the other jobs of the workflow one by one, the last one first.",
            )
        if job.get("type") == "workflow_job":
            yield from _jobs_of_nodes(get, job)
        elif job.get("type") == "job" and job.get("job_type") != "check":
            yield _ended(job)


def _ended(job: Json) -> Json:
    """The job; raises InvalidRequest where more events may come."""
    if job.get("status") in _UNFINISHED or job.get("event_processing_finished") is False:
        raise InvalidRequest(
            f"Job {job['id']} has not ended, or its events are not all stored yet.",
            hint="Cancel it or wait, and try again.",
        )
    return job


def _events(get: Get, job: Json, host: str) -> list[Json]:
    """Every result of the job on the host."""
    query = {"event__in": _RESULTS, "host_name": host, "order_by": "counter"}
    return list(_pages(get, f"jobs/{job['id']}/job_events/", query))


def _pages(get: Get, path: str, query: Mapping[str, t.Any]) -> Iterator[Json]:
    """Every object of a list; raises IncompleteRead where the pages hold another number than the list says."""
    seen: set[int] = set()
    answer = get(path, {**query, "page_size": _PAGE_SIZE})
    if answer is None:
        raise IncompleteRead(f"The controller has no list {path}, so nothing is taken back.")
    while answer is not None:
        count = int(answer["count"])
        for one in answer["results"]:
            seen.add(one["id"])
            yield one
        answer = get(answer["next"], {}) if answer["next"] else None
    if len(seen) != count:
        raise IncompleteRead(
            f"The controller says that {path} has {count} entries, and {len(seen)} arrived, so nothing is taken back.",
            hint="Try again.",
        )


def _contents(events: Sequence[Json], job: Json) -> list[dict[str, t.Any]]:
    found: list[dict[str, t.Any]] = []
    lost: list[str] = []
    for event in events:
        data = event.get("event_data") or {}
        results = _results(data.get("res") or {})
        found += [one["undo"] for one in results if _is_way_back(one.get("undo"))]
        if _writes(data) and any(map(_is_lost, results)):
            lost.append(str(data.get("task")))
    if lost:
        raise IncompleteRead(
            f"The events of job {job['id']} do not tell what these tasks changed: {listed(sorted(set(lost)))}."
            " The way back is not whole, so nothing is taken back.",
            hint="Use the undo files of that job, if there are any.",
        )
    return found


def _results(result: Json) -> list[Json]:
    """The result of a task, or those of a loop."""
    several = result.get("results")
    return [one for one in several if isinstance(one, Mapping)] if isinstance(several, list) else [result]


def _is_way_back(undo: t.Any) -> bool:
    groups = undo.get("groups") if isinstance(undo, Mapping) else None
    return isinstance(groups, list) and all(map(_is_group, groups))


def _is_group(group: t.Any) -> bool:
    return isinstance(group, Mapping) and isinstance(group.get("guids"), list)


def _writes(data: Json) -> bool:
    actions = (str(data.get(name, "")) for name in ("resolved_action", "task_action"))
    return any(action.rpartition(".")[2] in WRITING for action in actions)


def _is_lost(result: Json) -> bool:
    """Whether a writing task's result was too long for the controller, hidden by C(no_log), or has no way back."""
    if not result or "censored" in result:
        return True
    return bool(result.get("changed")) and not _is_way_back(result.get("undo"))
