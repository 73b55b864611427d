"""What is not done, and why: for a program, for a person, and as an HTTP answer."""

from typing import NoReturn

from aiohttp import web


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


def refuse(code: str, sentence: str, *, status: int = 409) -> NoReturn:
    """Raise NotDone; 409: it cannot be done as things are."""
    raise NotDone(code, sentence, status)
