# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of ansible-playbook against simulated tenants, and what must hold in each of them."""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from simulator.testing import Simulator, TenantInfo

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "m365.exchange_online"
MODULES = (
    "exo_transport_config",
    "exo_transport_config_info",
    "exo_cas_mailbox",
    "exo_cas_mailbox_info",
    "exo_smtp_auth",
    "exo_smtp_auth_info",
    "exo_restore",
    "exo_service_info",
    "exo_smtp_auth_probe",
)
# Mailboxes that lose or gain SMTP AUTH in effect are named in a warning.
EFFECT = "SMTP AUTH in effect: "
# What every task against a simulator has to say: that it is not Microsoft who gets the token.
FOREIGN_HOST = r"The tokens of this task go to https://localhost:\d+"
# The simulated tenants' plans turn everything on, and whoever turns something off for all mailboxes hears of it.
PLANS = r"New mailboxes will still have what this task turns off"
# No module may show any of these; in base64 a JSON object starts like this.
SECRET_FORMS = (re.compile(r"eyJ[A-Za-z0-9_-]{16,}"), re.compile("PRIVATE KEY-----"))
_CONNECTION = ("endpoint", "authority", "ca_path", "tenant", "client_id")
_CREDENTIALS = ("certificate_path", "certificate_password", "client_secret", "federated_token_file")
_NUMBERS = itertools.count(1)

