# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text: what is fit to be shown, names in a sentence, and the form of a GUID. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

SAMPLE = 20  # how many names a message lists
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# C0 (but for tab and line breaks), DEL and C1 steer a terminal; the others turn the direction of what is read.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def is_guid(text: str) -> bool:
    return _GUID.fullmatch(text) is not None


def fit(text: str) -> str:
    """The text without what could steer a terminal. It comes from the service, and from whoever names a mailbox."""
    return _UNFIT.sub("", text)


def one_line(text: str) -> str:
    return " ".join(fit(text).split())


def with_nul(name: str) -> str:
    """What is said of an option that has the character in it, wherever it is noticed."""
    return f"{name} has a NUL character in it, which can be part of no name, path or secret. Remove it."


def is_content(path: str) -> bool:
    """Whether what is given as a path is the file's content: a key, a certificate or a token."""
    return "-----BEGIN" in path or path.startswith("eyJ")


def instead_of_path(name: str) -> str:
    """What is said of an option that has a file's content, which is not shown."""
    return f"{name} has to be the path of a file, and holds the content of one. Only certificate takes content."


def listed(names: Sequence[str], total: int | None = None) -> str:
    """The first names, and how many there are beyond them. total: how many there are, where names is a sample."""
    shown = list(names[:SAMPLE])
    more = (len(names) if total is None else total) - len(shown)
    return fit(", ".join(shown)) + (f" and {more} more" if more > 0 else "")


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """``Did you mean imap_enabled?``, also for the service's own spelling (ImapEnabled); '' where no name is close.

    prefix: what the known names begin with, where that is left out of the comparison.
    """
    import difflib  # the controller makes a process for each task, and hardly one of them gets here

    by_letters = {_letters(one): one for one in known}
    close = difflib.get_close_matches(_letters(name), by_letters, n=1)
    return f"Did you mean {prefix}{fit(by_letters[close[0]])}?" if close else ""


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def counted(number: int, noun: str) -> str:
    """``1 mailbox``, ``2 mailboxes``, ``no mailbox``."""
    return f"1 {noun}" if number == 1 else f"{number:,} {plural(noun)}"


def happens(number: int, verb: str, *, preview: bool) -> str:
    """The verb of so many: ``loses`` of 1, ``lose`` of 2, ``would lose`` in a preview, where nothing has happened."""
    if preview:
        return f"would {verb}"
    return f"{verb}s" if number == 1 else verb


def lose_and_gain(lose: int | None, gain: int, *, preview: bool) -> str:
    """``9 lose SMTP AUTH, 0 gain it``; in a preview ``9 would lose SMTP AUTH, 0 would gain it``. None: not known."""
    if lose is None:
        return "who loses or gains SMTP AUTH is not known"
    loses, gains = happens(lose, "lose", preview=preview), happens(gain, "gain", preview=preview)
    return f"{lose} {loses} SMTP AUTH, {gain} {gains} it"


def plural(noun: str) -> str:
    """``mailboxes``, ``policies``, ``users``."""
    if noun.endswith("y"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("x") else f"{noun}s"


# How a formula begins, or what a spreadsheet passes on to other programs.
_FORMULA = ("=", "+", "-", "@", "|", "%", "\t", "\r", "\n")


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip(" '\"").startswith(_FORMULA) else cell
