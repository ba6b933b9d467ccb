# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator as something to run: options, restarts, port mappings, health, and the description of its API."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import requests
import yaml
from raw import Client, command

from simulator import __version__
from simulator.cli import main
from simulator.control import OPERATIONS
from simulator.described import TENANT
from simulator.fault_kinds import FAULT
from simulator.testing import Simulator

ROOT = Path(__file__).resolve().parents[3]
APPS = [{"certificate": True}, {"federated": True}]


def get(simulator: Simulator, path: str) -> Any:
    answer = simulator.session.get(f"{simulator.endpoint}/{path}")
    assert answer.status_code == 200
    return answer.json()


def test_health_and_what_this_is(client: Client) -> None:
    health = get(client.simulator, "health")
    assert (health["status"], health["version"]) == ("ok", __version__) and health["tenants"] > 0
    about = get(client.simulator, "")
    assert about["name"] == "exo-simulator" and "GET /_simulator/openapi.json" in about["control"]
    for path in ("_simulator", "_simulator/", "_simulator/nothing", "_simulator/state", "_simulator/state/a/b"):
        assert client.simulator.session.get(f"{client.simulator.endpoint}/{path}").status_code == 404


def test_its_version_is_the_collections(capsys: pytest.CaptureFixture[str]) -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert __version__ == str(galaxy["version"])
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out == f"exo-simulator {__version__}\n"


def test_tenants_are_checked_without_a_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tenants.yml"
    path.write_text('tenants: [{label: one, transport_config: {ClearCategories: "no"}}]', encoding="utf-8")
    assert main(["--check", "--tenants", str(path)]) == 2
    refusal = f'{path}: one.transport_config.ClearCategories: "no" is not true or false (without quotes)'
    assert capsys.readouterr().err == f"exo-simulator: {refusal}\n"
    path.write_text("tenants: [{label: one}, {label: two}]", encoding="utf-8")
    assert main(["--check", "--tenants", str(path)]) == 0
    assert capsys.readouterr().out == "2 tenants are fine\n"
    path.write_text("one: two", encoding="utf-8")
    assert main(["--check", "--tenants", str(path)]) == 2
    path.write_text("[", encoding="utf-8")
    assert main(["--check", "--tenants", str(path)]) == 2
    assert main(["--check", "--export", str(tmp_path / "none.json")]) == 2


def test_the_schema_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    demo = yaml.safe_load((ROOT / "playbooks/files/demo_tenants.yml").read_text(encoding="utf-8"))
    assert jsonschema.Draft202012Validator(schema).is_valid(demo)
    demo["tenants"][0]["domain"] = "contoso.example"
    assert not jsonschema.Draft202012Validator(schema).is_valid(demo)


@pytest.mark.parametrize("url", ["http://x.example", "x.example", "https://x.example/path", "https://"])
def test_a_public_url_is_one_of_a_host(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--public-url", url])
    assert "is not the https URL of a host" in capsys.readouterr().err


def test_a_restart_keeps_who_is_trusted(tmp_path: Path) -> None:
    description = {"label": "kept", "apps": APPS}
    with Simulator.start(state_dir=tmp_path) as first:
        before = first.add_tenant(description)
        token = Client(first, first.add_tenant({"label": "other"})).token().json()["access_token"]
        kept = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix in (".key", ".pem")}
        assert {"ca.key", "ca.pem", "tokens.key", "federation.key", "kept.pem"} == kept.keys()
        assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}
    with Simulator.start(state_dir=tmp_path) as second:
        after = second.add_tenant(description)
        assert {name: (tmp_path / name).read_bytes() for name in kept} == kept
        assert (after.tenant_id, after.client_id) == (before.tenant_id, before.client_id)
        again = Client(second, second.add_tenant({"label": "other"}))
        again.bearer = token
        assert again.invoke("Get-TransportConfig").status_code == 200
        # A tenant that is replaced while the simulator runs gets a new certificate, and so does another lifetime.
        second.add_tenant(description)
        assert (tmp_path / "kept.pem").read_bytes() != kept["kept.pem"]


def test_another_lifetime_is_another_certificate(tmp_path: Path) -> None:
    seen = []
    for days in (365, 365, 30):
        with Simulator.start(state_dir=tmp_path) as running:
            running.add_tenant({"label": "kept", "apps": [{"certificate": {"expires_in_days": days}}]})
            seen.append((tmp_path / "kept.pem").read_bytes())
    assert seen[0] == seen[1] != seen[2]


