# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a controller, as far as a set-up touches them: their fields, and what is refused in them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# None of these is a playbook that a job template could name: AWX takes files of the project only.
PROJECT_FILES = ("audit.yml", "baseline.yml", "export.yml", "live_check.yml", "restore.yml")
QUESTION_TYPES = ("text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float")
_QUESTION_NEEDS = ("type", "question_name", "variable", "required")
_QUESTION_MAY_HAVE = (*_QUESTION_NEEDS, "question_description", "default", "choices", "min", "max")


class Refused(Exception):
    """The answer to a request that is wrong, by field."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(fields)
        self.body = {name: [text] for name, text in fields.items()}


@dataclass(frozen=True)
class Field:
    """One field. ``of``: the kind of the object whose id it holds. ``text``: what JSON text in it has to be."""

    type: type[Any]
    default: Any = None
    required: bool = False
    of: str = ""
    choices: tuple[Any, ...] = ()

    def check(self, name: str, value: Any) -> None:
        if value is None:
            if self.default is not None or self.required:
                raise Refused(**{name: "This field may not be null."})
            return
        if not isinstance(value, self.type) or (self.type is int and isinstance(value, bool)):
            raise Refused(**{name: f"Not a valid {self.type.__name__}: {value!r}."})
        if self.choices and value not in self.choices:
            raise Refused(**{name: f'"{value}" is not a valid choice.'})


@dataclass(frozen=True)
class Kind:
    """One list of the API. ``unique``: fields that no two objects have alike. ``links``: list by sub-resource."""

    type: str
    fields: Mapping[str, Field]
    unique: tuple[str, ...] = ("name",)
    links: Mapping[str, str] = field(default_factory=dict)


def text(default: str | None = "") -> Field:
    return Field(str, default)


def flag() -> Field:
    return Field(bool, False)


def number(default: int = 0) -> Field:
    return Field(int, default)


def link(kind: str, *, required: bool = False) -> Field:
    return Field(int, required=required, of=kind)


_NAMED = {"name": Field(str, required=True), "description": text()}
_ASKED = {
    name: flag()
    for name in (
        "ask_inventory_on_launch",
        "ask_labels_on_launch",
        "ask_limit_on_launch",
        "ask_scm_branch_on_launch",
        "ask_skip_tags_on_launch",
        "ask_tags_on_launch",
        "ask_variables_on_launch",
    )
}
_NODE_LINKS = {
    "success_nodes": "workflow_job_template_nodes",
    "failure_nodes": "workflow_job_template_nodes",
    "always_nodes": "workflow_job_template_nodes",
    "credentials": "credentials",
}
_PROMPTS = {
    "inventory": link("inventories"),
    "extra_data": Field(dict, {}),
    "limit": text(None),
    "job_type": Field(str, None, choices=("run", "check")),
    "diff_mode": Field(bool),
    "scm_branch": text(None),
    "execution_environment": link("execution_environments"),
}

KINDS: Mapping[str, Kind] = {
    "organizations": Kind("organization", {**_NAMED, "default_environment": link("execution_environments")}),
    "credential_types": Kind(
        "credential_type",
        {
            **_NAMED,
            "kind": Field(str, required=True, choices=("cloud", "net")),
            "inputs": Field(dict, {}),
            "injectors": Field(dict, {}),
            "managed": flag(),
        },
    ),
    "credentials": Kind(
        "credential",
        {
            **_NAMED,
            "organization": link("organizations"),
            "credential_type": link("credential_types", required=True),
            "inputs": Field(dict, {}),
        },
        unique=("name", "organization", "credential_type"),
    ),
    "execution_environments": Kind(
        "execution_environment",
        {
            **_NAMED,
            "organization": link("organizations"),
            "image": Field(str, required=True),
            "credential": link("credentials"),
            "pull": Field(str, "", choices=("", "always", "missing", "never")),
        },
    ),
    "projects": Kind(
        "project",
        {
            **_NAMED,
            "organization": link("organizations"),
            "scm_type": Field(str, "", choices=("", "git", "svn", "insights", "archive")),
            "scm_url": text(),
            "scm_branch": text(),
            "scm_refspec": text(),
            "scm_clean": flag(),
            "scm_delete_on_update": flag(),
            "scm_track_submodules": flag(),
            "scm_update_on_launch": flag(),
            "scm_update_cache_timeout": number(),
            "allow_override": flag(),
            "timeout": number(),
            "credential": link("credentials"),
            "default_environment": link("execution_environments"),
        },
        unique=("name", "organization"),
    ),
    "inventories": Kind(
        "inventory",
        {
            **_NAMED,
            "organization": link("organizations", required=True),
            "kind": Field(str, "", choices=("", "smart", "constructed")),
            "host_filter": text(None),
            "variables": text(),
            "prevent_instance_group_fallback": flag(),
        },
        unique=("name", "organization"),
        links={"instance_groups": "instance_groups"},
    ),
    "inventory_sources": Kind(
        "inventory_source",
        {
            **_NAMED,
            "inventory": link("inventories", required=True),
            "source": Field(str, required=True, choices=("scm", "ec2", "controller")),
            "source_path": text(),
            "source_vars": text(),
            "source_project": link("projects"),
            "credential": link("credentials"),
            "execution_environment": link("execution_environments"),
            "overwrite": flag(),
            "overwrite_vars": flag(),
            "update_on_launch": flag(),
            "update_cache_timeout": number(),
            "timeout": number(),
            "verbosity": number(1),
            "limit": text(),
            "scm_branch": text(),
        },
        unique=("name", "inventory"),
    ),
    "job_templates": Kind(
        "job_template",
        {
            **_NAMED,
            **_ASKED,
            "organization": link("organizations"),
            "job_type": Field(str, "run", choices=("run", "check")),
            "inventory": link("inventories"),
            "project": link("projects", required=True),
            "playbook": Field(str, required=True, choices=PROJECT_FILES),
            "execution_environment": link("execution_environments"),
            "extra_vars": text(),
            "limit": text(),
            "forks": number(),
            "verbosity": number(),
            "timeout": number(),
            "job_slice_count": number(1),
            "diff_mode": flag(),
            "allow_simultaneous": flag(),
            "survey_enabled": flag(),
            "ask_diff_mode_on_launch": flag(),
            "ask_job_type_on_launch": flag(),
            "ask_credential_on_launch": flag(),
        },
        unique=("name", "organization"),
        links={"credentials": "credentials", "instance_groups": "instance_groups"},
    ),
    "workflow_job_templates": Kind(
        "workflow_job_template",
        {
            **_NAMED,
            **_ASKED,
            "organization": link("organizations"),
            "inventory": link("inventories"),
            "extra_vars": text(),
            "limit": text(None),
            "scm_branch": text(None),
            "allow_simultaneous": flag(),
            "survey_enabled": flag(),
        },
        unique=("name", "organization"),
    ),
    "workflow_job_template_nodes": Kind(
        "workflow_job_template_node",
        {
            **_PROMPTS,
            "identifier": Field(str, required=True),
            "workflow_job_template": link("workflow_job_templates", required=True),
            "unified_job_template": link("unified_job_templates"),
            "all_parents_must_converge": flag(),
        },
        unique=("workflow_job_template", "identifier"),
        links=_NODE_LINKS,
    ),
    "workflow_approval_templates": Kind("workflow_approval_template", {**_NAMED, "timeout": number()}, unique=()),
    "schedules": Kind(
        "schedule",
        {
            **_NAMED,
            **_PROMPTS,
            "unified_job_template": link("unified_job_templates", required=True),
            "rrule": Field(str, required=True),
            "enabled": Field(bool, True),
        },
        unique=("unified_job_template", "name"),
        links={"credentials": "credentials"},
    ),
    "instance_groups": Kind("instance_group", {"name": Field(str, required=True)}),
}
UNIFIED = ("job_templates", "workflow_job_templates", "workflow_approval_templates", "projects", "inventory_sources")


def check(kind: Kind, values: Mapping[str, Any]) -> None:
    """Raises Refused for a field that the kind has not, and for a value that the field does not take."""
    for name, value in values.items():
        if name not in kind.fields:
            raise Refused(**{name: f"A {kind.type} has no such field."})
        kind.fields[name].check(name, value)
    if values.get("extra_vars"):
        json.loads(values["extra_vars"])
    if "rrule" in values and not re.fullmatch(r"DTSTART(;TZID=\S+)?:\d{8}T\d{6}Z? RRULE:\S+", values["rrule"]):
        raise Refused(rrule="This is no rule that AWX can read.")


def check_survey(spec: Any) -> None:
    """Raises Refused where AWX would not store the survey."""
    if not isinstance(spec, dict) or set(spec) != {"name", "description", "spec"}:
        raise Refused(error="A survey has a name, a description and a spec, nothing else.")
    if not spec["spec"]:
        raise Refused(error="'spec' doesn't contain any items.")
    variables = [question.get("variable") for question in spec["spec"]]
    if len(set(variables)) != len(variables):
        raise Refused(error=f"Two questions set one variable: {variables}.")
    for question in spec["spec"]:
        _check_question(question)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_question(question: Mapping[str, Any]) -> None:
    name = question.get("variable")
    lacking = [key for key in _QUESTION_NEEDS if key not in question]
    unknown = [key for key in question if key not in _QUESTION_MAY_HAVE]
    if lacking or unknown:
        raise Refused(error=f"Question {name} lacks {lacking} and may not have {unknown}.")
    if question["type"] not in QUESTION_TYPES or not isinstance(question["required"], bool):
        raise Refused(error=f"Question {name} has no valid type or no valid required.")
    _check_integers(name, question)
    if question["type"] == "multiplechoice":
        _check_choices(name, question.get("choices"), question.get("default"))


def _check_integers(name: Any, question: Mapping[str, Any]) -> None:
    for key in ("min", "max"):
        if not _is_integer(question.get(key, 0)):
            raise Refused(error=f"{key} of question {name} is no integer.")
    default = question.get("default")
    if question["type"] == "integer" and default is not None and not _is_integer(default):
        raise Refused(error=f"The default of question {name} is no integer.")


def _check_choices(name: Any, choices: Any, default: Any) -> None:
    if not isinstance(choices, list) or not choices or not all(isinstance(choice, str) for choice in choices):
        raise Refused(error=f"The choices of question {name} have to be texts.")
    if default is not None and default not in choices:
        raise Refused(error=f"The default of question {name} is none of its choices.")
