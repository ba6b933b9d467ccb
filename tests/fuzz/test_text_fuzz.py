# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever YAML can hold in whatever option: the argument spec refuses it, or the engine does in its own words."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from fuzz.known import MAILBOX, TRANSPORT
from fuzz.lab import (
    CAS_MAILBOX,
    CAS_MAILBOX_INFO,
    ERROR_CODES,
    RESTORE,
    SMTP_AUTH,
    TRANSPORT_INFO,
    Module,
)
from fuzz.lab import TRANSPORT as TRANSPORT_CONFIG
from fuzz.profiles import cases
from hypothesis import event, given
from hypothesis import strategies as st

from ansible_collections.m365.exchange_online.plugins.module_utils import _options, _undo
from ansible_collections.m365.exchange_online.plugins.module_utils._credentials import select
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Task

MODULES = (SMTP_AUTH, CAS_MAILBOX, TRANSPORT_CONFIG, RESTORE, CAS_MAILBOX_INFO, TRANSPORT_INFO)
CONNECTION = ArgumentSpecValidator(_options.argument_spec())

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "\0", "\ud800", "²", "٣", "1" * 5000, "-1", "1e999", "nan", "true", "NULL", "inherit", "Inherit",
         "<>", "99999.99:99:99", "99:99:99", "١٢:00:00", "CN=,x", "CN=a\\,b,OU=x", "CN=" + "\\" * 50 + ",",
         "a" * 100_000,
         "100%", "٣%", "101%", "99999999999999999999%", "0 %", "2027-02-30", "2027-W01-1", "20270331", "9999-12-31",
         "0001-01-01", "{{ 1 }}", "/dev/null", "/", "https://[", "https://[::1", "https://a:b", "https://a:99999",
         "https://user@h", "https://h?q", "https://h#f", "https://", "HTTPS://H", "-----BEGIN", "0\x82", "en_US", "no",
         "00000000-0000-4000-8000-000000000001", "xx-" + "a" * 5000]
    ),
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, -1, 2**63, 10**30, 10**4000]),
    st.floats(),
    TEXTS,
    st.dates(),
    st.datetimes(),
    st.binary(max_size=8),
)
KEYS = st.one_of(
    st.sampled_from(["add", "remove", "set", "identity", "reason", "expires", *list(MAILBOX), *list(TRANSPORT)]),
    SCALARS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=8,
)
# Nearly right is more telling than all wrong.
ENTRIES = st.lists(
    st.dictionaries(st.sampled_from(["identity", "expires", "reason", "imap_enabled"]), VALUES), max_size=3
)
LISTS = st.dictionaries(st.sampled_from(["add", "remove", "set"]), st.none() | st.lists(SCALARS, max_size=3))


class Connected(Exception):
    """The options were good enough to ask the service."""


def connect() -> Any:
    raise Connected


def outcome_of(attempt: Any) -> str:
    """What it came to; raises whatever else than ExoError comes out."""
    try:
        attempt()
    except Connected:
        return "good"
    except ExoError as error:
        assert error.error_code in ERROR_CODES
        assert "\0" not in error.message.replace("\\0", ""), repr(error.message[:300])
        return error.error_code
    return "good"


@st.composite
def options(draw: st.DrawFn, module: Module) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(module.spec)), max_size=5, unique=True)) if module.spec else []
    wanted: dict[str, Any] = {name: draw(st.one_of(VALUES, ENTRIES, LISTS, TEXTS)) for name in names}
    # So that the task comes to what it was given.
    if module in (CAS_MAILBOX, CAS_MAILBOX_INFO) and "identity" not in wanted:
        wanted.setdefault("all_mailboxes", True)
    return wanted


def validated(validator: Any, given_options: Mapping[str, Any]) -> dict[str, Any] | None:
    """None where the argument spec refuses, in whichever way the core does that for odd values."""
    try:
        outcome = validator.validate(given_options)
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        return None  # the core's own converters: not ours to mend
    return None if outcome.error_messages else dict(outcome.validated_parameters)


