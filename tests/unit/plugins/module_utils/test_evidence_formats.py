# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each format makes of the same report: well-formed, complete, and harmless whatever the texts are."""

from __future__ import annotations

import csv
import datetime
import html.parser
import io
import itertools
import json
import re
import typing as t
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import (
    _evidence,
    _evidence_csv,
    _evidence_files,
    _evidence_junit,
    _evidence_markdown,
    _evidence_merge,
    _evidence_ocsf,
    _evidence_page,
    _evidence_page_data,
    _evidence_report,
    _html,
    _verdict,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from evidence import fleet

TESTS = Path(__file__).resolve().parents[3]
OCSF = json.loads((TESTS / "evidence" / "ocsf.schema.json").read_text(encoding="utf-8"))
Document = dict[str, t.Any]

RENDERERS = dict(itertools.chain.from_iterable(files.items() for files in _evidence_files.FORMATS.values()))


def reported(*documents: Document, unreadable: t.Sequence[str] = ()) -> _evidence_report.Report:
    parsed = [_evidence.parse(content, "x.json") for content in documents]
    return _evidence_report.report(_evidence_merge.merge(parsed, datetime.timedelta(hours=12)), [], unreadable)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def hostile() -> _evidence_report.Report:
    nights = fleet.Generator(70, 30, hostile=True).nights(2)
    return reported(*itertools.chain.from_iterable(nights))


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_a_failed_tenant_is_in_every_format(name: str) -> None:
    found = RENDERERS[name](reported(fleet.failed(host="broken-one")))
    assert "broken" in found
    assert "directory role" in found


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_a_fleet_of_nothing_is_no_error(name: str) -> None:
    assert isinstance(RENDERERS[name](reported()), str)


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_the_same_evidence_gives_the_same_file(name: str) -> None:
    documents = list(itertools.chain.from_iterable(fleet.Generator(10, 30).nights(2)))
    assert RENDERERS[name](reported(*documents)) == RENDERERS[name](reported(*reversed(documents)))


@pytest.mark.parametrize("name", ["evidence.csv", "evidence.md", "evidence.junit.xml", "evidence.html"])
def test_files_that_could_not_be_used_are_told(name: str) -> None:
    text = RENDERERS[name](reported(fleet.document(), unreadable=["cut.json holds no valid JSON"]))
    assert "cut" in text


class TestCsv:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("'=1", "''=1"),
            ('"=1', "'\"=1"),
            ("|calc", "'|calc"),
            ("a=b", "a=b"),
            ("", ""),
            (None, ""),
            (0, "0"),
            (-5, "-5"),
            (datetime.date(2026, 1, 2), "2026-01-02"),
        ],
    )
    def test_cells(self, value: object, shown: str) -> None:
        assert _evidence_csv.cell(value) == shown

    @pytest.mark.parametrize("make", [_evidence_csv.controls, _evidence_csv.mailboxes, _evidence_csv.action_plan])
    def test_opens_harmless(
        self, make: t.Callable[[_evidence_report.Report], str], hostile: _evidence_report.Report
    ) -> None:
        found = rows(make(hostile))
        assert found
        for row in found:
            assert None not in row, "a cell that is too many"
            assert not [value for value in row.values() if value.startswith(("=", "+", "-", "@", "\t", "\r"))]

    def test_one_row_for_each_thing(self) -> None:
        unread = {"what": "Conditional Access", "reason": "403", "permission": "Policy.Read.All"}
        changed = {"drift": ["a", "b"], "completeness": {"mailboxes_read": 5, "unread": [unread]}}
        found = rows(_evidence_csv.controls(reported(fleet.document(**changed))))
        kinds = [row["kind"] for row in found]
        assert {kind: kinds.count(kind) for kind in kinds} == {"tenant": 1, "control": 6, "unread": 1, "drift": 2}

    def test_a_pass_and_its_exceptions_stand_apart(self) -> None:
        counts = {"mailboxes": 500, "enabled": 400, "disabled": 0, "inherit": 100}
        found = rows(_evidence_csv.controls(reported(fleet.document(counts=counts))))
        (row,) = [row for row in found if row["id"] == "6.5.4"]
        assert (row["status"], row["framework"], row["version"]) == ("pass", "CIS Microsoft 365 Foundations", "7.0.0")
        assert row["beside"].startswith("400 mailboxes")

    def test_the_action_plan_has_what_fails_and_room_to_decide(self) -> None:
        organization = fleet.document()["organization"]
        organization["transport_config"]["smtp_client_authentication_disabled"] = False
        found = rows(_evidence_csv.action_plan(reported(fleet.document(organization=organization))))
        assert [row["id"] for row in found][:2] == ["6.5.4", "MS.EXO.5.1v1"]
        assert {(row["reason"], row["target_date"], row["owner"]) for row in found} == {("", "", "")}


