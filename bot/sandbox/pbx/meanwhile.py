"""What happens on the floor between two requests: a call that ends while its list is read page by page."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.pbx.requests import Request


@dataclass
class Meanwhile:
    """Changes that wait for a request, oldest first. Each happens once."""

    waiting: list[tuple[str, Callable[[], object]]] = field(default_factory=list)

    def after(self, target_contains: str, happens: Callable[[], object]) -> None:
        """Make a change right after the next request whose path and query contain that text is answered."""
        self.waiting.append((target_contains, happens))

    def answered(self, request: Request) -> None:
        """Make the changes that waited for this request: its answer is ready, but not sent yet."""
        due = [each for each in self.waiting if each[0] in request.target]
        self.waiting = [each for each in self.waiting if each not in due]
        for _, happens in due:
            happens()
