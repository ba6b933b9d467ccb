# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controls of the frameworks that auditors ask about, and what a tenant's evidence says of each. PRIVATE.

A control's verdict is about its own words only: whether the organization's flag is set, say. Which mailboxes are
exceptions to it stands beside the verdict and never changes it.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._evidence import AccessPolicy, Evidence

PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"

Finding = tuple[str, str]  # status, and the sentence that it rests on


@dataclass(frozen=True)
class Control:
    """One control of one version of a framework.

    since: the first version known to have it under this id. related: controls of other frameworks that mappings
    published by others tie to it.
    """

    id: str
    framework: str
    version: str
    since: str
    level: str
    title: str
    test: Callable[[Evidence], Finding]
    remedy: str
    related: tuple[str, ...] = ()
    has_exceptions: bool = False  # whether mailboxes can be exceptions to it, which its verdict does not show

    @property
    def name(self) -> str:
        return f"{self.framework} {self.version} {self.id}"


@dataclass(frozen=True)
class ControlResult:
    """status: what the control's own words come to. beside: the exceptions that the status does not show, or ""."""

    control: Control
    status: str
    detail: str
    beside: str = ""


def judge(evidence: Evidence) -> tuple[ControlResult, ...]:
    """The result of every control."""
    return tuple(_result(control, evidence) for control in CONTROLS)


def not_read(reason: str, former: tuple[ControlResult, ...] = ()) -> tuple[ControlResult, ...]:
    """The results of a tenant that could not be read. former: what the last evidence said, for the record."""
    said = {result.control.name: f" It was {result.status} when last read." for result in former}
    return tuple(
        ControlResult(control, UNKNOWN, f"Not read: {reason}{said.get(control.name, '')}") for control in CONTROLS
    )


def _result(control: Control, evidence: Evidence) -> ControlResult:
    status, detail = control.test(evidence)
    return ControlResult(control, status, detail, _exceptions_beside(evidence) if control.has_exceptions else "")


def _exceptions_beside(evidence: Evidence) -> str:
    """The mailboxes that the organization's flag does not govern."""
    if evidence.counts is None:
        return "How many mailboxes are enabled on their own was not read."
    enabled = evidence.counts["enabled"]
    if enabled == 0:
        return "No mailbox is enabled on its own."
    listed = sum(1 for mailbox in evidence.mailboxes if mailbox.override == "enabled" and mailbox.exception)
    if enabled == 1:
        return f"One mailbox is enabled on its own, {'with' if listed else 'without'} an entry in the baseline."
    return f"{enabled:,} mailboxes are enabled on their own, {listed:,} of them with an entry in the baseline."


def _setting(evidence: Evidence, table: str, option: str, wanted: object, good: str, bad: str) -> Finding:
    """A control that wants one value of one setting of the organization."""
    settings = evidence.transport_config if table == "transport_config" else evidence.organization_config
    if option not in settings:
        return UNKNOWN, f"{option} was not read."
    if settings[option] == wanted:
        return PASS, good
    return FAIL, bad


def _flag(evidence: Evidence) -> Finding:
    return _setting(
        evidence,
        "transport_config",
        "smtp_client_authentication_disabled",
        True,
        "SMTP AUTH is off for the organization.",
        "SMTP AUTH is on for the organization.",
    )


def _modern_authentication(evidence: Evidence) -> Finding:
    return _setting(
        evidence,
        "organization_config",
        "oauth2_client_profile_enabled",
        True,
        "Modern authentication is on.",
        "Modern authentication is off.",
    )


def _direct_send(evidence: Evidence) -> Finding:
    return _setting(
        evidence,
        "organization_config",
        "reject_direct_send",
        True,
        "Direct Send is rejected.",
        "Direct Send is accepted: a device can send to the tenant without signing in.",
    )


def _legacy_authentication(evidence: Evidence) -> Finding:
    """Stricter than the usual tests: it names exclusions, which a policy that passes may have without end."""
    if evidence.conditional_access is None:
        return UNKNOWN, "Conditional Access was not read."
    blocking = [policy for policy in evidence.conditional_access if _blocks_legacy_clients(policy)]
    if not blocking:
        return FAIL, "No enabled Conditional Access policy blocks legacy clients for all users and apps."
    best = min(blocking, key=lambda policy: (policy.exclusions, policy.name))
    if best.exclusions:
        return PASS, f"The policy {best.name} blocks legacy clients, with {best.exclusions} exclusions to be reviewed."
    return PASS, f"The policy {best.name} blocks legacy clients, without exclusions."


def _blocks_legacy_clients(policy: AccessPolicy) -> bool:
    clients = set(policy.client_app_types)
    legacy = "all" in clients or {"exchangeActiveSync", "other"} <= clients
    return (
        policy.state == "enabled"
        and legacy
        and "block" in policy.grant_controls
        and policy.all_users
        and policy.all_apps
    )


def _no_legacy_authentication(evidence: Evidence) -> Finding:
    if evidence.security_defaults:
        return PASS, "Security defaults refuse every legacy sign-in."
    return _legacy_authentication(evidence)


_CIS = "CIS Microsoft 365 Foundations"
_CLOSE = "Turn SMTP AUTH off for the organization; list the mailboxes that need it as exceptions."

# Identifiers move between versions of a framework: a new version is a new row. Sources: the compliance files of Prowler
# (CIS 4.0, 6.0 and 7.0), the baselines of ScubaGear of August 2026, the tags of CIPP's tests.
CONTROLS: t.Final[tuple[Control, ...]] = (
    Control(
        id="6.5.4",
        framework=_CIS,
        version="7.0.0",
        since="4.0.0",
        level="L1",
        title="SMTP AUTH is disabled",
        test=_flag,
        remedy=_CLOSE,
        has_exceptions=True,
        related=("NIST CSF 2.0 PR.IR-01", "ISO/IEC 27001:2022 A.5.14", "ISO/IEC 27001:2022 A.5.17"),
    ),
    Control(
        id="MS.EXO.5.1v1",
        framework="CISA SCuBA Exchange Online",
        version="2023-06",
        since="2023-06",
        level="SHALL",
        title="SMTP AUTH shall be disabled",
        test=_flag,
        remedy=_CLOSE,
        has_exceptions=True,
        related=("BOD 25-01", "NIST SP 800-53 r5 CM-7"),
    ),
    Control(
        id="5.2.2.3",
        framework=_CIS,
        version="7.0.0",
        since="7.0.0",
        level="L1",
        title="Conditional Access blocks legacy authentication",
        test=_legacy_authentication,
        remedy="Add a Conditional Access policy that blocks legacy clients for all users and all apps.",
    ),
    Control(
        id="21799",
        framework="Microsoft Zero Trust Assessment",
        version="2026-08",
        since="2026-08",
        level="",
        title="Legacy authentication is blocked",
        test=_no_legacy_authentication,
        remedy="Turn security defaults on, or block legacy clients with Conditional Access.",
    ),
    Control(
        id="6.5.1",
        framework=_CIS,
        version="7.0.0",
        since="7.0.0",
        level="L1",
        title="Modern authentication is enabled",
        test=_modern_authentication,
        remedy="Set oauth2_client_profile_enabled to true.",
    ),
    Control(
        id="6.5.5",
        framework=_CIS,
        version="7.0.0",
        since="6.0.0",
        level="L2",
        title="Direct Send is rejected",
        test=_direct_send,
        remedy="Set reject_direct_send to true once a connector covers the devices that send without signing in.",
    ),
)
