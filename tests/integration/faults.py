# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/faults.md lists: each fault by the name of its test, and what the collection does about it.

The rest of a row is what a run of that test shows: ``documented`` compares it with the page, or records it for
tests/tools/faults.py, which writes the page.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from harness import PLANS, ROOT, Step

PAGE = ROOT / "docs" / "faults.md"
# A directory for what is seen, instead of a comparison.
RECORD = "FAULTS_RECORD"
NOTHING = "\u2013"


class Fault(NamedTuple):
    """A row: what goes wrong, what the collection does, how the task ends (None: well)."""

    what: str
    does: str
    code: str | None = None
    # What to do, where the task's result gives no hint.
    advice: str = ""


class Seen(NamedTuple):
    """What a task's result says, with placeholders for what differs from one run to another."""

    message: str
    advice: str


NO_REQUEST = "fails before any request"
NO_WRITE = "fails before any write"
AT_ONCE = "fails at once: trying again would not help"
AGAIN = "waits and tries again"
AFTER_RETRIES = "tries again as often as `retries` says, then fails"
SEEN_LAST = "looks at each listed mailbox right before, and leaves the organization open"
UNKNOWN_GATES = "says `unknown` of what it could not read"
UNKNOWN_USE = "use is `unknown`, never unused"
AS_LONG = "waits as long as that says, and tries again"
GROWING = "waits 2 s, then 4, 8, 16 and 32 s"
NOTHING_SENT = "fails before the password is sent"
ONE_ATTEMPT = "fails after one attempt: a failed sign-in counts against the account"
LOOKED_INTO = "tries again: the value is absolute, so a second write does no harm"

