# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token of a task: masked, shared, renewed once, of the right tenant or none at all."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Authority, Token
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import WrongTenant
from ansible_collections.m365.exchange_online.plugins.module_utils._tokens import TokenSource

TENANT = "0f3a9d1e-5c1b-4d0a-9a77-1b2c3d4e5f60"
OTHER = "99999999-5c1b-4d0a-9a77-1b2c3d4e5f60"


class Issued:
    """A credential that gets a new token each time."""

    def __init__(self, method: str = "secret", tenant: str = TENANT) -> None:
        self.method = method
        self.tenant = tenant
        self.asked: list[str | None] = []
        self.life = 3600.0

    def fingerprint(self) -> str:
        return "f"

    def validate(self) -> list[str]:
        return ["The certificate expires."]

    def acquire(self, authority: Authority, claims: str | None) -> Token:
        self.asked.append(claims)
        return Token(f"jwt-{len(self.asked)}", self.tenant, time.time() + self.life)


class Store:
    def __init__(self, kept: Token | None = None) -> None:
        self.kept = kept
        self.loads = 0

    def load(self, key: str) -> Token | None:
        self.loads += 1
        return self.kept

    def save(self, key: str, token: Token) -> None:
        self.kept = token


@pytest.fixture
def authority() -> Authority:
    return Authority("https://login.microsoftonline.com", TENANT, "https://outlook.office365.com", t.cast(t.Any, None))


Warned = Callable[[str], None]


def test_every_token_is_masked(authority: Authority) -> None:
    """Also one that another task kept: this task's module knows nothing of it yet."""
    masked: list[set[str]] = []
    issued = Issued()
    tokens = TokenSource(authority, issued, None, None, masked.append)
    first = tokens.get()
    tokens.renew(first, None)
    assert masked == [{"jwt-1"}, {"jwt-2"}]
    kept = Token("kept", TENANT, time.time() + 3600)
    assert TokenSource(authority, issued, Store(kept), None, masked.append).get() is kept
    assert masked[-1] == {"kept"}


def test_a_kept_token_is_taken_as_long_as_it_is_good(authority: Authority) -> None:
    issued = Issued()
    for life, asked in ((301, []), (299, [None])):
        store = Store(Token("kept", TENANT, time.time() + life))
        TokenSource(authority, issued, store).get()
        assert issued.asked == asked
    assert store.kept is not None
    assert store.kept.value == "jwt-1"


def test_a_token_is_asked_for_once(authority: Authority) -> None:
    store = Store()
    tokens = TokenSource(authority, Issued(), store)
    assert [tokens.get().value for _turn in range(3)] == ["jwt-1"] * 3
    assert store.loads == 1


def test_somebody_elses_token_is_not_ours_to_keep(authority: Authority) -> None:
    store = Store()
    TokenSource(authority, Issued("access_token"), store).get()
    assert (store.kept, store.loads) == (None, 0)


def test_warnings_come_with_a_first_token_only(authority: Authority) -> None:
    warnings: list[str] = []
    issued = Issued()
    tokens = TokenSource(authority, issued, None, warnings.append)
    tokens.renew(tokens.get(), '{"a":1}')
    assert warnings == ["The certificate expires."]
    assert issued.asked == [None, '{"a":1}']


def test_a_complaint_about_an_older_token_is_met_already(authority: Authority) -> None:
    issued = Issued()
    tokens = TokenSource(authority, issued)
    first = tokens.get()
    second = tokens.renew(first, None)
    assert issued.asked == [None, ""]
    assert tokens.renew(first, None) is second
    assert len(issued.asked) == 2


def test_the_wrong_tenant_gives_no_token_and_keeps_none(authority: Authority) -> None:
    store, masked = Store(), []
    tokens = TokenSource(authority, Issued(tenant=OTHER), store, None, masked.append)
    for _turn in range(2):
        with pytest.raises(WrongTenant, match=f"for tenant {OTHER}, but {TENANT} was asked for"):
            tokens.get()
    assert (store.kept, masked) == (None, [])
