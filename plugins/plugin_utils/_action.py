# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of every module: hands it the run's private directory, and shows how far it is. PRIVATE.

The modules work without it; they then ask for a token each and say nothing on the way.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import itertools
import json
import os
import re
import shutil
import signal
import threading
import time
import typing as t
import uuid
from collections.abc import Callable, Iterator, Mapping

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import merge_hash

from ansible_collections.m365.exchange_online.plugins.module_utils._run_variables import (
    DIRECTORY_VARIABLE,
    LEASE_VARIABLE,
    PROGRESS_VARIABLE,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._text import (
    did_you_mean,
    fit,
    instead_of_path,
    is_content,
    with_nul,
)

display = Display()

_NAME = "m365_exchange_online"
_ENDED = "ended"  # in it once ansible-playbook comes to its end
_FLEET = "m365.exchange_online.fleet"
_AWX = "awx_display"
_QUIET = 5.0  # seconds before a task says anything
_INTERVAL = 10.0  # seconds between two lines of one task
_POLL = 0.5
_STALE = 24 * 60 * 60  # seconds after which a directory's owner is believed to be gone whatever its number says


class ExoAction(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """As the normal action plugin, and for local tasks the private directory and the progress."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        refusal = (
            nul_in(self._task.args)
            or content_as_path(self._task.args)
            or refused_to_send(self._connection.transport, self._task.args, os.environ)
        )
        if refusal:
            return {**result, "failed": True, "msg": f"{self._tenant()}: {refusal}", "error_code": "refused"}
        result = merge_hash(result, self._run_module(task_vars))
        if result.get("failed") and "msg" in result:
            return self._told(result)
        closing = closing_line(result)
        if closing and _wants(bool(result.get("changed"))):
            # On standard error, because a stdout callback may write a document there.
            display.display(closing, stderr=True)
        return result

    def _told(self, result: dict[str, t.Any]) -> dict[str, t.Any]:
        """A failure in our words.

        From ansible-core 2.19 on the red line is made of the exception, which has ansible-core's words. Without one,
        it is made of the message.
        """
        message = plainly(str(result["msg"]))
        if message == result["msg"]:
            return result
        told = {key: value for key, value in result.items() if key != "exception"}
        return {**told, "msg": f"{self._tenant()}: {message}"}

    def _tenant(self) -> str:
        """The tenant, as the module will find it."""
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        known = {**os.environ, **environment}
        given = [self._task.args.get("tenant"), *(known.get(name) for name in _TENANT_VARIABLES)]
        return fit(str(next(filter(None, given), "This task")))

    def _run_module(self, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        wrap_async = self._task.async_val and not self._connection.has_native_async
        # An asynchronous task may outlive the run and its directory, a remote one can't see it.
        local = not self._task.async_val and self._connection.transport == "local"
        with self._environment() if local else contextlib.nullcontext():
            result: dict[str, t.Any] = self._execute_module(task_vars=task_vars, wrap_async=wrap_async)
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    @contextlib.contextmanager
    def _environment(self) -> Iterator[None]:
        """The task's environment with the run's directory, and the display of progress while it runs."""
        directory = run_directory(constants.DEFAULT_LOCAL_TMP)
        if directory is None:
            yield
            return
        name = uuid.uuid4().hex
        note, lease = os.path.join(directory, f"progress-{name}"), os.path.join(directory, f"lease-{name}")
        before = self._task.environment
        variables = {DIRECTORY_VARIABLE: directory, PROGRESS_VARIABLE: note, LEASE_VARIABLE: lease}
        self._task.environment = [*(before or []), variables]
        watcher = Watcher(note, hold(lease))
        watcher.start()
        try:
            yield
        finally:
            watcher.stop()
            self._task.environment = before
            for path in (note, lease):
                with contextlib.suppress(OSError):
                    os.unlink(path)


def _wants(changed: bool) -> bool:
    """Whether the screen is to show a task's closing line."""
    screen = constants.DEFAULT_STDOUT_CALLBACK
    if screen == _FLEET:  # shows the line among its own
        return False
    # In AWX each line is an event, of which it shows 4,000 of a job; that of a change is worth one.
    return changed or screen != _AWX


# How ansible-core words what is wrong with options (ansible.module_utils.basic and common.parameters). The first is
# followed by every option that the module has.
_UNSUPPORTED = re.compile(r"Unsupported parameters for \((\S+)\) module: (.+?)\. Supported parameters include: (.+)\.")
_FORM = re.compile(
    r"(argument|Elements value for option) '(.+?)' is of type .+? and we were unable to convert to (\w+): (.+)",
    re.DOTALL,
)
_NO_BOOLEAN = re.compile(r"The value '(.*?)' is not a valid boolean")
_CHOICE = re.compile(r"value of \S+ must be one (?:or more )?of: .+", re.DOTALL)
_MISSING = re.compile(r"missing required arguments: tenant")
_FORMS = {
    "bool": "true or false",
    "int": "a whole number",
    "list": "a list, with a dash before each entry",
    "dict": "a dictionary, with a colon after each name",
}
# Options that tasks give to the wrong module, and the module that has them.
_MODULE_OF = {
    **dict.fromkeys(("organization", "allowed", "denied", "unlisted"), "exo_smtp_auth"),
    **dict.fromkeys(("identity", "mailboxes", "all_mailboxes", "exclude"), "exo_cas_mailbox"),
}


def plainly(message: str) -> str:
    """A failure's message; where options are wrong, what was meant in place of the sentence of ansible-core."""
    for pattern, words in _WORDS:
        found = pattern.fullmatch(message)
        if found:
            return words(found)
    return message


def _unsupported(found: re.Match[str]) -> str:
    """What was meant, in place of a list of sixty options."""
    module, given, known = found.groups()
    options = re.findall(r"[a-z_]+", re.sub(r"\(.*?\)", "", known))
    sentences: list[str] = []
    for name in map(str.strip, given.split(",")):
        owner = _MODULE_OF.get(name)
        meant = f"{owner} has it." if owner else did_you_mean(name, options)
        sentences += [f"{name} is not an option of {module}.", meant]
    return " ".join([*filter(None, sentences), f"ansible-doc {module} shows all options."])


def _form(found: re.Match[str]) -> str:
    """Which form the option has to have."""
    kind, option, form, why = found.groups()
    subject = option if kind == "argument" else f"Each entry of {option}"
    given = _NO_BOOLEAN.match(why)
    value = f", it is {given.group(1)!r}" if given else ""
    shell = " In YAML, PowerShell's $true and $false are true and false." if value.startswith(", it is '$") else ""
    return f"{subject} has to be {_FORMS.get(form, form)}{value}.{shell}"


def _choice(found: re.Match[str]) -> str:
    """The choices, as ansible-core has them."""
    said = found.group(0)
    quotes = " YAML takes on, off, yes and no for true and false." if said.endswith(("got: True", "got: False")) else ""
    return f"{said}.{quotes}"


_WORDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_UNSUPPORTED, _unsupported),
    (_FORM, _form),
    (_CHOICE, _choice),
    (_MISSING, lambda _found: "tenant is missing or empty. Set it in the task, or EXO_TENANT in the environment."),
)


