# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the service does here: read-only answers to what nobody publishes about it. PRIVATE to the collection.

The report holds counts, property names and yes or no; no name, address or GUID of anybody.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._client import Answer, Client, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationFailed,
    ExoError,
    IncompleteRead,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._module import Result, Task
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    CAS_MAILBOX,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
    Table,
)

_SELECTED = ("Guid", "SmtpClientAuthenticationDisabled")
_MOST_PAGES = 3  # two followed links show whether paging holds; more would only load the tenant


@dataclass(frozen=True)
class Check:
    """One question and its answer. ``answer``: yes, no, or unknown."""

    name: str
    question: str
    answer: str
    detail: str


Evidence = dict[str, t.Any]


def probe(task: Task) -> Result:
    """Ask the service, read-only, and answer each question from what came."""
    client = task.connect()
    seen: Evidence = {}
    for name, look in _LOOKS.items():
        try:
            seen[name] = look(client)
        except AuthenticationFailed:
            raise
        except ExoError as error:
            seen[name] = error
    checks = [asdict(check(seen)) for check in _CHECKS]
    return {"changed": False, "checks": checks}


def _pages(client: Client) -> list[Answer]:
    """The first pages of the list, small ones would need more requests than they tell."""
    pages = []
    command = Command(CAS_MAILBOX.getter, {"ResultSize": "Unlimited"}, _SELECTED)
    for page in client.pages(command):
        pages.append(page)
        if len(pages) == _MOST_PAGES:
            break
    return pages


_LOOKS: Mapping[str, Callable[[Client], t.Any]] = {
    "transport": lambda client: client.invoke(Command(TRANSPORT_CONFIG.getter)),
    "few": lambda client: client.invoke(Command(CAS_MAILBOX.getter, {"ResultSize": 5})),
    "selected": lambda client: client.invoke(Command(CAS_MAILBOX.getter, {"ResultSize": 5}, _SELECTED)),
    "pages": _pages,
}


def _failed(seen: Evidence, name: str) -> str | None:
    """Why a look failed, without names: code and status only."""
    error = seen[name]
    if isinstance(error, ExoError):
        return f"The read failed: {error.error_code}, HTTP status {error.http_status or 'none'}."
    return None


def _readable(name: str, question: str, evidence: str, table: Table) -> Callable[[Evidence], Check]:
    def check(seen: Evidence) -> Check:
        reason = _failed(seen, evidence)
        if reason:
            denied = isinstance(seen[evidence], AccessDenied)
            return Check(name, question, "no" if denied else "unknown", reason)
        if not seen[evidence].rows:
            return Check(name, question, "unknown", "No object came.")
        wire = seen[evidence].rows[0]
        missing = [row.wire for row in table.rows if not row.present(wire)]
        detail = f"Missing: {', '.join(missing)}." if missing else f"All {len(table.rows)} settings came."
        return Check(name, question, "no" if missing else "yes", detail)

    return check


def _types(name: str, question: str, evidence: str, table: Table) -> Callable[[Evidence], Check]:
    def check(seen: Evidence) -> Check:
        reason = _failed(seen, evidence)
        if reason:
            return Check(name, question, "unknown", reason)
        odd: dict[str, str] = {}
        for wire in seen[evidence].rows:
            for row in table.rows:
                try:
                    if row.present(wire):
                        row.read(wire)
                except ExoError:
                    odd[row.wire] = type(wire.get(row.wire)).__name__
        detail = ", ".join(f"{wire} is a {kind}" for wire, kind in sorted(odd.items()))
        return Check(name, question, "no" if odd else "yes", detail or "Every setting has a form that is known.")

    return check


def _null(seen: Evidence) -> Check:
    name, question = "null_reads_as_null", "Does an unset SMTP AUTH setting of a mailbox read as JSON null?"
    reason = _failed(seen, "few")
    if reason:
        return Check(name, question, "unknown", reason)
    row = CAS_MAILBOX.row(SMTP_AUTH)
    forms: dict[str, int] = {}
    for wire in seen["few"].rows:
        value = wire.get(row.wire)
        form = (
            "missing, annotated" if row.wire not in wire and row.present(wire)
            else "missing" if row.wire not in wire
            else "null" if value is None
            else "empty text" if value == ""
            else type(value).__name__
        )  # fmt: skip
        forms[form] = forms.get(form, 0) + 1
    detail = ", ".join(f"{form}: {count}" for form, count in sorted(forms.items())) or "No mailbox came."
    odd = set(forms) - {"null", "bool"}
    return Check(name, question, "no" if odd else "yes" if "null" in forms else "unknown", detail)


