# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service, a proxy, a variable or a file could do to a task: hold it, fill its memory, steer a terminal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from faults import documented
from harness import Lab, Run, Tenant, small, task, tried

SET = "exo_transport_config"
INFO = "exo_transport_config_info"
READ = {"cmdlet": "Get-TransportConfig"}
PROXY_PASSWORD = "s3cr3tpw-of-the-proxy"
# Escape sequences, C1 controls, and marks that turn the direction of text.
STEERING = "\x1b[2J\x1b]0;title\x07\x9b31m\u202ereversed\u2066\u200f\x00"
ANY_STEERING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def clean(text: str) -> None:
    assert not ANY_STEERING.search(text), repr(text)
    assert "\x1b[2J" not in text and "\x1b]" not in text, repr(text)


# --- answers ---


def test_a_server_that_trickles_does_not_hold_the_task(tenant: Tenant) -> None:
    tenant.fault("trickle", match=READ, times=None)
    step = tenant.one(INFO, {"timeout": 3, "retries": 0})
    step.refused("service_unavailable", "did not finish its answer within 3 seconds", hint="timeout")
    documented("server that trickles", step)


def test_an_answer_that_inflates_does_not_fill_the_memory(tenant: Tenant) -> None:
    tenant.fault("gzip_bomb", match=READ, times=None)
    step = tenant.one(INFO, {"retries": 0})
    step.refused("service_unavailable", "larger than any", hint="proxy")
    documented("answer that inflates", step)


def test_the_services_text_does_not_steer_the_terminal(lab: Lab) -> None:
    tenant = small(lab)
    error = {"code": 400, "type": "Some.Exception", "message": f"No{STEERING}."}
    tenant.fault(
        "warnings",
        messages=[f"Basic authentication ends{STEERING} soon."],
        match={"cmdlet": "Set-TransportConfig"},
    )
    tenant.patch(mailboxes=[{"identity": tenant.at("ada"), "display_name": f"Ada{STEERING}"}])
    tenant.fault("status", match={"cmdlet": "Set-CASMailbox"}, times=None, **error)
    run = tenant.run(
        [
            task(SET, {"clear_categories": False}, named="warned"),
            tried("exo_cas_mailbox", {"identity": ["ada"], "pop_enabled": False}, named="refused", diff=True),
            task("exo_cas_mailbox_info", {"identity": ["ada"], "properties": ["pop_enabled"]}, named="shown"),
        ],
        warns=["The service says"],
    )  # fmt: skip
    run["refused"].refused("invalid_request", "ada@.*No.*reversed", hint=None)
    (box,) = run["shown"]["mailboxes"]
    for text in (run["refused"].msg, *run["warned"].warnings, box["display_name"], run.stderr):
        clean(text)
    assert any("Basic authentication ends" in warning for warning in run["warned"].warnings)


def test_the_services_warnings_on_a_write_are_passed_on(lab: Lab) -> None:
    """A change of the service may speak just there. Ansible prints equal warnings once, so each names its tenant."""
    tenants = [small(lab), small(lab)]
    text = "SMTP AUTH with Basic authentication will be turned off."
    for tenant in tenants:
        tenant.fault("warnings", messages=[text], match={"cmdlet": "Set-TransportConfig"})
        tenant.fault("warnings", messages=[text], match={"cmdlet": "Set-CASMailbox"})
        # What nothing was changed by says nothing new.
        tenant.fault("warnings", messages=["A word on a read."], match=READ)
    run = lab.run_playbook(
        [
            task(SET, {"clear_categories": False}, named="organization"),
            task("exo_cas_mailbox", {"identity": ["ada"], "pop_enabled": False}, named="mailbox"),
        ],
        tenants, warns=["The service says"],
    )  # fmt: skip
    for tenant in tenants:
        (first,) = run.step("organization", tenant.label).warnings
        (second,) = run.step("mailbox", tenant.label).warnings
        assert first == f"{tenant.domain}: The service says about Set-TransportConfig for the organization: {text}"
        assert re.fullmatch(rf"{tenant.domain}: The service says about Set-CASMailbox for ada@\S+: {text}", second)
        shown = "".join(run.stderr.split())
        assert "".join(first.split()) in shown


