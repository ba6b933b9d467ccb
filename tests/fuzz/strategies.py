# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random tenants, tasks and faults."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fuzz.known import GROUPS, MAILBOX, TRANSPORT, Setting
from fuzz.lab import DOMAIN
from hypothesis import strategies as st

SMTP_WIRE = "SmtpClientAuthenticationDisabled"
TYPES = ("UserMailbox", "SharedMailbox", "RoomMailbox", "EquipmentMailbox")
# Few names for many mailboxes, so that some are shared.
_DISPLAY_NAMES = ("Scanner", "scanner", "Ada Abel", "Überraschung", "{{ 1 + 1 }}", "Reports, all")
_UNKNOWN = (f"nobody@{DOMAIN}", "nobody", "00000000-0000-4000-8000-000000000001")


@dataclass(frozen=True)
class Fault:
    """One fault to order from the simulator."""

    kind: str
    match: Mapping[str, Any]
    after: int
    times: int | None
    details: Mapping[str, Any]

    @property
    def doubtful(self) -> bool:
        """The client may be left without knowing whether the service did the work."""
        unsure = {"reset_after", "truncated_json", "batch_drop_item", "batch_duplicate_id", "set_ignored", "status",
                  "reset_before", "html", "errors_in_200"}  # fmt: skip
        return self.kind in unsure


@st.composite
def mailbox_cas(draw: st.DrawFn, theme: Sequence[str]) -> dict[str, Any]:
    cas: dict[str, Any] = {}
    smtp = draw(st.sampled_from([None, None, True, False, "absent"]))
    if smtp != "absent":
        cas[SMTP_WIRE] = smtp
    for option in theme:
        if draw(st.booleans()):
            cas[MAILBOX[option].wire] = draw(st.sampled_from(MAILBOX[option].stored()))
    return cas


@st.composite
def tenants(draw: st.DrawFn, theme: Sequence[str] = (), transport_theme: Sequence[str] = (), least: int = 1) -> Any:
    boxes = []
    for number in range(draw(st.integers(least, 12))):
        entry = {
            "upn": f"m{number}@{DOMAIN}",
            "display_name": draw(st.sampled_from(_DISPLAY_NAMES)),
            "type": draw(st.sampled_from(TYPES)),
            "cas": draw(mailbox_cas(theme)),
        }
        if draw(st.booleans()):
            entry["primary_address"] = f"p{number}@{DOMAIN}"
        boxes.append(entry)
    transport = {SMTP_WIRE: draw(st.booleans())}
    for option in transport_theme:
        if draw(st.booleans()):
            transport[TRANSPORT[option].wire] = draw(st.sampled_from(TRANSPORT[option].stored()))
    return {
        "mailboxes": boxes,
        "transport_config": transport,
        "error_form": draw(st.sampled_from(["pipe", "json"])),
        "culture_as_object": draw(st.booleans()),
    }


def themes(known: Mapping[str, Setting]) -> st.SearchStrategy[list[str]]:
    """A few settings that a case is about; what belongs together often comes together."""
    alone = st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=5, unique=True)
    groups = [sorted(group) for group in GROUPS if group <= known.keys()]
    return st.one_of(alone, st.sampled_from(groups), st.just(sorted(known))) if groups else alone


def list_values(setting: Setting) -> st.SearchStrategy[Any]:
    entries = st.lists(st.sampled_from(setting.entries), max_size=3)
    add, remove = st.sampled_from(setting.entries[:1]), st.sampled_from(setting.entries[1:3])
    return st.one_of(
        entries,
        st.fixed_dictionaries({"set": entries}),
        st.fixed_dictionaries({"add": entries}),
        st.fixed_dictionaries({"remove": entries}),
        st.builds(lambda a, r: {"add": [a], "remove": [r]}, add, remove),
    )


@st.composite
def desired_settings(
    draw: st.DrawFn, known: Mapping[str, Setting], theme: Sequence[str], least: int = 1, *, free: bool = False
) -> dict[str, Any]:
    """Values for some of the theme's options. ``free``: for a dict that no argument spec converts."""
    most = min(len(theme), 8)
    options = draw(st.lists(st.sampled_from(theme), min_size=min(least, most), max_size=most, unique=True))
    wanted = {}
    for option in options:
        setting = known[option]
        if setting.entries:
            wanted[option] = draw(list_values(setting))
        else:
            forms = [given for given, _stored in setting.forms if not (free and given in ("yes", "no"))]
            wanted[option] = draw(st.sampled_from(forms))
    return wanted


