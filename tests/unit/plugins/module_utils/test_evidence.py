# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence: the schema, the merge of runs, the controls, what changed, and exceptions. Pure functions in tables."""

from __future__ import annotations

import datetime
import itertools
import json
import typing as t
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import (
    _evidence,
    _evidence_controls,
    _evidence_exceptions,
    _evidence_merge,
    _evidence_report,
    _evidence_watch,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from evidence import fleet

ROOT = Path(__file__).resolve().parents[4]
SCHEMA = json.loads((ROOT / "docs" / "evidence.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
HALF_A_DAY = datetime.timedelta(hours=12)
UTC = datetime.timezone.utc
Document = dict[str, t.Any]


def parsed(*documents: Document) -> list[_evidence.Evidence]:
    """As evidence; each is held against the schema, so that no test rests on a document that can't be."""
    for content in documents:
        VALIDATOR.validate(content)
    return [_evidence.parse(content, f"{number}.json") for number, content in enumerate(documents)]


def merged(*documents: Document, expected: t.Sequence[str] = ()) -> _evidence_merge.Fleet:
    return _evidence_merge.merge(parsed(*documents), HALF_A_DAY, expected)


def reported(*documents: Document, writes: t.Sequence[_evidence_watch.OwnWrite] = ()) -> _evidence_report.Report:
    return _evidence_report.report(merged(*documents), writes, [])


def transport(value: t.Any) -> Document:
    return {**fleet.document()["organization"], "transport_config": {"smtp_client_authentication_disabled": value}}


def organization(**values: t.Any) -> Document:
    plain = fleet.document()["organization"]
    return {**plain, "organization_config": {**plain["organization_config"], **values}}


BEFORE = "2026-11-25T02:15:00Z"


class TestSchema:
    def test_is_a_schema(self) -> None:
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_has_the_version_that_is_written(self) -> None:
        VALIDATOR.validate(fleet.document(schema_version=_evidence.SCHEMA_VERSION, kind=_evidence.KIND))

    @pytest.mark.parametrize("hostile", [False, True])
    def test_every_document_of_a_fleet_is_valid_and_is_read(self, hostile: bool) -> None:
        for night in fleet.Generator(30, 60, hostile=hostile).nights(3):
            assert len(parsed(*night)) == 30

    @pytest.mark.parametrize("name", sorted(SCHEMA["properties"]))
    def test_a_property_that_is_missing_is_no_evidence(self, name: str) -> None:
        content = fleet.document()
        del content[name]
        with pytest.raises(jsonschema.ValidationError):
            VALIDATOR.validate(content)
        with pytest.raises(InvalidRequest, match=r"contoso\.json"):
            _evidence.parse(content, "contoso.json")

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"kind": "other"}, "no evidence"),
            ({"schema_version": "2.0"}, "schema version 2.0"),
            ({"time": "yesterday"}, "damaged"),
            ({"status": "fine"}, "damaged"),
            ({"counts": {"mailboxes": True, "enabled": 0, "disabled": 0, "inherit": 0}}, "no count"),
            ({"counts": {"mailboxes": -1, "enabled": 0, "disabled": 0, "inherit": 0}}, "no count"),
            ({"mailboxes": [fleet.mailbox(override="maybe")]}, "maybe"),
            ({"mailboxes": [fleet.mailbox(exception={**fleet.mailbox()["exception"], "expires": "soon"})]}, "no date"),
            ({"mailboxes": 7}, "damaged"),
        ],
    )
    def test_what_is_no_evidence_is_refused_by_name(self, changed: Document, words: str) -> None:
        with pytest.raises(InvalidRequest) as caught:
            _evidence.parse(fleet.document(**changed), "contoso.json")
        assert words in str(caught.value)
        assert "contoso.json" in str(caught.value)

    @pytest.mark.parametrize("content", [None, [], "text", 7, {}])
    def test_other_json_is_told_apart(self, content: t.Any) -> None:
        assert not _evidence.is_evidence(content)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        (" two\r\nlines\tof it ", "two lines of it"),
        ("bell\x07 and \x1b[31mred", "bell and [31mred"),
        ("turned\u202eround\u2066", "turnedround"),
        (
            "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("Zoë & 東京", "Zoë & 東京"),
    ],
)
def test_texts_are_one_line_without_controls(text: str, shown: str) -> None:
    assert _evidence.clean(text) == shown


