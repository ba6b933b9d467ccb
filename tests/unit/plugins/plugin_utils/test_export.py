# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tenant as variables: what is written is what was read, whatever the service calls things."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    AppIds,
    Bool,
    Duration,
    Enum,
    Integer,
    Kind,
    Table,
    TextList,
    Tristate,
    Unlimited,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    AUTHENTICATION_POLICY,
    CAS_MAILBOX,
    CAS_MAILBOX_PLAN,
    ORGANIZATION_CONFIG,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)
from ansible_collections.m365.exchange_online.plugins.plugin_utils._baseline import Run, plan
from ansible_collections.m365.exchange_online.plugins.plugin_utils._export import Found, comment, export, scalar


class Loader(yaml.SafeLoader):
    """As Ansible reads files of variables: with !unsafe."""


class Unsafe(str):
    """A text that Ansible does not run as a template."""


Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))
HOSTILE = [
    "{{ lookup('pipe', 'id') }}",
    "{% raw %}",
    "a: b # c",
    'quote " and \\ backslash',
    "line\nbreak\u2028and\x85more",
    "\x1b[31mred\x07",
    "\u202egnp.exe",
    "!unsafe x",
    "- 'x'",
    "yes",
    "12:00:00",
    "\ud800",
    "\U0001f600",
]


