# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin: the tenants of a partner as hosts, or an error, and never a shorter list."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import COLLECTION, ROOT, Lab, Tenant, task

from ansible_collections.m365.exchange_online.plugins.inventory import tenants as plugin

EXAMPLE = ROOT / "extensions" / "awx" / "project" / "examples" / "partner.exo_tenants.yml"
PERMISSIONS = ("DelegatedAdminRelationship.Read.All", "Directory.Read.All")
FIRST, SECOND = "6babcaad-604b-40ac-a9d7-9fd97c0b779f", "31359c7f-bd7e-475c-86db-fdb8c937548e"
HOSTILE = "{{ lookup('pipe', 'id') }} {% raw %} \x1b[31m"
CUSTOMERS: dict[str, Any] = {
    "page_size": 1,
    "relationships": [
        {"tenant": FIRST, "customer": HOSTILE, "end": "2026-01-08T09:00:00Z"},
        {"tenant": SECOND, "customer": "Fabrikam", "auto_extend": True},
        {"tenant": SECOND, "customer": "Fabrikam", "name": "Audits"},
        {"tenant": "gone", "customer": "Gone", "status": "terminated"},
    ],
    "contracts": [
        {"tenant": FIRST, "customer": HOSTILE, "domain": "contoso.com"},
        {"tenant": SECOND, "customer": "Fabrikam", "domain": "fabrikam.com", "type": "BreadthPartner"},
    ],
}


def examples() -> dict[str, dict[str, Any]]:
    """The inventory files of the plugin's page, by their source. All but the first are comments there."""
    files = [text.partition("plugin:") for text in re.split(r"(?m)^# [a-z]+\.", plugin.EXAMPLES)]
    found = [yaml.safe_load(re.sub(r"(?m)^# ?", "", name + rest)) for _title, name, rest in files if name]
    return {example["source"]: example for example in found}


EXAMPLES = examples()


def partner(lab: Lab, permissions: Sequence[str] = PERMISSIONS, **entra: Any) -> Tenant:
    return lab.tenant(apps=[{"graph_roles": list(permissions)}], entra={**CUSTOMERS, **entra})


def written(directory: Path, **options: Any) -> Path:
    path = directory / "partner.exo_tenants.yml"
    path.write_text(yaml.safe_dump({**options, "plugin": f"{COLLECTION}.tenants"}))
    return path


@dataclass(frozen=True)
class Listed:
    rc: int
    found: Mapping[str, Any]
    stderr: str

    @property
    def variables(self) -> dict[str, dict[str, Any]]:
        return dict(self.found["_meta"]["hostvars"])

    def failed(self, *texts: str) -> None:
        """It ended with an error that says so, and without a host."""
        assert self.rc != 0
        # Ansible breaks lines, before 2.19 also after the hyphens of a GUID.
        said = "".join(self.stderr.split())
        for text in texts:
            assert "".join(text.split()) in said, self.stderr
        assert "Traceback" not in self.stderr