def test_another_address(tmp_path: Path) -> None:
    port = free_port()
    with Simulator.start(state_dir=tmp_path, options=["--host", "127.0.0.2", "--port", str(port)]) as running:
        running.endpoint = f"https://127.0.0.2:{port}"
        assert get(running, "health")["status"] == "ok"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Forwarder:
    """A port mapping: whatever comes in goes to another port."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                incoming, _address = self._listener.accept()
            except OSError:
                return
            outgoing = socket.create_connection(("127.0.0.1", self._target))
            for source, sink in ((incoming, outgoing), (outgoing, incoming)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def mapped(client: Client) -> Iterator[Client]:
    """The same tenant, reached through a port that the simulator knows nothing of."""
    forwarder = Forwarder(int(urlsplit(client.simulator.endpoint).port or 0))
    found = Client(client.simulator, client.tenant)
    found.base = client.base.replace(client.simulator.endpoint, f"https://localhost:{forwarder.port}")
    yield found
    forwarder.close()


def test_through_a_port_mapping(mapped: Client) -> None:
    assert mapped.invoke("Get-TransportConfig").status_code == 200
    whole = mapped.batch(command("Get-TransportConfig"), command("Get-OrganizationConfig")).json()
    assert [part["status"] for part in whole["responses"]] == [200, 200]
    first = mapped.invoke("Get-CASMailbox", Prefer="odata.maxpagesize=3").json()
    assert first["@odata.nextLink"].startswith(mapped.base)
    assert len(mapped.invoke("Get-CASMailbox", url=first["@odata.nextLink"]).json()["value"]) == 1
    foreign = f"{mapped.base.replace('localhost', 'example.com')}/InvokeCommand"
    assert mapped.batch(command("Get-TransportConfig"), url=foreign).json()["responses"][0]["status"] == 400


def test_behind_a_proxy(tmp_path: Path) -> None:
    """The Host header is the proxy's own; the public URL is what clients know."""
    public, port = "https://exchange.test", free_port()
    with Simulator.start(state_dir=tmp_path, options=["--public-url", public, "--port", str(port)]) as running:
        assert running.endpoint == public
        session = requests.Session()
        session.trust_env, session.verify = False, str(running.ca_path)
        session.headers["Host"] = "backend:9999"
        running.endpoint, running.session = f"https://localhost:{port}", session
        info = running.add_tenant({"label": "one", "mailboxes": [{"upn": "a@x.example"}]})
        assert info.values["endpoint"] == public and info.values["smtp_host"] == "exchange.test"
        discovery = get(running, f"{info.tenant}/v2.0/.well-known/openid-configuration")
        assert discovery["token_endpoint"].startswith(f"{public}/")
        client = Client(running, info)
        url = f"{public}/adminapi/beta/{info.tenant_id}/InvokeCommand"
        assert client.batch(command("Get-CASMailbox"), url=url).json()["responses"][0]["status"] == 200


def test_the_description_of_the_api(client: Client) -> None:
    document = get(client.simulator, "_simulator/openapi.json")
    assert document["openapi"] == "3.1.0" and document["info"]["version"] == __version__
    described, operations = set(), []
    for path, methods in document["paths"].items():
        described |= {(method.upper(), path) for method in methods}
        operations += methods.values()
    assert described == {(each.method, f"/_simulator/{each.path}") for each in OPERATIONS}
    assert len({found["operationId"] for found in operations}) == len(operations)
    for found in operations:
        for content in found.get("requestBody", {}).get("content", {}).values():
            jsonschema.Draft202012Validator.check_schema(content["schema"])
    readme = (Simulator.home() / "README.md").read_text(encoding="utf-8")
    for each in OPERATIONS:
        assert f"`{each.method} {each.path.replace('{label}', 'LABEL')}" in readme


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ({"label": "one"}, True),
        ({"label": "one", "mailboxes": [{"upn": "a@x.example", "cas": {"EwsAllowList": None}}]}, True),
        ({"label": "one", "apps": [{"certificate": {"password": "x"}, "directory_role": ["Get-CASMailbox"]}]}, True),
        ({"label": "one", "mailboxes": [{"upn": "a@x.example", "cas": {"PopEnabled": "false"}}]}, False),
        ({"label": "one", "nonsense": 1}, False),
        ({}, False),
    ],
)
def test_the_schema_says_what_the_checks_say(value: Any, valid: bool) -> None:
    assert jsonschema.Draft202012Validator(TENANT.schema).is_valid(value) is valid


def test_the_schema_of_faults() -> None:
    validator = jsonschema.Draft202012Validator(FAULT.schema)
    assert validator.is_valid({"fault": {"kind": "throttle", "retry_after": "0.1"}, "match": {"page": 2}})
    assert not validator.is_valid({"fault": {"kind": "throttle", "seconds": 1}})
