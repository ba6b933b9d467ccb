# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many cases are tried, from which seed: ``short`` for every test run, ``fuzz`` for a long search."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings

SHORT, FUZZ = "short", "fuzz"
# What the shares of the tests are parts of.
CASES = {SHORT: 200, FUZZ: 10_000}
SEED_VARIABLE = "HYPOTHESIS_SEED"
CASES_VARIABLE = "FUZZ_CASES"  # another number than the profile's
NO_SHRINK_VARIABLE = "FUZZ_NO_SHRINK"  # show the first find as it is, at once
PROFILE_VARIABLE = "M365_EXO_FUZZ_PROFILE"


def register(profile: str) -> int:
    """Make the profile the one in force; returns the seed. Child processes inherit both."""
    os.environ[PROFILE_VARIABLE] = profile
    for name in CASES:
        settings.register_profile(
            name,
            deadline=None,  # the machine may be busy; a case that hangs is the business of the time-out
            database=None,  # seed and blob reproduce a failure
            print_blob=True,
            phases=[phase for phase in Phase if phase != Phase.shrink or not os.environ.get(NO_SHRINK_VARIABLE)],
            suppress_health_check=list(HealthCheck),
        )
    settings.load_profile(profile)
    # The short search has the same cases in every run, so that a red run has its cause in the change before it.
    default = "1" if profile == SHORT else str(random.SystemRandom().randrange(2**31))
    return int(os.environ.setdefault(SEED_VARIABLE, default))


def cases(share: float, short: int | None = None) -> Callable[[Any], Any]:
    """Decorator: run the test on this share of the profile's cases. short: on so many in every test run."""
    total = int(os.environ.get(CASES_VARIABLE) or CASES[os.environ.get(PROFILE_VARIABLE, SHORT)])
    number = max(5, round(total * share))
    if short is not None and os.environ.get(PROFILE_VARIABLE, SHORT) == SHORT:
        number = short

    def decorate(test: Any) -> Any:
        return seed(int(os.environ.get(SEED_VARIABLE, "1")))(settings(max_examples=number)(test))

    return decorate
