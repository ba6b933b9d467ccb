# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role makes of its variables."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.m365.exchange_online.plugins.plugin_utils import _baseline
from ansible_collections.m365.exchange_online.plugins.plugin_utils._baseline import FORMS, PREFIX, Run, file_name, plan

SMTP = "smtp_client_authentication_disabled"
CLOSED = {"smtp_auth_organization": "disabled", "smtp_auth_allowed": [{"identity": "scanner@contoso.com"}]}


def planned(variables: dict[str, Any], **run: Any) -> dict[str, Any]:
    """The plan of these variables, named without their prefix."""
    return plan(
        {PREFIX + name: value for name, value in variables.items()},
        Run(**{"host": "contoso", "tenant": "contoso.onmicrosoft.com", **run}),
    )


def arguments(variables: dict[str, Any], part: str, **run: Any) -> dict[str, Any]:
    found = planned(variables, **run)
    assert found["problems"] == []
    result: dict[str, Any] = found["arguments"][part]
    return result


EFFECT = {"max_lose": "10%", "max_lose_when_closing": "100%", "max_gain": "10%"}
SHARED = {"lookup_failure_action": "fail", "max_changes": "10%", **EFFECT}


@pytest.mark.parametrize(
    ("variables", "part", "expected"),
    [
        pytest.param(
            {"transport_config": {"clear_categories": False}},
            "transport_config",
            {"clear_categories": False, **EFFECT},
            id="own",
        ),
        pytest.param(
            {
                "transport_config_fleet": {"clear_categories": False, "message_expiration": 43200},
                "transport_config": {"message_expiration": "18:00:00"},
            },
            "transport_config",
            {"clear_categories": False, "message_expiration": "18:00:00", **EFFECT},
            id="own wins key by key",
        ),
        pytest.param(
            {
                "transport_config_fleet": {"clear_categories": False, "message_expiration": 43200},
                "transport_config": {"message_expiration": None},
            },
            "transport_config",
            {"clear_categories": False, **EFFECT},
            id="null takes out",
        ),
        pytest.param(
            {"transport_config": '{"clear_categories": false}'},
            "transport_config",
            {"clear_categories": False, **EFFECT},
            id="a dictionary as JSON, from a survey",
        ),
        pytest.param(
            CLOSED,
            "smtp_auth",
            {
                "organization": "disabled",
                "allowed": [{"identity": "scanner@contoso.com"}],
                "propagation_delay": 900,
                **SHARED,
            },
            id="smtp_auth",
        ),
        pytest.param(
            {**CLOSED, "smtp_auth_expired": "", "smtp_auth_denied": None, "propagation_delay": "0", "max_changes": 3},
            "smtp_auth",
            {
                "organization": "disabled",
                "allowed": [{"identity": "scanner@contoso.com"}],
                "propagation_delay": 0,
                **SHARED,
                "max_changes": "3",
            },
            id="blank is not given, and numbers are texts where the module takes texts",
        ),
        pytest.param(
            {
                "smtp_auth_allowed": [{"identity": "scanner", "expires": datetime.date(2027, 3, 31)}],
                "propagation_delay": "",
            },
            "smtp_auth",
            {"allowed": [{"identity": "scanner", "expires": "2027-03-31"}], "propagation_delay": 900, **SHARED},
            id="an unquoted date",
        ),
        pytest.param(
            {"smtp_auth_allowed": []},
            "smtp_auth",
            {"allowed": [], "propagation_delay": 900, **SHARED},
            id="an empty list is given",
        ),
        pytest.param(
            {"mailboxes": [{"identity": "ada", "imap_enabled": False, "pop_enabled": None}]},
            "mailboxes",
            {"mailboxes": [{"identity": "ada", "imap_enabled": False}], **SHARED},
            id="null in an entry is not managed",
        ),
        pytest.param(
            {
                "all_mailboxes_fleet": {"pop_enabled": False},
                "all_mailboxes": {"where": {"pop_enabled": True}},
                "exclude": "ada,ben",
            },
            "mailboxes",
            {
                "all_mailboxes": True,
                "pop_enabled": False,
                "where": {"pop_enabled": True},
                "exclude": ["ada", "ben"],
                **SHARED,
            },
            id="all mailboxes",
        ),
    ],
)
def test_arguments(variables: dict[str, Any], part: str, expected: dict[str, Any]) -> None:
    assert arguments(variables, part) == expected


