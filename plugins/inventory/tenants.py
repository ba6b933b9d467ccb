# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: tenants
short_description: Use the tenants of a partner's customers as hosts
version_added: 1.0.0
author:
  - the m365.exchange_online contributors (@m365-ansible)
description:
  - Makes a host of each customer's tenant, in a group that the playbooks of this collection work on.
  - The customers come from the delegated admin relationships (GDAP) or the contracts of the partner's own tenant, which
    are read from Microsoft Graph, or from a file.
  - The customers' tenants are not contacted.
  - A list that could not be read to its end, or is shorter than expected, is an error and never a shorter inventory.
    Ansible goes on without an inventory source that fails, unless E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) is
    V(true). Set it if there are other sources as well.
  - The name of the file has to end in C(exo_tenants.yml) or C(exo_tenants.yaml).
extends_documentation_fragment:
  - m365.exchange_online.connection
  - m365.exchange_online.connection.graph
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices:
      - m365.exchange_online.tenants
  source:
    description:
      - Where the customers come from.
      - V(gdap) are the customers of active delegated admin relationships. The app needs
        C(DelegatedAdminRelationship.Read.All) of Microsoft Graph, and some partners' tenants need the service
        principal C(Partner Customer Delegated Administration) (C(2832473f-ec63-45fb-976f-5d45a7d4bb91)) as well.
      - V(contracts) are the customers of a reseller, also without GDAP. The app needs C(Directory.Read.All). Of the two
        sources at Microsoft, only this one gives a domain.
      - V(file) is O(tenants_file). Nothing is asked of Microsoft, and no credential is needed.
    type: str
    required: true
    choices:
      - gdap
      - contracts
      - file
  tenant:
    description:
      - The partner's own tenant, as its GUID or as any of its verified domains. Not needed with O(source=file).
      - If not given, the value of the environment variable E(EXO_TENANT), E(AZURE_TENANT_ID) or E(AZURE_TENANT) is
        used, the first that is not empty.
    type: str
    required: false
    env:
      - name: EXO_TENANT
      - name: AZURE_TENANT_ID
      - name: AZURE_TENANT
  # The plugin looks the connection up itself, by the rules of the modules. The names stand here as well so that
  # ansible-doc and the index of environment variables have them. Three kinds are left out: secrets, because
  # ansible-config dump would print them; options with choices, because Ansible takes an empty variable for a wrong
  # choice; and concurrency and endpoint, which have no use here.
  client_id:
    env:
      - name: EXO_CLIENT_ID
      - name: AZURE_CLIENT_ID
  certificate_path:
    env:
      - name: EXO_CERTIFICATE_PATH
      - name: AZURE_CLIENT_CERTIFICATE_PATH
  federated_token_file:
    env:
      - name: EXO_FEDERATED_TOKEN_FILE
      - name: AZURE_FEDERATED_TOKEN_FILE
  authority:
    env:
      - name: EXO_AUTHORITY
  graph_endpoint:
    env:
      - name: EXO_GRAPH_ENDPOINT
  validate_certs:
    env:
      - name: EXO_VALIDATE_CERTS
  ca_path:
    env:
      - name: EXO_CA_PATH
  timeout:
    env:
      - name: EXO_TIMEOUT
  retries:
    env:
      - name: EXO_RETRIES
  tenants_file:
    description:
      - With O(source=file) a YAML file, absolute or beside the inventory file. Below C(tenants) it lists texts, each
        the GUID or a domain of a tenant, or dictionaries with C(tenant) and, if you like, C(name) and
        C(default_domain).
    type: str
  hostname:
    description:
      - What a host is called. The name of a file in C(host_vars) is this name, so it should not change.
      - V(tenant) is the GUID, or what a file has.
      - V(default_domain) works with contracts and files only.
      - V(name) is the display name, in plain letters and digits with dashes between them. Customers can change theirs,
        so one that takes a name that was another's would get its C(host_vars).
      - Two tenants with the same name are an error.
    type: str
    default: tenant
    choices:
      - tenant
      - default_domain
      - name
  group:
    description: The group that all hosts are in. The playbooks of this collection work on V(tenants).
    type: str
    default: tenants
  expect_at_least:
    description: Fewer tenants than this are an error.
    type: int
    default: 1
  known_file:
    description:
      - A file in which this plugin remembers the tenants, absolute or beside the inventory file. If a tenant in it is
        no longer found, that is an error that names the tenant.
      - When a customer has left, remove its line.
    type: str
  hostvars_prefix:
    description: What the names of the variables begin with, except for C(exo_tenant).
    type: str
    default: ''
  hostvars_suffix:
    description: What the names of the variables end with, except for C(exo_tenant).
    type: str
    default: ''