class TestMarkdown:
    def test_no_text_is_markup(self, hostile: _evidence_report.Report) -> None:
        text = _evidence_markdown.render(hostile)
        outside_code = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
        assert not re.search(r"(?<!\\)<", outside_code)
        assert not re.search(r"(?<!\\)\[", outside_code)

    def test_tables_have_as_many_columns_as_their_heads(self, hostile: _evidence_report.Report) -> None:
        width = 0
        for line in _evidence_markdown.render(hostile).splitlines():
            if not line.startswith("|"):
                width = 0
                continue
            columns = len(re.findall(r"(?<!\\)\|", line))
            assert width in (0, columns)
            width = columns

    def test_says_how_much_is_left_out(self) -> None:
        documents = next(fleet.Generator(60, 30).nights(1))
        assert "10 more are in the CSV files." in _evidence_markdown.render(reported(*documents))


class TestJUnit:
    """Held against the shape of the common JUnit schema: names, counters that agree, one outcome a case."""

    OUTCOMES = t.cast(t.ClassVar[set[str]], {"failure", "error", "skipped"})

    def test_shape(self, hostile: _evidence_report.Report) -> None:
        root = ElementTree.fromstring(_evidence_junit.render(hostile))
        assert root.tag == "testsuites"
        for suite in root:
            assert suite.tag == "testsuite"
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
            cases = list(suite)
            assert {case.tag for case in cases} == {"testcase"}
            assert all(case.attrib["name"] and case.attrib["classname"] and case.attrib["time"] for case in cases)
            found = [[child.tag for child in case] for case in cases]
            assert all(len(children) <= 1 and set(children) <= self.OUTCOMES for children in found)
            for attribute, outcome in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                assert int(suite.attrib[attribute]) == sum(1 for children in found if children == [outcome])
            assert int(suite.attrib["tests"]) == len(cases)
        assert int(root.attrib["tests"]) == sum(int(suite.attrib["tests"]) for suite in root)

    def test_outcomes(self) -> None:
        expired = fleet.mailbox(exception={**fleet.mailbox()["exception"], "expires": "2026-01-01"})
        root = ElementTree.fromstring(
            _evidence_junit.render(reported(fleet.document(drift=["x"], mailboxes=[expired])))
        )
        failures = [case.attrib["classname"] for case in root.iter("testcase") if case.find("failure") is not None]
        assert failures == ["contoso.baseline", "contoso.controls", "contoso.controls", "contoso.exceptions"]


class TestOcsf:
    def test_validates(self, hostile: _evidence_report.Report) -> None:
        found = json.loads(_evidence_ocsf.render(hostile))
        jsonschema.Draft202012Validator(OCSF).validate(found)
        uids = [event["finding_info"]["uid"] for event in found]
        assert len(set(uids)) == len(uids)

    def test_an_unknown_is_a_warning_and_no_pass(self) -> None:
        found = json.loads(_evidence_ocsf.render(reported(fleet.failed())))
        assert {event["compliance"]["status"] for event in found} == {"Warning"}

    def test_time_is_in_milliseconds(self) -> None:
        found = json.loads(_evidence_ocsf.render(reported(fleet.document())))
        assert {event["time"] for event in found} == {int(fleet.NOW.timestamp()) * 1000}


