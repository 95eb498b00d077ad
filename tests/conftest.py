"""Settings for all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# `ci` draws the same examples on every run; `search` looks for new ones (HYPOTHESIS_PROFILE=search).
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
settings.register_profile("search", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