def content_as_path(arguments: Mapping[str, t.Any]) -> str | None:
    """What is said of a path that is the content of a file, if there is one: paths are shown, and a key must not be."""
    return next((instead_of_path(option) for option in _PATHS if is_content(str(arguments.get(option)))), None)


_PATHS = ("certificate_path", "federated_token_file", "ca_path")
_TENANT_VARIABLES = ("EXO_TENANT", "AZURE_TENANT_ID", "AZURE_TENANT")
_SECRETS = ("client_secret", "certificate", "certificate_password", "access_token")
_UNNAMED = (*_SECRETS, "password")
REMOTE_VARIABLE = "EXO_ALLOW_REMOTE"


def nul_in(arguments: Mapping[str, t.Any]) -> str | None:
    """What is said of the first option with a NUL character in it, if there is one.

    With Python 3.13 ansible-core 2.21 can't log such an option: the module would fail before its first line.
    """
    texts = itertools.chain.from_iterable(_texts(fit(option), value) for option, value in arguments.items())
    return next((with_nul(place) for place, text in texts if "\0" in text), None)


def _texts(place: str, value: t.Any) -> Iterator[tuple[str, str]]:
    """Every text in an option, with its place. Keys in a secret, which should have none, may be secret themselves."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield place, str(key)
            yield from _texts(_within(place, f".{fit(str(key))}"), inner)
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from _texts(_within(place, f"[{number}]"), inner)


def _within(place: str, step: str) -> str:
    return place if place.endswith(_UNNAMED) else place + step


def refused_to_send(transport: str, arguments: Mapping[str, t.Any], environ: Mapping[str, str]) -> str | None:
    """Why the module must not be sent to where it would run, if it must not.

    Whoever may set ansible_connection or ansible_host would get the secret otherwise. That a host is meant to get it
    is said in the environment of the controller, which variables can't reach.
    """
    secrets = [name for name in _SECRETS if arguments.get(name)]
    if transport == "local" or not secrets or environ.get(REMOTE_VARIABLE, "").lower() in ("1", "true", "yes"):
        return None
    return (
        f"{secrets[0]} is not sent over a {transport} connection: this module is made to run where Ansible runs."
        f" Set ansible_connection: local for this host, or {REMOTE_VARIABLE}=true in the environment of Ansible if the"
        " host is meant to have it."
    )


def closing_line(result: Mapping[str, t.Any]) -> str:
    """What the module says of its work; '' where it says nothing, or failed and Ansible shows it."""
    said = result.get("msg")
    return said if isinstance(said, str) and not result.get("failed") else ""


def hold(path: str) -> int:
    """Take the lock that tells the module that its run lives; returns the descriptor that holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