FAULTS: Mapping[str, Mapping[str, Fault]] = {
    "Getting in": {
        "wrong secret": Fault("the client secret is not the app's", AT_ONCE, "authentication_failed"),
        "expired secret": Fault("the client secret is too old", AT_ONCE, "authentication_failed"),
        "unknown tenant": Fault("no tenant has this domain", AT_ONCE, "authentication_failed"),
        "unknown app": Fault("the tenant does not know the client id", AT_ONCE, "authentication_failed"),
        "app blocked": Fault("Conditional Access blocks the app", AT_ONCE, "authentication_failed"),
        "secret of another tenant": Fault("the app lives in another tenant", AT_ONCE, "authentication_failed"),
        "token of another tenant": Fault(
            "`access_token` belongs to another tenant", "fails before the token is sent", "wrong_tenant"
        ),
        "token that is none": Fault("`access_token` is no token", NO_REQUEST, "authentication_failed"),
        "own token expires in the middle": Fault(
            "a token given as `access_token` ends while mailboxes are written",
            "sends nothing more; the result tells what was written",
            "authentication_failed",
        ),
        "no directory role": Fault("the app has the permission and no role", AT_ONCE, "access_denied"),
        "no app role": Fault("the app has no permission", "asks for a new token once, then fails",
                             "authentication_failed"),
        "only a reader": Fault("the role may read and not write", "reads and plans; sends nothing after the refusal",
                               "access_denied"),
        "certificate of another key": Fault("key and certificate do not fit", NO_REQUEST, "authentication_failed"),
        "certificate without key": Fault("the file holds just the certificate", NO_REQUEST, "authentication_failed"),
        "no certificate file": Fault("there is no such file", NO_REQUEST, "authentication_failed",
                                     "Correct `certificate_path`"),
        "neither PEM nor PFX": Fault("the file holds something else", NO_REQUEST, "authentication_failed"),
        "expired certificate": Fault("the certificate is too old", NO_REQUEST, "authentication_failed"),
        "certificate ends soon": Fault("the certificate ends within 30 days", "warns"),
        "certificate of another app": Fault("the app does not know the certificate", AT_ONCE, "authentication_failed"),
        "wrong PFX password": Fault("the PFX has another password", NO_REQUEST, "authentication_failed",
                                    "Correct `certificate_password`"),
        "no PFX password": Fault("the PFX has a password, and none is given", NO_REQUEST, "authentication_failed",
                                 "Give `certificate_password`"),
        "no token file": Fault("the file of the workload identity is missing", NO_REQUEST, "authentication_failed",
                               "Correct `federated_token_file`"),
        "empty token file": Fault("the file of the workload identity is empty", NO_REQUEST, "authentication_failed",
                                  "Let the platform write the file"),
        "token file of another identity": Fault("no federated credential fits the assertion", AT_ONCE,
                                                "authentication_failed"),
        "identity that is not assigned": Fault("the host has no such managed identity", AT_ONCE,
                                               "authentication_failed"),
        "two credentials": Fault("two credentials are given", NO_REQUEST, "authentication_failed",
                                 "Leave one out, or choose with `auth_source`"),
        "no credential": Fault("no credential is given", NO_REQUEST, "authentication_failed",
                               "Give one of those that the message names"),
        "half a credential": Fault("an id is given and nothing that proves it", NO_REQUEST, "authentication_failed",
                                   "Set the other variable"),
        "families mixed": Fault("a secret of one family of variables, an id of another", NO_REQUEST,
                                "authentication_failed", "Set both in one family"),
        "source without credential": Fault("`auth_source` names a credential that is not given", NO_REQUEST,
                                           "authentication_failed", "Give it, or change `auth_source`"),
        "http": Fault("`endpoint` is not https", NO_REQUEST, "invalid_request", "Use https"),
        "http authority": Fault("`authority` is not https", NO_REQUEST, "invalid_request", "Use https"),
        "CA file missing": Fault("`ca_path` names no file", NO_REQUEST, "invalid_request", "Correct `ca_path`"),
        "unknown CA": Fault("no trusted authority has signed the server's certificate", AT_ONCE, "service_unavailable"),
        "nobody listens": Fault("the connection is refused", AFTER_RETRIES, "service_unavailable"),
        "proxy that is not there": Fault("the proxy does not answer", AFTER_RETRIES, "service_unavailable"),
        "proxy URL that is none": Fault(
            "the proxy's URL is not valid", AT_ONCE + "; its password is in no message", "service_unavailable"
        ),
        "key that others can read": Fault("a certificate's file is readable by others", "warns"),
        "authority resets": Fault("the authority breaks the connection", AGAIN),
        "authority throttled": Fault("the authority answers 429", AGAIN),
        "authority unavailable": Fault("the authority answers 503", AGAIN),
        "discovery throttled": Fault("the authority's discovery document: 429", AGAIN),
        "discovery unavailable": Fault("the authority's discovery document: 503", AGAIN),
        "token expires before the read": Fault("401: the token has ended", "asks for a new one, once per request"),
        "token expires before the write": Fault("401 to the write", "asks for a new one, once per request"),
        "claims challenge": Fault("401 with claims (continuous access evaluation)", "asks for a token with the claims"),
        "token refused for good": Fault("401 to a new token, too", "asks for a new token once, then fails",
                                        "authentication_failed"),
    },
    "Reading": {
        "throttled read": Fault("429 with Retry-After", AS_LONG),
        "throttled for hours": Fault(
            "429 with a Retry-After above 120 s", "does not wait, and says so", "throttled"
        ),
        "unavailable for good": Fault("503 again and again", AFTER_RETRIES, "service_unavailable",
                                      "Run the task again later"),
        "HTML page": Fault("a proxy's page instead of an answer", AT_ONCE, "unexpected_response"),
        "half an answer": Fault("JSON that ends in the middle", AGAIN),
        "gzip that is none": Fault("a plain body that is declared as gzip", "reads it as it is"),
        "error in a success": Fault("200 with errors inside", AT_ONCE, "invalid_request",
                                    "Read the service's own words"),
        "no right, in JSON": Fault("403 in JSON: not allowed to call the cmdlet", AT_ONCE, "access_denied"),
        "no right, in JSON, as 401": Fault("the same as 401", AT_ONCE, "access_denied"),
        "no right, reason in a header": Fault("403 without text, the reason in `x-ms-diagnostics`",
                                              "fails at once, with that reason", "access_denied"),
        "version that is not offered": Fault("405", AT_ONCE, "unexpected_response"),
        "redirect elsewhere": Fault("a redirect to a foreign host", "does not follow; the token is not sent there",
                                    "unexpected_response"),
        "redirect without end": Fault("redirects in a circle", "follows three, then fails", "unexpected_response"),
        "wrong type": Fault("a setting of another type than ever seen", NO_WRITE, "unexpected_response"),
        "missing property": Fault("a managed setting is not in the answer",
                                  NO_WRITE + "; missing is not taken for null", "unexpected_response"),
        "missing property that nobody manages": Fault("another setting is not in the answer", "goes on without it"),
        "page expired": Fault("the link to the next page has ended", NO_WRITE, "incomplete_read"),
        "page twice": Fault("a mailbox comes twice", NO_WRITE, "incomplete_read"),
        "page that leads to itself": Fault("a page links to itself", NO_WRITE, "incomplete_read"),
        "page elsewhere": Fault("the next page is at another host", NO_WRITE + "; the token is not sent there",
                                "incomplete_read"),
        "more results, no link": Fault("the service has more rows and no link to them", NO_WRITE, "incomplete_read"),
        "HTML on the way": Fault("a proxy's page instead of the second page", NO_WRITE, "incomplete_read"),
        "throttled on the way": Fault("429 to the second page", AGAIN),
        "token expires on the way": Fault("401 to the second page", "asks for a new token and goes on"),
        "unavailable on the way": Fault("503 to the second page, again and again",
                                        "tries again as often as `retries` says; nothing is written",
                                        "incomplete_read"),
        "$select refused": Fault("the service refuses to send chosen properties", "asks for whole objects"),
        "$select ignored": Fault("the service sends all properties", "takes what it needs"),
        "server that trickles": Fault(
            "an answer that comes byte by byte", "gives up after `timeout` seconds in all", "service_unavailable"
        ),
        "answer that inflates": Fault(
            "4 MB of gzip that hold 4 GB", "stops at 64 MB and fails", "service_unavailable"
        ),
        "null left out everywhere": Fault(
            "a nullable setting is in no mailbox's answer", "looks at one whole object, takes it for null, and warns"
        ),
        "no mailbox at all": Fault("the list of mailboxes is empty", NO_WRITE, "incomplete_read"),
        "not found, as 404": Fault("404: no mailbox has the name", NO_WRITE, "not_found"),
        "not found, as 400": Fault("the same as 400", NO_WRITE, "not_found"),
        "not found, as 500": Fault("the same as 500", NO_WRITE, "not_found"),
        "not found behind a hop": Fault("the same, wrapped by another server", NO_WRITE, "not_found"),
        "bare 404": Fault("404 that says nothing about a mailbox", NO_WRITE, "unexpected_response"),
        "two of the name": Fault("several mailboxes have the name", NO_WRITE, "ambiguous"),
    },
    "Writing": {
        "throttled write": Fault("429, three times", AGAIN + ", all requests of the task together"),
        "throttled without a time": Fault("429 without Retry-After", GROWING),
        "throttled as a text": Fault("a plain text on concurrent requests, whatever the status", AGAIN),
        "throttled for good": Fault("429 again and again", AFTER_RETRIES, "throttled"),
        "unavailable": Fault("503", AGAIN),
        "bad gateway": Fault("502", AGAIN),
        "request timeout": Fault("408", AGAIN),
        "directory trouble": Fault("500: the directory can't be reached", AGAIN),
        "gateway timeout after the write": Fault("504", LOOKED_INTO),
        "transient by name": Fault("400 with any of the names of a passing trouble (a busy domain controller, "
                                   "maintenance, dual-write to Entra ID ...)", AGAIN),
        "transient 400": Fault("400: the domain controller is overloaded", AGAIN),
        "transient 400 for good": Fault("the same again and again", AFTER_RETRIES, "service_unavailable",
                                        "Run the task again later"),
        "HTML page of a gateway": Fault("a page with 503", AGAIN),
        "reset before the write": Fault("the connection breaks before the write", AGAIN),
        "reset after the write": Fault("the connection breaks after the write", LOOKED_INTO),
        "reset after the write, no retries": Fault("the same, with `retries: 0`",
                                                   "reads back whether the write was done"),
        "no right to write": Fault("403 without text to the write", AT_ONCE, "access_denied"),
        "parameter that the role hides": Fault("400: no such parameter", AT_ONCE, "invalid_request"),
        "tenant that is not customized": Fault(
            "400: the tenant needs Enable-OrganizationCustomization", AT_ONCE, "invalid_request"
        ),
        "mailbox that refuses every write": Fault(
            "400: a mailbox is synchronized from on-premises", "finishes the rest; `exclude` leaves it alone",
            "partial_failure",
        ),
        "mailbox outside the app's write scope": Fault(
            "400: the app's role does not reach a listed mailbox",
            "finishes the listed ones; leaves the organization open", "partial_failure",
        ),
        "hop that is not there": Fault(
            "CmdletProxyNotAvailableFailure of an organization's cmdlet", AGAIN
        ),
        "value that the service refuses": Fault("400: the value can't be converted", AT_ONCE, "invalid_request",
                                                "Correct the value"),
        "setting that the service refuses": Fault("400: the cmdlet's own validation", AT_ONCE, "invalid_request",
                                                  "Read the service's own words"),
        "redirect to the same host": Fault("302 within the service", "follows, as POST"),
        "redirect 307": Fault("307 within the service", "follows, as POST"),
        "warnings": Fault("the service warns of something on a write", "passes it on"),
        "lag that is waited for": Fault("a read shows the write after a moment", "looks again until it does"),
        "lag beyond the wait": Fault("a read does not show the write within `wait_timeout`",
                                     "ends well, `confirmed: false`"),
        "lag that nobody waits for": Fault("the same with `wait: false`", "does not look, and returns no `confirmed`"),
        "a write that is ignored": Fault("200, and nothing is stored", "ends well, `confirmed: false`"),
    },
    "Batches": {
        "one item throttled": Fault("429 to one of ten", "sends that one again"),
        "one item fails for the moment": Fault("500 to one of ten", "sends that one again"),
        "one item needs its own server": Fault("\"Cmdlet needs proxy\"", "sends it alone, routed to that mailbox"),
        "all items need their own server": Fault("the same of all", "sends each alone, routed to its mailbox"),
        "batch throttled": Fault("429 to the batch", AGAIN),
        "batch unavailable": Fault("503 to the batch", AGAIN),
        "batch reset before": Fault("the connection breaks before the batch", AGAIN),
        "batch reset after": Fault("the connection breaks after the batch", LOOKED_INTO),
        "batch reset after, no retries": Fault("the same, with `retries: 0`", "reads back what was done"),
        "answers in another order": Fault("the answers come in another order", "matches them by id"),
        "answers of the read in another order": Fault("the same for a read", "matches them by id"),
        "an answer twice": Fault("an answer comes twice", "believes none, and sends each alone"),
        "an answer missing": Fault("an answer is missing", "sends that one again"),
        "an answer of the read missing": Fault("an answer of a read is missing", "asks for that one again"),
        "half a batch's answer": Fault("JSON that ends in the middle", LOOKED_INTO),
        "token expires before the batch": Fault("401 to the batch", "asks for a new token, once per request"),
        "token expires in the batch": Fault("401 to one of ten", "asks for a new token and sends that one again"),
        "one write is ignored": Fault("200 for one, and nothing is stored",
                                      "ends well, `confirmed: false` for that one"),
        "one write fails": Fault("400 to one of ten", "finishes the rest", "partial_failure"),
        "one is gone": Fault("one was deleted since it was read", "finishes the rest", "partial_failure"),
        "all are refused": Fault("403 to the first batch", "sends nothing more", "access_denied"),
        "all throttled for good": Fault("429 to every batch", "gives up after the first that got nowhere; "
                                        "the others are not sent", "throttled"),
        "killed in the middle": Fault("SIGTERM or SIGKILL while 200 mailboxes are written",
                                      "the undo file is complete, and the next run finishes the rest"),
    },
    "Input": {
        "no setting": Fault("a task manages nothing", NO_REQUEST, "invalid_request", "Give a setting"),
        "no mailbox chosen": Fault("a task names no mailboxes", NO_REQUEST, "invalid_request", "Give one of the three"),
        "unknown key": Fault("a key that is no setting", NO_REQUEST, "invalid_request"),
        "empty name": Fault("an empty text among the names", NO_REQUEST, "invalid_request",
                            "Take it out; a null name means everybody to the service"),
        "entry without identity": Fault("an entry names no mailbox", NO_REQUEST, "invalid_request", "Add `identity`"),
        "entries disagree": Fault("two entries mean one mailbox and differ", NO_WRITE, "invalid_request",
                                  "Remove one of them"),
        "identity and all": Fault("`identity` beside `all_mailboxes`", NO_REQUEST, "invalid_request",
                                  "Use `mailboxes` for those that differ"),
        "exclude alone": Fault("`exclude` without `all_mailboxes`", NO_REQUEST, "invalid_request", "Leave it out"),
        "time in other words": Fault("a time that is none", NO_REQUEST, "invalid_request",
                                     "Write 12:00:00 or seconds"),
        "date in another form": Fault("`expires` is no date of the form 2027-03-31", NO_REQUEST, "invalid_request",
                                      "Write it so"),
        "max_changes in words": Fault("`max_changes` is no number", NO_REQUEST, "invalid_request",
                                      "Write 25 or 10%"),
        "allowed and denied": Fault("a mailbox is on both lists", NO_WRITE, "invalid_request", "Take it from one"),
        "no policy": Fault("`exo_smtp_auth` is given nothing to manage", NO_REQUEST, "invalid_request",
                           "Set one of them"),
        "format beside protocol defaults": Fault("two settings that exclude each other", NO_WRITE, "invalid_request"),
        "list without its policy": Fault("an EWS list without the policy that uses it", NO_WRITE, "invalid_request"),
        "missing names": Fault("no mailbox has the name", NO_WRITE, "not_found"),
        "missing names, tolerated": Fault("the same with `lookup_failure_action: warn`", "warns and goes on"),
        "misspelt exclude": Fault("`exclude` names nobody", NO_WRITE, "not_found"),
        "misspelt override": Fault(
            "`mailboxes` beside `all_mailboxes` names nobody", NO_WRITE + ", whatever `lookup_failure_action` says",
            "not_found",
        ),
        "override that where leaves out": Fault("`where` drops a mailbox that `mailboxes` names", "warns"),
        "name with a star": Fault("a name with a `*`", NO_REQUEST, "invalid_request"),
        "sign-in name that is another's address": Fault(
            "a name is one mailbox's address and another's sign-in name", NO_WRITE, "ambiguous"
        ),
        "a row for a name that nobody has": Fault(
            "the service sends another mailbox than the one that was named", NO_WRITE, "unexpected_response"
        ),
        "relative path": Fault("`undo_file` is not absolute", NO_WRITE, "refused", "Use an absolute path"),
        "timeout that is none": Fault("`timeout` is out of range", NO_REQUEST, "invalid_request", "Correct it"),
    },
    "Limits and guards": {
        "too many changes": Fault("the plan is larger than `max_changes`", NO_WRITE + ", in check mode too", "refused"),
        "empty list": Fault("`allowed` is empty and the unlisted lose SMTP AUTH", NO_REQUEST, "refused"),
        "inherit in an open organization": Fault("`unlisted: inherit` would let everybody in", NO_WRITE, "refused"),
        "listed mailbox missing": Fault(
            "a listed mailbox is not found, under `lookup_failure_action: warn`",
            "enables the listed ones; leaves the organization and the unlisted alone",
            "not_found",
        ),
        "mailbox that can't be enabled": Fault(
            "a listed mailbox can't be enabled", "finishes the listed ones; leaves the organization open",
            "partial_failure",
        ),
        "mailbox that is not seen enabled": Fault(
            "a listed mailbox is not seen enabled", "leaves the organization open", "not_confirmed"
        ),
        "organization that is not seen closed": Fault(
            "the organization is not seen closed", "leaves the mailboxes that would follow it as they are",
            "not_confirmed",
        ),
        "past its last day": Fault("an entry has expired", "does everything else, then fails", "expired"),
        "near its last day": Fault("an entry expires within 30 days", "warns"),
        "loss of SMTP AUTH": Fault("mailboxes lose SMTP AUTH in effect", "warns, in check mode too"),
        "unlisted_enabled": Fault(
            "mailboxes on no list have it enabled", "warns, and returns them as `unlisted_enabled`"
        ),
        "closing with nobody allowed": Fault(
            "`organization: disabled` with `allowed` empty or not given", NO_WRITE, "refused"
        ),
        "too many lose": Fault(
            "more mailboxes lose SMTP AUTH than `max_lose`", NO_WRITE + ", in check mode too", "refused"
        ),
        "too many gain": Fault(
            "more mailboxes gain SMTP AUTH than `max_gain`", NO_WRITE + ", in check mode too", "refused"
        ),
        "everybody follows an open organization": Fault(
            "`inherit` for all mailboxes while the organization is open", NO_WRITE, "refused"
        ),
        "effect that can't be known": Fault(
            "the organization's flag would change, and the mailboxes can't be read", NO_WRITE, "refused"
        ),
        "taken back during the delay": Fault(
            "a listed mailbox's value is taken back while the run waits", SEEN_LAST, "not_confirmed"
        ),
        "taken back, and nothing was to be written": Fault(
            "the same of a mailbox that was enabled before the run", SEEN_LAST, "not_confirmed"
        ),
        "gone during the delay": Fault("a listed mailbox is removed while the run waits", SEEN_LAST, "not_confirmed"),
        "stale first read": Fault(
            "the list shows a listed mailbox enabled, and it is not", SEEN_LAST, "not_confirmed"
        ),
        "let in before it opens": Fault(
            "a denied mailbox's value is taken back before the organization opens",
            "looks at each listed mailbox right before, and leaves the organization closed", "not_confirmed",
        ),
        "let in, and nothing was to be written": Fault(
            "the same of a mailbox that was disabled before the run",
            "looks at each listed mailbox right before, and leaves the organization closed", "not_confirmed",
        ),
        "on no list, and can't be disabled before it opens": Fault(
            "with `unlisted: disabled`, a mailbox can't be disabled before the organization opens",
            "leaves the organization closed", "partial_failure",
        ),
    },
    "Verdict and use": {
        "no permission for policies": Fault("the app may not read Conditional Access", UNKNOWN_GATES),
        "no permission for the sign-in log": Fault("the app may not read the sign-in log", UNKNOWN_USE),
        "no licence for the sign-in log": Fault("the tenant has no Entra ID P1", UNKNOWN_USE),
        "sign-in log that is too young": Fault("the log begins within the days asked for", UNKNOWN_USE),
        "sign-in log that breaks off": Fault("the third page fails for good", UNKNOWN_USE + "; who was seen was seen"),
        "sign-in log throttled": Fault("the log answers 429 with Retry-After", AS_LONG),
        "sign-in log throttled without a time": Fault("the log answers 429 without Retry-After", GROWING),
        "sign-in log throttled for good": Fault("the log answers 429 again and again", UNKNOWN_USE),
        "Conditional Access throttled": Fault("the policies: 429 with Retry-After", AS_LONG),
        "Conditional Access throttled without a time": Fault("the policies: 429 without Retry-After", GROWING),
        "sign-ins of another tenant": Fault("Graph answers another tenant's log", NO_WRITE, "wrong_tenant"),
        "sign-in without a mailbox": Fault("the log names a user who has no mailbox", "names it as `unmatched`"),
        "access token alone": Fault("`access_token` is the only credential", UNKNOWN_GATES + ", and use is unknown"),
        "users that can't be listed": Fault("the role does not list users", UNKNOWN_GATES),
        "policy of a kind that nobody knows": Fault("Conditional Access has new conditions", UNKNOWN_GATES),
        "two thousand policies": Fault("each concerns a group", "names five and counts the others; " + UNKNOWN_GATES),
        "report of something else": Fault("`usage_report` has no column of senders", NO_WRITE, "invalid_request"),
        "report of 200,000 rows": Fault("`usage_report` has 200,000 rows", "reads them all, kept by sender"),
        "report in Latin-1": Fault("`usage_report` is no UTF-8 and no UTF-16", "reads it as Windows-1252"),
        "report that is not there": Fault("`usage_report` names no file", NO_REQUEST, "invalid_request",
                                          "Correct `usage_report`"),
        "client_ip that is none": Fault("`client_ip` is no address", NO_REQUEST, "invalid_request",
                                        "Give the address that the device has outside"),
        "error text that nobody knows": Fault("`error_text` is no known reply", "says so, and names no gate"),
        "mailbox in use": Fault("a mailbox would lose SMTP AUTH and signed in lately", NO_WRITE, "refused"),
        "use that is not known": Fault("a mailbox would lose SMTP AUTH, and its use is not known", NO_WRITE,
                                       "refused"),
    },
    "The probe": {
        "server without STARTTLS": Fault("the server offers no encryption", NOTHING_SENT, "unexpected_response"),
        "server without AUTH": Fault("the server takes no sign-in", NOTHING_SENT, "unexpected_response"),
        "server that takes tokens only": Fault("a password, and only XOAUTH2", NOTHING_SENT, "unexpected_response"),
        "certificate of another host": Fault("the certificate has another name", NOTHING_SENT, "service_unavailable"),
        "certificate of another authority": Fault("no trusted authority has signed the certificate", NOTHING_SENT,
                                                  "service_unavailable"),
        "server that says nothing": Fault("no greeting within `timeout`", ONE_ATTEMPT, "service_unavailable"),
        "server that is busy": Fault("421 as the greeting", ONE_ATTEMPT, "service_unavailable"),
        "server that breaks off": Fault("the connection ends after the password", ONE_ATTEMPT, "service_unavailable",
                                        "Look into the sign-in log before the next attempt"),
        "server that never answers the password": Fault("no reply within `timeout`", ONE_ATTEMPT,
                                                        "service_unavailable",
                                                        "Look into the sign-in log before the next attempt"),
        "server that is busy after the password": Fault("421 to the password", ONE_ATTEMPT, "service_unavailable"),
        "server that says later": Fault("454 to the password", ONE_ATTEMPT, "service_unavailable"),
        "server that answers something else": Fault("250 to the password", ONE_ATTEMPT, "unexpected_response",
                                                    "Check `host` and `port`"),
        "cloud without a known host": Fault("`host` is not given in such a cloud", NO_REQUEST, "invalid_request",
                                            "Set `host`"),
        "no server at the port": Fault("nobody listens there", ONE_ATTEMPT, "service_unavailable"),
        "no password": Fault("`password` is empty or not given", NO_REQUEST, "invalid_request", "Give one"),
    },
    "Authentication policies": {
        "policy that can open nothing": Fault("`authentication_policy` blocks SMTP itself", NO_WRITE,
                                              "invalid_request"),
        "policy of no such name": Fault("`authentication_policy` names none", NO_WRITE, "invalid_request"),
        "mailbox under a blocking policy": Fault("a mailbox is opened, and its policy still blocks it", "warns"),
        "user on no list who has the policy": Fault("a user on no list has the policy of the list",
                                                    "warns; with `unlisted` other than `unmanaged` takes it away"),
        "policy in use": Fault("`state: absent` while users or the default have it", NO_WRITE, "refused"),
        "policy that cuts off too many": Fault("its switch for SMTP goes, beyond `max_lose`", NO_WRITE, "refused"),
        "policy that the service does not change": Fault(
            "\"Object reference not set\" to the change", "stops; never removes it to make it anew",
            "unexpected_response",
        ),
        "default that cuts off too many": Fault("another default policy, beyond `max_lose`", NO_WRITE, "refused"),
        "query that the service refuses": Fault("users can't be asked for by policy", "asks for all of them"),
        "EWS list that came out empty": Fault("`ews_allowed_app_ids` is empty", NO_WRITE, "refused"),
        "app id that is none": Fault("an entry of `ews_allowed_app_ids` is not a GUID", NO_REQUEST, "invalid_request",
                                     "Give the application id"),
        "plan of no such name": Fault("`identity` names no mailbox plan", NO_WRITE, "not_found"),
    },
    "Undo": {
        "undo file that can't be written": Fault("the file can't be written", NO_WRITE, "refused"),
        "another tenant's undo file": Fault("the file is of another tenant", NO_WRITE, "wrong_tenant"),
        "damaged undo file": Fault("the file ends in the middle", NO_REQUEST, "invalid_request", "Use a copy"),
        "no undo file": Fault("JSON of something else", NO_REQUEST, "invalid_request", "Name another file"),
        "undo file missing": Fault("there is no such file", NO_REQUEST, "invalid_request", "Correct `src`"),
        "changed since": Fault("a setting was changed since", "leaves it and warns; `force` brings it back too"),
        "undo file with a newer one beside it": Fault(
            "a later run wrote another file for the same tenant", NO_WRITE + "; `force` brings this one back", "refused"
        ),
        "old file under an organization closed since": Fault(
            "a mailbox that had SMTP AUTH then would lose it", NO_WRITE + "; `force` does it", "refused"
        ),
        "old file of a setting that others follow by now": Fault(
            "mailboxes came since to follow the organization, its default policy or a policy",
            NO_WRITE + "; `force` does it",
            "refused",
        ),
        "mailbox of the file made anew": Fault(
            "a mailbox of the file has another GUID now", "leaves the organization and who follows it alone",
            "not_found",
        ),
        "undo file edited by hand": Fault(
            "an entry stands in the file twice, or is damaged", "warns, and restores the others"
        ),
        "gone since": Fault("a mailbox is gone", "warns, and restores the others"),
    },
}  # fmt: skip

