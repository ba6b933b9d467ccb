# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .model import limit
from .ways import WAYS

SHARES = ((0.0, "nothing to fix"), (0.01, "1 % to fix"), (0.1, "10 % to fix"))
COLOURS = ("#0b6e4f", "#c1666b", "#4a6fa5", "#d4a017", "#6b4e71")


def draw(cells: Sequence[dict[str, Any]], path: Path) -> bool:
    """Write the picture; False where matplotlib is not installed."""
    try:
        import matplotlib as mpl
    except ImportError:
        print("no picture: matplotlib is not installed (tests/requirements/benchmark.txt)")
        return False
    mpl.use("svg")
    from matplotlib import pyplot as plt

    # The same figures give the same file.
    mpl.rcParams.update({"svg.hashsalt": "benchmark", "svg.fonttype": "none", "font.size": 9})
    figure, axes = plt.subplots(1, len(SHARES), figsize=(12, 4.5), sharey=True)
    for panel, (share, title) in zip(axes, SHARES, strict=True):
        _panel(panel, [cell for cell in cells if _belongs(cell, share)], title)
    axes[0].set_ylabel("seconds")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=len(labels), frameon=False)
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return True


def _belongs(cell: dict[str, Any], share: float) -> bool:
    """Whether a cell is of this share; one mailbox to fix in one is of every share but none."""
    if not share or not cell["to_fix"]:
        return bool(share) == bool(cell["to_fix"])
    return bool(cell["mailboxes"] == 1 or cell["to_fix"] == max(1, round(cell["mailboxes"] * share)))


def _panel(panel: Any, cells: Sequence[dict[str, Any]], title: str) -> None:
    sizes = sorted({(cell["mailboxes"], cell["to_fix"]) for cell in cells})
    panel.plot([n for n, _dummy in sizes], [limit(n, k) for n, k in sizes], "k:", linewidth=1, label="limit")
    for colour, way in zip(COLOURS, WAYS, strict=True):
        _line(panel, [cell for cell in cells if cell["way"] == way], way, colour)
    panel.set(xscale="log", yscale="log", title=title, xlabel="mailboxes")
    panel.grid(visible=True, which="major", alpha=0.25)


def _line(panel: Any, cells: Sequence[dict[str, Any]], way: str, colour: str) -> None:
    points = sorted((cell["mailboxes"], cell["seconds"], cell["sample"]) for cell in cells)
    sizes, seconds = [size for size, _dummy, _dummy in points], [time for _dummy, time, _dummy in points]
    panel.plot(sizes, seconds, color=colour, linewidth=1.4, label=way)
    for size, time, sample in points:
        # Hollow: extrapolated.
        panel.plot([size], [time], "o", color=colour, markerfacecolor="white" if sample else colour)