Task = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One result of one task on one host."""

    host: str
    task: str
    status: str
    ignored: bool
    started: float
    ended: float
    result: Mapping[str, Any] = field(repr=False)

    def __getitem__(self, key: str) -> Any:
        assert key in self.result, f"{self.task!r} returned no {key}: {self.summary}"
        return self.result[key]

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))

    @property
    def failed(self) -> bool:
        return self.status in ("failed", "unreachable")

    @property
    def code(self) -> str | None:
        """The error code of a failure, None for a success."""
        return str(self.result.get("error_code", "none given")) if self.failed else None

    @property
    def msg(self) -> str:
        return str(self.result.get("msg", ""))

    @property
    def warnings(self) -> list[str]:
        """The warnings, but for the one that every task against a simulator has."""
        texts = [text if isinstance(text, str) else str(text) for text in self.result.get("warnings") or ()]
        return [text for text in texts if not re.search(FOREIGN_HOST, text)]

    @property
    def diffs(self) -> list[dict[str, Any]]:
        """The entries of the diff that differ, or are text."""
        diff = self.result.get("diff") or []
        entries = diff if isinstance(diff, list) else [diff]
        return [entry for entry in entries if "prepared" in entry or entry.get("before") != entry.get("after")]

    @property
    def summary(self) -> str:
        shown = ("msg", "error_code", "hint", "http_status", "changed", "warnings")
        return f"{self.status} {json.dumps({key: self.result[key] for key in shown if key in self.result})}"

    def ok(self) -> Step:
        assert not self.failed, f"{self.task}: {self.summary}"
        return self

    def refused(self, code: str, *texts: str, hint: str | None = "") -> Step:
        """The failure has this code, and each text (a regular expression) is in its message.

        hint: a regular expression that the hint has; None where no hint is asked for.
        """
        assert self.code == code, f"{self.task}: {self.summary}"
        for text in texts:
            assert re.search(text, self.msg, re.IGNORECASE), f"{self.task}: {text!r} is not in {self.msg!r}"
        if hint is not None:
            assert re.search(hint or ".", str(self.result.get("hint", "")), re.IGNORECASE), (
                f"{self.task}: {self.summary}"
            )
        return self


@dataclass(frozen=True)
class Run:
    """One run of ansible-playbook."""

    rc: int
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)
    steps: Sequence[Step] = field(repr=False)
    lines: str = field(repr=False)

    def step(self, task: str, host: str | None = None) -> Step:
        found = [step for step in self.steps if step.task == task and host in (None, step.host)]
        assert len(found) == 1, (
            f"{len(found)} results of {task!r}: {[s.task for s in self.steps]}\n{self.output[-3000:]}"
        )
        return found[0]

    def __getitem__(self, task: str) -> Step:
        return self.step(task)

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


class Prepared(NamedTuple):
    """A run of ansible-playbook that has not started yet."""

    command: list[str]
    environment: dict[str, str]
    directory: Path
    results: Path


@dataclass(frozen=True)
class Lab:
    """A simulator and a place for files: everything that runs of playbooks need."""

    simulator: Simulator
    scratch: Path

    def tenant(self, label: str | None = None, **description: Any) -> Tenant:
        label = label or f"t{next(_NUMBERS)}"
        description.setdefault("domains", [f"{label}.example"])
        return Tenant(self, self.simulator.add_tenant({"label": label, **description}))

    def run_playbook(
        self,
        play: Sequence[Task] | Path,
        tenants: Tenant | Sequence[Tenant] = (),
        *,
        check: bool = False,
        diff: bool = False,
        extra_vars: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        verbosity: int = 0,
        warns: Iterable[str] = (),
        secrets: Iterable[str] = (),
        may_fail: bool = False,
        arguments: Sequence[str] = (),
        host_vars: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Run:
        """Run tasks (or the playbook in a file) and check what must hold in every run.

        tenants: one is given through the environment, several are hosts that get theirs through module_defaults.
        warns: regular expressions of the warnings that are expected; any other fails the test.
        secrets: what must not be seen beside the tenants' own. may_fail: the play may end with failed hosts.
        host_vars: more variables of hosts, by the tenants' labels.
        """
        group = [tenants] if isinstance(tenants, Tenant) else list(tenants)
        arguments = [*(["--check"] if check else []), *(["--diff"] if diff else []), *arguments]
        arguments += [f"-{'v' * verbosity}"] if verbosity else []
        arguments += ["-e", json.dumps(dict(extra_vars))] if extra_vars else []
        prepared = self.prepare(play, tenants, arguments=arguments, env=env, host_vars=host_vars)
        done = subprocess.run(
            prepared.command, env=prepared.environment, cwd=prepared.directory, capture_output=True, text=True,
            timeout=600, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        lines = prepared.results.read_text(encoding="utf-8")
        steps = [_step(json.loads(line)) for line in lines.splitlines()]
        run = Run(done.returncode, done.stdout, done.stderr, steps, lines)
        _no_traceback(run)
        _no_secret(run, list(itertools.chain(secrets, *(tenant.secrets for tenant in group))))
        _no_other_warning(run, [FOREIGN_HOST, PLANS, *warns])
        _tenants_named(run)
        assert may_fail or run.rc == 0, f"ansible-playbook ended with {run.rc}\n{run.output[-4000:]}"
        return run

    def prepare(
        self,
        play: Sequence[Task] | Path,
        tenants: Tenant | Sequence[Tenant] = (),
        *,
        arguments: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        host_vars: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Prepared:
        """Everything that a run of ansible-playbook takes, in a directory of its own."""
        group = [tenants] if isinstance(tenants, Tenant) else list(tenants)
        work = self.scratch / f"run{next(_NUMBERS)}"
        for name in ("home", "tmp"):
            (work / name).mkdir(parents=True)
        results = work / "results.jsonl"
        results.touch()
        alone = isinstance(tenants, Tenant)
        inventory = work / "inventory.json"
        hosts = () if alone else group
        inventory.write_text(json.dumps(_inventory(hosts, host_vars or {}, _interpreter(self.scratch))))
        path = (
            play if isinstance(play, Path) else _write_play(work / "play.json", play, named=not alone and bool(group))
        )
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), str(path), *arguments]
        variables = _environment(work, results) | (group[0].environment if alone else {}) | dict(env or {})
        return Prepared(command, variables, work, results)


@dataclass(frozen=True)
class Tenant:
    """One simulated tenant, with what it knows of itself."""

    lab: Lab
    info: TenantInfo

    @property
    def label(self) -> str:
        return self.info.label

    @property
    def domain(self) -> str:
        return self.info.tenant

    @property
    def environment(self) -> dict[str, str]:
        return self.info.environment

    @property
    def options(self) -> dict[str, str]:
        """The connection options that lead to this tenant."""
        values = self.info.values
        proof = next(name for name in _CREDENTIALS if name in values)
        found = {name: str(values[name]) for name in (*_CONNECTION, proof)}
        if "certificate_password" in values and proof == "certificate_path":
            found["certificate_password"] = str(values["certificate_password"])
        return found

    @property
    def host_vars(self) -> dict[str, Any]:
        """The variables that make a host of the inventory this tenant, as the playbooks take them."""
        urls = ("endpoint", "authority", "graph_endpoint")
        return {f"exo_{name}": value for name, value in self.options.items() if name not in urls}

    @property
    def urls(self) -> dict[str, str]:
        """The variables of the environment that lead to the simulator, whatever the tenant."""
        names = ("EXO_ENDPOINT", "EXO_AUTHORITY", "EXO_GRAPH_ENDPOINT")
        return {name: self.environment[name] for name in names}

    @property
    def secrets(self) -> list[str]:
        apps = [self.info.values, *self.info.values["apps"]]
        values = [app.get(key) for app, key in itertools.product(apps, ("client_secret", "certificate_password"))]
        return [str(value) for value in values if value]

    def run(self, tasks: Sequence[Task] | Path, **how: Any) -> Run:
        return self.lab.run_playbook(tasks, self, **how)

    def one(self, name: str, arguments: Mapping[str, Any] | None = None, **how: Any) -> Step:
        """The result of a single task, which may be a failure."""
        return self.run([task(name, arguments)], **{"may_fail": True, **how})[name]

    def fault(self, kind: str, **details: Any) -> None:
        self.lab.simulator.fault(kind, tenant=self.label, **details)

    def patch(self, **changes: Any) -> None:
        self.lab.simulator.patch_tenant(self.label, **changes)

    def log(self, step: Step | None = None) -> list[dict[str, Any]]:
        """The cmdlets that ran, in the time of a step or ever."""
        entries = self.lab.simulator.log(self.label)
        return [e for e in entries if step is None or step.started <= e["time"] <= step.ended]

    def writes(self, step: Step | None = None) -> list[dict[str, Any]]:
        return [entry for entry in self.log(step) if not entry["cmdlet"].lower().startswith("get-")]

    def history(self) -> list[dict[str, Any]]:
        return self.lab.simulator.history(self.label)

    def transport(self, name: str = "SmtpClientAuthenticationDisabled") -> Any:
        return self.lab.simulator.state(self.label)["transport_config"][name]

    def mailbox(self, address: str) -> dict[str, Any]:
        return self.lab.simulator.mailbox(self.label, self.at(address))

    def own(self, address: str) -> bool | None:
        """The mailbox's own value of SmtpClientAuthenticationDisabled."""
        value: bool | None = self.mailbox(address)["SmtpClientAuthenticationDisabled"]
        return value

    def at(self, name: str) -> str:
        return name if "@" in name else f"{name}@{self.domain}"

    def allowed(self, *names: str, **record: str) -> list[dict[str, str]]:
        return [{"identity": self.at(name), **record} for name in names]


