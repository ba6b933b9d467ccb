# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a description, a change or a fault is said at once, with the path of the value."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from raw import Client, tenant

from simulator.described import TENANT, check_tenant
from simulator.fault_kinds import KINDS, check_fault
from simulator.forms import FORMS
from simulator.names import DescriptionError
from simulator.testing import Simulator

BOX = {"upn": "ada@x.example"}


@pytest.mark.parametrize(
    ("description", "refusal"),
    [
        ([], "tenant: [] is not a dictionary"),
        ({}, "tenant: label is missing"),
        ({"label": "one", "transport_config": {"SmtpClientAuthenticationDisabled": "false"}},
         'one.transport_config.SmtpClientAuthenticationDisabled: "false" is not true or false (without quotes)'),
        ({"label": "one", "transport_config": {"SmtpClientAuthenticationDisabled": None}},
         "one.transport_config.SmtpClientAuthenticationDisabled: null is not true or false"),
        ({"label": "one", "mailboxes": [BOX, {**BOX, "cas": {"PopEnabled": "no"}}]},
         'one.mailboxes[1].cas.PopEnabled: "no" is not true or false (without quotes)'),
        ({"label": "one", "mailboxes": [{**BOX, "cas": {"PopEnable": True}}]},
         "one.mailboxes[0].cas.PopEnable: unknown here; did you mean PopEnabled"),
        ({"label": "one", "mailboxes": [{**BOX, "cas": {"ImapMessagesRetrievalMimeFormat": "Html"}}]},
         'one.mailboxes[0].cas.ImapMessagesRetrievalMimeFormat: "Html" is not one of TextOnly'),
        ({"label": "one", "mailboxes": [{**BOX, "cas": {"EwsAllowList": "Mailer"}}]},
         'one.mailboxes[0].cas.EwsAllowList: "Mailer" is not a list'),
        ({"label": "one", "mailboxes": [{**BOX, "typ": "SharedMailbox"}]},
         "one.mailboxes[0].typ: unknown here; did you mean type?"),
        ({"label": "one", "mailboxes": [{**BOX, "type": "Shared"}]},
         'one.mailboxes[0].type: "Shared" is not one of'),
        ({"label": "one", "mailboxes": [{**BOX, "guid": "5"}]}, 'one.mailboxes[0].guid: "5" is not a GUID'),
        ({"label": "one", "mailboxes": {"upn": "x"}}, "is not a list"),
        ({"label": "one", "lag": "5"}, 'one.lag: "5" is not a number, 0 or more'),
        ({"label": "one", "lag": True}, "one.lag: true is not a number, 0 or more"),
        ({"label": "one", "concurrency_limit": 0}, "one.concurrency_limit: 0 is not a whole number, 1 or more"),
        ({"label": "one", "cloud": "mars"}, 'one.cloud: "mars" is not one of worldwide'),
        ({"label": "one", "null_reference": 418}, "one.null_reference: 418 is not one of 0, 400, 500"),
        ({"label": "one", "forms": {"unknown_mailbox": "some"}}, 'one.forms.unknown_mailbox: "some" is not one of'),
        ({"label": "one", "apps": [{"secret": 5}]}, "one.apps[0].secret: 5 is not a text"),
        ({"label": "one", "apps": [{"certificate": {"days": 5}}]}, "one.apps[0].certificate.days: unknown here"),
        ({"label": "one", "apps": [{"directory_role": 7}]}, "is not a role or a list of cmdlets"),
        ({"label": "one", "generate": {"seed": 1}}, "one.generate: count is missing"),
        ({"label": "one", "policies": {"owa": "Frontline"}}, 'one.policies.owa: "Frontline" is not a list'),
        ({"label": "one", "authentication_policies": [{"AllowBasicAuthSmtp": True}]},
         "one.authentication_policies[0]: name is missing"),
        ({"label": "one", "authentication_policies": [{"name": "A", "AllowBasicAuthSMTP": True}]},
         "one.authentication_policies[0].AllowBasicAuthSMTP: unknown here; did you mean AllowBasicAuthSmtp"),
        ({"label": "one", "latency": {"request": -1}}, "one.latency.request: -1 is not a number, 0 or more"),
    ],
)  # fmt: skip
def test_descriptions(description: Any, refusal: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        check_tenant(description)
    assert refusal in str(caught.value)


@pytest.mark.parametrize(
    ("description", "refusal"),
    [
        ({"mailboxes": [{**BOX, "cas": {"OwaMailboxPolicy": "None such"}}]}, "there is no policy 'None such'"),
        ({"apps": [{"read_scope": ["nobody@x.example"]}]}, "and there is no such mailbox"),
        ({"apps": [{"directory_role": "Emperor"}]}, "directory_role is one of"),
        ({"apps": [{"directory_role": ["Get-Usr"]}]}, "no cmdlet Get-Usr; did you mean Get-User"),
        ({"dehydrated": ["New-Something"]}, "dehydrated: the simulator knows no cmdlet New-Something"),
        ({"organization_config": {"DefaultAuthenticationPolicy": "None such"}}, "no authentication policy None such"),
        ({"entra": {"licence": "P9"}}, "licence is one of"),
    ],
)
def test_names_of_what_does_not_exist(simulator: Simulator, description: dict[str, Any], refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal):
        tenant(simulator, **description)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"mailboxes": [{"identity": "ada", "cas": {"PopEnabled": 0}}]}, r"mailboxes\[0\].cas.PopEnabled: 0 is not"),
        ({"mailboxes": [{"cas": {"PopEnabled": False}}]}, r"mailboxes\[0\]: identity is missing"),
        ({"add_mailboxes": [{"upn": 5}]}, r"add_mailboxes\[0\].upn: 5 is not a text"),
        ({"apps": [{"is_admin": True}]}, r"apps\[0\].is_admin: unknown here"),
        ({"lags": 5}, "lags: unknown here; did you mean lag"),
    ],
)
def test_changes(client: Client, change: dict[str, Any], refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal):
        client.simulator.patch_tenant(client.tenant.label, **change)


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        ([], "fault: [] is not a dictionary"),
        ({}, "fault: fault is missing"),
        ({"fault": {}}, "fault.fault: kind is missing"),
        ({"fault": {"kind": "trottle"}}, 'fault.fault.kind: "trottle" is not one of'),
        ({"fault": {"kind": "throttle", "retry-after": "1"}}, "retry-after: unknown here; did you mean retry_after?"),
        ({"fault": {"kind": "status", "code": "503"}}, 'fault.fault.code: "503" is not a whole number, 100 to 599'),
        ({"fault": {"kind": "delay", "second": 1}}, "did you mean seconds?"),
        ({"fault": {"kind": "html"}, "matches": {}}, "fault.matches: unknown here; did you mean match?"),
        ({"fault": {"kind": "html"}, "match": {"endpoint": "tokens"}}, 'fault.match.endpoint: "tokens" is not one of'),
        ({"fault": {"kind": "html"}, "match": {"page": "2"}}, 'fault.match.page: "2" is not a whole number'),
        ({"fault": {"kind": "html"}, "times": 0}, "fault.times: 0 is not a whole number, 1 or more"),
        ({"fault": {"kind": "html"}, "after": -1}, "fault.after: -1 is not a whole number, 0 or more"),
    ],
)  # fmt: skip
def test_faults(fault: Any, refusal: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        check_fault(fault)
    assert refusal in str(caught.value)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_described(kind: str) -> None:
    readme = (Simulator.home() / "README.md").read_text(encoding="utf-8")
    assert f"`{kind}`" in readme
    for detail in KINDS[kind]:
        assert f"`{detail}`" in readme, f"{kind}: {detail}"


def test_every_form_and_key_is_described() -> None:
    readme = (Simulator.home() / "README.md").read_text(encoding="utf-8")
    for form, values in FORMS.items():
        assert f"`{form}`" in readme and ", ".join(f"`{value}`" for value in values) in readme
    properties = TENANT.schema["properties"]
    entries = [properties["mailboxes"]["items"], properties["apps"]["items"], properties["generate"]["anyOf"][1]]
    keys = {*properties, *itertools.chain.from_iterable(entry["properties"] for entry in entries)}
    # Said in other words, or of no use to readers.
    keys -= {"address", "guid", "exchange_object_id", "external_directory_object_id", "server", "prefix", "domain"}
    missing = sorted(key for key in keys if f"{key}:" not in readme)
    assert missing == []


def test_what_would_never_act_is_refused(client: Client) -> None:
    with pytest.raises(ValueError, match="no tenant nobody"):
        client.simulator.fault("html", tenant="nobody")
    with pytest.raises(ValueError, match="it has to be named"):
        client.simulator.fault("drift", changes={})
    with pytest.raises(ValueError, match="no cmdlet Get-TransportConfigs; did you mean Get-TransportConfig"):
        client.simulator.fault("html", match={"cmdlet": "Get-TransportConfigs"})
    with pytest.raises(ValueError, match="no tenant nobody"):
        client.simulator.log("nobody")
    for method, path in (("POST", "faults"), ("POST", "tenants"), ("PATCH", f"tenants/{client.tenant.label}")):
        url = f"{client.simulator.endpoint}/_simulator/{path}"
        for body in (["a list"], "text", 5):
            assert client.simulator.session.request(method, url, json=body).status_code == 400
        assert client.simulator.session.request(method, url, data=b"{").status_code == 400
