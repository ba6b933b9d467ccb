# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One paged read, then batches of ten, one after another (the way of CIPP)."""

from __future__ import annotations

from .service import SETTING, Service, main


def work(service: Service, names: list[str]) -> None:
    found = list(service.rows({"ResultSize": "Unlimited"}))
    differing = [row["Guid"] for row in found if row[SETTING] is not None]
    for first in range(0, len(differing), 10):
        send(service, differing[first : first + 10])


def send(service: Service, guids: list[str]) -> None:
    headers = {"Content-Type": "application/json"}
    url = f"{service.base}/InvokeCommand"
    items = [
        {"id": str(index), "method": "POST", "url": url, "headers": headers, "body": service.inherit(guid)}
        for index, guid in enumerate(guids)
    ]
    answers = service.post(f"{service.base}/$batch", {"requests": items})["responses"]
    if any(answer["status"] >= 300 for answer in answers):
        raise RuntimeError(str(answers))


if __name__ == "__main__":
    main(work)