def listed(tenant: Tenant, path: Path, **environment: str) -> Listed:
    """What ansible-inventory says of this inventory."""
    ready = tenant.lab.prepare([], tenant)
    program = str(Path(ready.command[0]).with_name("ansible-inventory"))
    variables = {**ready.environment, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true", **environment}
    done = subprocess.run(
        [program, "-i", str(path), "--list"], capture_output=True, text=True, env=variables, check=False
    )
    for secret in tenant.secrets:
        assert secret not in done.stdout + done.stderr
    return Listed(done.returncode, json.loads(done.stdout or "{}", object_hook=_plain), done.stderr)


def _plain(found: dict[str, Any]) -> Any:
    """Since ansible-core 2.19 a text that is no template is shown as a dictionary."""
    return found.get("__ansible_unsafe", found)


def test_customers_of_relationships_are_hosts(lab: Lab, tmp_path: Path) -> None:
    asked = partner(lab)
    own = {"tenant": asked.domain, "expect_at_least": 2, "cache_connection": str(tmp_path / "cache")}
    found = listed(asked, written(tmp_path, **EXAMPLES["gdap"] | own))
    assert found.rc == 0, found.stderr
    assert sorted(found.found["tenants"]["hosts"]) == sorted([FIRST, SECOND])
    assert found.found["gdap_expires_30d"]["hosts"] == [FIRST]
    second = found.variables[SECOND]
    assert (second["exo_tenant"], second["tenant_name"]) == (SECOND, "Fabrikam")
    assert second["gdap"]["relationships"] == ["Relationship 1", "Audits"]
    assert found.variables[FIRST]["gdap"]["end"] == "2026-01-08"


def test_the_example_for_a_project_of_awx(lab: Lab, tmp_path: Path) -> None:
    asked = partner(lab)
    path = tmp_path / EXAMPLE.name
    path.write_text(EXAMPLE.read_text(encoding="utf-8").replace("partner.onmicrosoft.com", asked.domain))
    found = listed(asked, path)
    assert found.rc == 0, found.stderr
    assert sorted(found.found["tenants"]["hosts"]) == sorted([FIRST, SECOND])
    assert found.found["gdap_expires_30d"]["hosts"] == [FIRST]


def test_what_a_customer_is_called_is_no_template(lab: Lab, tmp_path: Path) -> None:
    """In a play, where a template would be rendered. Hosts are named by what customers can't choose freely."""
    asked = partner(lab)
    own = {"tenant": asked.domain, "hostvars_prefix": "p_", "compose": {"greeting": "p_tenant_name ~ '!'"}}
    keyed = [{**EXAMPLES["contracts"]["keyed_groups"][0], "key": "p_contract_types"}]
    path = written(tmp_path, **EXAMPLES["contracts"] | own | {"keyed_groups": keyed})
    plain = HOSTILE.replace("\x1b", "")
    texts = task(
        "ansible.builtin.debug",
        {"msg": "{{ [p_tenant_name, greeting, p_default_domain, group_names | sort] }}"},
        named="texts",
        when="p_tenant_name is defined",
    )
    run = lab.run_playbook([texts], [], env=asked.environment, arguments=["-i", str(path)])
    assert run.step("texts", "contoso.com").result["msg"] == [
        plain,
        f"{plain}!",
        "contoso.com",
        ["contract_ResellerPartner", "tenants"],
    ]


@pytest.mark.parametrize("source", ["gdap", "contracts"])
def test_a_missing_permission_is_an_error_that_names_it(lab: Lab, tmp_path: Path, source: str) -> None:
    named = {"gdap": PERMISSIONS[0], "contracts": PERMISSIONS[1]}[source]
    asked = partner(lab, [one for one in PERMISSIONS if one != named])
    listed(asked, written(tmp_path, source=source)).failed("HTTP 403", f"Grant the app {named}")


def test_a_list_that_is_short_is_an_error(lab: Lab, tmp_path: Path) -> None:
    asked = partner(lab)
    known = tmp_path / "known.txt"
    path = written(tmp_path, source="gdap", known_file="known.txt", retries=0)
    assert listed(asked, path).rc == 0
    assert FIRST in known.read_text()

    asked.fault("status", code=503, match={"resource": "relationships", "page": 2})
    listed(asked, path).failed("HTTP 503")
    asked.patch(entra={"relationships": CUSTOMERS["relationships"][1:]})
    listed(asked, path).failed("1 tenant of the last inventory is missing", FIRST, str(known))
    listed(asked, written(tmp_path, source="gdap", expect_at_least=2)).failed("1 tenant, and at least 2 were expected")


def test_the_cache_holds_the_list_and_no_secret(lab: Lab, tmp_path: Path) -> None:
    asked = partner(lab)
    cache = tmp_path / "cache"
    options = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(cache)}
    path = written(tmp_path, source="gdap", **options)
    before = listed(asked, path)
    asked.patch(apps=[{"graph_roles": []}])
    asked.fault("status", code=403, times=None, match={"resource": "relationships"})
    assert listed(asked, path).found == before.found
    (file,) = cache.iterdir()
    assert FIRST in file.read_text()
    assert not [secret for secret in [*asked.secrets, "eyJ"] if secret in file.read_text()]
    # Another question is not answered by what the cache holds.
    listed(asked, written(tmp_path, source="contracts", **options)).failed("HTTP 403")


def test_a_file_needs_no_credential(lab: Lab, tmp_path: Path) -> None:
    content = {"tenants": ["contoso.com", {"tenant": FIRST, "name": "Fabrikam"}]}
    (tmp_path / "tenants.yml").write_text(yaml.safe_dump(content))
    path = written(tmp_path, **EXAMPLES["file"])
    blank = {"EXO_CLIENT_ID": "", "EXO_CLIENT_SECRET": "", "EXO_TENANT": "", "EXO_CLOUD": ""}
    found = listed(partner(lab), path, **blank)
    assert found.variables == {
        "contoso.com": {"exo_tenant": "contoso.com"},
        FIRST: {"exo_tenant": FIRST, "tenant_id": FIRST, "tenant_name": "Fabrikam"},
    }


def test_what_is_missing_is_said(lab: Lab, tmp_path: Path) -> None:
    asked = partner(lab)
    listed(asked, written(tmp_path, source="gdap"), EXO_TENANT="").failed("tenant")
    listed(asked, written(tmp_path, source="file")).failed("tenants_file names the file")
