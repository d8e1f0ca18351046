"""Durations for people."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Minutes and seconds, and hours if there are any: `0:42`, `1:02:03`."""
    minutes, seconds_left = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours}:{minutes_left:02d}:{seconds_left:02d}" if hours else f"{minutes}:{seconds_left:02d}"