class Watcher(threading.Thread):
    """Shows a task's latest note of progress, at a bearable rate, and lets the task know when its run has ended.

    The lock goes with this process. Where only the process that started it is killed, this one lives on as an orphan.
    Where that process is interrupted twice, it ends without having stopped this one, and waits for it.
    """

    def __init__(self, path: str, lease: int) -> None:
        super().__init__(daemon=True)
        self._path = path
        self._lease = lease
        self._parent = os.getppid()
        self._over = threading.Event()
        self._lock = threading.Lock()

    def release(self) -> None:
        """Let the lock go: the module sends nothing more."""
        with self._lock:
            if self._lease >= 0:
                os.close(self._lease)
                self._lease = -1

    def run(self) -> None:
        # Where the kernel gave a signal to this thread, the one that waits for the module would go on waiting: Python
        # runs handlers in that one alone, and nothing interrupts its wait. Seen on a busy machine with two at once.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        due = time.monotonic() + _QUIET
        shown = ""
        ended = os.path.join(os.path.dirname(self._path), _ENDED)
        while not self._over.wait(_POLL):
            if os.getppid() != self._parent or os.path.exists(ended):
                self.release()
            if time.monotonic() < due:
                continue
            line = progress_line(self._path)
            if line and line != shown:
                # On standard error, for a stdout callback may write a document there.
                display.display(line, color=constants.COLOR_VERBOSE, stderr=True)
                shown = line
                due = time.monotonic() + _INTERVAL

    def stop(self) -> None:
        self.release()
        self._over.set()
        self.join(timeout=5)


def progress_line(path: str) -> str:
    """A note of progress in words, or '' where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            note = json.load(file)
        total = f" of {note['total']:,}" if note["total"] else ""
        return f"{note['tenant']}: {note['phase']}, {note['done']:,}{total}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def run_directory(temporary: str) -> str | None:
    """The run's private directory under the controller's temporary directory of the run, which Ansible removes."""
    path = os.path.join(temporary, _NAME)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return path
    except OSError:
        return None
    with contextlib.suppress(OSError):
        with open(os.path.join(path, "owner"), "w", encoding="utf-8") as file:
            file.write(str(os.getppid()))
        sweep(os.path.dirname(temporary))
    return path


def say_ended(process: int, temporary: str) -> None:
    """Note in the run's directory that ansible-playbook comes to its end, whatever tasks are still at work."""
    if os.getpid() != process:
        return  # a copy of it that was made for a task
    with contextlib.suppress(OSError):
        os.close(os.open(os.path.join(temporary, _NAME, _ENDED), os.O_WRONLY | os.O_CREAT, 0o600))


# The action plugins are loaded by ansible-playbook itself, before it makes a process for a task. After a second Ctrl-C
# it no longer stops these processes, up to ansible-core 2.18: it waits for them, after what is registered here.
atexit.register(say_ended, os.getpid(), constants.DEFAULT_LOCAL_TMP)


def sweep(parent: str) -> None:
    """Remove what runs that were killed left behind: their tokens would lie there until they end."""
    for name in os.listdir(parent):
        path = os.path.join(parent, name, _NAME)
        if name.startswith("ansible-local-") and os.path.isdir(path) and not _alive(path):
            shutil.rmtree(path, ignore_errors=True)


def _alive(path: str) -> bool:
    """Whether the run that a directory belongs to may still be at work."""
    try:
        if time.time() - os.stat(path).st_mtime > _STALE:
            return False
        with open(os.path.join(path, "owner"), encoding="utf-8") as file:
            os.kill(int(file.read()), 0)
    except (ProcessLookupError, ValueError):
        return False
    except FileNotFoundError:
        return True  # another run is just making it
    except OSError:
        return True
    return True