class TestMerge:
    def test_the_newest_wins_in_any_order(self) -> None:
        documents = [fleet.document(time=f"2026-11-2{day}T02:00:00Z", drift=[str(day)]) for day in (3, 5, 4)]
        for order in itertools.permutations(documents):
            (tenant,) = merged(*order).tenants
            assert [tenant.newest.drift, tenant.current and tenant.current.drift] == [("5",), ("5",)]
            assert tenant.previous is not None
            assert tenant.previous.drift == ("4",)
            assert [point.time.day for point in tenant.points] == [23, 24, 25]

    def test_slices_of_a_run_are_one_fleet(self) -> None:
        documents = [
            fleet.document(
                host=name,
                tenant={"id": fleet.guid(name), "name": name, "cloud": None},
                run={"job": "7", "slice": number, "slices": 2},
            )
            for number, name in enumerate(("a", "b"), 1)
        ]
        found = merged(*documents)
        assert [tenant.newest.host for tenant in found.tenants] == ["a", "b"]
        assert found.clashes == ()

    def test_a_tenant_that_failed_keeps_what_was_read_before(self) -> None:
        (tenant,) = merged(fleet.document(time=BEFORE), fleet.failed()).tenants
        assert tenant.failed
        assert tenant.current is not None
        assert tenant.current.time.day == 25
        assert not tenant.vanished

    def test_a_tenant_that_never_was_read_stands_under_its_host(self) -> None:
        (tenant,) = merged(fleet.failed()).tenants
        assert (tenant.key, tenant.current) == ("host:contoso", None)

    def test_a_tenant_that_the_last_run_left_out_has_vanished(self) -> None:
        other = fleet.document(host="fabrikam", tenant={"id": fleet.guid("f"), "name": None, "cloud": None})
        assert [one.vanished for one in merged(fleet.document(time=BEFORE), other).tenants] == [True, False]

    def test_an_expected_host_without_evidence_has_failed(self) -> None:
        found = merged(fleet.document(), expected=["contoso", "fabrikam"])
        assert [(one.newest.host, one.failed) for one in found.tenants] == [("contoso", False), ("fabrikam", True)]
        (again,) = merged(fleet.document(time=BEFORE), expected=["contoso"]).tenants
        assert not again.failed, "its evidence is the newest there is"

    @pytest.mark.parametrize(
        ("other", "words"),
        [
            ({"host": "contoso2"}, "contoso and contoso2 are one tenant"),
            ({"tenant": {"id": fleet.guid("x"), "name": None, "cloud": None}}, "contoso was 2 tenants"),
            ({"counts": {"mailboxes": 9, "enabled": 9, "disabled": 0, "inherit": 0}}, "two files of 2026-11-26"),
        ],
    )
    def test_clashes_are_named(self, other: Document, words: str) -> None:
        (clash,) = merged(fleet.document(), fleet.document(**other)).clashes
        assert words in clash

    def test_a_tenant_that_was_renamed_long_ago_is_no_clash(self) -> None:
        assert merged(fleet.document(time=BEFORE, host="old"), fleet.document()).clashes == ()

    def test_the_same_file_twice_is_no_clash(self) -> None:
        found = merged(fleet.document(), fleet.document())
        assert found.clashes == ()
        assert found.tenants[0].previous is None

    def test_no_evidence_is_an_empty_fleet(self) -> None:
        assert merged() == _evidence_merge.Fleet()

    def test_hosts_that_left_nothing_at_all_have_failed(self) -> None:
        found = _evidence_merge.merge([], HALF_A_DAY, ["contoso"], fleet.NOW)
        assert [(one.newest.host, one.failed) for one in found.tenants] == [("contoso", True)]
        assert found.as_of == fleet.NOW


