# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the service does here: read-only answers to what nobody publishes about it. PRIVATE to the collection.

The report holds counts, property names and yes or no; no name, address or GUID of anybody.
"""

from __future__ import annotations

import itertools
import typing as t
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._client import Answer, Client, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationFailed,
    ExoError,
    IncompleteRead,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import RemoteObject, Table
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    ORGANIZATION_CONFIG,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task

_SELECTED = ("Guid", "SmtpClientAuthenticationDisabled")
_MOST_PAGES = 3  # two followed links show whether paging holds; more would only load the tenant


@dataclass(frozen=True)
class Check:
    """One question and its answer. ``answer``: yes, no, or unknown."""

    name: str
    question: str
    answer: str
    detail: str


class Seen:
    """What came of each look: objects, pages, or the failure."""

    def __init__(self, client: Client) -> None:
        self._looks: dict[str, t.Any] = {}
        for name, look in _LOOKS.items():
            try:
                self._looks[name] = look(client)
            except AuthenticationFailed:
                raise
            except ExoError as error:
                self._looks[name] = error

    def __getitem__(self, name: str) -> t.Any:
        return self._looks[name]

    def objects(self, name: str) -> list[RemoteObject]:
        look = self._looks[name]
        return [] if isinstance(look, ExoError) else list(look.objects)

    def failed(self, name: str) -> str | None:
        """Why a look failed, without names: code and status only."""
        error = self._looks[name]
        if isinstance(error, ExoError):
            return f"The read failed: {error.error_code}, HTTP status {error.http_status or 'none'}."
        return None


def check_service(task: Task) -> Result:
    """Ask the service, read-only, and answer each question from what came."""
    client = task.connect()
    seen = Seen(client)
    checks = [asdict(check(seen)) for check in _CHECKS]
    return {"changed": False, "tenant_id": client.tenant_id, "checks": checks}


def _pages(client: Client) -> list[Answer]:
    """The first pages of the list; small ones would need more requests than they tell."""
    return list(client.pages(Command(CAS_MAILBOX.getter, {"ResultSize": "Unlimited"}, _SELECTED), _MOST_PAGES))


_LOOKS: Mapping[str, Callable[[Client], t.Any]] = {
    "transport": lambda client: client.invoke(Command(TRANSPORT_CONFIG.getter)),
    "organization": lambda client: client.invoke(Command(ORGANIZATION_CONFIG.getter)),
    "few": lambda client: client.invoke(Command(CAS_MAILBOX.getter, {"ResultSize": 5})),
    "selected": lambda client: client.invoke(Command(CAS_MAILBOX.getter, {"ResultSize": 5}, _SELECTED)),
    "pages": _pages,
}


def _readable(name: str, question: str, look: str, table: Table) -> Callable[[Seen], Check]:
    def check(seen: Seen) -> Check:
        reason = seen.failed(look)
        if reason:
            denied = isinstance(seen[look], AccessDenied)
            return Check(name, question, "no" if denied else "unknown", reason)
        objects = seen.objects(look)
        if not objects:
            return Check(name, question, "unknown", "No object came.")
        missing = [one.remote for one in table.properties if not one.present(objects[0])]
        detail = f"Missing: {', '.join(missing)}." if missing else f"All {len(table.properties)} settings came."
        return Check(name, question, "no" if missing else "yes", detail)

    return check


def _typed(name: str, question: str, look: str, table: Table) -> Callable[[Seen], Check]:
    def check(seen: Seen) -> Check:
        reason = seen.failed(look)
        if reason:
            return Check(name, question, "unknown", reason)
        odd: dict[str, str] = {}
        for remote in seen.objects(look):
            odd.update(_odd_forms(table, remote))
        detail = ", ".join(f"{remote} is a {form}" for remote, form in sorted(odd.items()))
        return Check(name, question, "no" if odd else "yes", detail or "Every setting has a form that is known.")

    return check


def _odd_forms(table: Table, remote: RemoteObject) -> dict[str, str]:
    """The settings of an object that have a form nobody knows, with the type that came."""
    odd = {}
    for one in table.properties:
        try:
            if one.present(remote):
                one.read(remote)
        except ExoError:
            odd[one.remote] = type(remote.get(one.remote)).__name__
    return odd


def _null(seen: Seen) -> Check:
    name, question = "null_reads_as_null", "Does an unset SMTP AUTH setting of a mailbox read as JSON null?"
    reason = seen.failed("few")
    if reason:
        return Check(name, question, "unknown", reason)
    forms = Counter(_form(remote) for remote in seen.objects("few"))
    detail = ", ".join(f"{form}: {count}" for form, count in sorted(forms.items())) or "No mailbox came."
    if set(forms) - {"null", "bool"}:
        return Check(name, question, "no", detail)
    return Check(name, question, "yes" if forms["null"] else "unknown", detail)


def _form(remote: RemoteObject) -> str:
    """In which form a mailbox's setting for SMTP AUTH came."""
    one = CAS_MAILBOX[SMTP_AUTH]
    if one.remote not in remote:
        return "missing, annotated" if one.present(remote) else "missing"
    value = remote[one.remote]
    if value is None:
        return "null"
    return "empty text" if value == "" else type(value).__name__