def _select(seen: Evidence) -> Check:
    name, question = "select_works", "Does $select trim what Get-CASMailbox returns?"
    reason = _failed(seen, "selected")
    if reason:
        return Check(name, question, "no", reason)
    if not seen["selected"].rows:
        return Check(name, question, "unknown", "No mailbox came.")
    names = {key for wire in seen["selected"].rows for key in wire if "@" not in key}
    lost = [wire for wire in _SELECTED if wire not in names]
    detail = f"{len(names)} properties came, {len(_SELECTED)} were asked for."
    if lost:
        detail += f" Not among them: {', '.join(lost)}."
    return Check(name, question, "yes" if names == set(_SELECTED) else "no", detail)


def _paging(seen: Evidence) -> Check:
    name, question = "paging_holds", "Does page two come when every request has the same anchor?"
    error = seen["pages"]
    if isinstance(error, IncompleteRead):
        return Check(name, question, "no", f"HTTP status {error.http_status or 'none'} after the first page.")
    reason = _failed(seen, "pages")
    if reason:
        return Check(name, question, "unknown", reason)
    sizes = [len(page.rows) for page in seen["pages"]]
    if len(sizes) < 2:
        return Check(name, question, "unknown", f"One page holds all {sizes[0] if sizes else 0} mailboxes.")
    guids = [wire.get("Guid") for page in seen["pages"] for wire in page.rows]
    twice = len(guids) - len(set(guids))
    detail = f"Pages of {', '.join(map(str, sizes))} mailboxes, {twice} of them twice."
    return Check(name, question, "no" if twice else "yes", detail)


def _result_size(seen: Evidence) -> Check:
    name, question = "result_size_honoured", "Does a numeric ResultSize limit what comes?"
    reason = _failed(seen, "few")
    if reason:
        return Check(name, question, "unknown", reason)
    count = len(seen["few"].rows)
    answer = "no" if count > 5 else "yes" if count == 5 else "unknown"
    return Check(name, question, answer, f"5 were asked for, {count} came.")


def _unknown_properties(seen: Evidence) -> Check:
    name, question = (
        "properties_not_managed",
        "Are there properties about SMTP AUTH that this collection does not know?",
    )
    known = {row.wire for table in (CAS_MAILBOX, TRANSPORT_CONFIG) for row in table.rows}
    known |= {
        "AgentGeneratedMessageLoopDetectionInSmtpEnabled",
        "ExternalSmtpSettings",
        "InternalSmtpSettings",
        "PrimarySmtpAddress",
        "InternalSMTPServers",
    }
    names = {
        key
        for evidence in ("transport", "few")
        if not isinstance(seen[evidence], ExoError)
        for wire in seen[evidence].rows
        for key in wire
        if "@" not in key
    }
    if not names:
        return Check(name, question, "unknown", "Nothing could be read.")
    new = sorted(key for key in names - known if "smtp" in key.lower() or "basicauth" in key.lower())
    return Check(name, question, "yes" if new else "no", f"New: {', '.join(new)}." if new else "None came.")


_CHECKS: tuple[Callable[[Evidence], Check], ...] = (
    _readable("transport_config_readable", "Can the app read every transport setting?", "transport", TRANSPORT_CONFIG),
    _types(
        "transport_config_typed", "Do the transport settings have the forms we know?", "transport", TRANSPORT_CONFIG
    ),
    _readable("cas_mailbox_readable", "Can the app read every setting of a mailbox?", "few", CAS_MAILBOX),
    _types("cas_mailbox_typed", "Do the mailbox settings have the forms we know?", "few", CAS_MAILBOX),
    _null,
    _select,
    _paging,
    _result_size,
    _unknown_properties,
)