class Tags(html.parser.HTMLParser):
    """The tags of a page, and whether they are closed in order."""

    VOID = t.cast(t.ClassVar[set[str]], {"meta", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


class TestPage:
    def test_nothing_breaks_out(self, hostile: _evidence_report.Report) -> None:
        tags = Tags()
        tags.feed(_evidence_page.render(hostile))
        assert tags.open == []
        names = [name for name, _attributes in tags.seen]
        assert names.count("script") == 2
        assert not {"img", "iframe", "link", "object", "form", "base"} & set(names)
        attributes = set(itertools.chain.from_iterable(found for _name, found in tags.seen))
        assert not [key for key in attributes if key.startswith("on") or key == "style"]

    def test_the_policy_allows_its_own_style_and_script_only(self, hostile: _evidence_report.Report) -> None:
        tags = Tags()
        tags.feed(_evidence_page.render(hostile))
        (policy,) = [a["content"] for name, a in tags.seen if a.get("http-equiv") == "Content-Security-Policy"]
        assert policy is not None
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert policy.count("sha256-") == 2

    def test_ids_are_told_once(self) -> None:
        tags = Tags()
        tags.feed(_evidence_page.render(reported(*next(fleet.Generator(40, 30).nights(1)))))
        ids = [found["id"] for _name, found in tags.seen if "id" in found]
        assert len(set(ids)) == len(ids)

    @pytest.mark.parametrize("budget", [0, 2_000, 20_000])
    def test_what_does_not_fit_is_counted_and_the_urgent_stay(self, budget: int) -> None:
        report = reported(*next(fleet.Generator(5, 200, listed=200).nights(1)))
        packed, left_out = _evidence_page_data.pack(report, budget)
        kept = sum(len(tenant["o"]) for tenant in packed["tenants"])
        assert kept + left_out == 1000
        for tenant in packed["tenants"]:
            ranks = ["xgs-nc".index(state) for state in tenant["s"].lower()]
            assert ranks == sorted(ranks)

    def test_every_gate_has_a_name(self) -> None:
        assert set(_evidence_page_data.GATE_LABELS) == set(_verdict.GATES)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (_html.tag("p", "<b>", 3, None, ["a", _html.tag("i")], class_="x"), '<p class="x">&lt;b&gt;3a<i></i></p>'),
        (_html.tag("a", href='"><script>', hidden=True, title=None), '<a href="&quot;&gt;&lt;script&gt;" hidden></a>'),
        (_html.tag("td", data_l="x"), '<td data-l="x"></td>'),
        (_html.tag("rect", x="1"), '<rect x="1"/>'),
        (_html.data_block("d", {"a": "</script>&\u2028"}), None),
    ],
)
def test_html(made: str, text: str | None) -> None:
    if text is not None:
        assert made == text
    else:
        assert made.count("<") == 2
        assert json.loads(made[made.index("{") : made.rindex("}") + 1]) == {"a": "</script>&\u2028"}


def parameters(source: Path, dest: Path, **changed: t.Any) -> dict[str, t.Any]:
    plain = {name: option.get("default") for name, option in _evidence_files.ARGUMENT_SPEC.items()}
    return {**plain, "src": [str(source)], "dest": str(dest), **changed}


