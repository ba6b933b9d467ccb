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

Json = Mapping[str, t.Any]
# Answers a path of the API and a query; None where there is no such object.
Get = t.Callable[[str, Mapping[str, t.Any]], Json | None]

_UNFINISHED = ("new", "pending", "waiting", "running")
_RESULTS = "runner_on_ok,runner_on_failed,runner_item_on_ok,runner_item_on_failed"
_PAGE_SIZE = 200
_OURS = "m365.exchange_online.exo_"


def ways_back(get: Get, job: int, host: str) -> list[dict[str, t.Any]]:
    """What a job changed in a host's tenant, for C(content) of exo_restore: the last change first.

    job: the number of a job, or of a workflow job, whose nodes are then looked at. Raises InvalidRequest where there is
    no such job or it has not ended, and IncompleteRead where not all of its events arrived.
    """
    contents: list[dict[str, t.Any]] = []
    for one in _jobs(get, job):
        contents += _contents(_events(get, one, host), one)
    contents.sort(key=lambda content: str(content.get("written")), reverse=True)
    return told_once(contents)


def told_once(contents: Sequence[Json]) -> list[dict[str, t.Any]]:
    """The contents, newest first, without what a newer one tells too.

    A run announces a change in check mode and then makes it, so one change may be told twice. The newer telling is
    nearer to the write.
    """
    told: set[str] = set()
    kept = []
    for content in contents:
        groups = [_untold(group, told) for group in content["groups"]]
        groups = [group for group in groups if group["guids"]]
        if groups:
            kept.append({**content, "groups": groups})
    return kept


def _untold(group: Json, told: set[str]) -> dict[str, t.Any]:
    """The group without the objects whose change is told already; notes those that stay."""
    change = json.dumps([group.get("noun"), group.get("verb"), group.get("after")], sort_keys=True)
    guids = [guid for guid in group["guids"] if f"{guid} {change}" not in told]
    told.update(f"{guid} {change}" for guid in guids)
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
        job = get(path, {}) if path else None
        if job is None:
            continue
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
    count = 0
    answer = get(path, {**query, "page_size": _PAGE_SIZE})
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
        result = data.get("res") or {}
        found += [one["undo"] for one in (result, *_items(result)) if _has_groups(one.get("undo"))]
        if _is_lost(data, result):
            lost.append(str(data.get("task")))
    if lost:
        raise IncompleteRead(
            f"The controller did not keep what these tasks of job {job['id']} returned: {listed(sorted(set(lost)))}."
            " The way back is not whole, so nothing is taken back.",
            hint="Use the undo files of that job, if there are any.",
        )
    return found


def _has_groups(undo: t.Any) -> bool:
    return isinstance(undo, Mapping) and isinstance(undo.get("groups"), list)


def _items(result: Json) -> list[Json]:
    return [one for one in result.get("results") or () if isinstance(one, Mapping)]


def _is_lost(data: Json, result: Json) -> bool:
    """Whether a result of a task that writes was too long for the controller, or hidden by C(no_log)."""
    action = str(data.get("task_action", data.get("resolved_action", "")))
    return action.startswith(_OURS) and not action.endswith("_info") and (not result or "censored" in result)
