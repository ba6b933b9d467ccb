# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/pictures/awx-*.svg: what one fills in where in AWX, from what awx_setup and the credential type hold.

They are schematic: the forms of AWX look otherwise, and a version may word a label in its own way.
"""

from __future__ import annotations

import itertools
import sys
import textwrap
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import yaml
from jinja2.nativetypes import NativeEnvironment

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
# As in the guide, docs/awx.md.
GIVEN: Mapping[str, t.Any] = {
    "exo_awx_image": "registry.example.com/exchange-online-ee:1.0.0",
    "exo_awx_project_url": "https://git.example.com/exchange-online.git",
    "__exo_organization": "Default",
    "__exo_prefix": "Exchange Online",
    "__exo_credentials": ["Exchange Online app"],
    "__exo_own": [],
    "omit": "",
}
APP = {
    "client_id": "11111111-2222-3333-4444-555555555555",
    "certificate": "-----BEGIN PRIVATE KEY----- …\n-----BEGIN CERTIFICATE----- …",
}
# What AWX calls the options of the modules, in the order of its forms. Organization is the same everywhere.
LABELS: Mapping[str, Mapping[str, str]] = {
    "project": {
        "name": "Name",
        "organization": "Organization",
        "scm_type": "Source control type",
        "scm_url": "Source control URL",
        "scm_branch": "Source control branch",
        "credential": "Source control credential",
        "scm_update_on_launch": "Update revision on launch",
    },
    "inventory": {"name": "Name", "organization": "Organization"},
    "inventory_source": {
        "name": "Source: name",
        "source": "Source",
        "source_project": "Project",
        "source_path": "Inventory file",
        "overwrite": "Overwrite",
        "overwrite_vars": "Overwrite variables",
        "update_on_launch": "Update on launch",
    },
    "job_template": {
        "name": "Name",
        "description": "Description",
        "job_type": "Job type",
        "inventory": "Inventory",
        "project": "Project",
        "execution_environment": "Execution environment",
        "playbook": "Playbook",
        "credentials": "Credentials",
        "forks": "Forks",
        "job_slice_count": "Job slicing",
        "diff_mode": "Show changes",
        "ask_limit_on_launch": "Limit: prompt on launch",
        "allow_simultaneous": "Concurrent jobs",
    },
}
# What a form calls a value.
WORDS = {"git": "Git", "scm": "Sourced from a Project", "run": "Run"}
# What no form asks for, or what the picture shows in another way.
NOT_SHOWN = {
    "inventory": {"kind"},
    "inventory_source": {"organization", "inventory"},
    "job_template": {"organization", "survey_enabled", "survey_spec"},
}
SHOWN_TEMPLATE = "apply"


@dataclass(frozen=True)
class Field:
    """A row of a form. value: a text, or whether a box is ticked. note: what stands below it."""

    label: str
    value: str | bool
    note: str = ""


@dataclass(frozen=True)
class Form:
    title: str
    sections: Sequence[tuple[str, Sequence[Field]]]


def load(path: str) -> t.Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


VARIABLES = load("playbooks/vars/awx_setup.yml")


def arguments(module: str) -> dict[str, t.Any]:
    """What awx_setup gives to the first task with that module."""
    (play,) = load("playbooks/awx_setup.yml")
    found: dict[str, t.Any] = next(
        task["args"] for task in play["tasks"] if str(task.get("action", "")).endswith(f".{module}")
    )
    return found


def rendered(value: t.Any, **more: t.Any) -> str | bool:
    """The value as a form shows it."""
    if isinstance(value, bool):
        return value
    found: t.Any = NativeEnvironment().from_string(str(value)).render(**GIVEN, **more)
    text = ", ".join(found) if isinstance(found, list) else str(found)
    return WORDS.get(text, text)


def fields(module: str, **more: t.Any) -> list[Field]:
    given = arguments(module)
    return [Field(label, rendered(given[name], **more)) for name, label in LABELS[module].items() if name in given]


def credential() -> Form:
    kind = load("extensions/awx/credential_type.yml")
    required = kind["inputs"]["required"]
    details = [
        Field(
            one["label"] + (" *" if one["id"] in required else ""),
            APP.get(one["id"], str(one.get("default", ""))),
            one["help_text"],
        )
        for one in kind["inputs"]["fields"]
    ]
    head = [
        Field("Name", rendered(arguments("credential")["name"])),
        Field("Organization", GIVEN["__exo_organization"]),
        Field("Credential type", kind["name"]),
    ]
    return Form("Credentials → Add", [("", head), ("Type details", details)])


def project() -> Form:
    return Form("Projects → Add", [("", fields("project"))])


def inventory() -> Form:
    source = [Field(one.label.removeprefix("Source: ").capitalize(), one.value) for one in fields("inventory_source")]
    return Form("Inventories → Add inventory", [("", fields("inventory")), ("Sources → Add", source)])


def job_template() -> Form:
    item = {"key": SHOWN_TEMPLATE, "value": VARIABLES["__exo_awx_templates"][SHOWN_TEMPLATE]}
    survey = [question(VARIABLES["__exo_awx_questions"][name]) for name in item["value"]["questions"]]
    return Form("Templates → Add job template", [("", fields("job_template", item=item)), ("Survey", survey)])


def question(one: Mapping[str, t.Any]) -> Field:
    choices = "  ·  ".join(choice or "(blank)" for choice in one.get("choices", ()))
    value = choices or f"{one['type']}, may stay blank"
    return Field(one["question_name"], value, f"{one['variable']}. {one['question_description']}")


FORMS = {"credential": credential, "project": project, "inventory": inventory, "job-template": job_template}


# --- drawing ---

_WIDTH, _LABEL, _MARGIN, _LINE = 860, 300, 24, 19
_WIDE, _NARROW = 68, 34  # characters that fit beside the label, and into its column
_INK, _DIM, _EDGE = "#1f2328", "#59636e", "#d1d9e0"


class Canvas:
    """Collects what is drawn from the top down."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.y = _MARGIN

    def text(self, x: int, text: str, *, y: int, colour: str = _INK, size: int = 14, weight: str = "normal") -> None:
        self.parts.append(
            f'<text x="{x}" y="{y}" fill="{colour}" font-size="{size}" font-weight="{weight}">'
            f"{escape(text, quote=False)}</text>"
        )

    def box(self, x: int, y: int, width: int, height: int, fill: str = "#ffffff") -> None:
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" fill="{fill}" stroke="{_EDGE}"/>'
        )

    def svg(self, title: str) -> str:
        height = self.y + _MARGIN
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}"'
            f' height="{height}"'
            ' role="img" font-family="system-ui, sans-serif">'
        )
        ground = f'<rect width="{_WIDTH}" height="{height}" rx="8" fill="#f6f8fa" stroke="{_EDGE}"/>'
        return "\n".join([head, f"<title>{escape(title)}</title>", ground, *self.parts, "</svg>", ""])