def test_a_limit_on_losses_that_is_set_counts_whatever_the_run_does() -> None:
    found = arguments({**CLOSED, "max_lose": "10%"}, "smtp_auth")
    assert found["max_lose"] == "10%"
    assert "max_lose_when_closing" not in found


def test_rare_parts_have_their_own_file() -> None:
    found = planned({**CLOSED, "organization_config_fleet": {"ews_allowed_app_ids": [], "allow_empty": True}})
    assert (found["parts"], found["tasks"]) == (["smtp_auth", "organization_config"], "all_parts.yml")
    assert found["arguments"]["organization_config"] == {"ews_allowed_app_ids": [], "allow_empty": True, **EFFECT}
    assert planned(CLOSED)["tasks"] == "parts.yml"


def test_policies_come_one_by_one_and_first(tmp_path: Path) -> None:
    policies = [{"name": "Let SMTP through", "allow_basic_auth_smtp": True}, {"name": "Old", "state": "absent"}]
    variables = {
        **CLOSED,
        "authentication_policies": policies,
        "cas_mailbox_plans": [{"identity": "P", "pop_enabled": None}],
    }
    found = planned({**variables, "undo_dir": str(tmp_path)})
    assert found["parts"] == ["policies", "smtp_auth", "plans"]
    first, second = found["arguments"]["policies"]
    assert (first["name"], first["allow_basic_auth_smtp"], second["state"]) == ("Let SMTP through", True, "absent")
    assert first["undo_file"] == f"{tmp_path}/contoso-policies-Let_SMTP_through.json"
    assert found["arguments"]["plans"]["plans"] == [{"identity": "P"}]


@pytest.mark.parametrize(("policy", "waits"), [("Block", True), ("", True), (None, False)])
def test_the_default_policy_is_known(policy: str | None, waits: bool) -> None:
    config = {"default_authentication_policy": policy, "reject_direct_send": True}
    assert planned({**CLOSED, "organization_config": config})["default_policy"] is waits
    found = arguments({**CLOSED, "smtp_auth_authentication_policy": "Let", "organization_config": config}, "smtp_auth")
    assert found.get("planned_default_policy") == (policy or None)


def test_policies_to_come_are_known() -> None:
    """Where SMTP AUTH or the default names a policy, a preview has to know those that the same run makes."""
    policies = [
        {"name": "Let", "allow_basic_auth_smtp": True, "allow_basic_auth_pop": False},
        {"name": "Block"},
        {"name": "Old", "state": "absent"},
    ]
    variables = {**CLOSED, "authentication_policies": policies, "smtp_auth_authentication_policy": "Let"}
    planned_policies = [{"name": "Let", "allow_basic_auth_smtp": True}, {"name": "Block"}]
    assert arguments(variables, "smtp_auth")["planned_policies"] == planned_policies
    assert "planned_policies" not in arguments({**CLOSED, "authentication_policies": policies}, "smtp_auth")
    default = {**variables, "organization_config": {"default_authentication_policy": "Block"}}
    assert arguments(default, "organization_config")["planned_policies"] == planned_policies
    other = {**variables, "organization_config": {"reject_direct_send": True}}
    assert "planned_policies" not in arguments(other, "organization_config")


def test_an_audit_has_no_limit_and_saves_nothing() -> None:
    gate = {"smtp_auth_require_unused_days": 30, "smtp_auth_accept_cutoff": ["old@contoso.com"]}
    found = arguments({**CLOSED, **gate, "undo_dir": "/nowhere"}, "smtp_auth", audit=True)
    assert not {"require_unused_days", "accept_cutoff"} & set(found)
    assert arguments({**CLOSED, **gate}, "smtp_auth")["require_unused_days"] == 30
    assert not {"max_changes", "max_lose", "max_gain"} & set(found)
    assert "undo_file" not in found


