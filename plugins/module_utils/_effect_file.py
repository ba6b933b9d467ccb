# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of everybody who loses or gains SMTP AUTH. PRIVATE to the collection."""

from __future__ import annotations

import csv
import io
import json

from ansible_collections.m365.exchange_online.plugins.module_utils._effect import Effect
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._files import absolute, replace_if_different
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Target
from ansible_collections.m365.exchange_online.plugins.module_utils._text import defused


def write(path: str, tenant: str, tenant_id: str, effect: Effect) -> None:
    """Write it, as CSV or JSON by its ending; raises InvalidRequest for a path that can't be one."""
    absolute("effect_file", path)
    if not path.lower().endswith((".csv", ".json")):
        raise InvalidRequest(f"effect_file has to end in .csv or .json, which decides its form; it is {path}.")
    text = effect_text(path, tenant, tenant_id, effect)
    replace_if_different("effect_file", path, text, dry_run=False)


def effect_text(path: str, tenant: str, tenant_id: str, effect: Effect) -> str:
    """Everybody who loses or gains, as the content of a CSV or JSON file, by its ending."""

    def told(target: Target, verb: str) -> dict[str, str]:
        return {
            "tenant": tenant,
            "tenant_id": tenant_id,
            "guid": target.key,
            "primary_smtp_address": target.primary_smtp_address,
            "display_name": target.display_name,
            "smtp_auth": verb,
        }

    rows = [*(told(target, "loses") for target in effect.lose), *(told(target, "gains") for target in effect.gain)]
    if path.lower().endswith(".json"):
        return json.dumps(rows, indent=1) + "\n"
    columns = ("tenant", "tenant_id", "guid", "primary_smtp_address", "display_name", "smtp_auth")
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: defused(value) for name, value in row.items()})
    return buffer.getvalue()