POLICY = {
    "id": "p",
    "name": "Block legacy",
    "state": "enabled",
    "modified": None,
    "client_app_types": ["exchangeActiveSync", "other"],
    "grant_controls": ["block"],
    "all_users": True,
    "all_apps": True,
    "exclusions": 0,
}


class TestControls:
    @pytest.mark.parametrize(
        ("control", "changed", "status"),
        [
            ("6.5.4", {"organization": transport(True)}, "pass"),
            ("6.5.4", {"organization": transport(False)}, "fail"),
            ("6.5.4", {"organization": {"transport_config": {}, "organization_config": {}}}, "unknown"),
            ("MS.EXO.5.1v1", {"organization": transport(True)}, "pass"),
            ("MS.EXO.5.1v1", {"organization": transport(False)}, "fail"),
            ("6.5.1", {"organization": organization(oauth2_client_profile_enabled=False)}, "fail"),
            ("6.5.1", {}, "pass"),
            ("6.5.5", {"organization": organization(reject_direct_send=None)}, "fail"),
            ("6.5.5", {}, "pass"),
            ("5.2.2.3", {"conditional_access": None}, "unknown"),
            ("5.2.2.3", {"conditional_access": []}, "fail"),
            ("5.2.2.3", {"conditional_access": [POLICY]}, "pass"),
            ("5.2.2.3", {"conditional_access": [{**POLICY, "client_app_types": ["all"]}]}, "pass"),
            ("5.2.2.3", {"conditional_access": [{**POLICY, "client_app_types": ["other"]}]}, "fail"),
            ("5.2.2.3", {"conditional_access": [{**POLICY, "grant_controls": ["mfa"]}]}, "fail"),
            ("5.2.2.3", {"conditional_access": [{**POLICY, "state": "enabledForReportingButNotEnforced"}]}, "fail"),
            ("5.2.2.3", {"conditional_access": [{**POLICY, "all_users": False}]}, "fail"),
            ("5.2.2.3", {"conditional_access": [{**POLICY, "all_apps": False}]}, "fail"),
            ("21799", {"security_defaults": True}, "pass"),
            ("21799", {"security_defaults": False, "conditional_access": [POLICY]}, "pass"),
            ("21799", {"security_defaults": None, "conditional_access": None}, "unknown"),
        ],
    )
    def test_verdicts(self, control: str, changed: Document, status: str) -> None:
        (evidence,) = parsed(fleet.document(**changed))
        found = {result.control.id: result for result in _evidence_controls.judge(evidence)}
        assert found[control].status == status

    def test_exclusions_are_named(self) -> None:
        (evidence,) = parsed(fleet.document(conditional_access=[{**POLICY, "exclusions": 12}]))
        details = {result.control.id: result.detail for result in _evidence_controls.judge(evidence)}
        assert "12 exclusions" in details["5.2.2.3"]

    def test_a_pass_shows_the_mailboxes_that_are_open_all_the_same(self) -> None:
        counts = {"mailboxes": 500, "enabled": 400, "disabled": 0, "inherit": 100}
        (evidence,) = parsed(fleet.document(counts=counts, mailboxes=[fleet.mailbox()]))
        found = {result.control.id: result for result in _evidence_controls.judge(evidence)}
        assert found["6.5.4"].status == found["MS.EXO.5.1v1"].status == "pass"
        assert found["6.5.4"].beside.startswith("400 mailboxes are enabled on their own, 1 of them")
        assert found["6.5.5"].beside == ""

    def test_a_tenant_that_was_not_read_passes_nothing(self) -> None:
        (tenant,) = reported(fleet.document(time=BEFORE), fleet.failed()).tenants
        assert {result.status for result in tenant.controls} == {"unknown"}
        assert "It was pass when last read." in tenant.controls[0].detail

    def test_every_control_is_told_once(self) -> None:
        names = [control.name for control in _evidence_controls.CONTROLS]
        assert len(set(names)) == len(names)
        assert all(control.since and control.version and control.remedy for control in _evidence_controls.CONTROLS)