def test_undo_files_are_named_after_host_and_part(tmp_path: Path) -> None:
    found = arguments({**CLOSED, "undo_dir": str(tmp_path)}, "smtp_auth", host="a/b ü:1")
    assert found["undo_file"] == f"{tmp_path}/a_b___1-smtp_auth.json"
    assert file_name("contoso-1.example") == "contoso-1.example"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"smtp_auth_alowed": []}, ["tenant_baseline_smtp_auth_alowed", "mean tenant_baseline_smtp_auth_allowed?"]),
        ({"smtp_auth_alowed": None}, ["Did you mean tenant_baseline_smtp_auth_allowed?"]),
        ({"entirely_else": 1}, ["tenant_baseline_entirely_else is no variable of this role."]),
        ({"transport_config": ["a"]}, ["tenant_baseline_transport_config has to be a dictionary", "['a']"]),
        ({"transport_config": {"mesage_expiration": 1}}, ["exo_transport_config", "mean message_expiration?"]),
        ({"transport_config": {"MessageExpiration": 1}}, ["Did you mean message_expiration?"]),
        ({"transport_config_fleet": {"endpoint": "x"}}, ["_fleet: endpoint is not a setting of exo_transport_config."]),
        ({"all_mailboxes": {"ImapEnabled": 1}}, ["exo_cas_mailbox", "Did you mean imap_enabled?"]),
        (
            {"mailboxes": [{"identity": "a"}, {"identity": "b", "ImapEnabled": 1}]},
            ["tenant_baseline_mailboxes[1]", "imap_enabled?"],
        ),
        ({"mailboxes": [{"pop_enabled": True}]}, ["tenant_baseline_mailboxes[0] has no identity."]),
        ({"authentication_policies": [{"allow_basic_auth_smtp": True}]}, ["policies[0] has no name."]),
        ({"cas_mailbox_plans": [{"identity": "a", "smtp": 1}]}, ["smtp is not a setting of exo_cas_mailbox_plan"]),
        ({"mailboxes": ["ada"]}, ["tenant_baseline_mailboxes[0] has to be a dictionary", "'ada'"]),
        ({"smtp_auth_organization": False}, ["one of enabled, disabled, it is False.", "quotes"]),
        ({"smtp_auth_organization": "off"}, ["has to be one of enabled, disabled, it is 'off'."]),
        ({"lookup_failure_action": "ignore"}, ["has to be one of fail, warn"]),
        ({"hold": "perhaps"}, ["tenant_baseline_hold has to be true or false"]),
        ({"propagation_delay": "soon"}, ["has to be a whole number"]),
        ({**CLOSED, "transport_config": {SMTP: True}}, ["in tenant_baseline_transport_config, and", "one owner"]),
        ({**CLOSED, "mailboxes": [{"identity": "a", SMTP: True}]}, ["in tenant_baseline_mailboxes, and"]),
        (
            {"transport_config": {SMTP: True}, "all_mailboxes_fleet": {SMTP: False}},
            ["tenant_baseline_transport_config and tenant_baseline_all_mailboxes", "before its exceptions are open"],
        ),
    ],
)
def test_problems(variables: dict[str, Any], words: list[str]) -> None:
    found = planned(variables)
    (problem,) = found["problems"]
    for word in words:
        assert word in problem
    assert found["parts"] == []
    assert found["tasks"] == "refused.yml"


@pytest.mark.parametrize(
    "variables",
    [
        {"transport_config": {SMTP: True}},
        {"transport_config_fleet": {SMTP: True}, "transport_config": {SMTP: None, "clear_categories": True}, **CLOSED},
        {"all_mailboxes": {"where": {SMTP: False}, "pop_enabled": False}, **CLOSED},
        {"mailboxes": [{"identity": "a", SMTP: None, "pop_enabled": True}], **CLOSED},
        {"all_mailboxes": {SMTP: "inherit"}, "mailboxes": [{"identity": "a", SMTP: False}]},
    ],
)
def test_one_owner_is_enough(variables: dict[str, Any]) -> None:
    assert planned(variables)["problems"] == []


def test_facts_of_the_role_are_no_variables() -> None:
    assert planned({**CLOSED, "audit": {"status": "drift"}})["problems"] == []


