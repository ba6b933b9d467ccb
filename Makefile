# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The interpreter that makes the virtual environments: 3.10 or later.
PYTHON ?= python3
# Processes that pytest spreads the tests over.
WORKERS ?= 2
# Arguments handed on: make unit ARGS="-k plan", make demo ARGS="--check --diff"
ARGS ?=

CACHE := $(CURDIR)/.cache
BIN := $(CURDIR)/.venv/bin
LINT_BIN := $(CURDIR)/.venv-lint/bin
# Below the checkout, so that make never sees a blank that the checkout's own path may have.
LINK := .cache/collections/ansible_collections/m365/exchange_online
REQUIREMENTS := tests/requirements
TOOLS := tests/tools

# Nothing is left in the home directory, and no setting of the caller's own Ansible is used.
export ANSIBLE_HOME := $(CACHE)/ansible
export ANSIBLE_COLLECTIONS_PATH := $(CACHE)/collections
export ANSIBLE_CONFIG := $(CACHE)/ansible.cfg

LINT = HOME="$(CACHE)/home" PATH="$(LINT_BIN):$$PATH"
PYTEST = PATH="$(BIN):$$PATH" PYTHONPATH="$(CACHE)/collections" "$(BIN)/python" -m pytest

.DEFAULT_GOAL := help
.PHONY: help python setup setup-lint link demo test lint unit units integration examples awx ee faults sanity docs site matrix molecule \
	fuzz benchmark page architecture pictures screens forms fresh release-check certification build changelog \
	clean distclean lint-style lint-types lint-yaml lint-changelog lint-playbooks lint-docs lint-licences lint-artefact

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

python:
	@command -v "$(PYTHON)" > /dev/null || { \
		echo "$(PYTHON) is missing. Debian, Ubuntu: apt install python3-venv; Fedora: dnf install python3" >&2; exit 1; }

setup: python link ## Make the virtual environment in .venv (the other targets do it themselves)
	@$(PYTHON) $(TOOLS)/environment.py .venv -r $(REQUIREMENTS)/dev.txt

setup-lint: python link
	@$(PYTHON) $(TOOLS)/environment.py .venv-lint --needs git -r $(REQUIREMENTS)/lint.txt

# Ansible finds a collection by its path; the checkout may be anywhere.
link:
	@mkdir -p $(dir $(LINK)) "$(CACHE)/home" && ln -sfn ../../../.. $(LINK) && : > "$(ANSIBLE_CONFIG)"

demo: setup ## Run the whole job on simulated tenants
	@ANSIBLE_STDOUT_CALLBACK=m365.exchange_online.fleet PATH="$(BIN):$$PATH" \
		python playbooks/files/simulator --quiet --tenants playbooks/files/demo_tenants.yml -- \
		ansible-playbook -i localhost, playbooks/demo.yml $(ARGS)

test: setup-lint setup ## Run lint, docs, sanity, unit and integration, and show the time of each
	@"$(BIN)/python" $(TOOLS)/steps.py lint+docs,sanity unit integration

lint: setup setup-lint ## Check style, types, playbooks, documentation links and the built artefact
	@$(MAKE) --no-print-directory --keep-going lint-style lint-types lint-yaml lint-changelog lint-playbooks lint-docs lint-licences lint-artefact

lint-style:
	"$(BIN)/ruff" check
	"$(BIN)/ruff" format --check
	"$(BIN)/python" $(TOOLS)/density.py
	"$(LINT_BIN)/shellcheck" .ci/run

lint-types:
	"$(BIN)/mypy" -p ansible_collections.m365.exchange_online.plugins -p simulator -p tools -p fuzz -p benchmark -p evidence -p mutants

lint-yaml:
	"$(LINT_BIN)/yamllint" --strict .

lint-changelog:
	$(LINT) antsibull-changelog lint
	$(LINT) antsibull-changelog lint-changelog-yaml --strict changelogs/changelog.yaml

