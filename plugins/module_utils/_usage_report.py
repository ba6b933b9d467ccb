# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report "SMTP AUTH clients" that the Exchange admin center exports as CSV. PRIVATE to the collection.

Its columns are published nowhere and differ by language, and no exported file was seen while this was written. So a
column is found by words of its header and by what it holds, and a file without a column of senders is refused.
"""

from __future__ import annotations

import csv
import datetime
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import Coverage, Report, Sent

_HEADER_LINES = 10  # lines among which the header is looked for; some exports begin with a title
_LAG_DAYS = 3  # a report that ends this long before today still counts as ending today: it is made with a delay
_SAMPLE = 50  # rows by which a column is judged
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # the byte order marks that spreadsheets write

# The admin center is translated: English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Swedish, Danish,
# Norwegian, Finnish, Czech, Turkish, Russian, Japanese, Chinese, Korean. A header has one of these words in it.
_SENDER = (
    "sender|absender|expéditeur|expediteur|remitente|mittente|remetente|afzender|nadawca|avsändare|afsender|avsender"
    "|lähettäjä|odesílatel|gönderen|отправител|送信者|差出人|发件人|寄件者|보낸 사람"
)
_COUNT = (
    "messages|message count|nachrichten|mensajes|messaggi|mensagens|berichten|wiadomości|meddelanden|meddelelser"
    "|meldinger|viest|zpráv|ileti|сообщени|メッセージ|邮件|郵件|메시지"
)
_PROTOCOL = (
    "protocol|authentication|authentifizierung|protokoll|protocole|protocolo|protocollo|autenticación|autenticação"
    "|autenticazione|verificatie|протокол|認証|身份验证|驗證|프로토콜|인증"
)
_DATE = "date|datum|fecha|data|dato|päivä|tarih|дата|日付|日期|날짜"
# Columns that other reports have and this one has not.
_FOREIGN = (
    "recipient|empfänger|destinataire|destinatario|destinatário|ontvanger|subject|betreff|objet|asunto"
    "|last activity|storage used|licen"
)
_ADDRESS = re.compile(r"[^\s@<>\"=]+@[^\s@<>\"]+")


_HINT = (
    "Export it in the Exchange admin center: Reports, Mail flow, SMTP AUTH clients report, as CSV, and leave its header"
    " as it is."
)


@dataclass(frozen=True)
class _Columns:
    """Positions of the columns; None where the file has no such column."""

    sender: int
    count: int | None
    protocol: int | None
    date: int | None


def read_report(path: str, today: datetime.date, days: int) -> Report:
    """The report in this file; raises InvalidRequest for a file that is none, naming it.

    days: how far back it has to reach to show that a mailbox is not used.
    """
    try:
        with open(path, "rb") as file:
            marked = file.read(2) in _UTF_16
        for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
            try:
                with open(path, encoding=encoding, newline="") as lines:
                    return parse_report(lines, path, today, days)
            except UnicodeError:
                continue
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no valid path"
        raise InvalidRequest(f"usage_report {path} can't be read: {reason}.") from None
    raise InvalidRequest(f"usage_report {path} is not text in UTF-8, UTF-16 or Latin-1.", hint=_HINT)


def parse_report(lines: Iterable[str], name: str, today: datetime.date, days: int) -> Report:
    """The report in these lines. name: of the file, for messages."""
    try:
        stream = iter(lines)
        first = list(islice(stream, _HEADER_LINES))
        delimiter = max(",;\t", key="".join(first).count)
        rows = csv.reader(chain(first, stream), delimiter=delimiter)
        columns, sample = _find_columns(rows, name)
        return _collect(columns, chain(sample, rows), today, days)
    except csv.Error as error:
        raise InvalidRequest(f"usage_report {name} is not a CSV file: {error}.", hint=_HINT) from None


def _find_columns(rows: Iterator[list[str]], name: str) -> tuple[_Columns, list[list[str]]]:
    """The columns, and the rows after the header that were read to judge them."""
    header = _find_header(rows)
    cells = _words(header)
    shown = ", ".join(cell.strip()[:40] for cell in header[:12]) or "none"
    senders = _positions(cells, _SENDER)
    if senders and _positions(cells, _FOREIGN):
        raise InvalidRequest(f"usage_report {name} is another report: its columns are {shown}.", hint=_HINT)
    sample = list(islice(rows, _SAMPLE)) if senders else []
    sender = next((index for index in senders if _holds_addresses(sample, index)), None)
    if sender is None:
        raise InvalidRequest(
            f"usage_report {name} has no column of senders' addresses; its columns are {shown}.", hint=_HINT
        )
    return _Columns(sender, *(_other(cells, words, sender) for words in (_COUNT, _PROTOCOL, _DATE))), sample


def _find_header(rows: Iterator[list[str]]) -> list[str]:
    """The first row that names a column of senders, else the first that is not blank: a message can show that one."""
    first: list[str] = []
    for row in islice(rows, _HEADER_LINES):
        cells = _words(row)
        if _positions(cells, _SENDER):
            return row
        if any(cells) and not first:
            first = row
    return first


def _words(row: Sequence[str]) -> list[str]:
    return [cell.strip().lower() for cell in row]


def _positions(cells: Sequence[str], words: str) -> list[int]:
    return [index for index, cell in enumerate(cells) if "@" not in cell and re.search(words, cell)]


def _other(cells: Sequence[str], words: str, sender: int) -> int | None:
    return next((index for index in _positions(cells, words) if index != sender), None)


def _holds_addresses(rows: Iterable[Sequence[str]], index: int) -> bool:
    cells = [_cell(row, index) for row in rows]
    return all(_ADDRESS.fullmatch(cell) for cell in cells if cell)


def _cell(row: Sequence[str], index: int | None) -> str:
    return row[index].strip() if index is not None and index < len(row) else ""


def _collect(columns: _Columns, rows: Iterable[list[str]], today: datetime.date, days: int) -> Report:
    senders: dict[str, Sent] = {}
    named: dict[str, set[str]] = {}  # the days of each sender, as the file writes them
    without = 0
    for row in rows:
        address = _cell(row, columns.sender).lower()
        if not _ADDRESS.fullmatch(address):
            without += any(cell.strip() for cell in row)
            continue
        _count(senders.setdefault(address, Sent()), row, columns)
        named.setdefault(address, set()).add(_cell(row, columns.date))
    dates = _dates(set(chain.from_iterable(named.values())) - {""})
    for address, days_of_one in named.items():
        senders[address].last = max((dates[day] for day in days_of_one if day in dates), default=None)
    since = today - datetime.timedelta(days=days)
    return Report(senders, _coverage(dates.values(), without, today, days), since)


def _count(sent: Sent, row: Sequence[str], columns: _Columns) -> None:
    digits = re.sub(r"\D", "", _cell(row, columns.count))[:12]
    messages = int(digits) if digits else 1
    protocol = _cell(row, columns.protocol).lower()
    if "oauth" in protocol or "modern" in protocol:
        sent.oauth += messages
    elif "basic" in protocol or "login" in protocol or "plain" in protocol:
        sent.basic += messages
    else:
        sent.other += messages


_NUMBERS = re.compile(r"(\d{1,4})(\D{1,3})(\d{1,2})\D{1,3}(\d{1,4})(?!\d)")


def _dates(texts: Collection[str]) -> dict[str, datetime.date]:
    """The day that each text names; a text that can be read in two ways, or in none, has no entry."""
    found = {text: match for text in texts if (match := _NUMBERS.match(text))}
    unclear = _unclear_order([match for match in found.values() if len(match[1]) < 3 and match[2] != "."])
    dates = {text: _date(_order(match, unclear), (match[1], match[3], match[4])) for text, match in found.items()}
    return {text: date for text, date in dates.items() if date}


def _unclear_order(matches: Collection[re.Match[str]]) -> str:
    """Whether the day or the month comes first in 01/02/2026: the others of the file tell, or nothing does."""
    day_first = any(int(match[1]) > 12 for match in matches)
    month_first = any(int(match[3]) > 12 for match in matches)
    return {(True, False): "dmy", (False, True): "mdy"}.get((day_first, month_first), "")


def _order(match: re.Match[str], unclear: str) -> str:
    if len(match[1]) == 4:
        return "ymd"
    return "dmy" if match[2] == "." else unclear


def _date(order: str, numbers: Sequence[str]) -> datetime.date | None:
    parts = dict(zip(order, numbers, strict=False))
    if len(parts.get("y", "")) != 4:
        return None
    try:
        return datetime.date(int(parts["y"]), int(parts["m"]), int(parts["d"]))
    except ValueError:
        return None


def _coverage(dates: Collection[datetime.date], without: int, today: datetime.date, days: int) -> Coverage:
    if not dates:
        return Coverage(days, None, None, "the report does not say clearly which days it covers")
    start, end = min(dates), max(dates)
    first = today - datetime.timedelta(days=days)
    gap = ""
    if end < today - datetime.timedelta(days=_LAG_DAYS):
        gap = f"the report ends on {end}"
    elif start > first + datetime.timedelta(days=1):
        gap = f"the report begins on {start}, and {days} days were asked about"
    elif without:
        gap = f"the report has rows that name no sender ({without})"
    return Coverage(days, start, end, gap)