def task(name: str, arguments: Mapping[str, Any] | None = None, *, named: str | None = None, **keywords: Any) -> Task:
    """A task with a module of the collection (or another one, where the name has dots)."""
    module = name if "." in name else f"{COLLECTION}.{name}"
    return {"name": named or name, module: dict(arguments or {}), **keywords}


def tried(name: str, arguments: Mapping[str, Any] | None = None, **keywords: Any) -> Task:
    """A task that may fail without ending the play."""
    return task(name, arguments, ignore_errors=True, **keywords)


def own_token(tenant: Tenant) -> str:
    """A token of the tenant's first app, as somebody might bring it."""
    simulator = tenant.lab.simulator
    answer = simulator.session.post(
        f"{simulator.endpoint}/{tenant.info.tenant_id}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": tenant.info.client_id,
            "client_secret": tenant.info.client_secret,
            "scope": "https://outlook.office365.com/.default",
        },
    )
    return str(answer.json()["access_token"])


# --- a tenant with a few people ---

PEOPLE = ("scanner", "reports", "ada", "ben", "stray", "blocked")


def people(domain: str) -> list[dict[str, Any]]:
    """A few mailboxes: two that inherit and will be allowed, two that inherit, one enabled, one disabled."""
    cas = {
        "stray": {"SmtpClientAuthenticationDisabled": False},
        "blocked": {"SmtpClientAuthenticationDisabled": True},
    }
    return [{"upn": f"{name}@{domain}", "alias": name, "cas": cas.get(name, {})} for name in PEOPLE]


def small(lab: Lab, **description: Any) -> Tenant:
    found = lab.tenant(**{"transport_config": {"SmtpClientAuthenticationDisabled": False}, **description})
    if "mailboxes" not in description and "generate" not in description:
        found.patch(add_mailboxes=people(found.domain))
    return found


# --- the rhythm ---


def rhythm(named: str, name: str, arguments: Mapping[str, Any]) -> list[Task]:
    """Check, apply, and apply again."""
    return [
        task(name, arguments, named=f"{named}: check", check_mode=True, diff=True),
        task(name, arguments, named=f"{named}: apply", diff=True),
        task(name, arguments, named=f"{named}: again", diff=True),
    ]