def draw(form: Form) -> str:
    canvas = Canvas()
    heading(canvas, form.title)
    for title, rows in form.sections:
        if title:
            canvas.y += 14
            canvas.text(_MARGIN, title, y=canvas.y + 14, weight="600", size=15)
            canvas.y += 28
        for row in rows:
            draw_field(canvas, row)
    return canvas.svg(f"{form.title}, schematic")


def heading(canvas: Canvas, title: str) -> None:
    canvas.text(_MARGIN, title, y=canvas.y + 14, size=18, weight="600")
    canvas.text(_WIDTH - 100, "schematic", y=canvas.y + 14, colour=_DIM, size=13)
    canvas.y += 34


def draw_field(canvas: Canvas, row: Field) -> None:
    labels = textwrap.wrap(row.label, _NARROW)
    values = wrapped(row.value)
    notes = textwrap.wrap(row.note, _WIDE + 18)
    for number, line in enumerate(labels):
        canvas.text(_MARGIN, line, y=canvas.y + 19 + number * _LINE, colour=_DIM)
    height = len(values) * _LINE + 10
    if isinstance(row.value, bool):
        tick(canvas, row.value)
    else:
        canvas.box(_LABEL, canvas.y, _WIDTH - _LABEL - _MARGIN, height)
    for number, line in enumerate(values):
        canvas.text(_LABEL + 10, line, y=canvas.y + 19 + number * _LINE)
    for number, line in enumerate(notes):
        canvas.text(_LABEL + 2, line, y=canvas.y + height + 15 + number * 16, colour=_DIM, size=12)
    below = height + len(notes) * 16 + (6 if notes else 0)
    canvas.y += max(below, len(labels) * _LINE + 6) + 10


