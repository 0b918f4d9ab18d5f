"""Hypothesis profiles by ``HYPOTHESIS_PROFILE``: ``default`` for every day and CI, ``soak`` for a long run, ``mutation``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
settings.register_profile("default", max_examples=60, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("mutation", max_examples=20, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("soak", max_examples=5000, deadline=None, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