def write(value: t.Any, **changed: t.Any) -> _evidence_watch.OwnWrite:
    plain = {
        "tenant_id": fleet.guid("contoso"),
        "time": datetime.datetime(2026, 11, 25, 12, tzinfo=UTC),
        "object": "",
        "option": "smtp_client_authentication_disabled",
        "value": value,
    }
    return _evidence_watch.OwnWrite(**{**plain, **changed})


class TestWatch:
    @pytest.mark.parametrize(
        ("before", "after", "kind", "words"),
        [
            ({"organization": transport(False)}, {}, "flag", "flag changed from false to true, and not by us"),
            (
                {},
                {"organization": organization(basic_auth_blocked_apps="Smtp")},
                "blocked_apps",
                "BasicAuthBlockedApps changed from None to Smtp",
            ),
            (
                {"default_authentication_policy": {"name": "Block", "allow_basic_auth_smtp": True}},
                {"default_authentication_policy": {"name": "Block", "allow_basic_auth_smtp": False}},
                "default_policy_smtp",
                "changed from true to false",
            ),
            (
                {},
                {"default_authentication_policy": {"name": "Block", "allow_basic_auth_smtp": None}},
                "default_policy",
                "from nothing to Block",
            ),
            ({}, {"security_defaults": True}, "security_defaults", "from false to true"),
            ({}, {"conditional_access": [POLICY]}, "conditional_access", "New policy for legacy clients: Block legacy"),
            ({"conditional_access": [POLICY]}, {}, "conditional_access", "Block legacy no longer reaches"),
            (
                {"conditional_access": [POLICY]},
                {"conditional_access": [{**POLICY, "state": "disabled"}]},
                "conditional_access",
                "went from enabled to disabled",
            ),
            (
                {"conditional_access": [POLICY]},
                {"conditional_access": [{**POLICY, "modified": "2026-11-26T01:00:00Z"}]},
                "conditional_access",
                "was edited",
            ),
            (
                {},
                {"other_properties": {"transport_config": ["SmtpBasicAuthState"], "organization_config": []}},
                "property",
                "has a new property, SmtpBasicAuthState",
            ),
            (
                {},
                {"mailboxes": [fleet.mailbox()]},
                "override_enabled",
                "scanner@contoso.com went from inherit to enabled",
            ),
            ({"mailboxes": [fleet.mailbox()]}, {}, "override_inherit", "from enabled to inherit"),
            (
                {"mailboxes": [fleet.mailbox()]},
                {"mailboxes": [fleet.mailbox(override="disabled")]},
                "override_disabled",
                "from enabled to disabled",
            ),
        ],
    )
    def test_what_changed_and_not_by_us(self, before: Document, after: Document, kind: str, words: str) -> None:
        found = reported(fleet.document(time=BEFORE, **before), fleet.document(**after)).tenants[0].changes
        assert [change.kind for change in found] == [kind]
        assert words in found[0].text
        assert found[0].foreign

    @pytest.mark.parametrize(
        ("own", "ours"),
        [
            ([write(True)], True),
            ([write(False)], False),
            ([write(True), write(False, time=datetime.datetime(2026, 11, 25, 13, tzinfo=UTC))], False),
            ([write(True, time=datetime.datetime(2026, 11, 24, tzinfo=UTC))], False),
            ([write(True, tenant_id=fleet.guid("other"))], False),
            ([write(True, object=fleet.guid("scanner"))], False),
            ([], False),
        ],
    )
    def test_a_run_of_ours_explains_a_change(self, own: list[_evidence_watch.OwnWrite], ours: bool) -> None:
        before = fleet.document(time=BEFORE, organization=transport(False))
        (change,) = reported(before, fleet.document(), writes=own).tenants[0].changes
        assert change.ours is ours

    def test_a_run_of_ours_explains_an_override(self) -> None:
        own = [write(False, object=fleet.guid("scanner"))]
        after = fleet.document(mailboxes=[fleet.mailbox()])
        (change,) = reported(fleet.document(time=BEFORE), after, writes=own).tenants[0].changes
        assert change.ours

    @pytest.mark.parametrize(
        "documents",
        [
            [fleet.document()],
            [fleet.document(time=BEFORE), fleet.document()],
            [fleet.document(time=BEFORE, security_defaults=None), fleet.document(security_defaults=True)],
            [fleet.document(time=BEFORE, conditional_access=None), fleet.document(conditional_access=[POLICY])],
            [fleet.document(time=BEFORE, counts=None), fleet.document(mailboxes=[fleet.mailbox()])],
            [
                fleet.document(time=BEFORE, other_properties={"transport_config": None, "organization_config": None}),
                fleet.document(other_properties={"transport_config": ["New"], "organization_config": []}),
            ],
        ],
        ids=["first", "same", "defaults", "policies", "mailboxes", "properties"],
    )
    def test_what_was_not_read_is_no_change(self, documents: list[Document]) -> None:
        assert reported(*documents).tenants[0].changes == ()

    def test_a_failure_is_no_change_of_settings(self) -> None:
        (change,) = reported(fleet.document(time=BEFORE), fleet.failed()).tenants[0].changes
        assert (change.kind, change.ours) == ("failed", None)

    def test_an_exception_that_expired_since(self) -> None:
        box = fleet.mailbox(exception={**fleet.mailbox()["exception"], "expires": "2026-11-25"})
        documents = [fleet.document(time=time, mailboxes=[box]) for time in (BEFORE, "2026-11-26T02:15:00Z")]
        (change,) = reported(*documents).tenants[0].changes
        assert change.kind == "expired"

    def test_own_writes_of_an_undo_file(self) -> None:
        content = {
            "tenant_id": fleet.guid("contoso").upper(),
            "written": "2026-11-25T12:00:00.945102+00:00",
            "entries": [
                {"noun": "organization", "after": {"smtp_client_authentication_disabled": True}},
                {"guid": fleet.guid("scanner"), "after": {"smtp_client_authentication_disabled": False}},
            ],
        }
        assert _evidence_watch.own_writes(content) == (write(True), write(False, object=fleet.guid("scanner")))

    @pytest.mark.parametrize("content", [None, [], {}, {"tenant_id": "x"}, {"tenant_id": "x", "written": "never"}])
    def test_other_json_explains_nothing(self, content: t.Any) -> None:
        assert _evidence_watch.own_writes(content) == ()