# --- options ---


def test_numbers_and_paths_that_are_none(tenant: Tenant, tmp_path: Path) -> None:
    nul = f"{tmp_path}/a\0b"
    box = {"identity": ["ada"], "pop_enabled": False}
    cases: dict[str, tuple[str, dict[str, Any], str]] = {
        "max_changes of 5,000 digits": ("exo_cas_mailbox", {**box, "max_changes": "9" * 5000}, "max_changes"),
        "percentage in other digits": ("exo_cas_mailbox", {**box, "max_changes": "\u0663%"}, "max_changes"),
        "more than everything": ("exo_cas_mailbox", {**box, "max_lose": "101%"}, "max_lose"),
        "less than nothing": ("exo_cas_mailbox", {**box, "max_gain": "-1"}, "max_gain"),
        "timeout of 30,000 years": (INFO, {"timeout": 10**12}, "timeout has to be between 1 and 3600"),
        "timeout of nothing": (INFO, {"timeout": 0}, "timeout has to be between"),
        "retries below none": (INFO, {"retries": -1}, "retries has to be between"),
        "concurrency of everybody": (INFO, {"concurrency": 10**6}, "concurrency has to be between"),
        "NUL in undo_file": ("exo_cas_mailbox", {**box, "undo_file": nul}, "undo_file.*NUL"),
        "NUL in effect_file": ("exo_cas_mailbox", {**box, "effect_file": nul}, "effect_file.*NUL"),
        "NUL in dest": ("exo_cas_mailbox_info", {"all_mailboxes": True, "dest": nul}, "dest.*NUL"),
        "NUL in src": ("exo_restore", {"src": nul}, "src.*NUL"),
        "NUL in certificate_path": (INFO, {"certificate_path": nul}, "certificate_path.*NUL"),
        "NUL in a list": ("exo_cas_mailbox", {**box, "identity": ["ada", "b\0en"]}, r"identity\[1\].*NUL"),
        "relative dest": ("exo_cas_mailbox_info", {"all_mailboxes": True, "dest": "all.json"}, "dest.*absolute"),
        "relative src": ("exo_restore", {"src": "undo.json"}, "src.*absolute"),
    }
    run = tenant.run([tried(module, arguments, named=name) for name, (module, arguments, _text) in cases.items()])
    for name, (_module, _arguments, text) in cases.items():
        step = run[name]
        assert step.code in ("invalid_request", "refused", "authentication_failed"), step.summary
        assert re.search(text, step.msg), step.msg
        assert len(step.msg) < 400
        for word in ("Error", "Errno", "null byte", "None"):
            assert word not in step.msg, step.msg
    documented("timeout that is none", run["timeout of 30,000 years"])
    assert list(tmp_path.iterdir()) == []
    assert tenant.writes() == []


def test_a_list_of_twenty_thousand_entries(tenant: Tenant) -> None:
    """Compared entry by entry with every other one it would take minutes, and this task's time would be over."""
    many = [f"Device{number:05}" for number in range(20_000)]
    tenant.patch(mailboxes=[{"identity": tenant.at(name), "cas": {"ActiveSyncAllowedDeviceIDs": many}}
                            for name in ("ada", "ben", "reports")])  # fmt: skip
    change = {"active_sync_allowed_device_ids": {"add": [*many, "One more"], "remove": many[:10]}}
    wrong = {**change, "active_sync_allowed_device_ids": {"add": many, "remove": many}}
    right = {"active_sync_allowed_device_ids": {"add": [*many[10:], "One more"], "remove": many[:10]}}
    names = [tenant.at(name) for name in ("ada", "ben", "reports")]
    run = tenant.run(
        [
            tried("exo_cas_mailbox", {"identity": names, **wrong}, named="wrong", timeout=100),
            task("exo_cas_mailbox", {"identity": names, **right}, named="right", timeout=100, check_mode=True),
        ]
    )
    run["wrong"].refused("invalid_request", "under add and under remove", hint=None)
    assert run["right"]["summary"]["changed"] == 3


# --- secrets ---


