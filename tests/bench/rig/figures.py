"""Figures of several rounds, and how they are shown."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Figure:
    """One thing measured, once a round."""

    part: str
    name: str
    unit: str
    is_ratio: bool
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def line(self) -> str:
        spread = f"{_short(min(self.values))} … {_short(max(self.values))}" if len(self.values) > 1 else ""
        return f"{self.part:11} {self.name:80} {_short(self.median):>9} {self.unit:14} {spread}".rstrip()


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}"


class Figures:
    """All that is measured, in the order in which it came first."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], Figure] = {}
        self.notes: list[str] = []

    def add(self, part: str, name: str, value: float, unit: str = "", ratio: bool = False) -> float:
        """Adds one round's value, and gives it back."""
        self._all.setdefault((part, name), Figure(part, name, unit, ratio)).values.append(value)
        return value

    def note(self, text: str) -> None:
        """A sentence for the end, once."""
        if text not in self.notes:
            self.notes.append(text)

    def beside_old(self, part: str, name: str, of: dict[str, float], unit: str) -> None:
        """One round's value of each binary, and table-updater's in parts of the old one's."""
        for who in ("table-updater", "old"):
            if who in of:
                self.add(part, f"{who}, {name}", of[who], unit)
        if "old" in of and of["old"]:
            self.add(part, f"table-updater / old, {name}", of["table-updater"] / of["old"], "x", ratio=True)

    def take(self, document: list[dict[str, Any]]) -> int:
        """Rounds that were measured before. How many there were."""
        for figure in document:
            for value in figure["values"]:
                self.add(figure["part"], figure["name"], value, figure["unit"], figure["ratio"])
        return max((len(figure["values"]) for figure in document), default=0)

    def text(self) -> str:
        """Ratios first; each with its median, and least and greatest of the rounds."""
        lines = []
        for title, ratio in (("Ratios", True), ("Figures", False)):
            rows = [figure.line() for figure in self._all.values() if figure.is_ratio == ratio]
            if rows:
                lines += [f"{title} (median, then least … greatest of the rounds)", *rows, ""]
        return "\n".join(lines + self.notes)

    def document(self) -> list[dict[str, Any]]:
        """The same for machines."""
        return [
            {
                "part": f.part,
                "name": f.name,
                "unit": f.unit,
                "ratio": f.is_ratio,
                "median": f.median,
                "values": f.values,
            }
            for f in self._all.values()
        ]