# What a case is odd in; mostly nothing, for whatever is refused never comes to its writes.
ODDITIES = st.sampled_from([*[""] * 14, "name", "name", "limit", "limit", "shape", "clash"])


@st.composite
def names(draw: st.DrawFn, state: Mapping[str, Any], oddity: str, most: int) -> list[str]:
    """Names of different mailboxes; in odd cases of the same, or one that several share, or nobody has."""
    boxes = state["mailboxes"]
    unique = oddity != "clash"
    some = st.lists(st.integers(0, max(0, len(boxes) - 1)), max_size=min(most, len(boxes)), unique=unique)
    chosen = [boxes[number] for number in draw(some)] if boxes else []
    found = []
    for box in chosen:
        name = box[draw(st.sampled_from(["UserPrincipalName", "PrimarySmtpAddress", "Guid", "ExternalDirectoryObjectId",
                                         "Alias"]))]  # fmt: skip
        found.append(str(draw(st.sampled_from([name, name, name.upper(), f" {name} "]))))
    if oddity == "name":
        found.insert(0, draw(st.sampled_from([*_UNKNOWN, *_DISPLAY_NAMES])))
    return found


LIMITS = st.sampled_from(["0", "1", 3, "50%", "10 %", "0%", "100"])
_COMMON = {
    "lookup_failure_action": st.sampled_from(["fail", "warn", "warn"]),
    "wait": st.sampled_from([True, True, True, False]),
    "wait_timeout": st.sampled_from([0, 3, 60]),
}


_RECORDS: st.SearchStrategy[dict[str, str]] = st.sampled_from([{}, {"reason": "fax"}, {"owner": ""}])


@st.composite
def _common(draw: st.DrawFn, oddity: str) -> dict[str, Any]:
    limit = {"max_changes": draw(LIMITS)} if oddity == "limit" else {}
    return {**{key: draw(value) for key, value in _COMMON.items()}, **limit}


_SHAPES = ("all", "all", "identity", "mailboxes", "both")


@st.composite
def mailbox_tasks(draw: st.DrawFn, state: Mapping[str, Any], theme: Sequence[str]) -> dict[str, Any]:
    oddity = draw(ODDITIES)
    options: dict[str, Any] = draw(_common(oddity))
    shape = draw(st.sampled_from(_SHAPES if state["mailboxes"] else ["mailboxes"]))
    if shape != "mailboxes":
        options |= draw(desired_settings(MAILBOX, theme, 0 if oddity == "shape" else 1))
    named = draw(names(state, oddity, 9))
    if shape == "all":
        everybody, named = draw(_everybody(named, oddity))
        options |= everybody
    options |= draw(_by_name(named, shape, theme))
    if draw(st.integers(0, 4)) == 0:
        options["where"] = draw(_where(theme[:2]))
    return options


@st.composite
def _everybody(draw: st.DrawFn, named: list[str], oddity: str) -> tuple[dict[str, Any], list[str]]:
    """Options for all mailboxes, but those that are excluded or of another type; and the names that are not used."""
    options: dict[str, Any] = {"all_mailboxes": True}
    if draw(st.integers(0, 3)) == 0:
        options["exclude"], named = named[:2], named[0 if oddity == "clash" else 2 :]
    if draw(st.integers(0, 3)) == 0:
        types = st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True)
        options["recipient_type_details"] = draw(types)
    return options, named


@st.composite
def _by_name(draw: st.DrawFn, named: list[str], shape: str, theme: Sequence[str]) -> dict[str, Any]:
    """Mailboxes by name, like the others or with settings of their own; beside all mailboxes only the latter."""
    options: dict[str, Any] = {}
    if shape in ("identity", "both"):
        half = len(named) // 2 if shape == "both" else len(named)
        options["identity"], named = named[:half], named[half:]
    if shape in ("mailboxes", "both") or (shape == "all" and draw(st.booleans())):
        options["mailboxes"] = [
            {"identity": name, **draw(desired_settings(MAILBOX, theme, free=True))} for name in named
        ]
    return options


