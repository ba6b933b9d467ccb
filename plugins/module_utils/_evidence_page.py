# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence as one HTML page that needs nothing else: no network, no other file. PRIVATE to the collection.

The page reads without its script, too. A content security policy allows just its own style and script, by hash; texts
from the service are escaped as they are put in (_html), and the script only ever sets them as text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

from ansible_collections.m365.exchange_online.plugins.module_utils import _evidence_page_data
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_page_assets import SCRIPT, STYLE
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_page_charts import access
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_page_sections import (
    about,
    attention,
    changes,
    controls,
    december,
    drift,
    hero,
    tiles,
    unread,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_page_tables import (
    glance,
    mailboxes,
    tenants,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_report import Report
from ansible_collections.m365.exchange_online.plugins.module_utils._html import Html, data_block, join, tag

LIMIT = 3_000_000  # bytes of the page; what does not fit is left to the CSV files, and the page says so

_SECTIONS: tuple[tuple[str, str, Callable[[Report], Html]], ...] = (
    ("glance", "At a glance", glance),
    ("attention", "Attention", attention),
    ("access", "Who can send", access),
    ("december", "December", december),
    ("tenants-section", "Tenants", tenants),
    ("changes", "Changes", changes),
    ("drift", "Drift", drift),
    ("controls", "Controls", controls),
    ("unread", "Not read", unread),
)


def render(report: Report) -> str:
    """The whole page."""
    body = join([*(make(report) for _identity, _label, make in _SECTIONS)])
    around = len(body.encode("utf-8", "backslashreplace")) + len(SCRIPT) + len(STYLE) + 20_000
    packed, left_out = _evidence_page_data.pack(report, max(LIMIT - around, 0))
    main = tag("main", tiles(report), _navigation(), body, mailboxes(left_out), id="main", class_="wrap")
    page = [
        Html('<!DOCTYPE html>\n<html lang="en">\n'),
        _head(),
        Html("<body>"),
        tag("a", "Skip to the content", href="#main", class_="skip"),
        hero(report),
        main,
        about(report),
        data_block("data", packed),
        Html(f"<script>{SCRIPT}</script>"),
        Html("</body>\n</html>\n"),
    ]
    return join(page)


def _head() -> Html:
    policy = f"default-src 'none'; style-src '{_hash(STYLE)}'; script-src '{_hash(SCRIPT)}'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        Html(
            f"<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}; base-uri 'none'; form-action 'none'\">"
        ),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="referrer" content="no-referrer">'),
        Html('<meta name="robots" content="noindex">'),
        tag("title", "SMTP AUTH evidence"),
        Html(f"<style>{STYLE}</style>"),
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _navigation() -> Html:
    entries = [*((identity, label) for identity, label, _make in _SECTIONS), ("mailboxes", "Mailboxes")]
    links = [tag("li", tag("a", label, href=f"#{identity}")) for identity, label in entries]
    return tag("nav", tag("ul", links), aria_label="Sections")