notes:
  - "The variables of a host: C(exo_tenant), by which the role and the playbooks connect; C(tenant_id), C(tenant_name),
    C(default_domain) and C(contract_types), as far as they are known; and with O(source=gdap) C(gdap), a dictionary of
    C(relationships) (their names), C(end) (the last day of the one that lasts longest), C(days_left), C(auto_extend)
    and C(roles) (ids of role definitions)."
  - Text that comes from the service is never evaluated as a template.
  - O(endpoint) and O(concurrency) are not used here. O(access_token) has to be one for Microsoft Graph.
  - The credential of this plugin reads the partner's tenant. Those of the customers are in C(group_vars) or in the
    environment, as for any other inventory.
"""

EXAMPLES = r"""
---
# partner.exo_tenants.yml: customers with an active relationship. The credential is in EXO_CLIENT_ID and
# EXO_CERTIFICATE_PATH of the environment.
plugin: m365.exchange_online.tenants
source: gdap
tenant: partner.onmicrosoft.com
expect_at_least: 20
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /var/cache/exo
cache_timeout: 3600
groups:
  gdap_expires_30d: gdap.days_left is not none and gdap.days_left <= 30 and not gdap.auto_extend

# reseller.exo_tenants.yml: all customers of a reseller, named by their domain.
#
# plugin: m365.exchange_online.tenants
# source: contracts
# tenant: partner.onmicrosoft.com
# hostname: default_domain
# known_file: known_tenants.txt
# keyed_groups:
#   - key: contract_types
#     prefix: contract

# own.exo_tenants.yml: the tenants of a file.
#
# plugin: m365.exchange_online.tenants
# source: file
# tenants_file: tenants.yml