def load(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(text, Loader)
    return found


@pytest.mark.parametrize("text", HOSTILE)
def test_scalar(text: str) -> None:
    line = scalar(text, unsafe=True)
    assert len(line.splitlines()) == 1
    assert load(f"a: {line}")["a"] == text
    assert isinstance(load(f"a: {line}")["a"], Unsafe)
    assert load(f"a: {scalar([text, text], unsafe=True)}")["a"] == [text, text]


@pytest.mark.parametrize("text", HOSTILE)
def test_comment(text: str) -> None:
    assert comment(text).isprintable()
    assert len(comment(text * 100)) <= 80


def box(address: str, own: Any, **more: Any) -> dict[str, Any]:
    guid = str(uuid.uuid5(uuid.NAMESPACE_DNS, repr((address, more))))
    return {"primary_smtp_address": address, "guid": guid, "display_name": "", "settings": {SMTP_AUTH: own}, **more}


def exported(**changes: Any) -> dict[str, Any]:
    return load(export(Found(**{**FOUND, **changes})))


FOUND: dict[str, Any] = {
    "host": "contoso",
    "date": "2026-11-26",
    "transport_config": {SMTP_AUTH: True, "clear_categories": False, "external_postmaster_address": "x@contoso.com"},
    "organization_config": {"reject_direct_send": False},
    "mailboxes": [
        box("scanner@contoso.com", False, display_name="Scanner"),
        box("ada@contoso.com", "inherit"),
        box("Reports@contoso.com", False),
        box("ceo@contoso.com", True),
    ],
}


def test_the_whole_text() -> None:
    text = export(Found(**FOUND))
    assert (
        text.partition("---\n")[2]
        == """\
# Whether SMTP AUTH is on for mailboxes without a value of their own.
tenant_baseline_smtp_auth_organization: disabled
# Mailboxes that may use SMTP AUTH whatever the organization says.
tenant_baseline_smtp_auth_allowed:
  - identity: !unsafe "Reports@contoso.com"
    reason: !unsafe "found enabled 2026-11-26, review"
  # Scanner
  - identity: !unsafe "scanner@contoso.com"
    reason: !unsafe "found enabled 2026-11-26, review"
# Mailboxes that may not, whatever the organization says.
tenant_baseline_smtp_auth_denied:
  - identity: !unsafe "ceo@contoso.com"
    reason: !unsafe "found denied 2026-11-26, review"
# A mailbox that is on no list and gets enabled by hand would go back to what the organization says:
# tenant_baseline_smtp_auth_unlisted: not_enabled

tenant_baseline_transport_config:
  # Whether Outlook categories are taken off messages when their content is converted.
  clear_categories: false
  # The From address of delivery reports that go out of the organization.
  external_postmaster_address: !unsafe "x@contoso.com"

tenant_baseline_organization_config:
  # Whether to refuse unauthenticated mail from your own domains that matches no inbound connector (Direct Send).
  reject_direct_send: false
"""
    )


def test_the_order_of_reading_does_not_matter() -> None:
    assert export(Found(**FOUND)) == export(Found(**{**FOUND, "mailboxes": FOUND["mailboxes"][::-1]}))


def test_records_are_kept() -> None:
    listed = [
        {
            "identity": "SCANNER@contoso.com",
            "reason": "{{ old }}",
            "owner": "it",
            "expires": "2027-01-31",
            "ticket": "",
        },
        {"identity": "gone@contoso.com", "reason": "no longer"},
        "reports@contoso.com",
    ]
    reports, scanner = exported(listed=listed)["tenant_baseline_smtp_auth_allowed"]
    assert scanner == {
        "identity": "scanner@contoso.com",
        "reason": "{{ old }}",
        "owner": "it",
        "expires": "2027-01-31",
    }
    assert reports["reason"] == "found enabled 2026-11-26, review"


@pytest.mark.parametrize("address", ["", "two@contoso.com", "a b@contoso.com", "*@contoso.com", "x\n@contoso.com"])
def test_a_name_that_is_none_gives_way_to_the_guid(address: str) -> None:
    boxes = [box(address, False), box("two@contoso.com", False, display_name="2"), box("TWO@contoso.com", "inherit")]
    names = [entry["identity"] for entry in exported(mailboxes=boxes)["tenant_baseline_smtp_auth_allowed"]]
    assert sorted(names) == sorted(entry["guid"] for entry in boxes[:2])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names(text: str) -> None:
    boxes = [box("scanner@contoso.com", False, display_name=text, guid=text), box(text, False, display_name=text)]
    boxes[0]["settings"]["owa_mailbox_policy"] = text
    found = exported(
        host=text,
        mailboxes=boxes,
        mailbox_settings=True,
        transport_config={"external_postmaster_address": text, "internal_dsn_reporting_authority": text},
    )
    known = {"smtp_auth_allowed", "transport_config", "organization_config", "all_mailboxes", "mailboxes"}
    assert {name.removeprefix("tenant_baseline_") for name in found} <= known
    for entry in found["tenant_baseline_smtp_auth_allowed"]:
        assert set(entry) == {"identity", "reason"}
        assert isinstance(entry["identity"], Unsafe)
    for value in found.get("tenant_baseline_transport_config", {}).values():
        assert (value, type(value)) == (text, Unsafe)


def test_what_the_module_would_not_take_is_a_comment() -> None:
    text = export(
        Found(**{**FOUND, "transport_config": {"message_expiration": "5.00:00:00", "clear_categories": True}})
    )
    assert '\n  # message_expiration: "5.00:00:00" (not managed: has to lie between' in text
    assert load(text)["tenant_baseline_transport_config"] == {"clear_categories": True}


def test_what_goes_by_a_name() -> None:
    policies = [
        {"name": name, "settings": {"allow_basic_auth_smtp": True}} for name in ("{{ b }}", "A", "a ", "C", "c")
    ]
    text = export(
        Found(**{**FOUND, "policies": policies, "plans": [{"identity": "P", "settings": {"pop_enabled": None}}]})
    )
    found = load(text)
    assert [entry["name"] for entry in found["tenant_baseline_authentication_policies"]] == ["A", "{{ b }}"]
    assert isinstance(found["tenant_baseline_authentication_policies"][1]["name"], Unsafe)
    assert text.count("is left out, because its name") == 3
    assert found["tenant_baseline_cas_mailbox_plans"] == [{"identity": "P"}]
    assert "# pop_enabled: null (not managed: was not read)" in text


def test_many_denied_are_counted() -> None:
    boxes = [box(f"m{number}@contoso.com", True) for number in range(501)]
    text = export(Found(**{**FOUND, "mailboxes": boxes}))
    assert "# 501 mailboxes may not" in text
    assert load(text)["tenant_baseline_smtp_auth_allowed"] == []
    assert "tenant_baseline_smtp_auth_denied" not in load(text)


def test_most_mailboxes_make_the_settings_of_all() -> None:
    boxes = [
        box(f"m{number}@contoso.com", "inherit", settings={SMTP_AUTH: "inherit", "pop_enabled": number == 1})
        for number in range(4)
    ]
    found = exported(mailboxes=boxes, mailbox_settings=True)
    assert found["tenant_baseline_all_mailboxes"] == {"pop_enabled": False}
    assert found["tenant_baseline_mailboxes"] == [{"identity": "m1@contoso.com", "pop_enabled": True}]


TEXTS = st.sampled_from(["", "Default", "x@contoso.com", "en-US", "{{ x }}", "{% x"]) | st.text(max_size=8)
VALUES: dict[type[Kind], Any] = {
    Bool: lambda kind: st.booleans(),
    Tristate: lambda kind: st.sampled_from([True, False, "inherit"]),
    Integer: lambda kind: st.integers(0, 10**6),
    Unlimited: lambda kind: st.sampled_from(["Unlimited", 1, 5000]),
    Enum: lambda kind: st.sampled_from([*kind.words, *(["inherit"] if kind.nullable else [])]),
    Duration: lambda kind: st.sampled_from(["00:10:00", "12:00:00", "1.00:00:00", "5.00:00:00"]),
    TextList: lambda kind: st.lists(TEXTS, max_size=3),
    AppIds: lambda kind: st.lists(st.uuids().map(str), max_size=2),
}


def objects(table: Table) -> Any:
    """Settings of one object as the info modules return them."""
    return st.fixed_dictionaries(
        {one.option: VALUES.get(type(one.kind), lambda kind: TEXTS)(one.kind) for one in table.properties}
    )


def assert_quiet(table: Table, desired: dict[str, Any], current: dict[str, Any]) -> None:
    for option, wanted in table.parse(desired).items():
        kind = table[option].kind
        assert kind.same(kind.target(wanted, current[option]), current[option]), option


@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    organization=objects(TRANSPORT_CONFIG),
    config=objects(ORGANIZATION_CONFIG),
    boxes=st.lists(st.tuples(TEXTS, objects(CAS_MAILBOX)), max_size=6),
    policies=st.dictionaries(TEXTS, objects(AUTHENTICATION_POLICY), max_size=3),
    plans=st.dictionaries(TEXTS, objects(CAS_MAILBOX_PLAN), max_size=3),
)
def test_applied_to_the_same_tenant_nothing_changes(
    organization: Any, config: Any, boxes: Any, policies: Any, plans: Any
) -> None:
    """From the text by the role's own way to the modules' arguments: each value is what the tenant has already."""
    mailboxes = [
        {"primary_smtp_address": f"m{n}@contoso.com", "guid": str(n), "display_name": name, "settings": own}
        for n, (name, own) in enumerate(boxes)
    ]
    named = [{"name": name, "settings": values} for name, values in policies.items()]
    few = [{"identity": name, "settings": values} for name, values in plans.items()]
    found = Found("contoso", "2026-11-26", organization, config, mailboxes, True, (), named, few)
    variables = load(export(found))
    planned = plan(variables, Run("contoso", "contoso.com"))
    assert planned["problems"] == []
    arguments = planned["arguments"]
    assert (arguments["smtp_auth"]["organization"] == "disabled") is organization[SMTP_AUTH]
    for option, value in (("allowed", False), ("denied", True)):
        listed = {entry["identity"] for entry in arguments["smtp_auth"].get(option, [])}
        assert listed == {b["primary_smtp_address"] for b in mailboxes if b["settings"][SMTP_AUTH] is value}
    assert_quiet(TRANSPORT_CONFIG, arguments.get("transport_config", {}), organization)
    assert_quiet(ORGANIZATION_CONFIG, arguments.get("organization_config", {}), config)
    for entry in arguments.get("policies", []):
        assert_quiet(AUTHENTICATION_POLICY, entry, policies[entry["name"]])
    for entry in arguments.get("plans", {}).get("plans", []):
        assert_quiet(CAS_MAILBOX_PLAN, entry, plans[entry["identity"]])
    given_to_all = arguments.get("mailboxes", {})
    own = {entry["identity"]: entry for entry in given_to_all.get("mailboxes", [])}
    for mailbox in mailboxes:
        desired = {**given_to_all, **own.get(mailbox["primary_smtp_address"], {})}
        assert_quiet(CAS_MAILBOX, desired, mailbox["settings"])


EXAMPLES: dict[type[Kind], Any] = {Tristate: "inherit", Bool: True, TextList: [], Enum: "BestBodyFormat"}


def test_every_setting_has_its_comment() -> None:
    settings_of = {one.option: EXAMPLES.get(type(one.kind), "") for one in CAS_MAILBOX.properties}
    boxes = [box("a@contoso.com", False, settings=settings_of)]
    text = export(Found(**{**FOUND, "mailboxes": boxes, "mailbox_settings": True}))
    for line, above in zip(text.splitlines()[1:], text.splitlines(), strict=False):
        if re.match(r"  [a-z_]+: ", line):
            assert above.startswith("  # ") and above.endswith((".", "…")), line
