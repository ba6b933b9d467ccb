# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets stay secret, however loud a run is and however it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from harness import EFFECT, SECRET_FORMS, Lab, Tenant, small, task, tried

SECRET = "Tz8~a-secret-that-nobody-may-see"
PASSWORD = "a-password-that-nobody-may-see"
# From ansible-core 2.22 on, callbacks get results with what is known to be secret taken out. So this interpreter
# writes down what a module really prints.
INTERPRETER = """\
#!{python}
import subprocess, sys
done = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
for name, output in ({printed!r}, done.stdout), ({printed!r} + ".stderr", done.stderr):
    with open(name, "ab") as file:
        file.write(output)
sys.stdout.buffer.write(done.stdout)
sys.stderr.buffer.write(done.stderr)
sys.exit(done.returncode)
"""
# In which a module tells the core of its secrets, so that the core can take them out.
CORES_OWN = "_ansible_new_secrets"


def token(tenant: Tenant) -> str:
    simulator = tenant.lab.simulator
    form = {
        "grant_type": "client_credentials",
        "client_id": tenant.info.client_id,
        "client_secret": SECRET,
        "scope": "https://outlook.office365.com/.default",
    }
    url = f"{simulator.endpoint}/{tenant.info.tenant_id}/oauth2/v2.0/token"
    answer: requests.Response = simulator.session.post(url, data=form)
    return str(answer.json()["access_token"])


def left_behind(lab: Lab, runs_before: set[Path]) -> Iterator[tuple[Path, bytes]]:
    """Every file that later runs left in their scratch homes and temporary directories.

    Another test's run that was killed leaves its token until the next run of the same home sweeps it.
    """
    for run in set(lab.scratch.glob("run*")) - runs_before:
        for path in (*run.glob("home/**/*"), *run.glob("tmp/**/*")):
            if path.is_file():
                yield path, path.read_bytes()


def listening_interpreter(directory: Path, printed: Path) -> str:
    path = directory / "python"
    path.write_text(INTERPRETER.format(python=sys.executable, printed=str(printed)))
    path.chmod(0o755)
    return str(path)


def printed_results(printed: Path) -> list[str]:
    """What the modules printed, without what is for the core alone."""
    results = [json.loads(line) for line in printed.read_text().splitlines() if line]
    return [json.dumps({key: value for key, value in result.items() if key != CORES_OWN}) for result in results]


