# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role tenant_baseline makes of its variables: checked, merged, and turned into arguments of modules. PRIVATE.

Pure but for one look at whether the directories are there. Which settings exist is known from the modules' own tables.
"""

from __future__ import annotations

import datetime
import itertools
import os
import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_dict,
    check_type_int,
    check_type_list,
    check_type_str,
)

from ansible_collections.m365.exchange_online.plugins.module_utils._arguments import (
    EFFECT,
    LIMITS,
    LOOKUP,
    PLANNED_POLICIES,
    SMTP_AUTH_POLICY,
    UNDO,
    USAGE_GATE,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import Table
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    AUTHENTICATION_POLICY,
    CAS_MAILBOX,
    CAS_MAILBOX_PLAN,
    DEFAULT_POLICY,
    ORGANIZATION_CONFIG,
    POLICY,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._text import did_you_mean, listed
from ansible_collections.m365.exchange_online.plugins.plugin_utils._mounts import gone_with_the_job, outlives_the_job

PREFIX = "tenant_baseline_"
_SMTP_AUTH_PREFIX = PREFIX + "smtp_auth_"
# Facts that the role sets: a second run in one play finds them among its variables.
FACTS = frozenset({PREFIX + "audit"})
# Options of modules that the role gives them itself.
SHARED = frozenset(
    {
        "effect_file",
        "lookup_failure_action",
        "max_changes",
        "max_gain",
        "max_lose",
        "max_lose_when_closing",
        "planned_default_policy",
        "planned_policies",
        "propagation_delay",
        "undo_file",
        "undo_in_result",
        "wait",
        "wait_timeout",
    }
)
SMTP_AUTH_OPTIONS = tuple(name for name in SMTP_AUTH_POLICY if name not in SHARED)


@dataclass(frozen=True)
class Part:
    """One task of the role. ``name``: also its tag. ``title``: for people. ``spec``: what its module shares."""

    name: str
    title: str
    spec: Mapping[str, t.Any]


# In the order in which they run: a policy is there before it lets mailboxes through, and it becomes the default of all
# after the exceptions have theirs.
PARTS = (
    Part("policies", "authentication policies", {**EFFECT, **UNDO}),
    Part("transport_config", "transport settings", {**EFFECT, **UNDO}),
    Part("smtp_auth", "SMTP AUTH", SMTP_AUTH_POLICY),
    Part("mailboxes", "mailboxes", {**LIMITS, **LOOKUP, **UNDO}),
    Part("organization_config", "organization settings", {**PLANNED_POLICIES, **EFFECT, **UNDO}),
    Part("plans", "mailbox plans", {"max_changes": {}, **LOOKUP, **UNDO}),
)
# Parts that nearly every baseline has. The others are looked at only where one of them is declared.
COMMON = frozenset({"transport_config", "smtp_auth", "mailboxes"})


@dataclass(frozen=True)
class Settings:
    """A variable that holds settings by the names of a module's options. ``beside``: what else may stand there."""

    variable: str
    module: str
    table: Table
    beside: tuple[str, ...] = ()

    @property
    def variables(self) -> tuple[str, str]:
        """The fleet's and the tenant's own, which wins."""
        return (self.variable + "_fleet", self.variable)

    def unknown(self, place: str, names: Iterable[str]) -> list[str]:
        """A sentence for each name that is no setting."""
        known = (*self.beside, *self.table.options)
        spelled = {one.remote.lower(): one.option for one in self.table.properties}
        return [
            f"{place}: {name} is not a setting of {self.module}."
            f" {did_you_mean(spelled.get(name.lower(), name), known)}".rstrip()
            for name in names
            if name not in known
        ]