@pytest.fixture(scope="module")
def proxied(lab: Lab) -> Run:
    tenant = small(lab)
    proxies = {
        "impossible port": f"http://user:{PROXY_PASSWORD}@127.0.0.1:99999",
        "hash in the password": f"http://user:{PROXY_PASSWORD}#more@127.0.0.1:1",
        "no port": f"http://user:{PROXY_PASSWORD}@127.0.0.1:x",
        "nobody listens": f"http://user:{PROXY_PASSWORD}@127.0.0.1:1",
        "no host": f"http://user:{PROXY_PASSWORD}@",
        "two at signs": f"http://user:{PROXY_PASSWORD}@{PROXY_PASSWORD}@127.0.0.1:1",
    }
    return tenant.run(
        [
            tried(INFO, {"retries": 0}, named=name, environment={"HTTPS_PROXY": url, "https_proxy": url,
                                                                 "NO_PROXY": "", "no_proxy": ""})
            for name, url in proxies.items()
        ],
        verbosity=1,
    )  # fmt: skip


def test_the_password_of_a_proxy_is_in_no_message(proxied: Run) -> None:
    for step in proxied.steps:
        assert step.failed, step.summary
        told = {key: value for key, value in step.result.items() if key != "invocation"}
        assert PROXY_PASSWORD not in repr(told), step.summary
        step.refused("service_unavailable", hint="PROXY")
    documented("proxy URL that is none", proxied["impossible port"])


def test_an_identity_endpoint_is_asked_past_any_proxy(lab: Lab) -> None:
    """The header that proves the caller to it would reach the proxy otherwise."""
    tenant = lab.tenant(managed_identity={})
    identity = tenant.info.values["managed_identity"]
    nowhere = "http://127.0.0.1:1"
    variables = {
        "IDENTITY_ENDPOINT": identity["identity_endpoint"], "IDENTITY_HEADER": identity["header"],
        "HTTP_PROXY": nowhere, "http_proxy": nowhere, "NO_PROXY": "", "no_proxy": "",
        **dict.fromkeys(("EXO_CLIENT_ID", "EXO_CLIENT_SECRET", "EXO_CERTIFICATE_PATH"), ""),
    }  # fmt: skip
    step = tenant.one(INFO, {"auth_source": "managed_identity"}, env=variables, secrets=[identity["header"]])
    assert step.ok()["transport_config"]


def test_files_that_others_can_read_warn(lab: Lab, tmp_path: Path) -> None:
    tenant = small(lab, apps=[{"certificate": True}, {"federated": {}}])
    values = tenant.info.values
    federated = values["apps"][1]
    paths = {"certificate_path": values["certificate_path"], "federated_token_file": federated["federated_token_file"]}
    copies = {}
    for option, path in paths.items():
        copies[option] = tmp_path / Path(path).name
        copies[option].write_text(Path(path).read_text())
        copies[option].chmod(0o644)
    undo = tmp_path / "undo.json"
    own = {"client_id": tenant.info.client_id, "certificate_path": str(copies["certificate_path"])}
    tokens = {"client_id": federated["client_id"], "federated_token_file": str(copies["federated_token_file"])}
    run = tenant.run(
        [
            task(INFO, own, named="certificate"),
            task(INFO, tokens, named="token file"),
            task(SET, {"clear_categories": False, "undo_file": str(undo)}, named="change"),
            task("ansible.builtin.file", {"path": str(undo), "mode": "0644"}, named="chmod"),
            task("exo_restore", {"src": str(undo)}, named="restore"),
        ],
        warns=["can be read by others"],
    )
    for name in ("certificate", "token file", "restore"):
        assert any("can be read by others" in warning and "chmod 600" in warning for warning in run[name].warnings)
    documented("key that others can read", run["certificate"])
    assert run["change"].warnings == []


def test_a_secret_is_not_sent_to_another_host(tenant: Tenant) -> None:
    """Whoever may set ansible_connection would get it otherwise. The refusal comes before any connection."""
    run = tenant.lab.run_playbook(
        [tried(INFO, named="it")], [tenant], host_vars={tenant.label: {"ansible_connection": "ssh"}}
    )
    step = run["it"].refused("refused", "client_secret is not sent over a ssh connection", hint=None)
    assert "EXO_ALLOW_REMOTE" in step.msg
    assert tenant.log() == []
