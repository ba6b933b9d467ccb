# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every module: its documentation, its options, its size and what it leans on."""

from __future__ import annotations

import ast
import importlib
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.m365.exchange_online.plugins.module_utils import _cas_mailbox, _errors, _options
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Task
from ansible_collections.m365.exchange_online.plugins.module_utils._version import VERSION

ROOT = Path(__file__).resolve().parents[4]
PREFIX = "ansible_collections.m365.exchange_online.plugins."
# Run as an action on the controller: the module is its documentation.
ACTIONS = {"exo_undo_part", "tenant_baseline_finish"}
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem not in ACTIONS)
# Speak to no tenant: no connection options, no place in the action group. With what each of them runs.
LOCAL = {"exo_evidence": "render", "exo_tenant_info": "find"}
CONNECTED = [name for name in MODULES if name not in LOCAL]
FILES = sorted((ROOT / "plugins" / "module_utils").glob("_*.py"))
WRITING = {
    "exo_authentication_policy",
    "exo_cas_mailbox",
    "exo_cas_mailbox_plan",
    "exo_user",
    "exo_organization_config",
    "exo_restore",
    "exo_smtp_auth",
    "exo_transport_config",
}
TEMPLATES = {
    "{{ exo_tenant }}": "contoso.onmicrosoft.com",
    "{{ smtp_auth_exceptions }}": [{"identity": "scanner@contoso.com", "expires": "2027-03-31"}],
    "{{ mailbox_baseline }}": [{"identity": "scanner@contoso.com", "pop_enabled": False}],
}


class Captured(t.NamedTuple):
    run: t.Callable[[Task], dict[str, t.Any]]
    spec: dict[str, t.Any]
    constraints: dict[str, t.Any]
    graph: bool = False

    @property
    def whole_spec(self) -> dict[str, t.Any]:
        return {**self.spec, **_options.argument_spec(graph=self.graph)}


def load(name: str) -> t.Any:
    return importlib.import_module(f"{PREFIX}modules.{name}")


def captured(name: str, monkeypatch: pytest.MonkeyPatch) -> Captured:
    """What the module hands to its runner."""
    module, seen = load(name), []
    if name in LOCAL:
        return Captured(getattr(module, LOCAL[name]), dict(module.ARGUMENT_SPEC), {})

    def runner(run: t.Any, spec: t.Any, *, graph: bool = False, **more: t.Any) -> None:
        seen.append(Captured(run, dict(spec), more, graph))

    monkeypatch.setattr(module, "run_module", runner)
    module.main()
    (one,) = seen
    return t.cast(Captured, one)


def documentation(name: str) -> dict[str, t.Any]:
    document: dict[str, t.Any] = yaml.safe_load(load(name).DOCUMENTATION)
    return document


def documented_options(name: str) -> dict[str, t.Any]:
    """The module's own options and those of its fragments."""
    document = documentation(name)
    options = dict(document.get("options") or {})
    for reference in document["extends_documentation_fragment"]:
        _namespace, _collection, fragment, *part = reference.split(".")
        kind = importlib.import_module(f"{PREFIX}doc_fragments.{fragment}").ModuleDocFragment
        text = getattr(kind, part[0].upper() if part else "DOCUMENTATION")
        for option, content in (yaml.safe_load(text).get("options") or {}).items():
            assert option not in options, f"{option} is documented twice"
            options[option] = content
    return options


def examples() -> list[t.Any]:
    """Every task of every example: (module, task)."""

    def walk(tasks: list[t.Any], defaults: dict[str, t.Any]) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
        for task in tasks:
            inner = {**defaults, **task.get("module_defaults", {}).get("group/m365.exchange_online.exo", {})}
            yield from walk(task.get("block", []), inner)
            for key, arguments in task.items():
                if key.startswith("m365.exchange_online."):
                    yield key.rpartition(".")[2], {**inner, **arguments}

    found = []
    for name in MODULES:
        tasks = list(walk(yaml.safe_load(load(name).EXAMPLES), {}))
        assert tasks
        assert {module for module, _dummy in tasks} >= {name}
        found += [pytest.param(m, a, id=f"{name}-{n}") for n, (m, a) in enumerate(tasks)]
    return found