_COLUMNS = ("id", "what goes wrong", "what the collection does", "error_code", "message", "what to do")
_HEAD = """\
<!-- Written by tests/tools/faults.py from tests/integration/faults.py and a run of the tests. Do not edit. -->
# Faults, and what you see of them

Each row is a test against the simulator. Its id is in the first column. The message is what the test sees, with `<...>`
for the parts that vary. In the task's result, the message begins with the tenant and ends with what to do. If the task
succeeds, the message is its first warning, or else the first line in `retried`, or what the verdict says about that
gate or use.

A request is tried again up to `retries` times (5), after 2, 4, 8, 16, 32 and then every 60 seconds, or after the time
in `Retry-After`. A single wait lasts at most 120 seconds, and all waits of one request together at most 600 seconds.
Then the task fails, and says how often and for how long it tried. A request is tried again after status 408, 429, 500,
502, 503 and 504, after a connection that breaks, after an answer that can't be read, and after any status whose text
names a temporary problem. After a 401 the task gets a new token once. Nothing else is tried again.

A failure also returns `http_status`, `cmdlet`, `request_id` and `hint` if they are known. If a task fails while it
writes mailboxes, its result also says what became of each of them.
"""

_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_PLACEHOLDERS = (
    (r"https?://[^\s,']*[^\s,'.]", "<url>"),
    (r"(?:localhost|127\.0\.0\.1):\d+", "<host>"),
    (_GUID, "<guid>"),
    (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "<mailbox>"),
    (r"(?<=<mailbox>)(?:, <mailbox>)+", ", ..."),
    (r"\bt\d+\.example\b", "<tenant>"),
    (r"(?<![\w<:/])/(?:[\w.-]+/)+[\w.-]*[\w-]", "<file>"),
    (r"\b\d{4}-\d\d-\d\d[T ][\d:.]+(?:\+00:00|Z)", "<time>"),
    (r"\b(?!2027-03-31)\d{4}-\d\d-\d\d\b", "<date>"),
    # In the words of the operating system and of libraries, which differ from one version to another.
    (r"(?<=The connection to <host> failed: ).*?\.(?=$| Waited| Tried)", "<reason>."),
    (r"(?<=request to <host> through: ).*", "<reason>."),
    (r" \(_ssl\.c:\d+\)", ""),
    (r"\[Errno \d+\] [^.]*", "<reason>"),
    (r"(?:; <mailbox> \(not known[^)]*\))+", "; ..."),
    (r"\b[\d.]+ (seconds|s|days|times)\b", r"<number> \1"),
    (r"'[\w-]+\.[\w.-]*(?:outlook|prod)[\w.-]*'", "'<server>'"),
)


