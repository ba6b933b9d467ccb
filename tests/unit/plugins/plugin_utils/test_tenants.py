# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Customers of a partner: what Microsoft Graph and files say, what is refused, and what hosts are called."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    ExoError,
    IncompleteRead,
    InvalidRequest,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.plugin_utils import _tenants
from ansible_collections.m365.exchange_online.plugins.plugin_utils._tenants import Relationship, Tenant

ONE = "6babcaad-604b-40ac-a9d7-9fd97c0b779f"
TWO = "31359c7f-bd7e-475c-86db-fdb8c937548e"
TODAY = datetime.date(2026, 11, 26)
READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
ADMIN = "29232cdf-9323-42fd-ade2-1d097af3e4de"


def relationship(tenant: t.Any = ONE, **others: t.Any) -> dict[str, t.Any]:
    return {
        "displayName": "Operations",
        "status": "active",
        "customer": {"tenantId": tenant, "displayName": "Contoso"},
        "autoExtendDuration": "PT0S",
        "endDateTime": "2026-12-06T09:00:00.0000000Z",
        "accessDetails": {"unifiedRoles": [{"roleDefinitionId": READER}]},
        **others,
    }


def contract(tenant: t.Any = ONE, **others: t.Any) -> dict[str, t.Any]:
    row = {"customerId": tenant, "displayName": "Contoso", "defaultDomainName": "Contoso.com"}
    return {**row, "contractType": "ResellerPartner", **others}


def test_relationships_of_one_customer_are_one_tenant() -> None:
    later = relationship(
        displayName="Audits",
        endDateTime="2027-01-05T09:00:00Z",
        autoExtendDuration="P180D",
        accessDetails={"unifiedRoles": [{"roleDefinitionId": ADMIN}, {"roleDefinitionId": READER}]},
    )
    rows = [relationship(), relationship(TWO.upper(), status="active"), later, relationship(TWO, status="terminated")]
    first, second = _tenants.from_relationships(rows)
    assert (first.tenant, second.tenant) == (ONE, TWO)
    assert len(second.relationships) == 1
    assert _tenants.variables(first, TODAY) == {
        "tenant_id": ONE,
        "tenant_name": "Contoso",
        "gdap": {
            "relationships": ["Operations", "Audits"],
            "end": "2027-01-05",
            "days_left": 40,
            "auto_extend": True,
            "roles": [ADMIN, READER],
        },
    }


@pytest.mark.parametrize(
    ("duration", "extended"), [("P180D", True), ("P0D", False), ("PT0S", False), (None, False), ("", False)]
)
def test_whether_a_relationship_is_extended(duration: str | None, extended: bool) -> None:
    (tenant,) = _tenants.from_relationships([relationship(autoExtendDuration=duration)])
    assert tenant.relationships[0].auto_extend is extended


def test_an_end_that_is_not_told_is_none() -> None:
    (tenant,) = _tenants.from_relationships([relationship(endDateTime=None)])
    gdap = _tenants.variables(tenant, TODAY)["gdap"]
    assert (gdap["end"], gdap["days_left"]) == (None, None)


def test_contracts_of_one_customer_are_one_tenant() -> None:
    rows = [contract(), contract(contractType="BreadthPartner"), contract(TWO, defaultDomainName=None)]
    first, second = _tenants.from_contracts(rows)
    assert _tenants.variables(first, TODAY) == {
        "tenant_id": ONE,
        "tenant_name": "Contoso",
        "default_domain": "contoso.com",
        "contract_types": ["ResellerPartner", "BreadthPartner"],
    }
    assert second.default_domain == ""


ODD_RELATIONSHIPS: list[t.Any] = [
    "text",
    relationship(None),
    relationship("contoso.com"),
    relationship(customer=None),
    relationship(endDateTime="soon"),
    relationship(accessDetails={"unifiedRoles": ["text"]}),
]


@pytest.mark.parametrize("row", ODD_RELATIONSHIPS)
def test_a_relationship_that_is_not_understood_is_an_error(row: t.Any) -> None:
    """One customer less would look like a customer who has left."""
    with pytest.raises(UnexpectedResponse):
        _tenants.from_relationships([relationship(TWO), row])


def test_a_contract_that_is_not_understood_names_the_customer() -> None:
    with pytest.raises(UnexpectedResponse, match=r"a customer \(Contoso\) whose customerId is not a GUID"):
        _tenants.from_contracts([contract("")])


def test_names_are_one_line_without_control_characters() -> None:
    (tenant,) = _tenants.from_contracts([contract(displayName="Con\x1b[31mtoso\n[all:vars]\u202e")])
    assert tenant.name == "Con[31mtoso [all:vars]"