_TRANSPORT_CONFIG = Settings(PREFIX + "transport_config", "exo_transport_config", TRANSPORT_CONFIG)
_ORGANIZATION_CONFIG = Settings(
    PREFIX + "organization_config", "exo_organization_config", ORGANIZATION_CONFIG, ("allow_empty",)
)
_ALL_MAILBOXES = Settings(PREFIX + "all_mailboxes", "exo_cas_mailbox", CAS_MAILBOX, ("recipient_type_details", "where"))
_MAILBOXES = Settings(PREFIX + "mailboxes", "exo_cas_mailbox", CAS_MAILBOX, ("identity",))
_PLANS = Settings(PREFIX + "cas_mailbox_plans", "exo_cas_mailbox_plan", CAS_MAILBOX_PLAN, ("identity",))
_POLICIES = Settings(
    PREFIX + "authentication_policies", "exo_authentication_policy", AUTHENTICATION_POLICY, ("name", "state")
)
DICTIONARIES = (_TRANSPORT_CONFIG, _ORGANIZATION_CONFIG, _ALL_MAILBOXES)
LISTS = (_MAILBOXES, _PLANS, _POLICIES)


@dataclass(frozen=True)
class Form:
    """The form of a variable, as an option of a module has it."""

    type: str = "str"
    choices: tuple[str, ...] = ()
    default: t.Any = None

    def read(self, name: str, value: t.Any) -> t.Any:
        """The value in this form; raises ValueError with a sentence for the admin."""
        convert, words = _TYPES[self.type]
        try:
            found = convert(value)
        except (TypeError, ValueError):
            raise ValueError(f"{name} has to be {words}, it is {value!r}.") from None
        if self.choices and found not in self.choices:
            quotes = " YAML takes on, off, yes and no for booleans: put the word into quotes."
            raise ValueError(
                f"{name} has to be one of {', '.join(self.choices)}, it is {value!r}."
                + (quotes if isinstance(value, bool) else "")
            )
        return found


_TYPES: Mapping[str, tuple[Callable[[t.Any], t.Any], str]] = {
    "bool": (check_type_bool, "true or false"),
    "dict": (check_type_dict, "a dictionary"),
    "int": (check_type_int, "a whole number"),
    "list": (check_type_list, "a list"),
    "path": (lambda value: os.path.expanduser(check_type_str(value)), "a path"),
    "raw": (lambda value: value, "anything"),
    "str": (check_type_str, "a text"),
}
FORMS: Mapping[str, Form] = {
    PREFIX + "hold": Form("bool", default=False),
    **{
        _SMTP_AUTH_PREFIX + name: Form(
            SMTP_AUTH_POLICY[name].get("type", "str"),
            tuple(SMTP_AUTH_POLICY[name].get("choices", ())),
        )
        for name in SMTP_AUTH_OPTIONS
    },
    **dict.fromkeys(itertools.chain.from_iterable(settings.variables for settings in DICTIONARIES), Form("dict")),
    **{settings.variable: Form("list") for settings in LISTS},
    PREFIX + "exclude": Form("list"),
    PREFIX + "max_changes": Form("str", default="10%"),
    PREFIX + "max_lose": Form("str", default="10%"),
    PREFIX + "max_gain": Form("str", default="10%"),
    PREFIX + "lookup_failure_action": Form("str", ("fail", "warn"), default="fail"),
    PREFIX + "propagation_delay": Form("int", default=900),
    PREFIX + "undo_dir": Form("path"),
    PREFIX + "without_undo": Form("bool", default=False),
    PREFIX + "report_dir": Form("path"),
    PREFIX + "verdict": Form("bool", default=True),
    PREFIX + "verdict_usage": Form("bool", default=True),
}


@dataclass(frozen=True)
class Run:
    """What a run of the role is about.

    ``job``: its number in AWX, '' elsewhere. ``hosts``: all hosts of the play. ``tenants``: the tenant of each of them,
    in the same order, as exo_tenant_info has it; empty where nobody asked.
    """

    host: str
    tenant: str
    tags: Sequence[str] = ("all",)
    skip_tags: Sequence[str] = ()
    audit: bool = False
    check_mode: bool = False
    job: str = ""
    hosts: Sequence[str] = ()
    tenants: Sequence[Mapping[str, t.Any]] = ()

    @property
    def began_in_its_middle(self) -> bool:
        """Whether nobody asked who the hosts are, which is the role's first task: --start-at-task leaves that out."""
        return len(self.hosts) > 1 and len(self.tenants) != len(self.hosts)

    def sharing(self) -> list[str]:
        """The other hosts that come to the same tenant: by its GUID, and by its name where the GUID is not known."""
        keys = [found["tenant_id"] or found["tenant"].strip().lower() for found in self.tenants]
        own = dict(zip(self.hosts, keys, strict=False)).get(self.host)
        same = zip(self.hosts, keys, strict=False)
        return [host for host, key in same if own and key == own and host != self.host]


