# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From directories of evidence to files that people read: the task of exo_evidence. PRIVATE to the collection."""

from __future__ import annotations

import datetime
import json
import os
import re
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils import (
    _evidence,
    _evidence_csv,
    _evidence_junit,
    _evidence_markdown,
    _evidence_merge,
    _evidence_ocsf,
    _evidence_page,
    _evidence_report,
    _evidence_watch,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_report import Report, TenantReport
from ansible_collections.m365.exchange_online.plugins.module_utils._files import absolute, replace_if_different

Result = dict[str, t.Any]

SUMMARY_BUDGET = 200_000  # characters of JSON; what a job may keep as an artifact in AWX
LIST_LIMIT = 200  # changes and candidates in the result; the files have them all

# Format → the files that it consists of, each with its renderer.
FORMATS: Mapping[str, Mapping[str, Callable[[Report], str]]] = {
    "html": {"evidence.html": _evidence_page.render},
    "csv": {"evidence.csv": _evidence_csv.controls, "mailboxes.csv": _evidence_csv.mailboxes},
    "action_plan": {"ActionPlan.csv": _evidence_csv.action_plan},
    "markdown": {"evidence.md": _evidence_markdown.render},
    "junit": {"evidence.junit.xml": _evidence_junit.render},
    "ocsf": {"evidence.ocsf.json": _evidence_ocsf.render},
}

ARGUMENT_SPEC: Mapping[str, t.Any] = {
    "src": {"type": "list", "elements": "path", "required": True},
    "dest": {"type": "path", "required": True},
    "suffix": {"type": "str", "default": ""},
    "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": list(FORMATS)},
    "undo": {"type": "list", "elements": "path", "default": []},
    "expected": {"type": "list", "elements": "str", "default": []},
    "max_age": {"type": "int", "default": 12},
    "fail_on": {"type": "list", "elements": "str", "choices": list(_evidence_report.FAIL_ON), "default": []},
}


def render(params: Mapping[str, t.Any], check_mode: bool) -> Result:
    """Render the evidence; the result has ``failed_on`` and ``msg`` where something in ``fail_on`` was found.

    Raises InvalidRequest where a directory can't be used or there is no evidence at all.
    """
    if not params["src"]:
        raise InvalidRequest("src names no directory. The playbook audit takes it from tenant_baseline_report_dir.")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", params["suffix"]):
        raise InvalidRequest(
            "suffix takes letters, digits, hyphens and underscores, because it becomes part of a name."
        )
    if params["max_age"] < 1:
        raise InvalidRequest("max_age is in hours and must be 1 or more.")
    report = _read(params)
    if report.as_of is None:
        raise InvalidRequest(
            f"No evidence was found in {', '.join(params['src'])}. It is written by the playbook audit, into"
            " tenant_baseline_report_dir."
        )
    chosen: dict[str, Callable[[Report], str]] = {}
    for form in params["formats"]:
        chosen |= FORMATS[form]
    directory = absolute("dest", params["dest"])
    paths = {os.path.join(directory, _named(name, params["suffix"])): make for name, make in chosen.items()}
    changed = [_write(path, make(report), check_mode) for path, make in paths.items()]
    found = _evidence_report.failures(report, params["fail_on"])
    line = _evidence_report.line(report)
    result = {
        "changed": any(changed),
        "files": list(paths),
        "line": line,
        **_facts(report),
    }
    if found:
        result |= {"error_code": "refused", "failed_on": sorted(found), "msg": _message(line, found)}
    return result


def _named(name: str, suffix: str) -> str:
    stem, dot, ending = name.partition(".")
    return f"{stem}{suffix}{dot}{ending}"


def _message(line: str, found: Mapping[str, Sequence[str]]) -> str:
    reasons = [f"{reason}: {_some(names).rstrip('.')}" for reason, names in found.items()]
    return f"{'; '.join(reasons)}. {line}"


def _some(names: Sequence[str]) -> str:
    rest = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{rest}"