# tenants.yml, which the one above reads.
#
# tenants:
#   - contoso.onmicrosoft.com
#   - tenant: 6babcaad-604b-40ac-a9d7-9fd97c0b779f
#     name: Fabrikam
"""

import datetime
import importlib.util
import os
import typing as t
from collections.abc import Callable, Mapping

from ansible.errors import AnsibleParserError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.m365.exchange_online.plugins.module_utils import _options
from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Authority
from ansible_collections.m365.exchange_online.plugins.module_utils._credentials import select
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError, InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._files import replace_if_different
from ansible_collections.m365.exchange_online.plugins.module_utils._graph import Graph
from ansible_collections.m365.exchange_online.plugins.module_utils._http import HAS_REQUESTS, Http
from ansible_collections.m365.exchange_online.plugins.module_utils._module import missing_libraries, register_secrets
from ansible_collections.m365.exchange_online.plugins.module_utils._tokens import TokenSource
from ansible_collections.m365.exchange_online.plugins.plugin_utils import _tenants

Rows = list[t.Any]
# How each source is read, and what its rows come to.
_SOURCES: Mapping[str, tuple[Callable[[Graph], Rows], Callable[[Rows], list[_tenants.Tenant]]]] = {
    "gdap": (Graph.relationships, _tenants.from_relationships),
    "contracts": (Graph.contracts, _tenants.from_contracts),
}


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]  # ansible-core ships no types
    """Reads all of the list before it adds the first host."""

    NAME = "m365.exchange_online.tenants"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(("exo_tenants.yml", "exo_tenants.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        try:
            tenants = self._from_file(path) if self.get_option("source") == "file" else self._asked(path, config, cache)
            _tenants.check_count(tenants, self.get_option("expect_at_least"))
            self._check_known(path, tenants)
            hosts = _tenants.by_host(tenants, self.get_option("hostname"))
        except ExoError as error:
            raise AnsibleParserError(" ".join(filter(None, (f"{path}: {error}", error.hint)))) from error
        self._add(hosts)

    # --- reading ---

    def _beside(self, path: str, option: str) -> str:
        """The path in an option, which may be relative to the inventory file."""
        return os.path.join(os.path.dirname(path), os.path.expanduser(self.get_option(option)))

    def _from_file(self, path: str) -> list[_tenants.Tenant]:
        if not self.get_option("tenants_file"):
            raise InvalidRequest("With source: file, tenants_file names the file of the tenants.")
        return _tenants.from_file(self.loader.load_from_file(self._beside(path, "tenants_file")))

    def _asked(self, path: str, config: Mapping[str, t.Any], cache: bool) -> list[_tenants.Tenant]:
        """What Microsoft Graph says, or said not long ago."""
        source = self.get_option("source")
        read, understood = _SOURCES[source]
        connection = _connection(config)
        # Whoever changes the file does not want what the cache holds.
        question = [source, connection.tenant, connection.graph_endpoint]
        key = self.get_cache_key(path)
        kept = self._cache.get(key) if cache and self.get_option("cache") else None
        if kept and kept["question"] == question:
            return understood(kept["rows"])
        rows = read(self._graph(connection))
        tenants = understood(rows)
        if self.get_option("cache"):
            self._cache[key] = {"question": question, "rows": rows}
        return tenants

    def _graph(self, connection: _options.Connection) -> Graph:
        for warning in connection.warnings:
            self.display.warning(f"{connection.tenant}: {warning}")
        missing = [name for name in ("msal", "requests") if importlib.util.find_spec(name) is None]
        if missing or not HAS_REQUESTS:
            raise InvalidRequest(missing_libraries(missing or ["requests"]))
        http = Http(connection.verify, connection.timeout, 1)
        resource = connection.cloud.graph_resource(connection.graph_endpoint)
        authority = Authority(connection.authority, connection.tenant, resource, http, connection.retries)
        tokens = TokenSource(authority, select(connection.credential), warn=self.display.warning, mask=register_secrets)
        return Graph(http, tokens, connection.graph_endpoint, retries=connection.retries)

    def _check_known(self, path: str, tenants: list[_tenants.Tenant]) -> None:
        if not self.get_option("known_file"):
            return
        file = self._beside(path, "known_file")
        if os.path.exists(file):
            with open(file, encoding="utf-8") as known:
                _tenants.check_known(tenants, known.read(), file)
        replace_if_different("known_file", file, _tenants.remembered(tenants), dry_run=False)

    # --- hosts ---

    def _add(self, hosts: Mapping[str, _tenants.Tenant]) -> None:
        group = self.inventory.add_group(self._sanitize_group_name(self.get_option("group")))
        today = datetime.datetime.now(datetime.timezone.utc).date()
        before, after = self.get_option("hostvars_prefix"), self.get_option("hostvars_suffix")
        strict = self.get_option("strict")
        for host, tenant in hosts.items():
            self.inventory.add_host(host, group=group)
            self.inventory.set_variable(host, "exo_tenant", tenant.tenant)
            for name, value in _tenants.variables(tenant, today).items():
                self.inventory.set_variable(host, f"{before}{name}{after}", _inert(value))
            known = self.inventory.get_host(host).get_vars()
            self._set_composite_vars(self.get_option("compose"), known, host, strict=strict)
            self._add_host_to_composed_groups(self.get_option("groups"), known, host, strict=strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, host, strict=strict)


def _inert(value: t.Any) -> t.Any:
    """The value with what could be a template marked as none, for ansible-core before 2.19.

    Only that, because ansible-inventory shows a marked text as a dictionary, and not every reader expects one.
    """
    if isinstance(value, dict):
        return {name: _inert(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_inert(entry) for entry in value]
    return wrap_var(value) if isinstance(value, str) and "{" in value else value


def _connection(config: Mapping[str, t.Any]) -> _options.Connection:
    """Where to go and as whom, by the rules that hold for the modules; raises ExoError.

    The options are looked up here and not by Ansible's own ``env``, which takes a blank variable for a value.
    """
    given = {
        name: value for name, value in config.items() if name in _options.CONNECTION_NAMES and value not in (None, "")
    }
    checked = ArgumentSpecValidator(_options.argument_spec(graph=True)).validate(given)
    if checked.error_messages:
        raise InvalidRequest(f"{'. '.join(checked.error_messages)}.")
    register_secrets(_options.secrets(given, os.environ))
    return _options.resolve(checked.validated_parameters, os.environ)
