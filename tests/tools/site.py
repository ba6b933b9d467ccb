# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the documentation site in .cache/site/html: modules, guides and pages; what leads nowhere is an error.

antsibull-docs writes the modules' pages and takes the guides from docs/docsite, as Ansible's own site does. The pages
below docs go with them as they are.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path

from tools import links

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / ".cache" / "site"
SOURCE, HTML = SITE / "rst", SITE / "html"
COLLECTION = "m365.exchange_online"
# A link out of docs, to what is a page of the repository and not of the site.
OUTSIDE = re.compile(r"\]\(((?:\.\./)+)([^)]+)\)")
# Pictures have whole addresses for readers of the artefact; the site has them beside its pages.
PICTURES = re.compile(r"https://raw\.githubusercontent\.com/m365-ansible/exchange_online/main/docs/(pictures/)")
# README.md is for readers of the repository; the site has its own list of pages.
NOT_PAGES = ("README.md", "docsite", "site")
# antsibull-docs lists the variables of plugins only, because Ansible knows none of modules.
ALL_VARIABLES = """
The variables of the modules, and what each of them stands for, are in
:ref:`ansible_collections.m365.exchange_online.docsite.guide_environment`.
"""


def page(path: Path) -> str:
    """A page of docs, with its links out of docs as addresses and its pictures as files."""
    text = path.read_text(encoding="utf-8")

    def address(found: re.Match[str]) -> str:
        there = (path.parent / found[1] / found[2].partition("#")[0]).resolve()
        if there.is_relative_to(ROOT / "docs"):
            return found[0]
        return f"]({links.REPOSITORY}/blob/main/{there.relative_to(ROOT)})"

    return PICTURES.sub(r"\1", OUTSIDE.sub(address, text))


def copy_pages() -> None:
    for path in sorted((ROOT / "docs").rglob("*")):
        inside = path.relative_to(ROOT / "docs")
        if inside.parts[0] in NOT_PAGES or not path.is_file():
            continue
        target = SOURCE / "pages" / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            target.write_text(page(path), encoding="utf-8")
        else:
            shutil.copyfile(path, target)


def problems_of_guides() -> list[str]:
    guides = sorted((ROOT / "docs" / "docsite" / "rst").glob("*.rst"))
    return list(chain.from_iterable(links.broken_addresses(guide, ROOT) for guide in guides))


def main() -> int:
    problems = problems_of_guides()
    print("\n".join(problems))
    shutil.rmtree(SITE, ignore_errors=True)
    SOURCE.mkdir(parents=True, mode=0o755)
    for name in ("conf.py", "index.rst"):
        target = SITE if name == "conf.py" else SOURCE
        shutil.copyfile(ROOT / "docs" / "site" / name, target / name)
    shutil.copytree(ROOT / "docs" / "site" / "static", SITE / "static")
    copy_pages()
    (SOURCE / "collection").mkdir(mode=0o755)
    collection = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error"]
    collection += ["--dest-dir", str(SOURCE / "collection"), COLLECTION]
    subprocess.run(collection, check=True, stdin=subprocess.DEVNULL)
    with (SOURCE / "collection" / "environment_variables.rst").open("a", encoding="utf-8") as index:
        index.write(ALL_VARIABLES)
    build = ["sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "-c", str(SITE), str(SOURCE), str(HTML)]
    done = subprocess.run(build, check=False, stdin=subprocess.DEVNULL)
    print(f"{HTML}/index.html: {sum(1 for _page in HTML.rglob('*.html'))} pages")
    return 1 if problems or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
