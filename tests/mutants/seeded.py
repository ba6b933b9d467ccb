# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes to the code that a test has to notice: what is changed, to what, and what would happen to a user."""

from __future__ import annotations

import typing as t


class Mutant(t.NamedTuple):
    """file: below plugins/module_utils. old: occurs there exactly once. tests: who must notice."""

    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...]


def _of(file: str, *tests: str) -> t.Callable[[str, str, str], Mutant]:
    names = tests or (file,)
    return lambda old, new, why: Mutant(f"_{file}.py", old, new, why, tuple(f"test_{name}.py" for name in names))


_plan, _change, _apply = _of("plan"), _of("change"), _of("apply")
_client, _tokens, _undo = _of("client"), _of("tokens"), _of("undo")
_restore, _smtp_auth, _converge = _of("restore"), _of("smtp_auth"), _of("converge")
_write = _of("write", "converge")
_results, _reader, _selection = _of("results", "converge"), _of("reader"), _of("selection")
_retry, _properties, _effect = _of("retry"), _of("properties"), _of("effect")
_credentials = _of("credentials")

MUTANTS = (
    # The plan
    _plan(
        'tuple(Expected(target, {SMTP_AUTH: False}, "enabled") for target in listed.enabled)',
        "()",
        "the organization is closed over a scanner that is not seen enabled",
    ),
    _plan(
        'tuple(Expected(target, {SMTP_AUTH: True}, "disabled") for target in targets.values())',
        "()",
        "the organization is opened although a denied mailbox follows it",
    ),
    _plan(
        "for target in (*listed.disabled, *closed)}",
        "for target in listed.disabled}",
        "the organization is opened although a mailbox on no list could not be disabled",
    ),
    _plan(
        "Phase(enabling, behind_policies)",
        "Phase(enabling)",
        "a mailbox opens although its policy could not be closed",
    ),
    _plan(
        "_behind_settings(users.after_closing, others, organization), blocked_by)",
        "None, blocked_by)",
        "a policy opens although the mailbox could not be closed",
    ),
    _plan(
        "_behind_settings(users.after_closing, others, organization), blocked_by)",
        "_behind_settings(users.after_closing, disabling, organization), blocked_by)",
        "a policy opens although the mailbox could not be left to the closed organization",
    ),
    _plan(
        'return Guard(expected, "The organization was left open", "going on could cut it off", delay)',
        'return Guard(expected, "The organization was left open", "going on could cut it off")',
        "the propagation delay is skipped",
    ),
    _plan(
        "Phase(waiting, after_enabling)",
        "Phase(waiting)",
        "the unlisted lose SMTP AUTH although a listed mailbox can't be enabled",
    ),
    _plan(
        "Phase(organization, _joined(flip, behind_policies), blocked_by)",
        "Phase(organization, _joined(flip, behind_policies))",
        "a lost name closes",
    ),
    _plan(
        "            if phase.blocked_by is None:\n", "            if True:\n", "blocked changes are shown as changes"
    ),
    _plan("max(LEAST_LIMIT, math.ceil(", "max(LEAST_LIMIT, math.floor(", "a limit is rounded down"),
    _plan("if limit and not plan.effect.known:", "if False:", "a limit on losses passes a plan of unknown effect"),
    _plan(
        '_check_moved(limits.gain, plan.effect.gain, "gain"',
        '_check_moved(limits.gain, plan.effect.lose, "gain"',
        "max_gain counts losses",
    ),
    _effect(
        "return not (organization_disabled if own == INHERIT else own)",
        "return not own",
        "who follows the organization is counted wrong",
    ),
    # One object's change
    _change(
        "if draft.after[row.option] and policy == INHERIT:",
        "if False:",
        "an EWS list is sent without the policy that enforces it",
    ),
    _change(
        "draft.postpone(switch, False)", "draft.after[switch] = False", "an undo leaves the protocol's defaults off"
    ),
    _change(
        "        draft.along[draft.table[switch].remote] = False", "        pass", "a format is refused by the service"
    ),
    _change(
        "after = {option: targets[option] if option in differing else current[option] for option in targets}",
        "after = dict(targets)",
        "another spelling of the same is shown as a change",
    ),
    # Carrying it out
    _apply(
        "in shown:\n                run.outcomes.put(replace(outcome, error=None,",
        "or True:\n                run.outcomes.put(replace(outcome, error=None,",
        "a doubtful write is taken for success",
    ),
    _apply(
        "reason = blocked or _judged(run, phase.guard)",
        "reason = _judged(run, phase.guard)",
        "a failed guard is forgotten",
    ),
    _apply(
        "return _failed_before(run, guard) or _not_seen(run, guard)",
        "return _not_seen(run, guard)",
        "a failed enable is not told",
    ),
    _apply(
        "        run.client.check_alive()\n        left = end",
        "        left = end",
        "a run reported dead goes on to close",
    ),
    _apply(
        "        if settled >= guard.delay:\n            return None\n",
        "        return None\n",
        "the propagation delay is not waited",
    ),
    _apply("moments.append(run.last_write)", "moments.append(run.started)", "the delay counts from before the write"),
    _apply("min(when + self._ahead,", "min(when,", "a clock that is ahead shortens the delay"),
    _apply(
        "min(when + self._ahead, self._first_seen.setdefault((place, when), now))",
        "when",
        "a clock that is ahead makes the wait endless",
    ),
    _apply(
        "        if self._ahead is None:\n",
        "        if True:\n",
        "the part of a second that a date leaves out is taken for somebody's change",
    ),
    _apply(
        "            run.outcomes.fatal = run.outcomes.fatal or answer\n",
        "            pass\n",
        "writes go on without access",
    ),
    _apply("if run.outcomes.fatal or not due:", "if not due:", "a second call is sent after access failed"),
    _apply("run.outcomes.put(replace(outcome, confirmed=False))", "pass", "what never showed is not told"),
    # The client
    _client("if self._read_only and not command.reads:", "if False:", "check mode writes"),
    _client(
        'if name.lower() == "identity" and value in (None, ""):', "if False:", "a null identity means every mailbox"
    ),
    _client(
        "            if index is None or index in outcomes:",
        "            if index is None:",
        "one mailbox gets another's answer",
    ),
    _client(
        "                if link in seen:", "                if False:", "a page that names itself is read for ever"
    ),
    _client("if link is None and any(", "if False and any(", "a list that was cut short is acted on"),
    _client("        if not self._cloud.owns(url):\n            return None\n", "", "the token is shown to a stranger"),
    _client("        if not command.reads:\n            self.check_alive()\n", "", "a run that ended writes"),
    # Tokens
    _tokens("            self._mask({token.value})", "            pass", "the token is shown in a result"),
    _tokens("        if token.tenant_id != expected:", "        if False:", "another tenant is written to"),
    _tokens('None if credential.method == "access_token" else store', "store", "somebody else's token is kept on disk"),
    _tokens(
        "if self._token is None or self._token.value == rejected.value:",
        "if True:",
        "a token is asked for by each worker",
    ),
    _credentials('    logging.getLogger("msal").setLevel(logging.CRITICAL)\n', "", "a token is in a log"),
    # The undo file
    _undo("        os.fsync(file.fileno())\n", "", "a power cut takes the way back"),
    _undo("        _sync_directory(directory)\n", "", "a power cut takes the file's name"),
    _undo("os.O_EXCL | os.O_NOFOLLOW, 0o600)", "os.O_EXCL | os.O_NOFOLLOW, 0o644)", "others read the undo file"),
    _undo("        if entry.target.place in seen:", "        if False:", "a mailbox is restored twice"),
    _undo("        os.rename(path, older)\n", "        os.unlink(path)\n", "an older way back is lost"),
    _undo("            os.replace(older, path)\n", "            pass\n", "a run that wrote nothing is the way back"),
    _undo("            fcntl.flock(descriptor, fcntl.LOCK_EX)\n", "            pass\n", "two runs lose a way back"),
    _undo(
        "other.tenant_id == undo.tenant_id and other.written > undo.written", "False", "an old file undoes a new run"
    ),
    # The one way
    _write(
        '    if path:\n        told["undo_file"]', '    if False:\n        told["undo_file"]', "no undo file is written"
    ),
    _converge("        check_limits(plan, wanted.limits)\n", "", "no limit holds"),
    _write("    if task.check_mode:\n        return None, told\n", "", "check mode writes"),
    _results(
        "    if blocked_by is not None:\n        return Outcome(change, error=left_out(change, blocked_by))\n",
        "",
        "mailboxes of a blocked phase are shown as changed in check mode",
    ),
    # Coming back, and the policy
    _restore(
        "        if force or kind.same(current, entry.after[option]):",
        "        if True:",
        "what others changed since is overwritten",
    ),
    _restore("    if standing:", "    if False:", "an old file is brought back over a new one"),
    _restore("if not _taken_back(task, client, other)]", "if False]", "what a newer file holds counts as brought back"),
    _restore("is worked]", "is worked is not None]", "an old file moves whom its run did not move"),
    _restore("    if client.tenant_id == undo.tenant_id:", "    if True:", "one tenant's file is restored in another"),
    _smtp_auth('if policy.unlisted == "inherit" and not wanted:', "if False:", "everybody gets SMTP AUTH"),
    _smtp_auth(
        "if change.turns(SMTP_AUTH, True) and policy.allows_nobody(today):",
        "if False:",
        "a blank variable cuts everybody off",
    ),
    _smtp_auth(
        'acting = replace(policy, unlisted="unmanaged") if lost else policy',
        "acting = policy",
        "a typing mistake cuts a device off",
    ),
    _smtp_auth(
        "return self.last_day is not None and self.last_day < today",
        "return self.last_day is not None and self.last_day <= today",
        "an exception ends a day early",
    ),
    # Reading
    _reader(
        "                    if box.key in boxes:",
        "                    if False:",
        "a list with somebody twice is taken for complete",
    ),
    _reader(
        'if "@" in name and not _has_address(remote, name) and not self._is_sign_in_name(name, box):',
        "if False:",
        "whoever comes for a name is believed",
    ),
    _selection(
        "tolerant = selection.tolerant and not selection.everybody",
        "tolerant = selection.tolerant",
        "a typing mistake in an override is tolerated",
    ),
    _retry(
        "in_doubt = in_doubt or error.in_doubt",
        "in_doubt = error.in_doubt",
        "a write that may be done is told as not done",
    ),
    _properties("return type(one) is type(other) and one == other", "return one == other", "1 is taken for true"),
)
