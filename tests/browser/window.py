"""The page of the demo in a browser, in the words of those who look at it: places, messages, cards, phones."""

from __future__ import annotations

import re
from contextlib import suppress

with suppress(
    ImportError
):  # without the extra `browser` no test gets this far: the fixture `browser` says what to install
    from playwright.async_api import ConsoleMessage, Locator, Page, expect

SECONDS = 15.0
"""The longest that anything may let wait for itself."""
PHONES = {"Ana": "Ana Pop, phone 0003*024", "Bob": "Bob Ionescu, phone 0003*210", "Dan": "Dan Popa, phone 0003*211"}
PERSONAS = {
    "Ana": "Ana Pop, Supervisor",
    "Lis": "Lis Marin, May only listen",
    "Bob": "Bob Ionescu, Agent",
    "Eve": "Eve Stan, Not in the map",
}
REBOUND = "rebound.example.com"
"""A name elsewhere that leads to this machine."""
REFUSALS = ("Failed to load resource", "WebSocket connection to")
"""A browser notes whatever the interface refuses. It is the page's to say so in words."""
MOST_STOPS = 60
"""How often Tab is pressed at most: the page has fewer stops."""
CONNECTED = "callbot is connected"


class Window:
    """One tab. `wrong` gathers what a browser complains about: script errors, and whatever the policy blocked."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: list[str] = []
        page.set_default_timeout(SECONDS * 1000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        said = f"{message.text} ({message.location.get('url', '')})"
        if message.type in {"error", "warning"} and not ("/v1/" in said and said.startswith(REFUSALS)):
            self.wrong.append(said)

    async def open(self, url: str) -> None:
        """Look at the page until it shows the floor, with the bot connected."""
        await self.page.goto(url)
        await self.until_connected()

    async def until_connected(self) -> None:
        """Wait until the page says that the bot is there; where it is narrow, it says so only to itself."""
        await self.says(self.page.get_by_role("banner"), CONNECTED)

    # ── the workspace ──

    @property
    def log(self) -> Locator:
        """The messages of the place that is looked at."""
        return self.page.get_by_role("log")

    @property
    def newest(self) -> Locator:
        """The last message there."""
        return self.log.get_by_role("article").last

    @property
    def box(self) -> Locator:
        """Where one types."""
        return self.page.get_by_role("combobox", name="Message")

    @property
    def dialog(self) -> Locator:
        """What asks before a button does what it says."""
        return self.page.get_by_role("dialog")

    async def look_as(self, name: str) -> None:
        """Look through the eyes of somebody."""
        await self.page.get_by_role("radio", name=PERSONAS[name]).check()

    async def go_to(self, place: str) -> None:
        """Open `support-floor`, `alerts` or, for the direct messages, `callbot`."""
        await self.place(place).click()

    def place(self, name: str) -> Locator:
        """The button of a channel, whatever is unread in it."""
        return self.page.get_by_role("navigation", name="Channels").get_by_role(
            "button", name=re.compile(rf"\b{name}\b")
        )

    async def write(self, line: str) -> None:
        """Type a line, key by key, and send it."""
        await self.box.press_sequentially(line)
        await self.box.press("Enter")

    async def press(self, label: str) -> None:
        """Press a button of the newest message that has it."""
        await self.log.get_by_role("button", name=label, exact=True).last.click()

    async def answer(self, label: str) -> None:
        """Answer the dialog."""
        await self.dialog.get_by_role("button", name=label, exact=True).click()

    async def newest_says(self, *words: str) -> None:
        """Wait until the last message says all of it."""
        for each in words:
            await expect(self.newest).to_contain_text(each, timeout=SECONDS * 1000)

    # ── the floor ──

    def phone(self, name: str) -> Locator:
        """The desk phone of somebody."""
        return self.page.get_by_role("group", name=PHONES[name], exact=True)

    async def do_with_phone(self, name: str, does: str) -> None:
        """Do by hand what a button of the phone says."""
        await self.phone(name).get_by_role("button", name=does, exact=True).click()

    async def phone_says(self, name: str, words: str) -> None:
        """Wait until the phone shows it."""
        await expect(self.phone(name)).to_contain_text(words, timeout=SECONDS * 1000)

    async def call_comes_in(self) -> None:
        """Somebody invented calls Bob, who picks up."""
        await self.page.get_by_role("button", name="New incoming call").click()
        await self.do_with_phone("Bob", "Pick up")
        await self.phone_says("Bob", "On call")

    # ── anywhere ──

    async def sees(self, what: Locator) -> None:
        """Wait until it is there to be seen."""
        await expect(what).to_be_visible(timeout=SECONDS * 1000)

    async def sees_no_more(self, what: Locator) -> None:
        """Wait until it is not there to be seen."""
        await expect(what).to_be_hidden(timeout=SECONDS * 1000)

    @property
    def trouble(self) -> Locator:
        """What is wrong with the demo, on top of the page."""
        return self.page.locator("#trouble")

    @property
    def read_out(self) -> Locator:
        """What is new, for those who do not see it."""
        return self.page.locator("#said")

    async def show_half(self, name: str) -> None:
        """On a narrow page: show the workspace or the floor."""
        await self.page.get_by_role("navigation", name="Halves of the page").get_by_role("button", name=name).click()

    async def tab_to(self, what: Locator) -> None:
        """Press Tab until the focus is there. Raises LookupError where it never gets there."""
        for _ in range(MOST_STOPS):
            if await what.evaluate("element => element === document.activeElement"):
                return
            await self.page.keyboard.press("Tab")
        raise LookupError("Tab never gets there")

    async def says(self, what: Locator, words: str | re.Pattern[str]) -> None:
        """Wait until it says this, wherever in its text."""
        await expect(what).to_contain_text(words, timeout=SECONDS * 1000)
