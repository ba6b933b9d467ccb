# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Today's tenant as a file of variables of the role tenant_baseline, fit to be committed. PRIVATE.

Sorted and without a time stamp, so that two exports of an unchanged tenant are the same text. Every text of the service
is ``!unsafe``: Ansible would otherwise run a display name or a policy's name as a template.
"""

from __future__ import annotations

import json
import re
import typing as t
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from ansible_collections.m365.exchange_online.plugins.doc_fragments import (
    cas_mailbox_settings,
    organization_settings,
    transport_settings,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import Table, Text, TextList
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    AUTHENTICATION_POLICY,
    CAS_MAILBOX,
    CAS_MAILBOX_PLAN,
    ORGANIZATION_CONFIG,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)

MOST_DENIED = 500
_RECORD = ("method", "reason", "owner", "ticket", "expires")
_HEAD = """\
# {host} as it was found, as variables of the role m365.exchange_online.tenant_baseline.
#
# Applied to the same tenant, this changes nothing. Take out what you do not want to manage, and review the exceptions.
# Exported again, an exception keeps its reason, owner, ticket and expires, if this file is among the host's variables.
---
"""


@dataclass(frozen=True)
class Found:
    """What was read of a tenant. Settings have the form that the options of the modules take.

    mailboxes, policies and plans: as their info modules return them. listed: the entries of the host's own lists of
    exceptions, whose records are kept. date: today, for those that have none.
    """

    host: str
    date: str
    transport_config: Mapping[str, t.Any]
    organization_config: Mapping[str, t.Any]
    mailboxes: Sequence[Mapping[str, t.Any]]
    mailbox_settings: bool = False
    listed: Sequence[t.Any] = ()
    policies: Sequence[Mapping[str, t.Any]] = ()
    plans: Sequence[Mapping[str, t.Any]] = ()


def export(found: Found) -> str:
    """The file's text."""
    sections = [
        [_HEAD.format(host=comment(found.host)).rstrip("\n")],
        list(_smtp_auth(found)),
        list(_dictionary("transport_config", TRANSPORT_CONFIG, found.transport_config, transport_settings)),
        list(_dictionary("organization_config", ORGANIZATION_CONFIG, found.organization_config, organization_settings)),
    ]
    sections += [
        list(_named("authentication_policies", "name", AUTHENTICATION_POLICY, found.policies)),
        list(_named("cas_mailbox_plans", "identity", CAS_MAILBOX_PLAN, found.plans)),
    ]
    if found.mailbox_settings:
        sections += [list(section) for section in _mailbox_settings(found)]
    return "\n\n".join("\n".join(lines) for lines in sections if lines).replace("---\n\n", "---\n") + "\n"


def scalar(value: t.Any, *, unsafe: bool = False) -> str:
    """A value as YAML. unsafe: it is text of the service."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(scalar(entry, unsafe=unsafe) for entry in value) + "]"
    if isinstance(value, str):
        return ("!unsafe " if unsafe else "") + _quoted(value)
    return json.dumps(value)


def _quoted(text: str) -> str:
    """A double-quoted scalar; whatever can't be seen is escaped, line breaks of all kinds among it."""
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def comment(text: t.Any, most: int = 80) -> str:
    """A text that is safe in a comment: one line, nothing in it that can't be seen."""
    line = " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _smtp_auth(found: Found) -> Iterator[str]:
    """The policy for SMTP AUTH: the organization's setting, and the mailboxes that are an exception."""
    disabled = found.transport_config.get(SMTP_AUTH)
    if isinstance(disabled, bool):
        yield "# Whether SMTP AUTH is on for mailboxes without a value of their own."
        yield f"tenant_baseline_smtp_auth_organization: {'disabled' if disabled else 'enabled'}"
    yield "# Mailboxes that may use SMTP AUTH whatever the organization says."
    yield from _entries("allowed", found, value=False)
    denied = [box for box in found.mailboxes if box["settings"].get(SMTP_AUTH) is True]
    if len(denied) > MOST_DENIED:
        yield f"# {len(denied)} mailboxes may not, whatever the organization says. They stay so without being listed."
    elif denied:
        yield "# Mailboxes that may not, whatever the organization says."
        yield from _entries("denied", found, value=True)
    yield "# A mailbox that is on no list and gets enabled by hand would go back to what the organization says:"
    yield "# tenant_baseline_smtp_auth_unlisted: not_enabled"


