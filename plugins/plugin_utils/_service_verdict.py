# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the answers of C(exo_service_info) come to, in sentences. Pure. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence

# Without these nothing can be read as it should be: what to do where the answer is no or unknown.
NEEDED = {
    "transport_config_readable": "the transport settings: give the app the role Global Reader, or one that holds more",
    "cas_mailbox_readable": "the mailboxes: give the app the role Global Reader, or one that holds more",
}
# What an answer other than yes means, by the name of the check.
MEANINGS = {
    "transport_config_typed": "A transport setting has a form that is not known, so a task that manages it will fail.",
    "cas_mailbox_typed": "A setting of a mailbox has a form that is not known, so a task that manages it will fail.",
    "null_reads_as_null": "No mailbox without a setting of its own was seen, so it is not known how a blank one reads.",
    "select_works": "The service does not return just what is asked for. Reading takes more memory and time.",
    "paging_holds": "A second page was not seen, because the tenant is small. Look again when it is not.",
    "result_size_honoured": "Fewer than five mailboxes came, so it is not known whether a limit is kept.",
    "sees_all_mailboxes": "Compare the number of mailboxes with the admin center's, because the service does not"
    " say whether the app sees all of them.",
}
NEW = "properties_not_managed"
READY = (
    "READY to read: the audit, and the preview with --check --diff.",
    "Whether the app may write is not tried here. Begin with one test mailbox and an undo_file.",
)
SEND = (
    "Send us what is unusual: the report (exo_live_check_report) holds no names, and an issue in the repository is the"
    " place for it."
)


def verdict(checks: Sequence[Mapping[str, t.Any]]) -> list[str]:
    """Sentences for a person: ready or not, what is unusual, what is not known, and what to do with it."""
    answers = {str(check["name"]): str(check["answer"]) for check in checks}
    details = {str(check["name"]): str(check["detail"]) for check in checks}
    not_ready = list(_not_ready(answers, details))
    unusual = [f"Unusual: {text}" for text in _unusual(answers, details)]
    unknown = [f"Not known: {text}" for text in _unknown(answers)]
    send = [SEND] if unusual or not_ready else []
    return [*(not_ready or READY), *unusual, *unknown, *send]


def _not_ready(answers: Mapping[str, str], details: Mapping[str, str]) -> Iterator[str]:
    for name, what in NEEDED.items():
        if answers.get(name) != "yes":
            yield f"NOT READY to read {what}. {details.get(name, '')}".rstrip()


def _unusual(answers: Mapping[str, str], details: Mapping[str, str]) -> Iterator[str]:
    for name, answer in answers.items():
        if answer == "no" and name not in (*NEEDED, NEW):
            yield _not_as_expected(name, details[name])
    if answers.get(NEW) == "yes":
        yield f"The service has properties about SMTP AUTH that this collection does not know. {details[NEW]}"


def _unknown(answers: Mapping[str, str]) -> Iterator[str]:
    for name, answer in answers.items():
        if answer == "unknown" and name in MEANINGS:
            yield MEANINGS[name]


def _not_as_expected(name: str, detail: str) -> str:
    """paging_holds means another thing where it was tried and failed."""
    if name in ("paging_holds", "null_reads_as_null", "result_size_honoured") or name not in MEANINGS:
        return f"{name} is not as expected. {detail}"
    return f"{MEANINGS[name]} {detail}"