def shape(text: str) -> str:
    """A message with placeholders for what differs from one run to another."""
    for pattern, placeholder in _PLACEHOLDERS:
        text = re.sub(pattern, placeholder, text, flags=re.IGNORECASE)
    return " ".join(text.split())


def seen(name: str, step: Step, said: str | None = None, advice: str = "") -> Seen:
    fault = row(name)
    assert step.code == fault.code, f"{name}: {step.summary}"
    if step.failed:
        hint = str(step.result.get("hint") or "")
        message = without_tenant(step.msg).removesuffix(hint).rstrip()
        return Seen(shape(message), shape(hint or f"{fault.advice}."))
    if said is not None:
        return Seen(shape(said), shape(advice))
    # What a task that turns a protocol off says of new mailboxes has nothing to do with the fault.
    warnings = [text for text in step.warnings if not re.search(PLANS, text)]
    first = [*warnings, *step.result.get("retried", ())][:1]
    return Seen(shape(without_tenant(first[0])) if first else "", "")


def without_tenant(text: str) -> str:
    """A message without the tenant that it begins with."""
    return re.sub(r"^[\w.-]+\.example: ", "", text)


def row(name: str) -> Fault:
    found = [rows[name] for rows in FAULTS.values() if name in rows]
    assert len(found) == 1, f"{name} is in {len(found)} tables of faults.py"
    return found[0]