def filled(value: t.Any) -> t.Any:
    if isinstance(value, str) and value in TEMPLATES:
        return TEMPLATES[value]
    if isinstance(value, list):
        return [filled(entry) for entry in value]
    return {key: filled(entry) for key, entry in value.items()} if isinstance(value, dict) else value


class ReachedTheConnection(Exception):
    """The options are fine: the next step would be a request."""


def no_connection() -> t.NoReturn:
    raise ReachedTheConnection


@pytest.mark.parametrize(("name", "arguments"), examples())
def test_examples(name: str, arguments: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in (("TENANT", "contoso.com"), ("CLIENT_ID", "app"), ("CERTIFICATE_PATH", "/c.pem")):
        monkeypatch.setenv(f"EXO_{variable}", value)
    module = captured(name, monkeypatch)
    validator = ArgumentSpecValidator(module.spec if name in LOCAL else module.whole_spec, **module.constraints)
    result = validator.validate(filled(arguments))
    assert result.error_messages == []
    if name in LOCAL:
        return
    import os

    assert _options.resolve(result.validated_parameters, os.environ).credential.method == "certificate"
    if name == "exo_restore" or "usage_report" in arguments:  # reads its file first
        return
    if name == "exo_smtp_auth_probe":  # connects to nothing in check mode
        assert module.run(Task(result.validated_parameters, True, lambda text: None, no_connection))["skipped"]
        return
    with pytest.raises(ReachedTheConnection):
        module.run(Task(result.validated_parameters, True, lambda text: None, no_connection))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Which mailboxes"),
        ({"identity": ["a"]}, "nothing to manage"),
        ({"all_mailboxes": True}, "nothing to manage"),
        ({"all_mailboxes": True, "identity": ["a"], "pop_enabled": True}, "exclude each other"),
        ({"identity": ["a"], "exclude": ["b"], "pop_enabled": True}, "exclude"),
        ({"identity": ["a"], "recipient_type_details": ["UserMailbox"], "pop_enabled": True}, "recipient_type_details"),
        ({"identity": ["a", " "], "pop_enabled": True}, "position 2"),
        ({"mailboxes": [{"identity": "a"}]}, "no setting"),
        ({"mailboxes": [{"pop_enabled": True}]}, "mailboxes[0] has no identity"),
        ({"mailboxes": [{"identity": "a", "popenabled": True}]}, "popenabled"),
        ({"mailboxes": [{"identity": "a", "ews_enabled": "maybe"}]}, "mailboxes[0]: ews_enabled"),
        ({"identity": ["a"], "pop_enabled": True, "where": {"pop": True}}, "where has an unknown key pop"),
        ({"identity": ["a"], "pop_enabled": True, "where": {"ews_enabled": None}}, "write inherit"),
        ({"identity": ["a"], "pop_enabled": True, "where": {"ews_allow_list": {"add": ["x"]}}}, "whole list"),
        ({"identity": ["a"], "pop_enabled": True, "max_changes": "lots"}, "max_changes"),
    ],
)
def test_what_is_no_selection_is_refused_before_any_request(given: dict[str, t.Any], words: str) -> None:
    plain = {name: option.get("default") for name, option in _cas_mailbox.ARGUMENT_SPEC.items()}
    with pytest.raises(InvalidRequest) as caught:
        _cas_mailbox.converge(Task({**plain, **given}, True, lambda text: None, no_connection))
    assert words in str(caught.value)


@pytest.mark.parametrize("name", MODULES)
def test_options_are_documented_as_they_are_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def facts(options: dict[str, t.Any], inner: str) -> dict[str, t.Any]:
        kept = ("type", "default", "choices", "required", "elements")
        return {
            option: {
                **{key: content[key] for key in kept if key in content},
                **({"in": facts(content[inner], inner)} if content.get(inner) else {}),
            }
            for option, content in options.items()
        }

    module = captured(name, monkeypatch)
    spec = module.spec if name in LOCAL else module.whole_spec
    assert facts(documented_options(name), "suboptions") == facts(spec, "options")


