"""The chart of the documentation, drawn as SVG: horizontal bars on a logarithmic scale, one panel per work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

Times = Mapping[str, float | None]

PANELS = (
    ("compile a known shape with new values", "3 tests", "compile, 3 tests, known shape"),
    ("compile a new shape", "3 tests", "compile, 3 tests, new shape"),
    ("select, per task", "2 tests", "select, 2 tests, per task"),
)
_LEFT, _WIDTH, _BAR, _GAP, _HEAD = 220, 420, 18, 6, 34
_OURS, _OTHER = "#2563eb", "#94a3b8"


def chart(tables: Mapping[str, Mapping[str, Times]]) -> str:
    """Return the chart of those panels whose tables are there."""
    parts: list[str] = []
    top = 10
    for title, row, label in PANELS:
        times = tables.get(title, {}).get(row)
        if times:
            bars = sorted([(time, name) for name, time in times.items() if time is not None])
            parts += _panel(label, bars, top)
            top += _HEAD + len(bars) * (_BAR + _GAP) + 16
    width = _LEFT + _WIDTH + 90
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" viewBox="0 0 {width} {top}" '
        'font-family="system-ui, sans-serif" font-size="13">\n'
        f'<rect width="{width}" height="{top}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _panel(label: str, bars: Sequence[tuple[float, str]], top: int) -> list[str]:
    low, high = floor(log10(bars[0][0]) - 0.3), ceil(log10(bars[-1][0]))
    scale = _WIDTH / (high - low)
    parts = [f'<text x="10" y="{top + 18}" font-weight="600">{escape(label)} (logarithmic)</text>']
    for index, (time, name) in enumerate(bars):
        y = top + _HEAD + index * (_BAR + _GAP)
        length = (log10(time) - low) * scale
        colour = _OURS if name == "astra-filter" else _OTHER
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2" fill="{colour}"/>',
            f'<text x="{_LEFT + length + 6:.1f}" y="{y + 14}" fill="#475569">{_seconds(time)}</text>',
        ]
    return parts


def _seconds(time: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if time * scale >= 1:
            return f"{time * scale:.3g} {unit}"
    return f"{time * 1e9:.0f} ns"
