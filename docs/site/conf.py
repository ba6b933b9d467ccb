# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx settings of the documentation site, which make site builds."""

from __future__ import annotations

project = "m365.exchange_online"
copyright = "2026, the m365.exchange_online contributors"  # noqa: A001
html_title = "m365.exchange_online"
html_short_title = "m365.exchange_online"

extensions = ["sphinx_antsibull_ext", "myst_parser"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
myst_enable_extensions = ["smartquotes"]
myst_heading_anchors = 4
# Drawings stand as their source, because drawing them takes a script from another host.
myst_fence_as_directive: list[str] = []
suppress_warnings = ["misc.highlighting_failure"]

pygments_style = "ansible"
highlight_language = "YAML+Jinja"

html_theme = "sphinx_ansible_theme"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {"documentation_home_url": "index.html", "topbar_links": {}}
html_show_sphinx = False
html_use_index = True
html_copy_source = False
default_role = "any"
# A reference that leads nowhere is an error, but for those into the documentation of Ansible itself.
nitpicky = True
nitpick_ignore_regex = [
    ("std:ref", r"(action|callback)_plugins|ansible_configuration_settings|common_return_values"),
    ("std:ref", r"ansible_collections\.ansible\.builtin\..*"),
    ("std:envvar", r"(ANSIBLE|CONTROLLER)_.*|HTTPS?_PROXY|NO_PROXY|(REQUESTS|CURL)_CA_BUNDLE"),
    ("ansplugin:.*", r"ansible\.builtin\..*"),
]