@dataclass(frozen=True)
class Convergence:
    check: Step
    apply: Step
    again: Step


# What only a write can say, and what differs from one request to another.
_ONLY_APPLIED = ("confirmed", "undo_file", "invocation", "retried", "warnings", "msg")


def predicted(result: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a result that check mode has to predict, with lists of objects in one order."""
    kept = {key: _unconfirmed(value) for key, value in result.items() if key not in _ONLY_APPLIED}
    for name in ("mailboxes", "users", "plans"):
        if isinstance(kept.get(name), list):
            kept[name] = sorted(kept[name], key=lambda entry: str(entry["identity"]))
    return kept


def _unconfirmed(value: Any) -> Any:
    """A value without what only a write can say of an object, and its diff in the same words for both."""
    if isinstance(value, dict):
        kept = {key: _unconfirmed(entry) for key, entry in value.items() if key != "confirmed"}
        return {**kept, "prepared": timeless(kept["prepared"])} if "prepared" in kept else kept
    return [_unconfirmed(entry) for entry in value] if isinstance(value, list) else value


def timeless(text: str) -> str:
    """The text of a preview and that of the run itself in the same words."""
    return re.sub(r"\b(?:would )?(change|lose|gain)s?\b", r"\1", text)


def converged(run: Run, named: str, tenant: Tenant) -> Convergence:
    """What must hold of a rhythm; returns its three results."""
    check, apply, again = (run.step(f"{named}: {part}").ok() for part in ("check", "apply", "again"))
    assert check.changed and apply.changed, f"{named}: nothing changed: {check.summary} {apply.summary}"
    assert tenant.writes(check) == [], f"{named}: check mode wrote"
    assert predicted(check.result) == predicted(apply.result), f"{named}: check mode predicted something else"
    assert check.diffs, f"{named}: no diff"
    assert timeless(apply.msg).startswith(f"{timeless(check.msg)}; way back: "), f"{check.msg!r}, then {apply.msg!r}"
    assert [*map(timeless, check.warnings)] == [*map(timeless, apply.warnings)], named
    assert tenant.writes(apply), f"{named}: nothing was written"
    assert not again.changed and again.diffs == [], f"{named}: changes every time: {again.diffs}"
    assert tenant.writes(again) == [], f"{named}: wrote although nothing differs"
    return Convergence(check, apply, again)


def assert_converges(
    tenant: Tenant, name: str, arguments: Mapping[str, Any], *, warns: Iterable[str] = ()
) -> Convergence:
    """One task in its rhythm, and what the info modules then show."""
    read = [
        task("exo_transport_config_info", named="organization"),
        task("exo_cas_mailbox_info", {"all_mailboxes": True}, named="mailboxes"),
    ]
    run = tenant.run([*rhythm("it", name, arguments), *read], warns=warns)
    result = converged(run, "it", tenant)
    shown = {"the organization": run["organization"]["transport_config"]}
    shown |= {box["primary_smtp_address"]: box["settings"] for box in run["mailboxes"]["mailboxes"]}
    told = {box["primary_smtp_address"]: box["after"] for box in result.apply.result.get("mailboxes", ())}
    if name == "exo_transport_config":
        told["the organization"] = result.apply["transport_config"]
    for label, after in told.items():
        assert after == {option: shown[label][option] for option in after}
    return result


# --- effective states ---


def states(tenant: Tenant) -> dict[str, bool]:
    """Whether SMTP AUTH works in effect, by address."""
    state = tenant.lab.simulator.state(tenant.label)
    disabled = state["transport_config"]["SmtpClientAuthenticationDisabled"]
    own = {box["PrimarySmtpAddress"]: box["SmtpClientAuthenticationDisabled"] for box in state["mailboxes"]}
    return {address: not (disabled if value is None else value) for address, value in own.items()}


def flips(tenant: Tenant) -> dict[str, int]:
    """How often each mailbox's effective state changed, by address."""
    found: dict[str, int] = {}
    for entry in tenant.history():
        for change in entry["changes"].values():
            found[change["address"]] = found.get(change["address"], 0) + 1
    return found


# --- the pieces ---


def _interpreter(scratch: Path) -> str:
    """This Python by a path without blanks: ansible-core before 2.20 does not quote it for asynchronous tasks."""
    if " " not in sys.executable:
        return sys.executable
    link = scratch / "environment"
    if not link.is_symlink():
        link.symlink_to(sys.prefix)
    return str(link / "bin" / Path(sys.executable).name)


def _inventory(
    tenants: Sequence[Tenant], host_vars: Mapping[str, Mapping[str, Any]], interpreter: str
) -> dict[str, Any]:
    hosts: dict[str, Any] = {
        tenant.label: {"exo_connection": tenant.options, **host_vars.get(tenant.label, {})} for tenant in tenants
    }
    hosts = hosts or {"localhost": {}}
    local = {"ansible_connection": "local", "ansible_python_interpreter": interpreter}
    return {"all": {"vars": local, "children": {"tenants": {"hosts": hosts}}}}


def _write_play(path: Path, tasks: Sequence[Task], *, named: bool) -> Path:
    play: dict[str, Any] = {"name": "Test", "hosts": "all", "gather_facts": False, "tasks": list(tasks)}
    if named:
        defaults = {name: f"{{{{ exo_connection.{name} | default(omit) }}}}" for name in (*_CONNECTION, *_CREDENTIALS)}
        play["module_defaults"] = {f"group/{COLLECTION}.exo": defaults}
    path.write_text(json.dumps([play]))
    return path


@functools.cache
def _own_environment() -> Mapping[str, str]:
    """The variables of this process that a run may see: no credentials, no Ansible settings, no proxies."""
    kept = ("PATH", "LANG", "LC_ALL", "COVERAGE_PROCESS_START", "PYTHONDONTWRITEBYTECODE")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _environment(work: Path, results: Path) -> dict[str, str]:
    collections = os.environ.get("ANSIBLE_COLLECTIONS_PATH") or str(ROOT / ".cache" / "collections")
    return {
        "LANG": "C.UTF-8",
        **_own_environment(),
        "HOME": str(work / "home"),
        "TMPDIR": str(work / "tmp"),
        "JSON_LINES_PATH": str(results),
        "ANSIBLE_HOME": str(work / "home" / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": collections,
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).resolve().parent / "plugins" / "callback"),
        "ANSIBLE_STDOUT_CALLBACK": "json_lines",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "ANSIBLE_DEPRECATION_WARNINGS": "1",
        "ANSIBLE_FORKS": "8",
        # Fewer processes for each task.
        "ANSIBLE_PIPELINING": "1",
    }