# --- files ---


def test_a_file_lists_texts_and_dictionaries() -> None:
    content = {"tenants": ["Contoso.onmicrosoft.com", {"tenant": ONE.upper(), "name": "Fabrikam"}]}
    assert _tenants.from_file(content) == [Tenant("contoso.onmicrosoft.com"), Tenant(ONE, "Fabrikam")]


REFUSED_FILES: list[tuple[t.Any, str]] = [
    (None, "no list below the key tenants"),
    ([ONE], "no list below the key tenants"),
    ({"tenants": {}}, "no list below the key tenants"),
    ({"tenants": [ONE, None]}, "Tenant 2 of the file: tenant has to be a GUID or a domain, it is ''"),
    ({"tenants": ["contoso"]}, "it is 'contoso'"),
    ({"tenants": [{"name": "Contoso"}]}, "Tenant 1 of the file: tenant has to be"),
    ({"tenants": [{"tenant": ONE, "nmae": "x"}]}, "nmae is not one of tenant, name, default_domain"),
    ({"tenants": [ONE, ONE.upper()]}, f"more than once: {ONE}"),
]


@pytest.mark.parametrize(("content", "text"), REFUSED_FILES)
def test_a_file_that_is_not_understood_is_refused(content: t.Any, text: str) -> None:
    with pytest.raises(InvalidRequest, match=text):
        _tenants.from_file(content)


# --- whether it is all of them ---


def test_fewer_than_expected_is_an_error() -> None:
    _tenants.check_count([Tenant(ONE)], 1)
    for tenants, least in (([], 1), ([Tenant(ONE)], 2)):
        with pytest.raises(IncompleteRead, match="expected"):
            _tenants.check_count(tenants, least)


def test_a_tenant_that_was_there_before_and_is_missing_is_named() -> None:
    known = _tenants.remembered([Tenant(TWO, "Fabrikam"), Tenant(ONE)])
    assert known == f"{TWO} Fabrikam ({TWO})\n{ONE} {ONE}\n"
    _tenants.check_known([Tenant(ONE), Tenant(TWO)], known, "known.txt")
    with pytest.raises(
        IncompleteRead, match=rf"1 tenant of the last inventory is missing: Fabrikam \({TWO}\)"
    ) as found:
        _tenants.check_known([Tenant(ONE)], known, "known.txt")
    assert "known.txt" in str(found.value.hint)
    with pytest.raises(IncompleteRead, match=r"2 tenants of the last inventory are missing"):
        _tenants.check_known([], known, "known.txt")


# --- hosts ---


@pytest.mark.parametrize(
    ("how", "tenant", "host"),
    [
        ("tenant", Tenant(ONE, "Contoso"), ONE),
        ("default_domain", Tenant(ONE, default_domain="contoso.com"), "contoso.com"),
        ("name", Tenant(ONE, "Müller & Söhne: {{ 7 * 7 }}"), "muller-sohne-7-7"),
    ],
)
def test_what_a_host_is_called(how: str, tenant: Tenant, host: str) -> None:
    assert _tenants.by_host([tenant], how) == {host: tenant}


REFUSED_NAMES: list[tuple[str, list[Tenant], str]] = [
    ("default_domain", [Tenant(ONE, "Contoso")], rf"Contoso \({ONE}\) has no default_domain"),
    ("default_domain", [Tenant(ONE, default_domain="a.com:!b")], "has no default_domain"),
    ("name", [Tenant(ONE, "株式会社")], "has no name"),
    *(
        ("name", [Tenant(ONE, name)], f"{name} .* has no name")
        for name in ("All", "Localhost", "Tenants!", "ungrouped")
    ),
    ("name", [Tenant(ONE, "A B"), Tenant(TWO, "a-b")], rf"A B \({ONE}\) and a-b \({TWO}\) would both be the host a-b"),
]


@pytest.mark.parametrize(("how", "tenants", "text"), REFUSED_NAMES)
def test_a_host_that_can_not_be_named_is_refused(how: str, tenants: list[Tenant], text: str) -> None:
    with pytest.raises(ExoError, match=text) as found:
        _tenants.by_host(tenants, how)
    assert found.value.hint == "Set hostname to tenant."


def test_a_tenant_of_a_file_has_no_variables_that_are_not_known() -> None:
    assert _tenants.variables(Tenant("contoso.com"), TODAY) == {}


def test_days_left_are_negative_after_the_end() -> None:
    ended = Relationship("Old", TODAY - datetime.timedelta(days=2), False, ())
    assert _tenants.variables(Tenant(ONE, relationships=(ended,)), TODAY)["gdap"]["days_left"] == -2