def _entries(option: str, found: Found, *, value: bool) -> Iterator[str]:
    boxes = [box for box in found.mailboxes if box["settings"].get(SMTP_AUTH) is value]
    if not boxes:
        yield f"tenant_baseline_smtp_auth_{option}: []"
        return
    records = _records(found.listed)
    new = {"reason": f"found {'denied' if value else 'enabled'} {found.date}, review"}
    yield f"tenant_baseline_smtp_auth_{option}:"
    for identity, box in _sorted(boxes, found.mailboxes):
        yield from _introduced(box)
        yield f"  - identity: {scalar(identity, unsafe=True)}"
        for name, text in (_record(records, box) or new).items():
            yield f"    {name}: {scalar(str(text), unsafe=True)}"


def _records(listed: Iterable[t.Any]) -> dict[str, Mapping[str, t.Any]]:
    """The entries of the host's lists by the mailbox that they name."""
    entries = [entry for entry in listed if isinstance(entry, Mapping)]
    return {str(entry.get("identity")).casefold(): entry for entry in entries}


def _record(records: Mapping[str, Mapping[str, t.Any]], box: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the host's list says of a mailbox, under whichever name it lists it."""
    names = (box.get("primary_smtp_address"), box.get("guid"), box.get("identity"))
    entry = next((records[str(name).casefold()] for name in names if str(name).casefold() in records), {})
    return {name: entry[name] for name in _RECORD if entry.get(name) not in (None, "")}


def _introduced(box: Mapping[str, t.Any]) -> Iterator[str]:
    name = comment(box.get("display_name") or "")
    if name:
        yield f"  # {name}"


def _sorted(
    boxes: Iterable[Mapping[str, t.Any]], everything: Sequence[Mapping[str, t.Any]]
) -> list[tuple[str, Mapping[str, t.Any]]]:
    """The mailboxes with a name that means each of them and no other, in the order of these names."""
    addresses = Counter(str(box.get("primary_smtp_address") or "").casefold() for box in everything)
    named = [(_name(box, addresses), box) for box in boxes]
    return sorted(named, key=lambda one: (one[0].casefold(), one[0]))


def _name(box: Mapping[str, t.Any], addresses: Mapping[str, int]) -> str:
    """The primary address, or the GUID where that is none or more than one mailbox's."""
    address = str(box.get("primary_smtp_address") or "")
    plain = re.fullmatch(r"[^\s@*,;<>\"'\\]+@[^\s@*,;<>\"'\\]+", address)
    return address if plain and address.isprintable() and addresses[address.casefold()] == 1 else str(box["guid"])


def _dictionary(variable: str, table: Table, settings: Mapping[str, t.Any], fragment: t.Any) -> Iterator[str]:
    """A dictionary of settings, each with what it means. SMTP AUTH has variables of its own."""
    described = _described(fragment)
    lines = []
    for option in sorted(settings):
        if option in table and option != SMTP_AUTH:
            lines += [f"  # {comment(described[option], 110)}", f"  {_setting(table, option, settings[option])}"]
    if any(not line.startswith("  #") for line in lines):
        yield f"tenant_baseline_{variable}:"
        yield from lines


def _named(variable: str, key: str, table: Table, objects: Sequence[Mapping[str, t.Any]]) -> Iterator[str]:
    """A list of objects that go by their names. One whose name can't be given is a comment."""
    entries = _by_name(key, objects)
    if entries:
        yield f"tenant_baseline_{variable}:"
    for name, settings in sorted(entries.items()):
        yield f"  - {key}: {scalar(name, unsafe=True)}"
        for option in sorted(settings):
            yield f"    {_setting(table, option, settings[option])}"
    for name in sorted({str(one[key]) for one in objects} - entries.keys()):
        yield f"# {comment(name)} is left out, because its name is blank, has blanks around it, or is not the only one."


def _by_name(key: str, objects: Sequence[Mapping[str, t.Any]]) -> dict[str, Mapping[str, t.Any]]:
    """The settings of those whose name means them and no other."""
    names = Counter(str(one[key]).lower() for one in objects)
    alone = [one for one in objects if names[str(one[key]).lower()] == 1]
    return {one[key]: one["settings"] for one in alone if one[key] and one[key] == str(one[key]).strip()}


def _setting(table: Table, option: str, value: t.Any) -> str:
    """One setting. What its own module would not take, or would write again, is a comment."""
    line = f"{option}: {scalar(value, unsafe=isinstance(table[option].kind, (Text, TextList)))}"
    reason = _refusal(table, option, value)
    return f"# {comment(line, 300)} (not managed: {comment(reason)})" if reason else line


def _refusal(table: Table, option: str, value: t.Any) -> str:
    """Why a value can't be in a baseline; '' where it can."""
    if value is None:
        return "was not read"
    kind = table[option].kind
    try:
        desired = kind.parse(value)
    except (ValueError, TypeError) as error:
        return str(error)
    return "" if kind.same(kind.target(desired, value), value) else "the service holds it in a form that can't be given"


def _mailbox_settings(found: Found) -> Iterator[Iterator[str]]:
    """What most mailboxes have, as the settings of all of them, and each mailbox that differs."""
    options = [option for option in CAS_MAILBOX.options if option != SMTP_AUTH]
    common = _common(found.mailboxes, options)
    yield _dictionary("all_mailboxes", CAS_MAILBOX, common, cas_mailbox_settings)
    yield _different(found, options, common)


def _common(boxes: Sequence[Mapping[str, t.Any]], options: Sequence[str]) -> dict[str, t.Any]:
    """The values that at least half of the mailboxes have, where those that differ can be given theirs."""
    common = {}
    for option in options:
        counts = Counter(json.dumps(box["settings"].get(option)) for box in boxes)
        if not counts or any(_refusal(CAS_MAILBOX, option, json.loads(text)) for text in counts):
            continue
        text, count = min(counts.items(), key=lambda one: (-one[1], one[0]))
        if 2 * count >= len(boxes):
            common[option] = json.loads(text)
    return common


def _different(found: Found, options: Sequence[str], common: Mapping[str, t.Any]) -> Iterator[str]:
    lines: list[str] = []
    for identity, box in _sorted(found.mailboxes, found.mailboxes):
        own = {
            option: box["settings"][option]
            for option in sorted(options)
            if option in box["settings"] and not _is_common(option, box["settings"][option], common)
        }
        shown = [f"    {_setting(CAS_MAILBOX, option, value)}" for option, value in own.items()]
        if any(not line.startswith("    #") for line in shown):
            lines += [*_introduced(box), f"  - identity: {scalar(identity, unsafe=True)}", *shown]
    if lines:
        yield "# Mailboxes that differ from that."
        yield "tenant_baseline_mailboxes:"
        yield from lines


def _is_common(option: str, value: t.Any, common: Mapping[str, t.Any]) -> bool:
    return option in common and CAS_MAILBOX[option].kind.same(value, common[option])


def _described(fragment: t.Any) -> dict[str, str]:
    """What each option means: the first sentence of its own documentation."""
    options = yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["options"]
    return {name: _sentence(option["description"]) for name, option in options.items()}


def _sentence(description: str | Sequence[str]) -> str:
    first = description if isinstance(description, str) else description[0]
    return re.sub(r"\b[A-Z]\(([^)]*)\)", r"\1", first).partition(". ")[0].rstrip(".") + "."