@st.composite
def _where(draw: st.DrawFn, theme: Sequence[str]) -> dict[str, Any]:
    """Values to choose by; of a list only whole ones."""
    where = draw(desired_settings(MAILBOX, theme, free=True))
    return {o: v for o, v in where.items() if not (isinstance(v, dict) and {"add", "remove"} & v.keys())}


@st.composite
def policies(draw: st.DrawFn, state: Mapping[str, Any], today: datetime.date) -> dict[str, Any]:
    oddity = draw(ODDITIES)
    options: dict[str, Any] = draw(_common(oddity))
    days = st.sampled_from([None, None, None, None, -400, -1, 0, 1, 29, 30, 400])
    named = draw(names(state, oddity, 9))
    cut = draw(st.integers(0, len(named)))
    for option, some in (("allowed", named[:cut]), ("denied", named[cut:])):
        entries = []
        for name in some:
            offset = draw(days)
            expires = {} if offset is None else {"expires": str(today + datetime.timedelta(offset))}
            entries.append({"identity": name, **expires, **draw(_RECORDS)})
        even_empty = draw(st.booleans())
        if entries or even_empty:
            options[option] = entries
    options["organization"] = draw(st.sampled_from([None, "enabled", "disabled", "disabled"]))
    unlisted = ["unmanaged", "not_enabled", "disabled"]
    if options["organization"] == "disabled" or oddity == "shape":
        unlisted.append("inherit")
    options["unlisted"] = draw(st.sampled_from(unlisted))
    options["expired"] = draw(st.sampled_from(["report", "revoke"]))
    options["allow_empty"] = oddity != "shape"
    options["propagation_delay"] = draw(st.sampled_from([0, 0, 900]))
    return {option: value for option, value in options.items() if value is not None}


@st.composite
def transport_tasks(draw: st.DrawFn, theme: Sequence[str]) -> dict[str, Any]:
    options = draw(desired_settings(TRANSPORT, theme, draw(st.sampled_from([0, 1, 1, 1]))))
    return {**options, "wait": draw(_COMMON["wait"]), "wait_timeout": draw(_COMMON["wait_timeout"])}


_SETTERS = ("Set-CASMailbox", "Set-TransportConfig")
_CMDLETS = (None, *_SETTERS, *_SETTERS, "Get-CASMailbox", "Get-TransportConfig")


_KINDS = (
    "throttle", "transient", "status", "reset_before", "reset_after", "refusal", "needs_proxy",
    "expire_tokens", "nul_403", "set_ignored", "truncated_json", "gzip_lie", "html", "not_found",
    "errors_in_200", "batch_reorder", "batch_drop_item", "batch_duplicate_id",
)  # fmt: skip
_WAITS: tuple[dict[str, str], ...] = ({}, {"retry_after": "0.5"}, {"retry_after": "7"}, {"retry_after": "100000"})
_REFUSAL: dict[str, Any] = {
    "code": 400,
    "type": "Microsoft.Exchange.Data.DataValidationException",
    "message": "The value can't be used.",
}


@st.composite
def faults(draw: st.DrawFn, state: Mapping[str, Any]) -> Fault:
    kind = draw(st.sampled_from(_KINDS))
    match = {} if kind.startswith("batch_") else draw(_match(state, kind))
    details = draw(_details(kind))
    times = draw(st.sampled_from([1, 1, 1, 2, 5, None]))
    return Fault("status" if kind == "refusal" else kind, match, draw(st.integers(0, 6)), times, details)


@st.composite
def _match(draw: st.DrawFn, state: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Which requests are hit: all, those of a cmdlet, or the writes of one mailbox."""
    cmdlet = draw(st.sampled_from(_SETTERS if kind == "set_ignored" else _CMDLETS))
    match: dict[str, Any] = {"cmdlet": cmdlet} if cmdlet else {}
    if cmdlet == "Set-CASMailbox" and state["mailboxes"] and draw(st.booleans()):
        match["identity"] = draw(st.sampled_from(state["mailboxes"]))["Guid"]
    return match


@st.composite
def _details(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    if kind == "refusal":
        return _REFUSAL
    waits = draw(st.sampled_from(_WAITS)) if kind in ("throttle", "status") else {}
    code = {"code": draw(st.sampled_from([500, 502, 503, 504, 408]))} if kind == "status" else {}
    return {**waits, **code}
