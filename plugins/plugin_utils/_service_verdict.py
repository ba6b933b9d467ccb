# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the answers of C(exo_service_info) come to, in sentences. Pure. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence


class Meaning(t.NamedTuple):
    """What it means that a check could not be made, and that its answer is no."""

    unknown: str
    unusual: str


# Without these nothing can be read as it should be.
NEEDED = {"transport_config_readable": "the transport settings", "cas_mailbox_readable": "the mailboxes"}
MEANINGS = {
    "transport_config_typed": Meaning(
        "whether the transport settings have the forms that this collection reads.",
        "a transport setting has a form that this collection does not read, so a task that manages it will fail.",
    ),
    "cas_mailbox_typed": Meaning(
        "whether the settings of mailboxes have the forms that this collection reads.",
        "a setting of a mailbox has a form that this collection does not read, so a task that manages it will fail.",
    ),
    "null_reads_as_null": Meaning(
        "how a mailbox without a value of its own reads. None was among those that were looked at.",
        "a mailbox's SMTP AUTH setting reads as neither true, false nor null.",
    ),
    "select_works": Meaning(
        "whether the service returns just what it is asked for.",
        "the service does not return just what it is asked for, so reading takes more memory and time.",
    ),
    "paging_holds": Meaning(
        "whether the second page of a long list comes. A small tenant has none.",
        "the second page of the list of mailboxes is missing or repeats the first. Tasks on all mailboxes will fail.",
    ),
    "result_size_honoured": Meaning(
        "whether the service keeps to a limit on how much it returns. It takes five mailboxes to tell.",
        "the service does not keep to a limit on how much it returns.",
    ),
    "sees_all_mailboxes": Meaning(
        "whether the app sees every mailbox, because the service does not say. Compare the number of mailboxes with the"
        " admin center's.",
        "the app does not see every mailbox.",
    ),
}
NEW = "properties_not_managed"
READY = (
    "READY to read: the playbook audit, and the preview of any change with --check --diff.",
    "READY to write? This check never writes, so it can't say. Try one test mailbox, with an undo_file.",
)
ROLE = "give the app the role Global Reader, or one that holds more."
MEND = "Mend that first, and run live_check again."
SEND = (
    "Please tell us what is unusual: run this with -e exo_live_check_report=/tmp/live_check.json and attach that file"
    " to an issue in the repository. It holds no names."
)


def verdict(checks: Sequence[Mapping[str, t.Any]]) -> list[str]:
    """Sentences for a person: ready or not, what is unusual, what is not known, and what to do with it."""
    answers = {str(check["name"]): str(check["answer"]) for check in checks}
    details = {str(check["name"]): str(check["detail"]) for check in checks}
    not_ready = list(_not_ready(answers, details))
    unusual = [f"Unusual: {text}" for text in _unusual(answers, details)]
    unknown = [f"Not known: {text}" for text in _unknown(answers)]
    first = [*not_ready, MEND] if not_ready else READY
    return [*first, *unusual, *unknown, *([SEND] if unusual else [])]


def _not_ready(answers: Mapping[str, str], details: Mapping[str, str]) -> Iterator[str]:
    for name, what in NEEDED.items():
        answer = answers.get(name)
        if answer == "no":
            yield f"NOT READY to read {what}: {ROLE} {details[name]}"
        elif answer != "yes":
            yield f"NOT READY to read {what}: they could not be looked at. {details.get(name, '')}".rstrip()


def _unusual(answers: Mapping[str, str], details: Mapping[str, str]) -> Iterator[str]:
    for name, answer in answers.items():
        if answer == "no" and name in MEANINGS:
            yield f"{MEANINGS[name].unusual} {details[name]}"
    if answers.get(NEW) == "yes":
        yield f"the service has properties about SMTP AUTH that this collection does not know. {details[NEW]}"


def _unknown(answers: Mapping[str, str]) -> Iterator[str]:
    for name, answer in answers.items():
        if answer == "unknown" and name in MEANINGS:
            yield MEANINGS[name].unknown