@pytest.mark.smoke
def test_nothing_in_loud_runs(lab: Lab, tmp_path: Path) -> None:
    """The guards of the harness search output and results; here what modules print, files, keys and tokens as well."""
    runs_before = set(lab.scratch.glob("run*"))
    tenant = small(lab, apps=[{"secret": SECRET}, {"directory_role": "none", "secret": SECRET + "2"}])
    certified = small(lab, apps=[{"certificate": {"password": PASSWORD}}])
    pem = Path(certified.info.values["certificate_path"]).read_text()
    key_lines = [line for line in pem.splitlines() if len(line) > 40]
    own = token(tenant)
    secrets = [SECRET, PASSWORD, own, own[40:120], key_lines[3]]
    other = {"client_id": certified.info.client_id, "tenant": certified.domain, "certificate_password": PASSWORD}
    warns = [EFFECT, "on no list"]
    wanted = {"organization": "disabled", "allowed": tenant.allowed("scanner"), "undo_file": str(tmp_path / "u.json")}
    tasks = [
        task("exo_smtp_auth", wanted, named="secret in the environment"),
        task("exo_transport_config_info", {"client_secret": SECRET}, named="secret as an option"),
        task("exo_service_info", {"client_secret": SECRET}, named="service"),
        task("exo_evidence_info", {"host": "x", "dest": str(tmp_path / "evidence.json")}, named="evidence"),
        task("exo_transport_config_info", {"access_token": own}, named="token"),
        task("exo_transport_config_info", {**other, "certificate": pem}, named="certificate as an option"),
        task(
            "exo_transport_config_info",
            {**other, "certificate_path": certified.info.values["certificate_pfx_path"]},
            named="PFX",
        ),
        tried("exo_service_info", {"client_secret": SECRET, "access_token": own}, named="two credentials"),
        tried("exo_transport_config_info", {"client_secret": SECRET + "x"}, named="wrong secret"),
        tried("exo_transport_config_info", {**other, "certificate": pem[:300]}, named="cut certificate"),
        tried(
            "exo_transport_config_info", {"access_token": own[:-5], "tenant": certified.domain}, named="wrong tenant"
        ),
        tried("exo_transport_config_info", {"client_secret": SECRET, "endpoint": "http://x"}, named="http"),
        tried("exo_transport_config_info", {"client_secret": SECRET, "no_such_option": 1}, named="unknown option"),
        tried("exo_transport_config_info", {"endpoint": f"https://user:{SECRET}@localhost"}, named="secret in a URL"),
    ]
    for number, one in enumerate(tasks):
        one["register"] = f"result_{number}"
    results = ", ".join(str(one["register"]) for one in tasks)
    # What is registered is masked for no file that it is written to.
    content = {"content": f"{{{{ [{results}] | to_json }}}}", "dest": str(tmp_path / "results.json"), "mode": "0600"}
    tasks.append(task("ansible.builtin.copy", content, named="results"))
    printed = tmp_path / "printed"
    python = listening_interpreter(tmp_path, printed)
    # Without pipelining the modules lie in files for a moment, as they do by default.
    run = tenant.run(
        tasks, verbosity=3, secrets=secrets, warns=warns, env={"ANSIBLE_PIPELINING": "0"},
        extra_vars={"ansible_python_interpreter": python},
    )  # fmt: skip
    assert run.rc == 0
    assert "EXEC" in run.stdout  # loud enough to show commands, and with older cores arguments
    assert [step.task for step in run.steps[:-1] if not step.failed] == [one["name"] for one in tasks[:7]]
    said = printed_results(printed)
    assert len(said) >= len(tasks)
    assert Path(f"{printed}.stderr").read_bytes() == b""
    texts = {path: content.decode(errors="replace") for path, content in left_behind(lab, runs_before)}
    texts |= {tmp_path / name: (tmp_path / name).read_text() for name in ("u.json", "evidence.json", "results.json")}
    texts[printed] = "\n".join(said)
    for path, text in texts.items():
        assert not [secret for secret in secrets if secret in text], path
        assert not [form.pattern for form in SECRET_FORMS if form.search(text)], path


@pytest.mark.parametrize("kind", ["html", "nul_403", "redirect", "reset_before", "raw"])
def test_nothing_when_the_service_misbehaves(kind: str, lab: Lab) -> None:
    """Also where an answer repeats what was sent."""
    tenant = small(lab, apps=[{"secret": SECRET}])
    details = {"location": "https://evil.example/"} if kind == "redirect" else {}
    tenant.fault(kind, times=None, **details)
    how = {"verbosity": 3, "secrets": [SECRET]}
    step = tenant.one("exo_transport_config", {"clear_categories": False, "retries": 0}, **how)
    assert step.failed and step.code != "none given", step.summary


def test_nothing_of_a_token_that_came_broken(lab: Lab, tmp_path: Path) -> None:
    """msal logs an answer that it can't read, and a module's stderr is in what Ansible says of a module that died."""
    tenant = small(lab)
    tenant.fault("truncated_json", match={"endpoint": "token"}, times=None)
    printed = tmp_path / "printed"
    python = {"ansible_python_interpreter": listening_interpreter(tmp_path, printed)}
    step = tenant.one("exo_transport_config_info", extra_vars=python)
    step.refused("unexpected_response", "did not answer as expected")
    assert Path(f"{printed}.stderr").read_bytes() == b""


def test_output_of_a_failed_authority(lab: Lab) -> None:
    tenant = small(lab, apps=[{"secret": SECRET}])
    tenant.fault("entra_error", number=50000, description=f"AADSTS50000: Something with {SECRET} in it.", times=None)
    step = tenant.one("exo_transport_config_info", verbosity=3, secrets=[SECRET])
    step.refused("authentication_failed", "50000", hint=None)
