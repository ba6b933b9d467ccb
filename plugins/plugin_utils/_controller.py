# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the API of AWX or Automation Controller, as the environment says. PRIVATE to the collection.

The variables are those of the controller's own credential type and of its collections. Ansible's own HTTP client is
enough, so that nothing has to be installed beside Ansible.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.module_utils.urls import SSLValidationError, open_url

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationFailed,
    ExoError,
    InvalidRequest,
    ServiceUnavailable,
    UnexpectedResponse,
)

_TIMEOUT = 60  # seconds
HTTP_VARIABLE = "EXO_ALLOW_HTTP_CONTROLLER"
_PREFIX = "CONTROLLER_OPTIONAL_API_URLPATTERN_PREFIX"
_SET = "Give the job a credential of the type for the controller, or set CONTROLLER_HOST and CONTROLLER_OAUTH_TOKEN."


@dataclass(frozen=True)
class Controller:
    """Where the API is, and what proves who asks. ``api``: path of the API, with a slash at its end."""

    origin: str
    api: str
    verify: bool
    authorization: str = field(repr=False)

    def get(self, path: str, query: Mapping[str, t.Any]) -> Mapping[str, t.Any] | None:
        """What the API has there; None for nothing. path: below the API, or from the root as its answers have it."""
        target = path if path.startswith("/") else self.api + path
        url = self.origin + target + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": self.authorization, "Accept": "application/json"}
        try:
            with open_url(
                url, headers=headers, validate_certs=self.verify, timeout=_TIMEOUT, follow_redirects="none"
            ) as response:
                answer = json.load(response)
        except HTTPError as error:
            if error.code == 404:
                return None
            raise self._refusal(error.code) from None
        except ValueError:
            raise UnexpectedResponse(f"{self.origin} answered with something that is not JSON.") from None
        except (SSLValidationError, URLError, OSError) as error:
            raise ServiceUnavailable(f"{self.origin} can't be reached: {getattr(error, 'reason', error)}.") from None
        if not isinstance(answer, Mapping):
            raise UnexpectedResponse(f"{self.origin} answered with something that is not an object.")
        return answer

    def _refusal(self, status: int) -> ExoError:
        if status == 401:
            return AuthenticationFailed(f"{self.origin} refused the credentials (HTTP 401).", hint=_SET)
        if status == 403:
            return AccessDenied(f"{self.origin} does not let these credentials read the job (HTTP 403).")
        return ServiceUnavailable(f"{self.origin} answered with HTTP {status}.", hint="Try again later.")


def from_environment(environ: Mapping[str, str]) -> Controller:
    """The controller that CONTROLLER_* or TOWER_* name; raises InvalidRequest where they are not enough."""

    def value(name: str) -> str:
        return environ.get(f"CONTROLLER_{name}") or environ.get(f"TOWER_{name}") or ""

    host = value("HOST").rstrip("/")
    authorization = _authorization(value("OAUTH_TOKEN"), value("USERNAME"), value("PASSWORD"))
    if not host or not authorization:
        raise InvalidRequest("Which controller has the job, and with which token may it be read?", hint=_SET)
    parts = urlsplit(host if "://" in host else f"https://{host}")
    _check_scheme(parts.scheme, parts.hostname or "", environ)
    prefix = (environ.get(_PREFIX) or "/api/").strip("/")
    api = f"{parts.path.rstrip('/')}/{prefix}/v2/"
    return Controller(
        f"{parts.scheme}://{parts.netloc}", api, boolean(value("VERIFY_SSL") or True, strict=False), authorization
    )


def _check_scheme(scheme: str, host: str, environ: Mapping[str, str]) -> None:
    """Raises InvalidRequest where whoever listens on the way could read the token and use it."""
    allowed = boolean(environ.get(HTTP_VARIABLE) or False, strict=False)
    if scheme == "https" or (scheme == "http" and (allowed or _is_loopback(host))):
        return
    raise InvalidRequest(
        f"CONTROLLER_HOST has {scheme} for {host}, and the token would cross the network in clear. Nothing was sent.",
        hint=f"Use https. {HTTP_VARIABLE}=true says that plain http is meant.",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _authorization(token: str, user: str, password: str) -> str:
    if token:
        return f"Bearer {token}"
    if user and password:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return ""
