"""Files that people copy. Each is a link to the file at the root of the checkout, and becomes a copy of it in a wheel."""

from pathlib import Path

CONFIG, ENVIRONMENT, MANIFEST = "callbot.example.toml", ".env.example", "manifest.yml"


def example(name: str) -> Path:
    """Where this installation has the file."""
    return Path(__file__).with_name(name)
