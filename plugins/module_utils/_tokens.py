# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens: how long one lives, who shares it, and whether it is for the right tenant. PRIVATE to the collection."""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Callable

from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Authority, Token, tenant_id
from ansible_collections.m365.exchange_online.plugins.module_utils._credentials import Credential, digest
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import WrongTenant
from ansible_collections.m365.exchange_online.plugins.module_utils._text import is_guid

EXPIRY_MARGIN = 300  # seconds: a token that ends sooner is not used for a new request


class TokenStore(t.Protocol):
    """Keeps tokens for the other tasks of a run."""

    def load(self, key: str) -> Token | None:
        """The token that was kept under this key, if there is one."""

    def save(self, key: str, token: Token) -> None:
        """Keep a token under this key."""


class TokenSource:
    """The token of a task: asked for at first use, shared by all its threads, of the right tenant or none at all."""

    def __init__(
        self,
        authority: Authority,
        credential: Credential,
        store: TokenStore | None = None,
        warn: Callable[[str], None] | None = None,
        mask: Callable[[set[str]], None] | None = None,
    ) -> None:
        self._authority = authority
        self._credential = credential
        self._warn = warn
        self._mask = mask
        # Somebody else's token is not ours to keep.
        self._store = None if credential.method == "access_token" else store
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._tenant_id = ""
        self._key = digest(
            authority.base, authority.tenant.lower(), authority.resource, credential.method, credential.fingerprint()
        )

    def get(self) -> Token:
        """A token that is good for some minutes more; raises AuthenticationFailed or WrongTenant."""
        with self._lock:
            if self._token is None and self._store:
                self._token = self._store.load(self._key)
            if self._token is None or self._token.expires_on - time.time() < EXPIRY_MARGIN:
                self._token = self._acquire(None)
            return self._masked(self._token)

    def renew(self, rejected: Token, claims: str | None) -> Token:
        """A token other than the one that the service just rejected."""
        with self._lock:
            if self._token is None or self._token.value == rejected.value:
                self._token = self._acquire(claims or "")
            return self._masked(self._token)

    def _masked(self, token: Token) -> Token:
        if self._mask:
            self._mask({token.value})
        return token

    def _acquire(self, claims: str | None) -> Token:
        """claims: None for a first token; text, perhaps empty, where one was rejected."""
        for warning in self._credential.validate() if claims is None else ():
            if self._warn:
                self._warn(warning)
        token = self._credential.acquire(self._authority, claims)
        asked = self._authority.tenant.lower()
        self._tenant_id = self._tenant_id or (asked if is_guid(asked) else tenant_id(self._authority))
        expected = self._tenant_id
        if token.tenant_id != expected:
            name = asked if expected == asked else f"{self._authority.tenant} ({expected})"
            raise WrongTenant(
                f"The token is for tenant {token.tenant_id}, but {name} was asked for: nothing was done.",
                hint="Check tenant and the credential: they belong to different organizations.",
            )
        if self._store:
            self._store.save(self._key, token)
        return token