def entry(**changed: t.Any) -> Document:
    return {**fleet.mailbox()["exception"], **changed}


NOT_SEEN = {"state": "not_seen", "last_seen": None}


class TestExceptions:
    @pytest.mark.parametrize(
        ("changed", "states", "removable"),
        [
            ({}, ["current"], False),
            ({"exception": entry(expires=None)}, ["current"], False),
            ({"exception": entry(expires="2026-11-25")}, ["expired"], True),
            ({"exception": entry(expires="2026-11-26")}, ["expires_soon"], False),  # its last day counts
            ({"exception": entry(expires="2026-12-26")}, ["expires_soon"], False),
            ({"exception": entry(expires="2026-12-27")}, ["current"], False),
            ({"usage": NOT_SEEN}, ["not_seen"], True),
            ({"usage": {"state": "unknown", "last_seen": None}}, ["current"], False),
            ({"guid": None, "override": None}, ["gone"], True),
            ({"exception": entry(expires="2026-11-01"), "usage": NOT_SEEN}, ["expired", "not_seen"], True),
        ],
    )
    def test_states(self, changed: Document, states: list[str], removable: bool) -> None:
        (evidence,) = parsed(fleet.document(mailboxes=[fleet.mailbox(**changed)]))
        (judged,) = _evidence_exceptions.judge(evidence, datetime.date(2026, 11, 26))
        assert (list(judged.states), judged.removable) == (states, removable)

    @pytest.mark.parametrize("usage", [None, {"from": None, "to": None, "complete": False, "reason": "no licence"}])
    def test_an_empty_log_without_coverage_is_never_unused(self, usage: t.Any) -> None:
        (evidence,) = parsed(fleet.document(mailboxes=[fleet.mailbox(usage=NOT_SEEN)], usage=usage))
        (judged,) = _evidence_exceptions.judge(evidence, datetime.date(2026, 11, 26))
        assert judged.state == "current"

    def test_the_lines_to_delete_are_yaml(self) -> None:
        import yaml

        boxes = [
            fleet.mailbox("a", exception=entry(identity='o"brien\\#: @contoso.com', expires="2026-01-01")),
            fleet.mailbox("b"),
        ]
        (evidence,) = parsed(fleet.document(mailboxes=boxes))
        lines = _evidence_exceptions.lines_to_delete(_evidence_exceptions.judge(evidence, datetime.date(2026, 11, 26)))
        assert yaml.safe_load("\n".join(lines)) == [{"identity": 'o"brien\\#: @contoso.com'}]
        assert "expired on 2026-01-01" in lines[0]


