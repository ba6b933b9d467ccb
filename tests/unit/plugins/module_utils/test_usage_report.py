# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The admin center's report: any language and form, and files that are something else."""

from __future__ import annotations

import datetime
import tracemalloc
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import Report
from ansible_collections.m365.exchange_online.plugins.module_utils._usage_report import parse_report, read_report

TODAY = datetime.date(2026, 11, 26)
ENGLISH = """\
Date,Sender address,TLS version,Authentication protocol,Number of messages
2026-10-27,scanner1@contoso.example,TLS 1.2,Basic,14
2026-11-25,scanner1@contoso.example,TLS 1.2,OAuth,"1,002"
2026-11-24,ERP@contoso.example,TLS 1.3,,3
"""


def parse(text: str, days: int = 30) -> Report:
    return parse_report(text.splitlines(keepends=True), "report.csv", TODAY, days)


def test_a_report() -> None:
    report = parse(ENGLISH)
    assert sorted(report.senders) == ["erp@contoso.example", "scanner1@contoso.example"]
    assert report.senders["scanner1@contoso.example"].result() == {"basic": 14, "oauth": 1002, "last_day": "2026-11-25"}
    assert report.senders["erp@contoso.example"].result() == {"protocol_not_given": 3, "last_day": "2026-11-24"}
    assert report.coverage.result() == {"asked_days": 30, "from": "2026-10-27", "to": "2026-11-25", "complete": True}


@pytest.mark.parametrize(
    "header",
    [
        "Sender address",
        "SENDER",
        "Absenderadresse",
        "Adresse de l'expéditeur",
        "Dirección del remitente",
        "Indirizzo mittente",
        "Endereço do remetente",
        "Adres van afzender",
        "Adres nadawcy (nadawca)",
        "Avsändarens adress: avsändare",
        "Afsenderadresse",
        "Lähettäjä",
        "Gönderen adresi",
        "Адрес отправителя",
        "送信者アドレス",
        "发件人地址",
        "寄件者地址",
        "보낸 사람 주소",
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_in_many_languages(header: str, delimiter: str) -> None:
    text = delimiter.join(["X", header]) + "\n" + delimiter.join(["1", "a@contoso.example"]) + "\n"
    assert list(parse(text).senders) == ["a@contoso.example"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "report.csv"
    file.write_bytes("Expéditeur;Messages\njosé@contoso.example;1\n".encode(encoding))
    assert list(read_report(str(file), TODAY, 30).senders) == ["josé@contoso.example"]


def test_a_title_before_the_header_and_columns_in_another_order() -> None:
    text = "SMTP AUTH clients\n\nMessages,Protocol,Sender,Date\n5,basic,a@contoso.example,2026-11-20\n"
    assert parse(text).senders["a@contoso.example"].basic == 5


def test_the_column_of_addresses_is_the_one_that_holds_addresses() -> None:
    text = "Sender name,Sender address\nScanner,a@contoso.example\n"
    assert list(parse(text).senders) == ["a@contoso.example"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "Name,Size\na,1\n",
        "a@contoso.example\nb@contoso.example\n",
        "Sender,Messages\nScanner,3\n",
        # a message trace, and the usage of mailboxes
        "Date,Sender address,Recipient address,Subject\n2026-11-20,a@contoso.example,b@contoso.example,Hello\n",
        "User Principal Name,Display Name,Last Activity Date\na@contoso.example,A,2026-11-20\n",
        "<html><body>Sign in</body></html>\n",
        '{"sender": "a@contoso.example"}\n',
    ],
)
def test_a_file_that_is_something_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"usage_report report\.csv"):
        parse(text)


def test_a_field_without_end_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="not a CSV file"):
        parse('Sender,Messages\n"' + "x" * 200_000 + "\n")


@pytest.mark.parametrize("content", [b"\x81\x8d\x8f", b"\xff\xfe\x00", bytes(range(256))])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "report.csv"
    file.write_bytes(content)
    with pytest.raises(InvalidRequest, match="usage_report"):
        read_report(str(file), TODAY, 30)


@pytest.mark.parametrize("path", ["/nowhere/report.csv", "/", "bad\0name"])
def test_a_path_that_can_not_be_read(path: str) -> None:
    with pytest.raises(InvalidRequest, match="can't be read"):
        read_report(path, TODAY, 30)


def test_formulas_are_no_senders() -> None:
    text = "Sender,Messages\na@contoso.example,1\n" + "a@contoso.example,1\n" * 60 + "=cmd|x@y!A1,1\n@evil,1\n-1+1,2\n"
    report = parse(text)
    assert list(report.senders) == ["a@contoso.example"]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["2026-10-27", "2026-11-26"], ""),
        (["2026-10-27T00:00:00Z", "2026-11-24T00:00:00Z"], ""),
        (["27.10.2026", "24.11.2026"], ""),
        (["27/10/2026", "01/11/2026", "24/11/2026"], ""),
        (["10/27/2026 12:00:00 AM", "11/24/2026 12:00:00 AM"], ""),
        (["2026/10/27", "2026年11月24日"], ""),
        (["10/11/2026", "11/11/2026"], "does not say clearly"),
        (["27/10/2026", "10/27/2026"], "does not say clearly"),
        (["26-10-27", "26-11-24"], "does not say clearly"),
        (["", ""], "does not say clearly"),
        (["yesterday", "2026-13-40"], "does not say clearly"),
        (["2026-11-10", "2026-11-24"], "begins on 2026-11-10"),
        (["2026-08-01", "2026-11-10"], "ends on 2026-11-10"),
    ],
)
def test_its_dates_are_what_it_covers(dates: list[str], expected: str) -> None:
    coverage = parse("Date,Sender\n" + "".join(f"{day},a@contoso.example\n" for day in dates)).coverage
    assert expected in coverage.gap
    assert bool(coverage.gap) == bool(expected)


def test_a_report_without_dates_proves_no_absence() -> None:
    assert parse("Sender,Messages\na@contoso.example,1\n").coverage.gap


def test_a_row_without_a_sender_leaves_a_gap() -> None:
    text = "Date,Sender\n2026-10-27,a@contoso.example\n" + "2026-11-25,a@contoso.example\n" * 60 + "Total,61\n"
    assert parse(text).coverage.gap == "the report has rows that name no sender (1)"


def test_two_hundred_thousand_rows(tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    with file.open("w") as lines:
        lines.write("Date,Sender address,Protocol,Messages\n")
        for number in range(200_000):
            lines.write(f"2026-11-{number % 25 + 1:02},user{number % 20_000}@contoso.example,Basic,1\n")
    tracemalloc.start()
    report = read_report(str(file), TODAY, 25)
    assert tracemalloc.get_traced_memory()[1] < 80_000_000
    tracemalloc.stop()
    assert len(report.senders) == 20_000
    assert report.senders["user7@contoso.example"].basic == 10
    assert report.coverage.gap == ""