@cases(0.3)
@given(st.data())
def test_any_value_in_any_option(count: list[int], data: st.DataObject) -> None:
    count.append(1)
    module = data.draw(st.sampled_from(MODULES))
    params = validated(module.validator, data.draw(options(module), label="options"))
    if params is None:
        event("refused by the argument spec")
        return
    if isinstance(params.get("dest"), str):
        params["dest"] = None
    event(outcome_of(lambda: module.task(Task(params, True, lambda _text: None, connect))))


@cases(0.1)
@given(st.data())
def test_any_value_in_connection_options(count: list[int], data: st.DataObject) -> None:
    count.append(1)
    names = data.draw(st.lists(st.sampled_from(sorted(_options.CONNECTION_NAMES)), max_size=6, unique=True))
    given_options = {"tenant": "contoso.example", **{name: data.draw(st.one_of(TEXTS, SCALARS)) for name in names}}
    environ = data.draw(
        st.dictionaries(st.sampled_from(["EXO_CLIENT_ID", "EXO_CLIENT_SECRET", "AZURE_CLIENT_ID"]), TEXTS)
    )
    params = validated(CONNECTION, {name: value for name, value in given_options.items() if value not in (None, "")})
    if params is None:
        event("refused by the argument spec")
        return

    def resolve() -> None:
        connection = _options.resolve(params, environ)
        select(connection.credential).validate()

    event(outcome_of(resolve))


UNDO_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=5), st.just("inherit"), st.just("\ud800")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*MAILBOX, "before", "after"]), inner),
    max_leaves=5,
)  # fmt: skip


@cases(0.1)
@given(st.data())
def test_any_undo_file(count: list[int], tmp_path_factory: Any, data: st.DataObject) -> None:
    """Undo files lie about for a long time; a damaged one is refused and never half believed."""
    import json

    count.append(1)
    guid = "00000000-0000-4000-8000-000000000001"
    name = data.draw(st.sampled_from([*MAILBOX, *TRANSPORT]))
    change = {"before": {name: data.draw(UNDO_VALUES)}, "after": {name: data.draw(UNDO_VALUES)}}
    entries = [{"noun": noun, "guid": guid, **change} for noun in ("CASMailbox", "TransportConfig", "Mailbox")]
    content: Any = {
        "format": data.draw(st.sampled_from([2, 2, 2, 2, 1, None, "2"])),
        "tenant_id": data.draw(st.sampled_from([guid, guid, guid, "", 5, None])),
        "written": data.draw(st.just("2026-11-26T10:00:00+00:00") | UNDO_VALUES),
        "entries": data.draw(st.lists(st.sampled_from(entries) | UNDO_VALUES, max_size=3) | UNDO_VALUES),
    }
    if data.draw(st.integers(0, 5)) == 0:
        content.pop(data.draw(st.sampled_from(sorted(content))))
    text = json.dumps(data.draw(st.sampled_from([content, content, content, [content], None, "x"])))
    raw = text.encode()[: data.draw(st.sampled_from([None, None, None, len(text) // 2]))]
    path = tmp_path_factory.getbasetemp() / "odd-undo.json"
    path.write_bytes(raw + data.draw(st.sampled_from([b"", b"", b"\xff", b"\0", b"]" * 9])))
    event(outcome_of(lambda: _undo.load(str(path))))


def test_dates_at_the_end_of_time(count: list[int]) -> None:
    """Those who mean never write the last day there is."""
    count.append(1)
    last = [{"identity": "a", "expires": str(datetime.date.max)}]
    params = validated(SMTP_AUTH.validator, {"allowed": last, "organization": "disabled"})
    assert params is not None
    assert outcome_of(lambda: SMTP_AUTH.task(Task(params, True, lambda _text: None, connect))) == "good"