class TestReport:
    def test_fail_on(self) -> None:
        expired = fleet.mailbox(exception=entry(expires="2026-01-01"))
        names = ["drifting", "flipped", "broken", "late", "fine"]
        changed: dict[str, Document] = {
            "drifting": {"status": "drift", "drift": ["x"]},
            "flipped": {"security_defaults": True},
            "late": {"mailboxes": [expired]},
        }
        documents = []
        for name in names:
            common = {"host": name, "tenant": {"id": fleet.guid(name), "name": name, "cloud": None}}
            boxes = [expired] if name == "late" else []
            documents.append(fleet.document(time=BEFORE, mailboxes=boxes, **common))
            make = fleet.failed if name == "broken" else fleet.document
            documents.append(make(**common, **changed.get(name, {})))
        found = reported(*documents)
        assert _evidence_report.failures(found, _evidence_report.FAIL_ON) == {
            "drift": ["drifting"],
            "change": ["flipped: Security defaults changed from false to true, and not by us."],
            "unread": ["broken"],
            "expired": ["late"],
        }
        assert _evidence_report.failures(found, ["expired"]) == {"expired": ["late"]}
        assert _evidence_report.line(found) == (
            "2026-11-26 02:15 UTC: 4 of 5 tenants read, 1 failed, 1 with drift, 1 change not by us,"
            " 1 exception expired. 35 days until 2026-12-31, when Basic for SMTP AUTH is off by default."
        )

    def test_files_that_can_not_be_read_count_as_unread(self) -> None:
        found = _evidence_report.report(merged(fleet.document()), [], ["x.json holds no valid JSON"])
        assert _evidence_report.failures(found, ["unread"]) == {"unread": ["x.json holds no valid JSON"]}

    @pytest.mark.parametrize(
        ("time", "words"),
        [
            ("2026-12-30T00:00:00Z", "1 day until 2026-12-31"),
            ("2026-12-31T23:00:00Z", "0 days until"),
            ("2027-01-01T00:00:00Z", "off by default since 2026-12-31"),
        ],
    )
    def test_the_countdown_is_that_of_the_evidence(self, time: str, words: str) -> None:
        assert words in _evidence_report.countdown(reported(fleet.document(time=time)))
