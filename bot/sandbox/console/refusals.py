"""What is not done, and why: for a program, for a person, and as an HTTP answer."""

from html import escape
from typing import NoReturn

from aiohttp import web

REFUSED = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>callbot demo</title>
<h1>callbot demo</h1>
<p>{}</p>
<p>Copy the address that <code>callbot demo</code> has printed into the address bar, and press Enter there.</p>
</html>
"""


class NotDone(Exception):
    """What was asked for is not done: `code` for programs, `status` for HTTP, the sentence for people."""

    def __init__(self, code: str, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.code = code
        self.status = status

    def answer(self) -> web.Response:
        """The HTTP answer."""
        body = {"ok": False, "error": self.code, "message": str(self)}
        return web.json_response(body, status=self.status)

    def page(self) -> web.Response:
        """The same for somebody who has followed a link to the page."""
        return web.Response(text=REFUSED.format(escape(str(self))), status=self.status, content_type="text/html")


def refuse(code: str, sentence: str, *, status: int = 409) -> NoReturn:
    """Raise NotDone; 409: it cannot be done as things are."""
    raise NotDone(code, sentence, status)
