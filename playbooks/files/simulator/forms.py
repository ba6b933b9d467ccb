# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms of an answer that nobody outside Microsoft has seen for certain."""

from __future__ import annotations

from collections.abc import Mapping

# The first of each is the likelier one, and the default.
FORMS: Mapping[str, tuple[str, ...]] = {
    "clashing_name": ("ambiguous", "address", "upn"),
    "default_result_size": ("ends", "goes_on"),
    "discovery_tenant": ("everywhere", "issuer"),
    "ews_app_ids_unasked": ("null", "absent"),
    "filter_not_null": ("answered", "refused"),
    "numbers_as_booleans": ("refused", "accepted"),
    "policy_reference": ("name", "dn"),
    "removed_policy": ("null", "dangling", "refused"),
    "result_size": ("honoured", "ignored"),
    "scoped_users": ("same", "all"),
    "unknown_authentication_policy": ("all", "not_found"),
    "unknown_mailbox": ("not_found", "all"),
    "unknown_plan": ("all", "not_found"),
    "unknown_policy": ("bad_request", "not_found"),
    "unknown_user": ("not_found", "all"),
}