def documented(name: str, step: Step, said: str | None = None, advice: str = "") -> None:
    """The page says of this fault what the task said; of one that ended well, in this place of its result."""
    found = seen(name, step, said, advice)
    directory = os.environ.get(RECORD)
    if directory:
        with (Path(directory) / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps([name, *found]) + "\n")
        return
    page = read_page()
    assert name in page, f"docs/faults.md has no row {name!r}: run tests/tools/faults.py"
    assert page[name] == found


# --- the page ---


def render(said: Mapping[str, Seen]) -> str:
    """The page, from the tables above and what was seen of each."""
    parts = [_HEAD]
    for group, rows in FAULTS.items():
        lines = [f"## {group}", "", _line(_COLUMNS), _line(["---"] * len(_COLUMNS))]
        for name, fault in rows.items():
            message, advice = said.get(name, Seen("", ""))
            cells = (name, fault.what, fault.does, f"`{fault.code}`" if fault.code else NOTHING,
                     _code(message), _words(advice))  # fmt: skip
            lines.append(_line(cells))
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


@functools.cache
def read_page() -> Mapping[str, Seen]:
    """What the page says of each fault."""
    found: dict[str, Seen] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else ():
        if not line.startswith("| "):
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == len(_COLUMNS) and cells[0] not in ("id", "---"):
            found[cells[0]] = Seen(_plain(cells[4]).strip("`"), _plain(cells[5]))
    return found


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _code(text: str) -> str:
    return f"`{text}`" if text else NOTHING


def _words(text: str) -> str:
    return text.replace("<", "&lt;") or NOTHING


def _plain(text: str) -> str:
    return "" if text == NOTHING else text.replace("&lt;", "<")