def wrapped(value: str | bool) -> list[str]:
    """The lines that a value takes; a box to tick has no text."""
    if isinstance(value, bool):
        return [""]
    lines = [textwrap.wrap(text, _WIDE) or [""] for text in value.split("\n")]
    return list(itertools.chain.from_iterable(lines))


def tick(canvas: Canvas, ticked: bool) -> None:
    x, y = _LABEL, canvas.y + 6
    canvas.box(x, y, 18, 18)
    if ticked:
        canvas.parts.append(f'<path d="M{x + 4} {y + 9}l4 4l7 -8" stroke="{_INK}" stroke-width="2" fill="none"/>')


def workflow() -> str:
    """The nodes of the workflow in a row, each with what leads to the next, and what it asks."""
    nodes = {node["identifier"]: node for node in VARIABLES["__exo_awx_nodes"]}
    leads = {link["identifier"]: link for link in VARIABLES["__exo_awx_links"]}
    canvas = Canvas()
    heading(canvas, "Templates → Exchange Online preview, approve and apply → Visualizer")
    wide, gap, high = 150, 70, 56
    for number, (name, node) in enumerate(nodes.items()):
        x = _MARGIN + number * (wide + gap)
        canvas.box(x, canvas.y, wide, high)
        canvas.text(x + 12, name, y=canvas.y + 24, weight="600")
        canvas.text(x + 12, kind_of(node), y=canvas.y + 43, colour=_DIM, size=12)
        if name in leads:
            arrow(canvas, x + wide, gap, canvas.y + high // 2, when(leads[name]))
    canvas.y += high + 16
    (approval,) = [node["approval"] for node in nodes.values() if "approval" in node]
    canvas.text(_MARGIN, f"The approval asks: {approval['name']}", y=canvas.y + 14, weight="600")
    canvas.y += 22
    for line in textwrap.wrap(approval["description"], 116):
        canvas.text(_MARGIN, line, y=canvas.y + 14, colour=_DIM, size=13)
        canvas.y += 18
    return canvas.svg("The workflow, schematic")


def kind_of(node: Mapping[str, t.Any]) -> str:
    return f"template {node['template']}" if "template" in node else "approval"


def when(link: Mapping[str, t.Any]) -> str:
    return "on success" if "success_nodes" in link else "always"


def arrow(canvas: Canvas, x: int, length: int, y: int, label: str) -> None:
    end = x + length
    canvas.parts.append(f'<path d="M{x} {y}H{end - 8}" stroke="{_DIM}" fill="none"/>')
    canvas.parts.append(f'<path d="M{end - 8} {y - 5}L{end} {y}L{end - 8} {y + 5}z" fill="{_DIM}"/>')
    canvas.text(x + 5, label, y=y - 8, colour=_DIM, size=11)


def pictures() -> dict[str, str]:
    """Each picture by the name of its file."""
    drawn = {f"awx-{name}.svg": draw(make()) for name, make in FORMS.items()}
    return {**drawn, "awx-workflow.svg": workflow()}


def left_out(module: str) -> set[str]:
    """Options that awx_setup gives to a module and that no picture shows."""
    return set(arguments(module)) - set(LABELS[module]) - NOT_SHOWN.get(module, set())


def main() -> int:
    for name, text in pictures().items():
        (PICTURES / name).write_text(text, encoding="utf-8")
        print(f"docs/pictures/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