def _step(line: Mapping[str, Any]) -> Step:
    keys = ("host", "task", "status", "ignored", "started", "ended", "result")
    return Step(**{key: line[key] for key in keys})


def _no_traceback(run: Run) -> None:
    for text in (run.output, run.lines):
        assert "Traceback (most recent call last)" not in text, run.output[-6000:]


def _no_secret(run: Run, secrets: Iterable[str]) -> None:
    places = {"stdout": run.stdout, "stderr": run.stderr, "a result": run.lines}
    for place, text in places.items():
        for secret in secrets:
            assert secret not in text, f"a secret is in {place}"
        for form in SECRET_FORMS:
            assert not form.search(text), f"{form.pattern} is in {place}"


def _tenants_named(run: Run) -> None:
    """On the screen of a fleet, each message says whose it is."""
    for step in run.steps:
        failures = [step.msg] if step.failed and "error_code" in step.result else []
        for text in (*failures, *_warnings(step)):
            ours = "Could not match supplied host pattern" not in text  # Ansible's own, before any tenant is known
            assert not ours or re.match(r"\S+: ", text), f"{step.task}: no tenant is named: {text}"


def _no_other_warning(run: Run, expected: Sequence[str]) -> None:
    texts = set(itertools.chain.from_iterable(_warnings(step) for step in run.steps))
    for text in texts:
        assert any(re.search(pattern, text) for pattern in expected), f"a warning that nobody expects: {text}"
    # On the screen a warning is broken into lines; those of the modules are known from the results.
    known = tuple(_packed(text) for text in texts)
    blocks = re.split(r"\[(?=WARNING|DEPRECATION|ERROR)", run.stderr)[1:]
    for block in blocks:
        kind, _dummy, text = block.partition("]: ")
        if kind != "ERROR":
            fine = kind == "WARNING" and (_packed(text).startswith(known) or _expected(text, expected))
            assert fine, f"[{block.strip()}"


def _warnings(step: Step) -> list[str]:
    return [str(text) for text in step.result.get("warnings") or ()]


def _expected(text: str, patterns: Sequence[str]) -> bool:
    return any(re.search(pattern, " ".join(text.split())) for pattern in patterns)


def _packed(text: str) -> str:
    return "".join(text.split())
