"""axe-core (https://github.com/dequelabs/axe-core), as npm has it: what is wrong with the accessibility of a page."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

with suppress(ImportError):  # see window.py
    from playwright.async_api import Page

SOURCE = Path(__file__).parent / "vendor/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """
async (tags) => (await axe.run(document, { runOnly: tags, resultTypes: ["violations"] })).violations
  .flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary}`))
"""


async def violations(page: Page) -> list[str]:
    """Each rule with the element that breaks it. It needs no network, and no right that the page's policy gives."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(SOURCE.read_text())
    found: list[str] = await page.evaluate(RUN, RULES)
    return found
