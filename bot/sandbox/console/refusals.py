"""Refusals of the interface: a code for programs, a sentence for people, a status for HTTP."""

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
    """The request is refused: `code` for programs, `sentence` for people, `status` for HTTP."""

    def __init__(self, code: str, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.code = code
        self.status = status

    def answer(self) -> web.Response:
        """The HTTP answer."""
        body = {"ok": False, "error": self.code, "message": str(self)}
        return web.json_response(body, status=self.status)

    def page(self) -> web.Response:
        """The HTTP answer as a page, for a browser that followed a link."""
        return web.Response(text=REFUSED.format(escape(str(self))), status=self.status, content_type="text/html")


def refuse(code: str, sentence: str, *, status: int = 409) -> NoReturn:
    """Raise NotDone; 409: not possible in the current state."""
    raise NotDone(code, sentence, status)