def _select(seen: Seen) -> Check:
    name, question = "select_works", "Does $select trim what Get-CASMailbox returns?"
    reason = seen.failed("selected")
    if reason:
        return Check(name, question, "no", reason)
    objects = seen.objects("selected")
    if not objects:
        return Check(name, question, "unknown", "No mailbox came.")
    names = _names(objects)
    lost = [wanted for wanted in _SELECTED if wanted not in names]
    detail = f"{len(names)} properties came, {len(_SELECTED)} were asked for."
    if lost:
        detail += f" Not among them: {', '.join(lost)}."
    return Check(name, question, "yes" if names == set(_SELECTED) else "no", detail)


def _names(objects: Iterable[RemoteObject]) -> set[str]:
    names: set[str] = set()
    for remote in objects:
        names.update(key for key in remote if "@" not in key)
    return names


def _paging(seen: Seen) -> Check:
    name, question = "paging_holds", "Does page two come when every request has the same anchor?"
    error = seen["pages"]
    if isinstance(error, IncompleteRead):
        return Check(name, question, "no", f"HTTP status {error.http_status or 'none'} after the first page.")
    reason = seen.failed("pages")
    if reason:
        return Check(name, question, "unknown", reason)
    pages = [page.objects for page in seen["pages"]]
    if len(pages) < 2:
        return Check(name, question, "unknown", f"One page holds all {len(pages[0]) if pages else 0} mailboxes.")
    guids = Counter(remote.get("Guid") for remote in itertools.chain.from_iterable(pages))
    twice = sum(guids.values()) - len(guids)
    detail = f"Pages of {', '.join(str(len(page)) for page in pages)} mailboxes, {twice} of them twice."
    return Check(name, question, "no" if twice else "yes", detail)


def _result_size(seen: Seen) -> Check:
    name, question = "result_size_honoured", "Does a numeric ResultSize limit what comes?"
    reason = seen.failed("few")
    if reason:
        return Check(name, question, "unknown", reason)
    count = len(seen.objects("few"))
    answers = {True: "no", False: "unknown"}
    answer = "yes" if count == 5 else answers[count > 5]
    return Check(name, question, answer, f"5 were asked for, {count} came.")


def _scope(seen: Seen) -> Check:
    """An app whose role covers a part of the tenant sees a shorter list and is told nothing of it."""
    name, question = "sees_all_mailboxes", "Does the app see every mailbox of the tenant?"
    detail = (
        "No cmdlet tells. Compare the number of mailboxes here with the admin center's, and check that the app's role"
        " assignment has no administrative unit or write scope."
    )
    return Check(name, question, "unknown", detail)


def _unknown_properties(seen: Seen) -> Check:
    name, question = (
        "properties_not_managed",
        "Are there properties about SMTP AUTH that this collection does not know?",
    )
    names = _names([*seen.objects("transport"), *seen.objects("few"), *seen.objects("organization")])
    if not names:
        return Check(name, question, "unknown", "Nothing could be read.")
    new = sorted(key for key in names - _KNOWN if "smtp" in key.lower() or "basicauth" in key.lower())
    return Check(name, question, "yes" if new else "no", f"New: {', '.join(new)}." if new else "None came.")


# What is known to be there beside the settings.
_KNOWN = {
    "AgentGeneratedMessageLoopDetectionInSmtpEnabled",
    "BasicAuthBlockedApps",
    "ExternalSmtpSettings",
    "InternalSmtpSettings",
    "PrimarySmtpAddress",
    "InternalSMTPServers",
}
for _table in (CAS_MAILBOX, TRANSPORT_CONFIG, ORGANIZATION_CONFIG):
    _KNOWN.update(one.remote for one in _table.properties)


_CHECKS: tuple[Callable[[Seen], Check], ...] = (
    _readable("transport_config_readable", "Can the app read every transport setting?", "transport", TRANSPORT_CONFIG),
    _typed(
        "transport_config_typed", "Do the transport settings have the forms we know?", "transport", TRANSPORT_CONFIG
    ),
    _readable("cas_mailbox_readable", "Can the app read every setting of a mailbox?", "few", CAS_MAILBOX),
    _typed("cas_mailbox_typed", "Do the mailbox settings have the forms we know?", "few", CAS_MAILBOX),
    _null,
    _select,
    _paging,
    _result_size,
    _scope,
    _unknown_properties,
)