@pytest.mark.parametrize("name", ["undo_dir", "report_dir"])
def test_directories(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (relative,) = planned({**CLOSED, name: "undo"})["problems"]
    assert relative == f"{PREFIX}{name} has to be an absolute path. Is {tmp_path}/undo meant?"
    (absent,) = planned({**CLOSED, name: f"{tmp_path}/undo"})["problems"]
    assert f"install -d -m 0700 {tmp_path}/undo" in absent
    monkeypatch.setenv("HOME", str(tmp_path))
    assert planned({**CLOSED, name: "~"})["problems"] == []


def test_the_tenant_is_the_hosts_own() -> None:
    (nameless,) = planned(CLOSED, tenant=" ")["problems"]
    assert "contoso has no exo_tenant" in nameless


GUID, OTHER = "11111111-2222-3333-4444-555555555555", "66666666-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("tenants", "shared"),
    [
        ([], "did not begin at its beginning"),
        ([("contoso.com", GUID), ("contoso.onmicrosoft.com", OTHER), ("", None)], ""),
        ([("contoso.com", GUID), ("contoso.onmicrosoft.com", GUID), ("", None)], "contoso and fabrikam are"),
        ([("contoso.com", None), (" Contoso.com", None), ("contoso.com", None)], "contoso and fabrikam, nord are"),
        ([("", None), ("", None), ("", None)], ""),
        ([("contoso.com", None), ("nord.example", None), ("", None)], ""),
    ],
)
def test_two_hosts_are_not_one_tenant(tenants: list[tuple[str, str | None]], shared: str) -> None:
    found = [{"tenant": tenant, "tenant_id": guid} for tenant, guid in tenants]
    problems = planned(CLOSED, hosts=["contoso", "fabrikam", "nord"], tenants=found)["problems"]
    assert [shared in problem for problem in problems] == [True] * bool(shared)


def test_a_host_alone_needs_no_look() -> None:
    assert planned(CLOSED, hosts=["contoso"])["problems"] == []


@pytest.mark.parametrize(
    ("tags", "refused"),
    [
        ({}, False),
        ({"tags": ["organization_config"]}, True),
        ({"tags": ["organization_config", "smtp_auth"]}, False),
        ({"tags": ["smtp_auth"]}, False),
        ({"tags": ["nightly"]}, False),
        ({"tags": ["organization_config"], "audit": True}, False),
    ],
)
@pytest.mark.parametrize("exceptions", [{"smtp_auth_authentication_policy": "Let"}, {}])
@pytest.mark.parametrize("setting", ["default_authentication_policy", "reject_direct_send"])
def test_the_default_policy_does_not_come_before_its_exceptions(
    setting: str, exceptions: dict[str, Any], tags: dict[str, Any], refused: bool
) -> None:
    """Those who are allowed would have the policy that blocks everybody, and not yet the one that lets them through."""
    value: Any = "Block" if setting == "default_authentication_policy" else True
    found = planned({**CLOSED, **exceptions, "organization_config": {setting: value}}, **tags)["problems"]
    expected = refused and exceptions != {} and setting == "default_authentication_policy"
    assert ["Add the tag smtp_auth" in problem for problem in found] == [True] * expected


@pytest.mark.parametrize(
    ("run", "parts"),
    [
        ({}, ["transport_config", "smtp_auth"]),
        ({"tags": ["smtp_auth"]}, ["smtp_auth"]),
        ({"tags": ["smtp_auth", "mailboxes"]}, ["smtp_auth"]),
        ({"tags": ["nightly"]}, ["transport_config", "smtp_auth"]),
        ({"skip_tags": ["smtp_auth"]}, ["transport_config"]),
    ],
)
def test_tags(run: dict[str, Any], parts: list[str]) -> None:
    found = planned({**CLOSED, "transport_config": {"clear_categories": True}}, **run)
    assert found["parts"] == list(found["arguments"]) == parts
    assert found["undeclared"] == ""


