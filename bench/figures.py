"""What was measured, by name."""

from dataclasses import dataclass, field


@dataclass
class Figures:
    """Seconds, bytes, or how many a second: what it is, the line of the table says."""

    of: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, *figures: float) -> None:
        """More of that name."""
        self.of.setdefault(name, []).extend(figures)


def percentile(figures: list[float], of_hundred: int) -> float:
    """The figure that so many of a hundred do not exceed (nearest rank)."""
    return sorted(figures)[max(0, -(-len(figures) * of_hundred // 100) - 1)]
