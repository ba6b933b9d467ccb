# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One read for each mailbox, and one write where it differs, one after another (the way of Microsoft365DSC)."""

from __future__ import annotations

from .service import SETTING, Service, main


def work(service: Service, names: list[str]) -> None:
    for name in names:
        for row in service.rows({"Identity": name}):
            if row[SETTING] is not None:
                service.post(service.invoke_url, service.inherit(row["Guid"]))


if __name__ == "__main__":
    main(work)