class TestFiles:
    @pytest.fixture
    def places(self, tmp_path: Path) -> tuple[Path, Path]:
        for name in ("src", "dest"):
            (tmp_path / name).mkdir()
        fleet.write(tmp_path / "src", list(itertools.chain.from_iterable(fleet.Generator(5, 30).nights(2))))
        return tmp_path / "src", tmp_path / "dest"

    def test_writes_once_and_then_no_more(self, places: tuple[Path, Path]) -> None:
        first = _evidence_files.render(parameters(*places), False)
        assert first["changed"]
        assert sorted(Path(path).name for path in first["files"]) == sorted(RENDERERS)
        assert {path.stat().st_mode & 0o777 for path in places[1].iterdir()} == {0o600}
        assert not _evidence_files.render(parameters(*places), False)["changed"]

    def test_check_mode_writes_nothing_and_predicts(self, places: tuple[Path, Path]) -> None:
        assert _evidence_files.render(parameters(*places), True)["changed"]
        assert list(places[1].iterdir()) == []

    def test_the_mode_of_a_file_stays(self, places: tuple[Path, Path]) -> None:
        page = places[1] / "evidence.html"
        page.write_text("old")
        page.chmod(0o644)
        _evidence_files.render(parameters(*places, formats=["html"]), False)
        assert page.stat().st_mode & 0o777 == 0o644
        assert list(places[1].iterdir()) == [page]

    def test_other_files_are_passed_over_and_broken_ones_told(self, places: tuple[Path, Path]) -> None:
        (places[0] / "report.json").write_text('{"tenant": "contoso"}')
        (places[0] / "cut.json").write_text('{"kind": "m365')
        (places[0] / "old.json").write_text('{"kind": "m365.exchange_online.evidence", "schema_version": "9.0"}')
        found = _evidence_files.render(parameters(*places, fail_on=["unread"]), False)
        assert found["failed_on"] == ["unread"]
        assert "2 unreadable files" in found["line"]
        assert "cut.json" in found["msg"]

    def test_nothing_found_is_an_error(self, places: tuple[Path, Path]) -> None:
        with pytest.raises(InvalidRequest, match="No evidence was found"):
            _evidence_files.render(parameters(places[1], places[1]), False)

    @pytest.mark.parametrize("name", ["src", "undo"])
    def test_a_directory_that_is_not_there_is_named(self, places: tuple[Path, Path], name: str) -> None:
        with pytest.raises(InvalidRequest, match="/nowhere is not a directory"):
            _evidence_files.render(parameters(*places, **{name: ["/nowhere"]}), False)

    def test_a_place_that_can_not_be_written_is_named(self, places: tuple[Path, Path]) -> None:
        with pytest.raises(InvalidRequest, match=r"missing/evidence\.html can't be written"):
            _evidence_files.render(parameters(places[0], places[1] / "missing"), False)

    def test_a_suffix_keeps_the_files_of_slices_apart(self, places: tuple[Path, Path]) -> None:
        for suffix in ("-job1", "-job2"):
            _evidence_files.render(parameters(*places, suffix=suffix), False)
        names = {path.name for path in places[1].iterdir()}
        assert len(names) == 2 * len(RENDERERS)
        assert {"evidence-job1.junit.xml", "mailboxes-job2.csv"} < names
        with pytest.raises(InvalidRequest, match="suffix takes letters"):
            _evidence_files.render(parameters(*places, suffix="/../x"), False)

    def test_an_undo_file_explains_a_change(self, places: tuple[Path, Path], tmp_path: Path) -> None:
        source = tmp_path / "flip"
        source.mkdir()
        before = fleet.document(time="2026-11-25T02:15:00Z")
        before["organization"]["transport_config"]["smtp_client_authentication_disabled"] = False
        fleet.write(source, [before])
        (source / "after.json").write_text(json.dumps(fleet.document()))
        without = _evidence_files.render(parameters(source, places[1], fail_on=["change"]), False)
        assert "flag changed from false to true, and not by us" in without["changes"][0]["text"]
        assert without["failed_on"] == ["change"]
        undo = {
            "tenant_id": fleet.guid("contoso"),
            "written": "2026-11-25T09:00:00+00:00",
            "entries": [{"noun": "organization", "after": {"smtp_client_authentication_disabled": True}}],
        }
        (tmp_path / "undo").mkdir()
        (tmp_path / "undo" / "contoso.json").write_text(json.dumps(undo))
        explained = parameters(source, places[1], fail_on=["change"], undo=[str(tmp_path / "undo")])
        assert "failed_on" not in _evidence_files.render(explained, False)

    def test_the_summary_fits_into_an_artifact(self, places: tuple[Path, Path], tmp_path: Path) -> None:
        source = tmp_path / "many"
        source.mkdir()
        fleet.write(source, next(fleet.Generator(1200, 20, listed=1).nights(1)))
        found = _evidence_files.render(parameters(source, places[1], formats=["csv"]), False)
        assert len(json.dumps(found["summary"])) <= 200_000
        assert len(found["summary"]["tenants"]) + found["summary"]["truncated"] == 1200
        first = next(iter(found["summary"]["tenants"].values()))
        assert first["status"] != "compliant"
        assert "@" not in json.dumps(found["summary"])
