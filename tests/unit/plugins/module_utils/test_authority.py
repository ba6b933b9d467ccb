# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The authority: which tenant a domain is, and what its refusals mean."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._authority import (
    Authority,
    rejected_request,
    tenant_id,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AuthenticationFailed,
    ServiceUnavailable,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._http import Response

GUID = "0f3a9d1e-5c1b-4d0a-9a77-1b2c3d4e5f60"
BASE = "https://login.microsoftonline.com"


class Scripted:
    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.urls: list[str] = []

    def fetch(self, url: str) -> Response:
        self.urls.append(url)
        return self.answers.pop(0)


def answer(body: t.Any, status: int = 200) -> Response:
    return Response(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def asked(*answers: Response, tenant: str = "contoso.com", tries: int = 0) -> Authority:
    return Authority(BASE, tenant, "https://outlook.office365.com", t.cast(t.Any, Scripted(*answers)), tries)


@pytest.mark.parametrize(
    "document",
    [
        {"token_endpoint": f"{BASE}/{GUID}/oauth2/v2.0/token"},
        {"token_endpoint": f"{BASE}/{GUID.upper()}/oauth2/v2.0/token"},
        {"token_endpoint": f"{BASE}/common/token", "issuer": f"{BASE}/{GUID}/v2.0"},
        {"issuer": f"https://sts.windows.net/{GUID}/"},
        {"issuer": f"https://sts.windows.net/{GUID}"},
    ],
)
def test_the_tenant_of_a_domain(document: dict[str, str]) -> None:
    authority = asked(answer(document), tenant="contoso.com/x")
    assert tenant_id(authority) == GUID
    assert t.cast(t.Any, authority.http).urls == [f"{BASE}/contoso.com%2Fx/v2.0/.well-known/openid-configuration"]


@pytest.mark.parametrize("body", [{}, [], b"<html>", b"[" * 100_000, {"issuer": f"x{GUID}"}, {"issuer": None}])
def test_what_names_no_tenant(body: t.Any) -> None:
    with pytest.raises(UnexpectedResponse, match="did not say which tenant"):
        tenant_id(asked(answer(body)))


def test_a_status_that_is_no_success_names_no_tenant() -> None:
    document = {"token_endpoint": f"{BASE}/{GUID}/oauth2/v2.0/token"}
    with pytest.raises(UnexpectedResponse) as caught:
        tenant_id(asked(answer(document, 404)))
    assert caught.value.http_status == 404


def test_what_passes_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    authority = asked(answer(b"", 503), answer({"issuer": f"{BASE}/{GUID}/v2.0"}), tries=2)
    assert tenant_id(authority) == GUID
    assert slept == [2.0]
    with pytest.raises(ServiceUnavailable, match=r"The request for contoso\.com at https://login"):
        tenant_id(asked(answer(b"", 503)))


@pytest.mark.parametrize(
    ("refusal", "hint", "message"),
    [
        (
            {"error": "invalid_tenant", "error_codes": [90002]},
            None,
            "for tenant contoso.com: the tenant does not exist",
        ),
        ({"error_description": "AADSTS7000215: Long words."}, None, "the client secret is wrong"),
        ({"error_description": "AADSTS1: A reason.\nTrace ID: 2"}, None, "A reason (AADSTS1)."),
        ({"error_description": "A reason.", "error_codes": []}, "Look.", "A reason."),
        ({"error_codes": ["9" * 5000]}, None, "no reason given"),
        ({"error": "None", "error_description": "None"}, None, "the request was refused without a reason"),
        ({}, None, "no reason given"),
    ],
)
def test_a_refusal_in_plain_words(refusal: dict[str, t.Any], hint: str | None, message: str) -> None:
    error = rejected_request(refusal, asked(), hint)
    assert isinstance(error, AuthenticationFailed)
    assert message in str(error)
    if hint:
        assert error.hint == hint


def test_a_refusal_of_a_hosts_own_endpoint_names_no_tenant() -> None:
    error = rejected_request({"error": "No identity.", "correlation_id": "c-1"}, None)
    assert (str(error), error.request_id) == ("No token: No identity.", "c-1")