@pytest.mark.parametrize("name", MODULES)
def test_variables_are_documented_at_the_options_that_fall_back_to_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = captured(name, monkeypatch)
    spec = module.spec if name in LOCAL else module.whole_spec
    variables = {option: content["fallback"][1] for option, content in spec.items() if "fallback" in content}
    if name not in LOCAL:
        variables |= {option.name: option.environment for option in _options.OPTIONS}
    documented = documented_options(name)
    for option, names in variables.items():
        *_more, fallback = documented[option]["description"]
        assert re.findall(r"E\((\w+)\)", fallback) == list(names), f"{name}: {option}"


@pytest.mark.parametrize("name", MODULES)
def test_documentation(name: str) -> None:
    document = documentation(name)
    fragments = {
        reference.removeprefix("m365.exchange_online.") for reference in document["extends_documentation_fragment"]
    }
    wanted = {"attributes"} if name in LOCAL else {"connection", "attributes", "attributes.actiongroup_exo"}
    assert fragments >= wanted
    assert ("attributes.changing" in fragments) is (name in WRITING)
    if name in WRITING:
        assert {"writing.undo", "writing.wait"} <= fragments
    assert document["module"] == name
    assert document["version_added"] == "1.0.0"


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_an_action_is_documented_as_a_module(name: str) -> None:
    action = importlib.import_module(f"{PREFIX}action.{name}")
    options = yaml.safe_load(load(name).DOCUMENTATION)["options"]
    described = {
        option: {key: value for key, value in content.items() if key != "description"}
        for option, content in options.items()
    }
    assert described == action.ARGUMENT_SPEC


@pytest.mark.parametrize("name", MODULES)
def test_what_is_returned_can_be_named_in_a_template(name: str) -> None:
    def names(content: dict[str, t.Any]) -> t.Iterator[str]:
        for key, value in content.items():
            yield key
            yield from names(value.get("contains", {}))

    returned = yaml.safe_load(load(name).RETURN)
    assert set(names(returned)) & set(dir(dict)) == set()
    assert "error_code" in returned
    assert ("diff" in returned) is (name in WRITING)


def test_every_module_is_in_the_action_group() -> None:
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    assert groups == {"exo": CONNECTED}
    nox = (ROOT / "antsibull-nox.toml").read_text(encoding="utf-8")
    (exclusions,) = re.findall(r"^exclusions = \[(.*)\]$", nox, re.MULTILINE)
    assert {*re.findall(r'"(\w+)"', exclusions)} == {name for name in (*LOCAL, *ACTIONS) if name.startswith("exo_")}


def test_the_version_is_told_once() -> None:
    assert yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"] == VERSION


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_thin(name: str) -> None:
    path = ROOT / "plugins" / "modules" / f"{name}.py"
    text = path.read_text(encoding="utf-8")
    documents = [
        node.end_lineno - node.lineno + 1
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.end_lineno
    ]
    assert len(documents) == 3
    assert len(text.splitlines()) - sum(documents) <= 45
    assert not {imported.partition(".")[0] for imported in imports(path)} & {"requests", "msal", "urllib3"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_the_bridge_ends_a_task(path: Path) -> None:
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    ends = calls & {"fail_json", "exit_json"}
    assert ends == ({"fail_json", "exit_json"} if path.stem == "_module" else set())


def test_every_error_code_is_documented() -> None:
    notes = yaml.safe_load(importlib.import_module(f"{PREFIX}doc_fragments.connection").ModuleDocFragment.DOCUMENTATION)
    (note,) = [text for text in notes["notes"] if "error_code" in text]
    kinds = [kind for kind in vars(_errors).values() if isinstance(kind, type) and issubclass(kind, _errors.ExoError)]
    assert set(re.findall(r"V\(([a-z_]+)\)", note)) == {kind.error_code for kind in kinds}