@dataclass
class _Reading:
    """The variables in their forms, and what is wrong with them."""

    given: dict[str, t.Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def get(self, name: str) -> t.Any:
        return self.given.get(PREFIX + name, FORMS[PREFIX + name].default)

    def own_or_fleet(self, settings: Settings) -> dict[str, t.Any]:
        """What the tenant has of its own wins key by key; null takes a setting of the fleet out of management."""
        merged: dict[str, t.Any] = {}
        for variable in settings.variables:
            merged.update(self.given.get(variable, {}))
        return _without_nulls(merged)

    @property
    def hold(self) -> bool:
        """Whether the tenant is to be left alone, whatever else is given."""
        return bool(self.get("hold"))

    @property
    def smtp_auth(self) -> dict[str, t.Any]:
        """What is given of the policy for SMTP AUTH, by the names of its module's options."""
        names = {name: _SMTP_AUTH_PREFIX + name for name in SMTP_AUTH_OPTIONS}
        return {name: self.given[variable] for name, variable in names.items() if variable in self.given}


def plan(variables: Mapping[str, t.Any], run: Run) -> dict[str, t.Any]:
    """What the role is to do for a tenant.

    variables: all that are called tenant_baseline_*, templated. Returns ``problems`` (sentences; nothing may be done
    where there are any), ``hold``, ``parts`` (names, in order), ``arguments`` (of each part's module), ``announced``
    (whether what is about to change has to be in the job's events before it is written), and what else the tasks of the
    role go by.
    """
    reading = _read(variables)
    arguments = {} if reading.hold else _arguments(reading, run)
    problems = [] if reading.hold else _problems(reading, run)
    parts = [] if problems else _parts(arguments, run)
    undeclared = "" if parts or reading.hold or problems else _undeclared(run, list(arguments))
    return {
        "host": run.host,
        "tenant": run.tenant,
        "audit": run.audit,
        "job": run.job,
        "announced": _announced(reading, run),
        "hold": reading.hold,
        "problems": problems,
        "undeclared": undeclared,
        "parts": parts,
        "arguments": {name: arguments[name] for name in parts},
        "default_policy": DEFAULT_POLICY in arguments.get("organization_config", {}),
        "tasks": _tasks(parts, bool(problems or undeclared)),
        "file": file_name(run.host),
        "report_dir": reading.get("report_dir") or "",
        "warnings": _warnings(reading, run),
        "verdict": _wants_verdict(reading, run, parts),
        "usage": reading.get("verdict_usage"),
        "allowed": reading.smtp_auth.get("allowed", []),
    }


def _problems(reading: _Reading, run: Run) -> list[str]:
    return [
        *_whose(run),
        *reading.problems,
        *_rivals(reading),
        *_default_before_exceptions(reading, run),
        *_directories(reading, run),
    ]


def _parts(declared: Iterable[str], run: Run) -> list[str]:
    """The parts that are declared and asked for, in the order in which they run."""
    wanted = _selected(run).intersection(declared)
    return [part.name for part in PARTS if part.name in wanted]


def _wants_verdict(reading: _Reading, run: Run, parts: Sequence[str]) -> bool:
    """Whether an audit is to read who can use SMTP AUTH, and who does. Evidence has that anyway."""
    compares_smtp_auth = bool(parts) and "smtp_auth" in _selected(run)
    return bool(run.tenant.strip() and (reading.get("report_dir") or (reading.get("verdict") and compares_smtp_auth)))


def _tasks(parts: Sequence[str], refused: bool) -> str:
    """The file of tasks that does no more than what is declared: a task that is skipped is a line to read, too."""
    if refused:
        return "refused.yml"
    return "parts.yml" if COMMON.issuperset(parts) else "all_parts.yml"


def _read(variables: Mapping[str, t.Any]) -> _Reading:
    reading = _Reading()
    known = [name.removeprefix(PREFIX) for name in FORMS]
    for name, raw in sorted(variables.items()):
        if name not in FORMS:
            if name not in FACTS:
                meant = did_you_mean(name.removeprefix(PREFIX), known, PREFIX)
                reading.problems.append(f"{name} is no variable of this role. {meant}".rstrip())
            continue
        value = plain(raw)
        if value is None or value == "":  # an AWX survey gives one or the other for "not given", by version
            continue
        try:
            reading.given[name] = FORMS[name].read(name, value)
        except ValueError as error:
            reading.problems.append(str(error))
    _read_settings(reading)
    return reading


def _read_settings(reading: _Reading) -> None:
    """Look at the names in dictionaries and lists of settings; what is null in an entry of a list is not managed."""
    for settings in DICTIONARIES:
        for variable in settings.variables:
            reading.problems += settings.unknown(variable, reading.given.get(variable, {}))
    for settings in LISTS:
        entries = reading.given.get(settings.variable, [])
        for position, entry in enumerate(entries):
            place = f"{settings.variable}[{position}]"
            reading.problems += _entry_problems(settings, place, entry)
        if entries:
            reading.given[settings.variable] = [_without_nulls(e) for e in entries if isinstance(e, dict)]


def _entry_problems(settings: Settings, place: str, entry: t.Any) -> list[str]:
    name = settings.beside[0]
    if not isinstance(entry, dict):
        return [f"{place} has to be a dictionary with {name} and settings, it is {entry!r}."]
    nameless = [] if entry.get(name) else [f"{place} has no {name}."]
    return [*nameless, *settings.unknown(place, entry)]


def plain(value: t.Any) -> t.Any:
    """The value as JSON has it: an unquoted date in a list makes ansible-core before 2.19 turn the list into a text."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _without_nulls(settings: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Null means "not managed" and must not reach a module: ansible-core before 2.19 makes '' of it, which clears."""
    return {name: value for name, value in settings.items() if value is not None}


def _arguments(reading: _Reading, run: Run) -> dict[str, t.Any]:
    """The arguments of each part that is declared; of policies a list, because their module takes one at a time."""
    own = {
        "transport_config": reading.own_or_fleet(_TRANSPORT_CONFIG),
        "smtp_auth": _smtp_auth_policy(reading, run),
        "mailboxes": _mailboxes(reading),
        "organization_config": _organization_config(reading),
        "plans": {"plans": reading.given[_PLANS.variable]} if reading.given.get(_PLANS.variable) else {},
    }
    arguments: dict[str, t.Any] = {
        part.name: own[part.name] | _shared(part, reading, run) for part in PARTS if own.get(part.name)
    }
    policies = reading.given.get(_POLICIES.variable)
    return {**arguments, "policies": [_policy(entry, reading, run) for entry in policies]} if policies else arguments


def _policy(entry: Mapping[str, t.Any], reading: _Reading, run: Run) -> dict[str, t.Any]:
    (part,) = (part for part in PARTS if part.name == "policies")
    arguments = {**entry, **_shared(part, reading, run)}
    if "undo_file" in arguments:
        stem = arguments["undo_file"].removesuffix(".json")
        arguments["undo_file"] = f"{stem}-{file_name(str(entry.get('name', '')))}.json"
    return arguments


def _smtp_auth_policy(reading: _Reading, run: Run) -> dict[str, t.Any]:
    policy = {name: value for name, value in reading.smtp_auth.items() if not (run.audit and name in USAGE_GATE)}
    if "authentication_policy" not in policy:
        return policy
    default = reading.own_or_fleet(_ORGANIZATION_CONFIG).get(DEFAULT_POLICY)
    # The exceptions must have theirs before this one blocks everybody else.
    coming = {"planned_default_policy": default} if default else {}
    return {**policy, **coming, **_planned_policies(reading)}


def _organization_config(reading: _Reading) -> dict[str, t.Any]:
    settings = reading.own_or_fleet(_ORGANIZATION_CONFIG)
    return {**settings, **_planned_policies(reading)} if DEFAULT_POLICY in settings else settings


def _planned_policies(reading: _Reading) -> dict[str, t.Any]:
    """The policies that an earlier part makes or changes: in a preview they are not there yet."""
    declared = [entry for entry in reading.given.get(_POLICIES.variable) or () if entry.get("state") != "absent"]
    names = ("name", "allow_basic_auth_smtp")
    planned = [{name: entry[name] for name in names if entry.get(name) is not None} for entry in declared]
    return {"planned_policies": planned} if planned else {}


def _mailboxes(reading: _Reading) -> dict[str, t.Any]:
    arguments: dict[str, t.Any] = {}
    if reading.given.get(_MAILBOXES.variable):
        arguments["mailboxes"] = reading.given[_MAILBOXES.variable]
    everybody = reading.own_or_fleet(_ALL_MAILBOXES)
    if everybody:
        arguments.update(everybody, all_mailboxes=True)
        if reading.get("exclude"):
            arguments["exclude"] = reading.get("exclude")
    return arguments


def _shared(part: Part, reading: _Reading, run: Run) -> dict[str, t.Any]:
    """What the role gives to each module that takes it."""
    shared = {name: reading.get(name) for name in ("lookup_failure_action", "propagation_delay")}
    if not run.audit:
        shared.update(_limits(reading))
        shared.update(_way_back(part, reading, run))
    return {name: value for name, value in shared.items() if name in part.spec}


def _way_back(part: Part, reading: _Reading, run: Run) -> dict[str, t.Any]:
    """Where the values from before go: to a file that lasts, or in AWX without one into the job's events."""
    if reading.get("without_undo"):
        return {}
    if reading.get("undo_dir"):
        return {"undo_file": os.path.join(reading.get("undo_dir"), f"{file_name(run.host)}-{part.name}.json")}
    return {"undo_in_result": True} if run.job else {}


def _announced(reading: _Reading, run: Run) -> bool:
    """Whether a pass in check mode has to come first: a result arrives only after the write that it tells of."""
    may_write = not (run.audit or run.check_mode)
    return bool(may_write and run.job and not reading.get("undo_dir") and not reading.get("without_undo"))


def _limits(reading: _Reading) -> dict[str, t.Any]:
    """The limits. Closing the organization takes SMTP AUTH from many on purpose, unless a limit was set for it."""
    limits = {name: reading.get(name) for name in ("max_changes", "max_lose", "max_gain")}
    return limits if PREFIX + "max_lose" in reading.given else {**limits, "max_lose_when_closing": "100%"}


def file_name(host: str) -> str:
    """A host's name as a file's, whatever characters the inventory uses."""
    return "".join(char if char.isascii() and (char.isalnum() or char in "_.-") else "_" for char in host)


def _selected(run: Run) -> set[str]:
    """The parts that the run's tags ask for. Tags that name none are somebody's own, put on the role as a whole."""
    names = {part.name for part in PARTS}
    return (names.intersection(run.tags) or names) - set(run.skip_tags)


def _whose(run: Run) -> list[str]:
    """Whether the host names a tenant that no other host of the play names."""
    if not run.tenant.strip():
        return [
            f"{run.host} has no exo_tenant. Each host names its tenant itself; it is never taken from the environment,"
            " where it could be another one."
        ]
    if run.began_in_its_middle:
        return [
            "It was not looked at whether two hosts of this run are the same tenant, because the run did not begin at"
            " its beginning (--start-at-task). Choose a part of it with --tags, and hosts with --limit."
        ]
    sharing = run.sharing()
    if sharing:
        return [
            f"{run.host} and {listed(sharing)} are the same tenant ({run.tenant}). Each would be given the"
            " baseline of the others: keep one of them, or run them one by one with --limit."
        ]
    return []


def _rivals(reading: _Reading) -> list[str]:
    """smtp_client_authentication_disabled has one owner."""
    of_organization, of_mailboxes = (
        [settings.variable] if SMTP_AUTH in reading.own_or_fleet(settings) else []
        for settings in (_TRANSPORT_CONFIG, _ALL_MAILBOXES)
    )
    of_mailboxes += [s.variable for s in LISTS if any(SMTP_AUTH in e for e in reading.given.get(s.variable, []))]
    rivals = [*of_organization, *of_mailboxes]
    instead = f"Use {_SMTP_AUTH_PREFIX}organization, _allowed and _denied"
    if rivals and reading.smtp_auth:
        return [
            f"{SMTP_AUTH} is in {' and '.join(rivals)}, and {_SMTP_AUTH_PREFIX}* is set as well. The setting can have"
            f" one owner only. {instead}, and take it out there."
        ]
    if of_organization and of_mailboxes:
        return [
            f"{SMTP_AUTH} is in {' and '.join(rivals)}. The organization could be closed before its exceptions are"
            f" open. {instead} instead, which keep the order."
        ]
    return []


def _default_before_exceptions(reading: _Reading, run: Run) -> list[str]:
    """The default policy that blocks all others must not come alone: the exceptions may not have theirs yet."""
    declared = DEFAULT_POLICY in reading.own_or_fleet(_ORGANIZATION_CONFIG) and reading.smtp_auth.get(POLICY)
    alone = "organization_config" in _selected(run) and "smtp_auth" not in _selected(run)
    if run.audit or not (declared and alone):
        return []
    return [
        f"{DEFAULT_POLICY} without the part smtp_auth could cut off those in {_SMTP_AUTH_PREFIX}allowed, because they"
        f" may not have their {POLICY} yet. Add the tag smtp_auth."
    ]


def _directories(reading: _Reading, run: Run) -> list[str]:
    """The role makes no directory: in a container one that is not mounted would be gone with the job."""
    undo = not (run.audit or reading.get("without_undo"))
    names = ("undo_dir", "report_dir") if undo else ("report_dir",)
    problems = [_directory_problem(PREFIX + name, str(reading.get(name) or ""), run) for name in names]
    return [problem for problem in problems if problem]


def _warnings(reading: _Reading, run: Run) -> list[str]:
    """Where reports will not last. A run in check mode writes none, an audit does."""
    writes = run.audit or not run.check_mode
    paths = {PREFIX + "report_dir": reading.get("report_dir") or ""} if writes else {}
    return gone_with_the_job(paths, run.job, os.environ)


def _directory_problem(name: str, path: str, run: Run) -> str:
    """What is wrong with the directory that a variable names, or ''."""
    if not path:
        return ""
    if not os.path.isabs(path):
        return f"{name} has to be an absolute path. Is {os.path.abspath(path)} meant?"
    if not os.path.isdir(path):
        return (
            f"{name} is {path}, and there is no such directory. Make it (install -d -m 0700 {path}); in an execution"
            " environment it has to be mounted, or the files are gone when the job ends."
        )
    lost = name == PREFIX + "undo_dir" and run.job and not outlives_the_job(path, os.environ)
    return _LOST_WITH_THE_JOB.format(path=path, job=run.job) if lost else ""


_LOST_WITH_THE_JOB = (
    f"{PREFIX}undo_dir is {{path}}, which is not mounted: the undo files would be gone when job {{job}} ends. Mount a"
    " directory of the execution node there (in AWX: Settings, Jobs, Paths to expose to isolated jobs), or leave the"
    " variable empty: what is about to change is then in the job's events before it is written."
    f" {PREFIX}without_undo: true says that no way back is wanted."
)


def _undeclared(run: Run, declared: Sequence[str]) -> str:
    """Why there is nothing to do."""
    if not declared:
        return (
            f"{run.host} declares nothing: no {PREFIX}* variable with a setting is set for it. Are its group_vars and"
            " host_vars beside the inventory or the playbook?"
        )
    return (
        f"{run.host} declares {', '.join(declared)}, and this run was asked for"
        f" {', '.join(sorted(_selected(run))) or 'none of the parts'}."
    )
