"""Runs the command as ``python -m astra_filter.cli``."""

from __future__ import annotations

from astra_filter.cli import main

main()