@pytest.mark.parametrize(
    ("variables", "run", "words"),
    [
        ({}, {}, "contoso declares nothing"),
        (
            {"propagation_delay": 0, "max_changes": 3, "exclude": ["a"], "transport_config": {}},
            {},
            "contoso declares nothing",
        ),
        ({"transport_config": {"clear_categories": None}}, {}, "contoso declares nothing"),
        (CLOSED, {"tags": ["mailboxes"]}, "contoso declares smtp_auth, and this run was asked for mailboxes."),
        (CLOSED, {"tags": ["smtp_auth"], "skip_tags": ["smtp_auth"]}, "asked for none of the parts."),
    ],
)
def test_nothing_to_do_is_refused(variables: dict[str, Any], run: dict[str, Any], words: str) -> None:
    found = planned(variables, **run)
    assert words in found["undeclared"]
    assert (found["parts"], found["tasks"]) == ([], "refused.yml")


@pytest.mark.parametrize("hold", [True, "true", "yes", 1])
def test_hold(hold: Any) -> None:
    """Nothing of a tenant on hold is looked at: the baseline may be what is wrong."""
    found = planned({**CLOSED, "hold": hold, "undo_dir": "relative", "misspelt": 1})
    assert found["hold"] is True
    assert (found["problems"], found["parts"], found["undeclared"]) == ([], [], "")
    assert found["tasks"] == "parts.yml"


def test_blank_variables_are_not_given() -> None:
    for blank in ("", None):
        found = planned(dict.fromkeys((name.removeprefix(PREFIX) for name in FORMS), blank))
        assert found["problems"] == []
        assert "declares nothing" in found["undeclared"]


# --- in a job of AWX ---

JOB = {"job": "4711"}


@pytest.mark.parametrize(
    ("variables", "run", "announced", "given"),
    [
        ({}, JOB, True, {"undo_in_result": True}),
        ({"undo_dir": ""}, JOB, True, {"undo_in_result": True}),
        ({}, {**JOB, "check_mode": True}, False, {"undo_in_result": True}),
        ({}, {**JOB, "audit": True}, False, {}),
        ({"without_undo": "true"}, JOB, False, {}),
        ({}, {}, False, {}),
    ],
    ids=["nothing given", "blank", "check mode", "audit", "no way back wanted", "not in a job"],
)
def test_without_a_directory_a_job_announces_what_it_changes(
    variables: dict[str, Any], run: dict[str, Any], announced: bool, given: dict[str, Any]
) -> None:
    found = planned({**CLOSED, **variables}, **run)
    assert (found["problems"], found["announced"]) == ([], announced)
    ways = {name: value for name, value in found["arguments"]["smtp_auth"].items() if name.startswith("undo")}
    assert ways == given


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_job_refuses_a_directory_that_ends_with_it(check_mode: bool, tmp_path: Path, monkeypatch: Any) -> None:
    variables = {**CLOSED, "undo_dir": str(tmp_path)}
    monkeypatch.setattr(_baseline, "outlives_the_job", lambda path, environ: path != str(tmp_path))
    (problem,) = planned(variables, check_mode=check_mode, **JOB)["problems"]
    for words in (str(tmp_path), "not mounted", "job 4711", "Paths to expose", "tenant_baseline_without_undo"):
        assert words in problem
    assert planned(variables)["problems"] == []
    without = planned({**variables, "without_undo": True}, **JOB)
    assert (without["problems"], without["announced"]) == ([], False)
    assert "undo_file" not in without["arguments"]["smtp_auth"]
    monkeypatch.setattr(_baseline, "outlives_the_job", lambda path, environ: True)
    mounted = planned(variables, **JOB)
    assert (mounted["problems"], mounted["announced"]) == ([], False)
    assert mounted["arguments"]["smtp_auth"]["undo_file"].startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("run", "warned"),
    [
        (JOB, True),
        ({**JOB, "audit": True, "check_mode": True}, True),
        ({**JOB, "check_mode": True}, False),
        ({}, False),
    ],
    ids=["job", "audit", "preview", "not in a job"],
)
def test_a_job_warns_of_reports_that_end_with_it(run: dict[str, Any], warned: bool) -> None:
    found = planned({**CLOSED, "report_dir": "/proc"}, **run)
    assert found["problems"] == []
    assert [sentence[:40] for sentence in found["warnings"]] == ["tenant_baseline_report_dir is /proc, whi"] * warned


def test_a_relative_directory_is_refused_in_a_job() -> None:
    (problem,) = planned({**CLOSED, "undo_dir": "undo"}, **JOB)["problems"]
    assert "has to be an absolute path" in problem