lint-playbooks:
	$(LINT) ansible-lint --offline playbooks roles extensions extensions/awx/project/*.yml

lint-docs:
	$(LINT) antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self .

lint-licences:
	"$(BIN)/python" $(TOOLS)/headers.py
	$(LINT) reuse lint --quiet || $(LINT) reuse lint

lint-artefact:
	$(LINT) python $(TOOLS)/artefact.py

unit: setup ## Run the unit tests and a short search for inputs that break the promises
	$(PYTEST) tests/unit tests/fuzz -n $(WORKERS) $(ARGS)

ee: setup ## Build the execution environment with podman, where it is, and run baseline and audit in it
	@PATH="$(BIN):$$PATH" PYTHONPATH=tests:playbooks/files "$(BIN)/python" -m tools.ee $(ARGS)

awx: setup ## Set up a simulated AWX with awx.awx, and take back a job of it
	@"$(BIN)/python" $(TOOLS)/awx_collection.py "$(CACHE)/awx"
	$(PYTEST) tests/awx -n $(WORKERS) --dist loadfile $(ARGS)

integration: setup ## Run the modules, role and playbooks against the simulator
	$(PYTEST) tests/integration -n $(WORKERS) $(ARGS)

examples: setup ## Run every module's EXAMPLES against the simulator, and compare results with RETURN
	$(PYTEST) tests/examples -n $(WORKERS) $(ARGS)

architecture: setup ## Draw docs/architecture.md anew from the code
	"$(BIN)/python" $(TOOLS)/architecture.py

faults: setup ## Write docs/faults.md anew from what the integration tests see
	PATH="$(BIN):$$PATH" PYTHONPATH="$(CACHE)/collections" "$(BIN)/python" $(TOOLS)/faults.py -n $(WORKERS) $(ARGS)

sanity: setup setup-lint ## Run ansible-test sanity on a copy of the checkout
	PATH="$$PATH:$(LINT_BIN)" "$(BIN)/python" $(TOOLS)/run_ansible_test.py sanity $(ARGS)

units: setup setup-lint ## Run the unit tests as ansible-test units does, in a virtual environment of its own
	PATH="$$PATH:$(LINT_BIN)" "$(BIN)/python" $(TOOLS)/run_ansible_test.py units $(ARGS)

docs: setup ## Render the documentation of every module and role; a warning is an error
	PATH="$(BIN):$$PATH" "$(BIN)/python" $(TOOLS)/docs.py

site: setup-lint ## Build the documentation site in .cache/site/html; a link that leads nowhere is an error
	$(LINT) PYTHONPATH=tests "$(LINT_BIN)/python" -m tools.site

matrix: link ## Run unit tests, smoke tests and sanity on every supported ansible-core and Python
	$(PYTHON) $(TOOLS)/matrix.py $(ARGS)

coverage: setup ## Fail where the unit tests leave too many branches of the engine untouched
	PATH="$(BIN):$$PATH" PYTHONPATH="$(CACHE)/collections" "$(BIN)/python" $(TOOLS)/coverage_floors.py -n $(WORKERS) $(ARGS)

mutants: setup ## Seed changes in copies of the code and show which of them no unit test notices
	PATH="$(BIN):$$PATH" "$(BIN)/python" $(TOOLS)/mutants.py $(ARGS)

molecule: setup ## Run the scenarios in extensions/molecule: the role, an audit and a restore
	@"$(BIN)/python" -m pip install --quiet --quiet --disable-pip-version-check -r $(REQUIREMENTS)/molecule.txt
	@# What an interrupted run left behind would count as created.
	PATH="$(BIN):$$PATH"; export PATH; molecule destroy && molecule test --all $(ARGS)

fuzz: setup ## Search long for inputs that break the promises
	$(PYTEST) tests/fuzz -n $(WORKERS) --hypothesis-profile=fuzz -o faulthandler_timeout=0 $(ARGS)

benchmark: setup ## Measure reads, writes and memory on simulated tenants
	@"$(BIN)/python" -m pip install --quiet --quiet --disable-pip-version-check -r $(REQUIREMENTS)/benchmark.txt
	PATH="$(BIN):$$PATH" PYTHONPATH="$(CACHE)/collections" "$(BIN)/python" tests/benchmark $(ARGS)

page: setup ## Look at the evidence page in headless Chromium, where there is one
	@if command -v chromium chromium-browser google-chrome >/dev/null; then \
		"$(BIN)/python" -m pip install --quiet --quiet --disable-pip-version-check -r $(REQUIREMENTS)/page.txt && \
		$(PYTEST) tests/page -n $(WORKERS) $(ARGS); \
	else echo "make page: skipped, because no Chromium is installed (Debian and Ubuntu: apt-get install chromium)"; fi

pictures: page ## Take the pictures of the evidence page for docs/pictures anew
	PATH="$(BIN):$$PATH" PYTHONPATH="$(CACHE)/collections:tests:playbooks/files" "$(BIN)/python" -m page.pictures

forms: setup ## Draw docs/pictures/awx-*.svg anew from what awx_setup makes
	@PATH="$(BIN):$$PATH" PYTHONPATH=tests:playbooks/files "$(BIN)/python" -m tools.forms

screens: setup ## Draw docs/pictures/*.svg anew from real runs against the simulator
	@PATH="$(BIN):$$PATH" PYTHONPATH=tests:playbooks/files "$(BIN)/python" -m tools.screens

release-check: lint-changelog lint-licences certification lint-artefact ## Check what is about to be released: licences, artefact, install and demo from there
	PATH="$(BIN):$$PATH" PYTHONPATH=tests "$(BIN)/python" -m tools.release

certification: setup setup-lint ## Run ansible-lint in a plain checkout, with the versions of the certification and the newest
	PYTHONPATH=tests "$(BIN)/python" -m tools.certification

fresh: python ## Run the README's own commands on a bare Debian (takes root and debootstrap, or a container engine)
	$(PYTHON) $(TOOLS)/fresh.py $(ARGS)

build: setup ## Build the collection artefact in .cache/build
	@rm -rf "$(CACHE)/build"
	"$(BIN)/ansible-galaxy" collection build --output-path "$(CACHE)/build"

changelog: setup-lint ## Write CHANGELOG.md anew from changelogs/, with the plugins as they are now documented
	$(LINT) antsibull-changelog generate --reload-plugins

clean: ## Remove the caches
	rm -rf .ansible .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output

distclean: clean ## Remove the caches and the virtual environments
	rm -rf .venv .venv-lint
