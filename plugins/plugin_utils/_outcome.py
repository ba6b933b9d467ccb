# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role tenant_baseline says of its tasks' results: how a tenant stands, in a word and in lines. PRIVATE."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import typing as t
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ansible_collections.m365.exchange_online.plugins.module_utils._properties import INHERIT
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import SMTP_AUTH
from ansible_collections.m365.exchange_online.plugins.module_utils._text import counted
from ansible_collections.m365.exchange_online.plugins.plugin_utils._baseline import PARTS

Result = Mapping[str, t.Any]

MOST_LINES = 500  # of drift; the count beside them is exact
MOST_NAMES = 500
MOST_REASONS = 5  # why something of the verdict is not known
NOTHING: Result = MappingProxyType({})
# What of a task's result goes into reports; nothing that could hold a secret.
REPORTED = (
    "changed",
    "failed",
    "msg",
    "error_code",
    "http_status",
    "cmdlet",
    "request_id",
    "hint",
    "organization",
    "summary",
    "unlisted_enabled",
    "expired",
    "expiring",
    "confirmed",
    "undo_file",
    "mailboxes",
    "plans",
    "users",
    "authentication_policy",
    "state",
    "truncated",
    "warnings",
)
_TITLES = {part.name: part.title for part in PARTS}
# The setting's own name says the opposite of what it does.
_SMTP_AUTH_WORDS = {True: "denied", False: "allowed", INHERIT: "left to the organization"}
_LISTS = ("mailboxes", "plans")
# Beside the mailboxes, SMTP AUTH changes the users whose authentication policy blocks it.
_USERS = ("users",)
_NOUNS = {"plans": "mailbox plan"}
# After one of these no other part can do better: it would only be told once more.
_LOCKED_OUT = frozenset({"authentication_failed", "wrong_tenant"})
_NO_SIGN_IN = "not tried, because the part before could not sign in"
_DEFAULT_POLICY = (
    "not tried, because default_authentication_policy comes after SMTP AUTH has its exceptions, which failed"
)
_NOT_REACHED = "not reached"
_ON_HOLD = "on hold (tenant_baseline_hold): nothing was read and nothing was changed"


@dataclass(frozen=True)
class Done:
    """What came of one part. ``result``: empty where its task did not run, and ``reason`` says why."""

    name: str
    result: Result
    tenant: str = ""
    reason: str = _NOT_REACHED

    @property
    def title(self) -> str:
        return _TITLES[self.name]

    @property
    def expired(self) -> bool:
        """The module fails at its end for exceptions past their last day, when all else is done."""
        return self.result.get("error_code") == "expired"

    @property
    def failed(self) -> bool:
        return not self.result or bool(self.result.get("failed"))

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))

    @property
    def status(self) -> str:
        if not self.result:
            return "not tried"
        order = (("failed", self.failed), ("changed", self.changed), ("unchanged", True))
        return next(status for status, true in order if true)

    @property
    def way_back_announced(self) -> bool:
        return all("undo" in result for result in self.results if result.get("changed"))

    @property
    def results(self) -> list[Result]:
        """The result, or those of a task that ran for each of several objects."""
        several = self.result.get("results")
        return list(several) if isinstance(several, list) else [self.result]

    @property
    def message(self) -> str:
        if not self.result:
            return self.reason
        told = [one for one in self.results if one.get("failed")] if self.failed else self.results
        lines = [" ".join(str(one.get("msg") or "").split()).removeprefix(f"{self.tenant}: ") for one in told]
        return " ".join(dict.fromkeys(line for line in lines if line))


