# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of each module run as they stand, and what they return is what RETURN says.

One run of ansible-playbook for each module, against a tenant that the documentation speaks of. What an example finds
(files, policies, variables) is made first.
"""

from __future__ import annotations

import importlib
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import ROOT, Lab, Run, task
from scene import PASSWORD, placed, tenants

MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if not path.stem.startswith("_"))
# What the examples say without defining it.
VARIABLES = {
    "exo_tenant": "contoso.onmicrosoft.com",
    "mailbox_baseline": [{"identity": "scanner@contoso.com", "pop_enabled": False}],
    "scanner_password": PASSWORD,
    "smtp_auth_exceptions": [{"identity": "scanner@contoso.com", "expires": "2099-03-31"}],
}
CLOSE = {"organization": "disabled", "allowed": ["scanner@contoso.com"]}
# The organization is open, but for these examples, which say that it is closed.
CLOSED = {"exo_cas_mailbox", "exo_transport_config_info"}
# What is there before the examples of a module: tasks, with paths as the examples have them.
BEFORE: dict[str, list[dict[str, Any]]] = {
    "exo_evidence": [
        *(
            task("exo_evidence_info", {"host": "contoso", "usage": False, "dest": f"{place}/contoso-20261126.json"})
            for place in ("/var/lib/exo/reports", "/mnt/exo/europe", "/mnt/exo/america")
        ),
    ],
    "exo_restore": [
        task("exo_smtp_auth", {**CLOSE, "undo_file": "/var/lib/exo/contoso-smtp-auth.json"}),
        task("exo_transport_config", {"allow_legacy_tls_clients": True,
                                      "undo_file": "/var/lib/exo/contoso-transport.json"}),
        task("exo_cas_mailbox", {"identity": ["ada@contoso.com"], "pop_enabled": False,
                                 "undo_file": "/var/lib/exo/contoso-protocols.json"}),
        task("exo_cas_mailbox", {"identity": ["ben@contoso.com"], "pop_enabled": False,
                                 "undo_file": "/mnt/exo-undo/contoso.json"}),
    ],
    "exo_user": [task("exo_authentication_policy", {"name": "Allow SMTP", "allow_basic_auth_smtp": True})],
    "exo_user_info": [
        task("exo_authentication_policy", {"name": "Allow SMTP", "allow_basic_auth_smtp": True}),
        task("exo_user", {"identity": ["scanner@contoso.com"], "authentication_policy": "Allow SMTP"}),
    ],
}  # fmt: skip
# Ansible's own keys of a result.
OWN = {"changed", "deprecations", "diff", "failed", "failed_when_result", "invocation", "msg", "warnings"}
# What Ansible tells of a file of which the path is in a result.
OWN |= {"gid", "group", "mode", "owner", "size", "state", "uid"}
TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "dict": (dict,),
    "list": (list,),
    "raw": (object,),
}


def documents(name: str, part: str) -> Any:
    module = importlib.import_module(f"ansible_collections.m365.exchange_online.plugins.modules.{name}")
    return yaml.safe_load(getattr(module, part))


def run(name: str, lab: Lab, directory: Path) -> Run:
    contoso = tenants(lab, name in CLOSED)
    for place in ("var/lib/exo/reports", "var/lib/exo/undo", "var/lib/exo/rendered", "srv/www/exo", "mnt/exo-undo",
                  "mnt/exo/europe", "mnt/exo/america"):  # fmt: skip
        (directory / place).mkdir(parents=True)
    (directory / "var/lib/exo/smtp-auth-clients.csv").write_text("Sender address,Messages\nreports@contoso.com,3\n")
    connection = json.loads((lab.simulator.state_dir / "connection.json").read_text())
    play = {
        "name": "The examples",
        "hosts": "contoso",
        "gather_facts": False,
        "module_defaults": {
            "m365.exchange_online.exo_smtp_auth_probe": {
                "host": connection["smtp_host"],
                "port": connection["smtp_port"],
            }
        },
        "tasks": BEFORE.get(name, []) + documents(name, "EXAMPLES"),
    }
    path = directory / "play.yml"
    path.write_text(placed(yaml.safe_dump([play], sort_keys=False), contoso, directory))
    inventory = directory / "inventory.yml"
    hosts = {"contoso": VARIABLES}
    inventory.write_text(yaml.safe_dump({"tenants": {"hosts": hosts}}))
    arguments = ["-i", str(inventory)]
    return lab.run_playbook(path, arguments=arguments, env=contoso.environment, warns=["."])


def unlike(documented: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    """Where a value that was returned is not what its documentation says."""
    if value is None:
        return
    kind = documented["type"]
    if not isinstance(value, TYPES[kind]) or (kind == "int" and isinstance(value, bool)):
        yield f"{path} is documented as {kind}, and is {value!r}"
        return
    inner = documented.get("contains")
    if not inner:
        return
    for number, entry in enumerate(value if isinstance(value, list) else [value]):
        if isinstance(entry, dict):
            yield from undocumented(inner, entry, f"{path}[{number}]" if isinstance(value, list) else path)


def undocumented(documented: Mapping[str, Any], result: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, value in result.items():
        where = f"{path}.{key}"
        if key not in documented:
            yield f"{where} is not documented"
            continue
        yield from unlike(documented[key], value, where)
    for key, content in documented.items():
        if content["returned"] == "always" and key not in result:
            yield f"{path}.{key} is documented as always returned, and is not there"


def each(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of a loop, which may have nothing to do, or the one of a task without a loop."""
    found: list[dict[str, Any]] = result.get("results", [result])
    return found


def without_ansibles_own(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in OWN and not key.startswith("_ansible_")}


def sample_problems(documented: Mapping[str, Any], path: str) -> Iterator[str]:
    """Samples have the type and the keys that are documented beside them."""
    for key, content in documented.items():
        where = f"{path}.{key}"
        if "sample" in content:
            yield from unlike(content, content["sample"], f"{where} (sample)")
        yield from sample_problems(content.get("contains", {}), where)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_and_return_what_is_documented(name: str, lab: Lab, tmp_path: Path) -> None:
    seen = run(name, lab, tmp_path)
    results = [json.loads(line) for line in seen.lines.splitlines()]
    own = [line for line in results if line["action"] == f"m365.exchange_online.{name}"]
    assert own, "no example calls the module"
    returned = without_ansibles_own(documents(name, "RETURN"))
    problems: set[str] = set()
    for result in itertools.chain.from_iterable(each(line["result"]) for line in own):
        problems |= set(undocumented(returned, without_ansibles_own(result), name))
    assert sorted(problems) == []


@pytest.mark.parametrize("name", MODULES)
def test_samples_are_of_the_documented_type(name: str) -> None:
    assert list(sample_problems(documents(name, "RETURN"), name)) == []