def _read(params: Mapping[str, t.Any]) -> Report:
    unreadable: list[str] = []
    writes: list[_evidence_watch.OwnWrite] = []
    for _path, content in _documents(params["undo"], []):
        writes += _evidence_watch.own_writes(content)
    max_age = datetime.timedelta(hours=params["max_age"])
    now = datetime.datetime.now(datetime.timezone.utc)
    fleet = _evidence_merge.merge(_parsed(params["src"], unreadable), max_age, params["expected"], now)
    return _evidence_report.report(fleet, writes, unreadable)


def _parsed(directories: Sequence[str], unreadable: list[str]) -> Iterator[_evidence.Evidence]:
    """The evidence in these directories; other JSON may lie beside it. unreadable: takes what is said of the rest."""
    for path, content in _documents(directories, unreadable):
        if not _evidence.is_evidence(content):
            continue
        try:
            yield _evidence.parse(content, os.path.basename(path))
        except InvalidRequest as error:
            unreadable.append(error.message)


def _documents(directories: Sequence[str], unreadable: list[str]) -> Iterator[tuple[str, t.Any]]:
    """Every JSON file of these directories and those in them, in the order of their names."""
    for directory in directories:
        if not os.path.isdir(directory):
            raise InvalidRequest(f"{directory} is not a directory, or can't be reached.")
        for folder, subfolders, names in os.walk(directory):
            subfolders.sort()
            for name in sorted(name for name in names if name.endswith(".json")):
                path = os.path.join(folder, name)
                try:
                    with open(path, encoding="utf-8") as file:
                        yield path, json.load(file)
                except OSError as error:
                    unreadable.append(f"{name} can't be read: {os.strerror(error.errno or 0)}.")
                except (ValueError, RecursionError):
                    unreadable.append(f"{name} holds no valid JSON; it was perhaps cut off while it was written.")


def _write(path: str, text: str, check_mode: bool) -> bool:
    """Put the text into the file, if it is not there already. A lone surrogate may come from the name of a file."""
    encodable = text.encode("utf-8", "backslashreplace").decode()
    return replace_if_different("dest", path, encodable, dry_run=check_mode)


def _facts(report: Report) -> Result:
    """What a play can act on: counts, and lists that are cut to what fits."""
    changes = [{"tenant": one.label, "text": change.text} for one, change in report.each_change()]
    candidates = [
        {"tenant": one.label, "mailbox": judged.mailbox.address, "note": judged.note}
        for one, judged in report.each_exception()
        if judged.removable
    ]
    lists = {"changes": changes, "candidates": candidates}
    truncated = {name: len(entries) - LIST_LIMIT for name, entries in lists.items() if len(entries) > LIST_LIMIT}
    facts: Result = {name: entries[:LIST_LIMIT] for name, entries in lists.items()}
    if truncated:
        facts["truncated"] = truncated
    return {**facts, "counts": report.counts, "summary": _summary(report)}


def _summary(report: Report) -> Result:
    """Figures without names of people, small enough for an artifact; tenants with something to say come first."""
    tenants: Result = {}
    used = 1000
    for tenant in sorted(report.tenants, key=lambda one: (one.status == "compliant", one.label)):
        entry = _figures(tenant)
        used += len(json.dumps({tenant.label: entry}))
        if used > SUMMARY_BUDGET:
            break
        tenants[tenant.label] = entry
    summary: Result = {"line": _evidence_report.line(report), "counts": report.counts, "tenants": tenants}
    left_out = len(report.tenants) - len(tenants)
    return {**summary, "truncated": left_out} if left_out else summary


def _figures(tenant: TenantReport) -> Result:
    shown = tenant.shown
    return {
        "status": tenant.status,
        "read": _evidence.format_time(shown.time),
        "flag": shown.flag,
        "enabled": shown.counts["enabled"] if shown.counts else None,
        "basic_allowed": shown.verdict["basic"].allowed if shown.verdict else None,
        "drift": len(tenant.drift),
        "changes": len(tenant.changes),
        "not_ours": sum(1 for change in tenant.changes if change.foreign),
        "exceptions": len(tenant.exceptions),
        "expired": sum(1 for one in tenant.exceptions if one.state == "expired"),
        "unread": len(tenant.unread),
    }
