# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  tenant:
    description:
      - The tenant that the module works on, as its GUID or as any of its verified domains.
      - Before the first call the tenant in the token is compared with this one, and a token of another tenant is
        refused. This holds for O(access_token) too.
      - If not given, the value of the environment variable E(EXO_TENANT), E(AZURE_TENANT_ID) or E(AZURE_TENANT) is
        used, the first that is not empty.
    type: str
    required: true
  client_id:
    description:
      - The application (client) ID of the app registration.
      - With O(auth_source=managed_identity) it names a user-assigned identity; without it the system-assigned one is
        used. With O(access_token) it is not needed.
      - A user-assigned identity is named here or in E(EXO_CLIENT_ID); E(AZURE_CLIENT_ID) does not count for that.
      - If not given, the value of the environment variable E(EXO_CLIENT_ID) or E(AZURE_CLIENT_ID) is used, the first
        that is not empty.
    type: str
  client_secret:
    description:
      - A client secret of the app registration. A certificate is better if you have one.
      - If not given, the value of the environment variable E(EXO_CLIENT_SECRET), E(AZURE_CLIENT_SECRET) or
        E(AZURE_SECRET) is used, the first that is not empty.
    type: str
  certificate_path:
    description:
      - Path of a file with the certificate and its private key, as PEM (both in one file) or as PFX (PKCS 12).
      - The file is read on the host that runs the module.
      - If not given, the value of the environment variable E(EXO_CERTIFICATE_PATH) or
        E(AZURE_CLIENT_CERTIFICATE_PATH) is used, the first that is not empty.
    type: path
  certificate:
    description:
      - The certificate and its private key as PEM text, for instance from a vault. Use it instead of
        O(certificate_path) if the key should not be in a file.
      - If not given, the value of the environment variable E(EXO_CERTIFICATE) is used. Some job runners, AWX among
        them, cut an environment variable off at its first line break; pass the key as a file there.
    type: str
  certificate_password:
    description:
      - The password of the PFX file or of the encrypted private key.
      - If not given, the value of the environment variable E(EXO_CERTIFICATE_PASSWORD) or
        E(AZURE_CLIENT_CERTIFICATE_PASSWORD) is used, the first that is not empty.
    type: str
  federated_token_file:
    description:
      - Path of a file with a token from another identity provider that the app registration trusts (workload identity
        federation).
      - If not given, the value of the environment variable E(EXO_FEDERATED_TOKEN_FILE) or
        E(AZURE_FEDERATED_TOKEN_FILE) is used, the first that is not empty.
    type: path
  access_token:
    description:
      - An access token for Exchange Online that you got some other way. It is used as it is and never renewed, so a
        long run can outlive it.
      - If not given, the value of the environment variable E(EXO_ACCESS_TOKEN) is used.
    type: str
  auth_source:
    description:
      - How the module proves who it is.
      - V(auto) uses the one method that the other options and the environment describe completely. If they describe
        none, only part of one, or more than one, the task fails before any request and says what is missing.
      - V(certificate) needs O(client_id) and either O(certificate_path) or O(certificate).
      - V(secret) needs O(client_id) and O(client_secret).
      - V(access_token) needs O(access_token).
      - V(federated) needs O(client_id) and O(federated_token_file).
      - V(managed_identity) uses the managed identity of the Azure host that runs the module. It is never chosen by
        V(auto).
      - If not given, the value of the environment variable E(EXO_AUTH_SOURCE) is used.
    type: str
    choices:
      - auto
      - certificate
      - secret
      - access_token
      - federated
      - managed_identity
    default: auto
  cloud:
    description:
      - The Microsoft cloud that the tenant is in. It decides which hosts are called. V(gcc) has the same hosts as
        V(worldwide).
      - V(china) is the cloud that 21Vianet operates.
      - If not given, the value of the environment variable E(EXO_CLOUD) is used.
    type: str
    choices:
      - worldwide
      - gcc
      - gcc_high
      - dod
      - china
    default: worldwide
  endpoint:
    description:
      - URL to use instead of the cloud's Exchange Online host, for a simulator or a reverse proxy.
      - It must be C(https). The task warns about a host that is not one of the cloud's own, because that host sees the
        token.
      - If not given, the value of the environment variable E(EXO_ENDPOINT) is used.
    type: str
  authority:
    description:
      - URL to use instead of the cloud's sign-in host. The rules are the same as for O(endpoint).
      - If not given, the value of the environment variable E(EXO_AUTHORITY) is used.
    type: str
  validate_certs:
    description:
      - Whether the TLS certificates of the service are verified. Set it to V(false) only in a test lab. To trust a
        private certification authority, use O(ca_path) instead.
      - If not given, the value of the environment variable E(EXO_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - Path of a file with PEM certificates of the certification authorities to trust, for instance that of an
        inspecting proxy.
      - If neither is set, a file that E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE) names is trusted, as in every program
        that uses the library requests.
      - If not given, the value of the environment variable E(EXO_CA_PATH) is used.
    type: path
  timeout:
    description:
      - How many seconds one request may take. Reading all mailboxes of a large tenant takes many requests, and each of
        them may take this long.
      - If not given, the value of the environment variable E(EXO_TIMEOUT) is used.
    type: int
    default: 300
  retries:
    description:
      - How often a request is tried again when the service throttles it or is briefly unavailable. V(0) never tries
        again.
      - If not given, the value of the environment variable E(EXO_RETRIES) is used.
    type: int
    default: 5
  concurrency:
    description:
      - How many batches of up to ten calls are under way at the same time. A higher number is not always faster,
        because the service throttles each tenant.
      - If not given, the value of the environment variable E(EXO_CONCURRENCY) is used.
    type: int
    default: 4
