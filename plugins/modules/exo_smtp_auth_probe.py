#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_smtp_auth_probe
short_description: Sign in over SMTP as a device would, and say which gate refuses it
version_added: 1.0.0
description:
  - Connects to the submission endpoint, turns on TLS, signs in once and hangs up. It sends no mail.
  - Settings say what should be. This module shows what a scanner or an application gets, through the protocol itself.
    Use it before and after a change, with the account of the device.
  - A sign-in that is refused is a result and not a failure of the task. RV(authenticated) is V(false) then, RV(reply)
    is what the server said, RV(gate) is the gate that gave that reply, and RV(remedy) is what to do.
  - The task fails where the server gave no verdict, for instance because it can't be reached, its certificate is not
    trusted or it does not offer STARTTLS. The password and the token are sent only over TLS.
extends_documentation_fragment:
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.actiongroup_exo
attributes:
  check_mode:
    support: full
    details:
      - In check mode nobody signs in, because a failed sign-in counts against the account. The result says so.
  diff_mode:
    support: N/A
    details:
      - This action changes no setting.
  idempotent:
    support: full
    details:
      - RV(ignore:changed) is always V(false).
options:
  username:
    description:
      - The name to sign in with, usually the user principal name.
      - With O(method=oauth) it is the address of the mailbox to send as.
    type: str
    required: true
  method:
    description:
      - What the device shows.
      - V(basic) is the user name and O(password).
      - V(oauth) is an access token (C(XOAUTH2)). It is the one of the app that the connection options name, or the
        one that O(access_token) holds.
    type: str
    choices:
      - basic
      - oauth
    default: basic
  password:
    description:
      - The password of the account. Required with O(method=basic), and refused with O(method=oauth).
    type: str
  host:
    description:
      - The submission endpoint.
      - The default is the cloud's own, C(smtp.office365.com) for V(worldwide) and V(gcc), and
        C(smtp.partner.outlook.cn) for V(china). For the other clouds it has to be given.
    type: str
  port:
    description:
      - The port of the submission endpoint. The connection starts without TLS, and STARTTLS turns it on.
    type: int
    default: 587
notes:
  - A failed sign-in counts against the account. A few of them in a short time lock it for a while (smart lockout),
    for the device too. So there is exactly one attempt, O(retries) has no effect, and a loop over wrong passwords is
    a bad idea.
  - With O(method=basic) the connection options of the app are not needed. Only O(tenant), O(cloud),
    O(validate_certs), O(ca_path) and O(timeout) are used, and O(timeout) is the time for the whole sign-in.
  - With O(method=oauth) the app needs the application permission C(SMTP.SendAsApp) of C(Office 365 Exchange Online),
    a service principal in Exchange (C(New-ServicePrincipal), with the object ID of the enterprise application) and
    the right C(FullAccess) on the mailbox. A token of a user in O(access_token) needs the scope C(SMTP.Send).
  - Proxies are not used, as they do not carry SMTP.
  - It takes some minutes until the endpoint knows a changed setting.
seealso:
  - module: m365.exchange_online.exo_smtp_auth
  - name: Authenticated client SMTP submission
    description: Microsoft's page on the settings that decide.
    link: https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission
  - name: OAuth for SMTP
    description: Microsoft's page on signing in to SMTP with a token.
    link: https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Sign in as the scanner does
  m365.exchange_online.exo_smtp_auth_probe:
    tenant: contoso.onmicrosoft.com
    username: scanner@contoso.com
    password: "{{ scanner_password }}"
  register: scanner

- name: Say what to do where it is refused
  ansible.builtin.debug:
    msg: "{{ scanner.reply }} ({{ scanner.remedy }})"
  when: scanner.authenticated is false

- name: Stop unless the application can send with its token
  m365.exchange_online.exo_smtp_auth_probe:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/erp.pem
    method: oauth
    username: erp@contoso.com
  register: erp
  failed_when: erp is failed or erp.authenticated is false
"""

RETURN = r"""
authenticated:
  description: Whether the server accepted the sign-in. V(null) in check mode, because it does not sign in.
  returned: success
  type: bool
  sample: false
reply:
  description: What the server answered. V(null) in check mode.
  returned: success
  type: str
  sample: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.
gate:
  description:
    - The gate that gives this reply, by its name in M(m365.exchange_online.exo_smtp_auth_info).
    - V(null) if the sign-in was accepted, if the reply has several possible causes, or in check mode.
  returned: success
  type: str
  sample: smtp_auth_setting
gate_certain:
  description: Whether it is certain that this gate gives the reply. V(false) if sources differ.
  returned: success, when there is a gate
  type: bool
  sample: true
meaning:
  description: What the reply means, in a sentence. V(null) if the reply is not known.
  returned: success
  type: str
  sample: The organization has SMTP AUTH turned off, and the mailbox inherits that.
remedy:
  description: What to do. V(null) if nothing has to be done.
  returned: success
  type: str
  sample: Put the mailbox on the allowed list of exo_smtp_auth; the organization can stay closed.
server:
  description: The server, and how the sign-in went.
  returned: success
  type: dict
  contains:
    host:
      description: The name of the server.
      returned: always
      type: str
      sample: smtp.office365.com
    port:
      description: The port.
      returned: always
      type: int
      sample: 587
    mechanism:
      description: The SASL mechanism that was used.
      returned: except in check mode
      type: str
      sample: LOGIN
    offered:
      description: The SASL mechanisms that the server offers.
      returned: except in check mode
      type: list
      elements: str
      sample: [LOGIN, XOAUTH2]
    tls_version:
      description: The version of TLS.
      returned: except in check mode
      type: str
      sample: TLSv1.3
error_code:
  description: What kind of failure it is. The values are listed in the notes.
  returned: failure
  type: str
  sample: service_unavailable
http_status:
  description: The HTTP status of a token request that failed.
  returned: failure, when there was an answer
  type: int
  sample: 401
hint:
  description: What to do, for the failures that a first run meets.
  returned: failure, when one is known
  type: str
  sample: Check the host and the port, and whether the firewall lets this host out on them. Proxies are not used.
"""

from ansible_collections.m365.exchange_online.plugins.module_utils._module import run_module
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_probe import ARGUMENT_SPEC, probe


def main() -> None:
    run_module(probe, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