def outcome(
    plan: Mapping[str, t.Any],
    results: Mapping[str, Result],
    *,
    check_mode: bool = False,
    announced: Mapping[str, Result] | None = None,
    writing: bool = False,
) -> dict[str, t.Any]:
    """How a run of the role stands, and how it ended.

    plan: as the filter tenant_baseline_plan returns it. results: what the parts' tasks registered, by part. announced:
    what they had registered in check mode, where the plan wants that before anything is written. writing: whether the
    pass that writes has begun. Returns ``host``, ``tenant``, ``status`` (held, failed, changed or unchanged), ``lines``
    for people, ``to_do`` (parts whose task may run now), ``to_write`` (parts that were announced and have to be
    written), ``to_tell`` (what of their way back had no room in their results), ``artifact`` (figures without names),
    ``warnings`` (on reports that would be lost) and ``results``: of each part's result what goes into reports.
    """
    to_write = _to_write(plan, (announced or {}) if writing else results)
    results = _latest(plan, results, announced or {})
    done = _done(plan, results)
    status = _run_status(plan, done)
    lines = [_ON_HOLD] if plan["hold"] else _lines(done, check_mode)
    return {
        "host": plan["host"],
        "tenant": plan["tenant"],
        "status": status,
        "lines": [f"{plan['host']}: {line}" for line in lines],
        "to_do": _without(not_tried(plan, results), to_write if writing else plan["parts"]),
        "to_write": to_write,
        "to_tell": [] if writing else list(_to_tell(results, to_write)),
        "warnings": list(plan.get("warnings", ())),
        "artifact": {"host": plan["host"], "status": status, "check_mode": check_mode, **_figures(done)},
        "results": {part.name: _reported(part) for part in done},
    }


def _run_status(plan: Mapping[str, t.Any], done: Sequence[Done]) -> str:
    """The first that is true."""
    order = (
        ("held", plan["hold"]),
        ("failed", any(part.failed for part in done)),
        ("changed", any(part.changed for part in done)),
        ("unchanged", True),
    )
    return next(status for status, true in order if true)


def _without(reasons: Mapping[str, str], names: Sequence[str]) -> list[str]:
    return [name for name in names if name not in reasons]


def _latest(
    plan: Mapping[str, t.Any], results: Mapping[str, Result], announced: Mapping[str, Result]
) -> dict[str, Result]:
    """The results of the parts. Of one that was not to be written, the announcement is all there is."""
    found = {name: results.get(name) or {} for name in plan["parts"]}
    return {name: announced.get(name, result) if result.get("skipped") else result for name, result in found.items()}


def _to_write(plan: Mapping[str, t.Any], announced: Mapping[str, Result]) -> list[str]:
    """The parts that change something, where the job's events hold the way back. One that fails may still do so."""
    if not plan.get("announced"):
        return []
    parts = [Done(name, announced.get(name) or {}) for name in plan["parts"]]
    return [part.name for part in parts if part.changed and part.way_back_announced]


def _to_tell(results: Mapping[str, Result], names: Sequence[str]) -> Iterator[dict[str, t.Any]]:
    """The further parts of each way back that is too long for one result, as exo_undo_part takes them."""
    found = itertools.chain.from_iterable(Done(name, results[name]).results for name in names)
    for undo in (_mapping(result.get("undo")) for result in found):
        for number in range(2, int(undo.get("parts", 1)) + 1):
            yield {"set": undo["set"], "part": number, "parts": undo["parts"]}


def _figures(done: Sequence[Done]) -> dict[str, t.Any]:
    """What a job keeps of a tenant as an artifact: numbers and paths, because others may read it than the reports."""
    results = list(itertools.chain.from_iterable(part.results for part in done))
    summaries = [_mapping(result.get("summary")) for result in results]
    effects = [_effect(result) for result in results]
    codes = itertools.chain.from_iterable(_error_codes(part.result) for part in done)
    return {
        "parts": {part.name: part.status for part in done},
        "changed": _total(summaries, "changed"),
        "failed": _total(summaries, "failed"),
        "missing": _total(summaries, "missing"),
        "lose": _total(effects, "lose"),
        "gain": _total(effects, "gain"),
        "error_codes": sorted(set(codes)),
        "undo_files": [result["undo_file"] for result in results if result.get("undo_file")],
        "undo_in_events": any("undo" in result for result in results),
    }


def _effect(result: Result) -> Mapping[str, t.Any]:
    """Who loses and gains: in the summary of many objects, and beside a single one."""
    return _mapping(_mapping(result.get("summary")).get("effect") or result.get("effect"))


def _mapping(value: t.Any) -> Mapping[str, t.Any]:
    return value if isinstance(value, Mapping) else {}


def _total(counts: Iterable[Mapping[str, t.Any]], name: str) -> int | None:
    """The sum, or None where one of the numbers is not known."""
    numbers = [count.get(name, 0) for count in counts]
    return None if None in numbers else sum(numbers)