requirements:
  - Python 3.10 or later on the host that runs the module
  - msal >= 1.35 on the host that runs the module
  - requests >= 2.31 on the host that runs the module
notes:
  - The modules call the administration REST API of Exchange Online (C(InvokeCommand)), the one that Microsoft's own
    PowerShell module uses. Microsoft does not publish it as a contract, so it can change without notice.
  - An empty string or null counts as "not given", in the connection options and in their environment variables.
  - An option takes precedence over the environment. The variables that start with C(EXO_) and those that start with
    C(AZURE_) are two families, and one credential is never assembled from both.
  - A secret that is an option of the task is not sent over a connection that is not local, unless E(EXO_ALLOW_REMOTE)
    is V(true) in the environment of Ansible.
  - Proxies are taken from the usual environment variables, E(HTTPS_PROXY) and E(NO_PROXY).
  - The app registration needs the application permission C(Exchange.ManageAsApp) of C(Office 365 Exchange Online) with
    admin consent, and a role in the tenant as well. One without the other is refused with HTTP status 401 or 403.
  - "A task that fails returns RV(ignore:error_code), which is one of these: V(authentication_failed) (there was no
    token, or the service refused it), V(access_denied) (a permission or a role is missing), V(wrong_tenant) (the
    token is of another tenant), V(not_found) and V(ambiguous) (nothing, or more than one thing, has this identity),
    V(invalid_request) (an option, or a value that the service does not take), V(refused) (a limit or a guard stopped
    the plan before the first write), V(throttled), V(service_unavailable), V(incomplete_read) (not everything could be
    read, so nothing was planned), V(partial_failure) (some writes failed and the others were done), V(not_confirmed) (a
    write that the next step relies on was not seen in time), V(expired) (an exception is past its last day, everything
    else is done), V(interrupted) (the run that started the task ended, so the rest was not
    written) and V(unexpected_response) (the service sent something
    that the module does not know)."
"""

    GRAPH = r"""
options:
  graph_endpoint:
    description:
      - URL to use instead of the cloud's Microsoft Graph host. The rules are the same as for O(endpoint).
      - If not given, the value of the environment variable E(EXO_GRAPH_ENDPOINT) is used.
    type: str
"""