def artifacts(figures: Iterable[Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Figures of hosts by keys that can be names of variables: AWX hands them to the next job as such."""
    return {artifact_key(str(one["host"])): dict(one) for one in figures}


def artifact_key(host: str) -> str:
    """exo_ and the host's name. Two hosts that differ in other characters only keep keys of their own."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", host)
    mark = "" if name == host else f"_{hashlib.sha256(host.encode()).hexdigest()[:6]}"
    return f"exo_{name}{mark}"


def _done(plan: Mapping[str, t.Any], results: Mapping[str, Result]) -> list[Done]:
    """The parts that the plan has. A task that was skipped or never reached has no result."""
    reasons = not_tried(plan, results)
    found = {name: results.get(name) or {} for name in plan["parts"]}
    return [
        Done(name, {} if result.get("skipped") else result, plan["tenant"], reasons.get(name, _NOT_REACHED))
        for name, result in found.items()
    ]


def _lines(done: Sequence[Done], check_mode: bool) -> list[str]:
    """One for each part, those that failed first, and one for all that were not tried for the same reason."""
    failed = [_failed_line(part) for part in done if part.result and part.failed]
    return [*failed, *_not_tried_lines(done), *(_line(part, check_mode) for part in done if not part.failed)]


def _failed_line(part: Done) -> str:
    """A reference: its task has said why, at length."""
    codes = ", ".join(sorted(_error_codes(part.result)))
    return f"{part.title}: FAILED{f' ({codes})' if codes else ''}, see what its task said above"


def _not_tried_lines(done: Sequence[Done]) -> list[str]:
    titles: dict[str, list[str]] = {}
    for part in done:
        if not part.result:
            titles.setdefault(part.reason, []).append(part.title)
    return [f"{', '.join(names)}: {reason}" for reason, names in titles.items()]


def _line(part: Done, check_mode: bool) -> str:
    changed = "would change" if check_mode else "changed"
    return f"{part.title}: {part.message or (changed if part.changed else 'as declared')}"


def not_tried(plan: Mapping[str, t.Any], results: Mapping[str, Result]) -> dict[str, str]:
    """The parts that must not be tried after what came of those before them, and why."""
    parts = list(plan["parts"])
    for position, name in enumerate(parts):
        if _error_codes(results.get(name) or {}) & _LOCKED_OUT:
            return dict.fromkeys(parts[position + 1 :], _NO_SIGN_IN)
    smtp_auth = results.get("smtp_auth") or {}
    failed = "smtp_auth" in parts and smtp_auth.get("failed") and smtp_auth.get("error_code") != "expired"
    waits = failed and plan.get("default_policy") and not plan.get("audit")
    return {"organization_config": _DEFAULT_POLICY} if waits else {}


def _error_codes(result: Result) -> set[str]:
    several = result.get("results")
    results = several if isinstance(several, list) else [result]
    return {str(one["error_code"]) for one in results if one.get("failed") and one.get("error_code")}


def audit(plan: Mapping[str, t.Any], results: Mapping[str, Result], verdict: Result = NOTHING) -> dict[str, t.Any]:
    """How a tenant stands to its baseline.

    verdict: what the module that reads who can use SMTP AUTH returned, empty where it did not run. Returns ``status``,
    ``drift`` (lines) with ``drift_count``, ``errors`` (each a ``message`` and an ``error_code``), ``unlisted_enabled``
    (``count`` and ``mailboxes``), ``expired`` and ``expiring`` (entries of the lists), ``warnings``, ``verdict`` (the
    figures, None where they were not read), and ``lines``, all of it for people.
    """
    done = _done(plan, results)
    drift = list(itertools.chain.from_iterable(_drift(part) for part in done))
    smtp_auth = next((part.result for part in done if part.name == "smtp_auth"), {})
    unlisted = _unlisted(smtp_auth)
    errors = _errors(plan, done)
    undeclared = [_problem(plan["undeclared"])] if plan["undeclared"] else []
    found = {
        "host": plan["host"],
        "tenant": plan["tenant"],
        "status": _status(plan, errors, drift, unlisted["count"]),
        "parts": list(plan["parts"]),
        "drift_count": len(drift) + sum(_left_out(part.result) for part in done),
        "drift": drift[:MOST_LINES],
        "errors": errors + undeclared,
        "unlisted_enabled": unlisted,
        "expired": list(smtp_auth.get("expired") or ()),
        "expiring": list(smtp_auth.get("expiring") or ()),
        "warnings": list(plan.get("warnings", ())),
        "verdict": verdict.get("summary"),
    }
    known = found["status"] != "unknown"
    return {**found, "lines": [*_audit_lines(found), *_verdict_lines(plan["tenant"], verdict, known=known)]}


_SENTENCES = re.compile(r"(?<=\.) (?=[A-Z])")


def _verdict_lines(tenant: str, verdict: Result, *, known: bool) -> Iterator[str]:
    """Who can use SMTP AUTH, and why that is not all known. known: False where errors have said why already."""
    if verdict.get("msg") and (known or "error_code" not in verdict):
        yield from _SENTENCES.split(str(verdict["msg"]).removeprefix(f"{tenant}: "))
    reasons = dict.fromkeys(one["reason"] for one in _mapping(verdict.get("summary")).get("unread", ()))
    yield from itertools.islice(reasons, MOST_REASONS)


def _status(plan: Mapping[str, t.Any], errors: Sequence[t.Any], drift: Sequence[str], unlisted: int) -> str:
    """The first that is true. What could not be read is never taken for compliant."""
    order = (
        ("held", plan["hold"]),
        ("unknown", errors),
        ("undeclared", plan["undeclared"]),
        ("drift", drift),
        ("unlisted", unlisted),
        ("compliant", True),
    )
    return next(status for status, true in order if true)


def _errors(plan: Mapping[str, t.Any], done: Sequence[Done]) -> list[dict[str, str | None]]:
    """Why it is not known how the tenant stands: what is wrong with its variables, and the parts that failed."""
    failed = [part for part in done if part.failed and not part.expired]
    return [*(_problem(text) for text in plan["problems"]), *(_error(part) for part in failed)]


def _problem(text: str) -> dict[str, str | None]:
    return {"message": text, "error_code": None}


def _error(part: Done) -> dict[str, str | None]:
    codes = sorted(_error_codes(part.result))
    return {"message": f"{part.title}: {part.message}", "error_code": codes[0] if codes else None}


def _reported(part: Done) -> t.Any:
    """What of a part's result goes into reports."""
    several = [{key: result[key] for key in REPORTED if key in result} for result in part.results]
    return several if "results" in part.result else several[0]


def _unlisted(smtp_auth: Result) -> dict[str, t.Any]:
    """The mailboxes on no list that stay explicitly enabled."""
    names = list(smtp_auth.get("unlisted_enabled") or ())
    more = (smtp_auth.get("truncated") or {}).get("unlisted_enabled", 0)
    return {"count": len(names) + more, "mailboxes": names[:MOST_NAMES]}


def _left_out(result: Result) -> int:
    """How many changed objects a result that was too large has lost."""
    return sum(count for name, count in (result.get("truncated") or {}).items() if name in (*_LISTS, *_USERS))


def _audit_lines(found: Mapping[str, t.Any]) -> list[str]:
    more = found["drift_count"] - len(found["drift"])
    unlisted = found["unlisted_enabled"]
    errors = [error["message"] for error in found["errors"]]
    lines = [*errors, *found["drift"], *([f"and {more} more differences"] if more else [])]
    if unlisted["count"]:
        lines.append(f"{unlisted['count']} enabled and on no list: {_names(unlisted['mailboxes'], unlisted['count'])}")
    return [f"{found['host']}: {found['status']}", *lines]


def _names(names: Sequence[str], count: int, most: int = 20) -> str:
    shown = names[:most]
    more = count - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _drift(part: Done) -> Iterator[str]:
    """One line for each setting that is not as it should be."""
    if part.name == "smtp_auth":
        yield from _smtp_auth_drift(part.result)
    else:
        for result in part.results:
            yield from _object_drift(result, part.tenant)
        for entry in _entries(part.result):
            yield from _differences(entry["identity"], entry.get("before") or {}, entry.get("after") or {})
    for entry in _entries(part.result, "missing"):
        yield f"{entry['identity']}: there is no such {_NOUNS.get(part.name, 'mailbox')}"


def _entries(result: Result, status: str = "changed", lists: Sequence[str] = _LISTS) -> Iterator[Result]:
    for name in lists:
        yield from (entry for entry in result.get(name) or () if entry.get("status") == status)


def _object_drift(result: Result, tenant: str) -> Iterator[str]:
    """The settings of a single object, which its module shows in its diff."""
    diff = result.get("diff") or {}
    if not isinstance(diff, Mapping) or not isinstance(diff.get("after"), Mapping):
        return
    label = str(diff.get("before_header") or "the organization").removeprefix(f"{tenant}: ")
    if result.get("state") == "absent" and diff["before"]:
        yield f"{label}: is there, should be absent"
    else:
        yield from _differences(label, diff["before"], diff["after"])


def _differences(label: str, before: Mapping[str, t.Any], after: Mapping[str, t.Any]) -> Iterator[str]:
    for setting, value in after.items():
        if before.get(setting) != value:
            yield f"{label}: {setting} is {_shown(before.get(setting))}, should be {_shown(value)}"


def _smtp_auth_drift(result: Result) -> Iterator[str]:
    organization = result.get("organization") or {}
    if organization.get("status") in ("changed", "failed"):
        yield f"the organization: SMTP AUTH is {organization['before']}, should be {organization['after']}"
    for entry in _entries(result):
        was, should = (_SMTP_AUTH_WORDS[entry[side][SMTP_AUTH]] for side in ("before", "after"))
        yield f"{entry['identity']}: SMTP AUTH is {was}, should be {should}"
    for entry in _entries(result, lists=_USERS):
        yield from _differences(entry["identity"], entry["before"], entry["after"])
    for entry in result.get("expired") or ():
        yield f"{entry['identity']}: the exception is past its last day, {entry['expires']}"


def _shown(value: t.Any) -> str:
    """The value for people. In single quotes, because screens show lines as JSON, where double ones are escaped."""
    return json.dumps(value, ensure_ascii=False).replace('\\"', "'").replace('"', "'")


# What exo_audit_fail_on may name, beside what always fails: a tenant of which nothing is known. The evidence tells of
# the last two, so that exo_evidence looks for them.
FAIL_ON = ("drift", "unlisted", "expired")
EVIDENCE_FAIL_ON = ("change", "unread")
NOT_REACHED: Mapping[str, t.Any] = {
    "status": "unknown",
    "drift_count": 0,
    "drift": [],
    "errors": [{"message": "The audit did not reach this tenant.", "error_code": None}],
    "unlisted_enabled": {"count": 0, "mailboxes": []},
    "expired": [],
    "expiring": [],
    "warnings": [],
    "verdict": None,
}


def fleet(
    audits: Mapping[str, Mapping[str, t.Any] | None], fail_on: Sequence[str] = (), warnings: Sequence[str] = ()
) -> dict[str, t.Any]:
    """How all tenants stand.

    audits: by host, what ``audit`` returned; None where it never came to that. fail_on: which findings let a tenant
    fail, beside not being known. warnings: sentences on the run as a whole. Returns ``tenants``, ``table`` (lines),
    ``failed`` (by host, lines that say why), ``evidence_fail_on`` (the findings that the evidence tells of) and
    ``artifacts`` (figures, by a key for each host).
    """
    tenants = {host: {**NOT_REACHED, "host": host, **(found or {})} for host, found in audits.items()}
    return {
        "tenants": tenants,
        "table": [*_table(list(tenants.values())), *dict.fromkeys([*_warnings(tenants.values()), *warnings])],
        "failed": {host: _why(found) for host, found in tenants.items() if _fails(found, fail_on)},
        "evidence_fail_on": [finding for finding in fail_on if finding in EVIDENCE_FAIL_ON],
        "artifacts": artifacts(_audit_figures(found) for found in tenants.values()),
    }


def _warnings(tenants: Iterable[Mapping[str, t.Any]]) -> Iterator[str]:
    return itertools.chain.from_iterable(found["warnings"] for found in tenants)


def _audit_figures(found: Mapping[str, t.Any]) -> dict[str, t.Any]:
    codes = {error["error_code"] for error in found["errors"] if error["error_code"]}
    figures = {**_findings(found), **_verdict_figures(found)}
    return {"host": found["host"], "status": found["status"], **figures, "error_codes": sorted(codes)}


def _table(tenants: Sequence[Mapping[str, t.Any]]) -> list[str]:
    """A line for each tenant, with who can use SMTP AUTH where any audit has read that, and what would tell more."""
    width = max((len(found["host"]) for found in tenants), default=0)
    read = any(found["verdict"] for found in tenants)
    head = f"{'tenant':{width}}  {'status':10}  {'drift':>5}  {'unlisted':>8}  {'expired':>7}"
    rows = [_row(found, width) for found in tenants]
    if read:
        head += f"  {'basic':>7}  {'oauth':>7}  {'in use':>6}  {'cut off':>7}"
        rows = [row + _verdict_row(found) for row, found in zip(rows, tenants, strict=True)]
    return [head, *rows, *_lacking(tenants)]


def _row(found: Mapping[str, t.Any], width: int) -> str:
    counts = [str(count) for count in _findings(found).values()]
    if found["status"] in ("unknown", "undeclared", "held"):  # nothing was counted, or not everything
        counts = ["?"] * len(counts)
    drift, unlisted, expired = counts
    return f"{found['host']:{width}}  {found['status']:10}  {drift:>5}  {unlisted:>8}  {expired:>7}"


def _verdict_row(found: Mapping[str, t.Any]) -> str:
    """Mailboxes that can use SMTP AUTH with each method, as a span where some are unknown, and two more figures."""
    summary = found["verdict"]
    if not summary:
        return f"  {'?':>7}  {'?':>7}  {'?':>6}  {'?':>7}"
    figures = {name: "?" if count is None else str(count) for name, count in _verdict_figures(found).items()}
    basic, oauth = (_span(summary[method]) for method in ("basic", "oauth"))
    return f"  {basic:>7}  {oauth:>7}  {figures['in_use']:>6}  {figures['cut_off']:>7}"


def _span(counts: Mapping[str, int]) -> str:
    least, most = counts["allowed"], counts["allowed"] + counts["unknown"]
    return str(least) if least == most else f"{least}-{most}"


def _verdict_figures(found: Mapping[str, t.Any]) -> dict[str, int | None]:
    """How many can use SMTP AUTH for certain, are in use, and would be cut off by closing; None where unknown."""
    summary = _mapping(found["verdict"])
    usage = _mapping(summary.get("usage"))
    # Who was seen was seen, but that nobody was is known only where all were looked for.
    in_use = usage.get("used") if usage.get("used") or not usage.get("unknown") else None
    return {
        "basic": _mapping(summary.get("basic")).get("allowed"),
        "oauth": _mapping(summary.get("oauth")).get("allowed"),
        "in_use": in_use,
        "cut_off": _mapping(summary.get("closing")).get("cut_off"),
    }


def _lacking(tenants: Iterable[Mapping[str, t.Any]]) -> list[str]:
    """A sentence for the permissions that would tell what is unknown, and how many tenants lack each."""
    counts: Counter[str] = Counter()
    for found in tenants:
        unread = _mapping(found["verdict"]).get("unread", ())
        counts.update({one["permission"] for one in unread if one["permission"]})
    if not counts:
        return []
    names = [f"{permission} (in {counted(count, 'tenant')})" for permission, count in sorted(counts.items())]
    return [f"To know the rest, the apps need {', '.join(names)}."]


def _findings(found: Mapping[str, t.Any]) -> dict[str, int]:
    """How many of each finding there are, by the words of FAIL_ON."""
    return {
        "drift": found["drift_count"],
        "unlisted": found["unlisted_enabled"]["count"],
        "expired": len(found["expired"]),
    }


def _fails(found: Mapping[str, t.Any], fail_on: Sequence[str]) -> bool:
    findings = _findings(found)
    return found["status"] in ("unknown", "undeclared") or any(
        findings[finding] for finding in fail_on if finding in findings
    )


def _why(found: Mapping[str, t.Any]) -> list[str]:
    lines = found.get("lines") or [f"{found['host']}: {found['status']}", *(e["message"] for e in found["errors"])]
    return list(lines)


def fail_on(given: str | Sequence[str] | None) -> list[str]:
    """The findings in a list, or in a text with commas (a survey has no lists); raises ValueError for another word."""
    words = given.split(",") if isinstance(given, str) else given or ()
    findings = [str(word).strip() for word in words if str(word).strip()]
    known = (*FAIL_ON, *EVIDENCE_FAIL_ON)
    unknown = [finding for finding in findings if finding not in known]
    if unknown:
        raise ValueError(f"exo_audit_fail_on names {', '.join(unknown)}. It takes {', '.join(known)}.")
    return findings
