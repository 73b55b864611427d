"""The container's health check: ends with 0 where callbot answers `GET /healthz` on PORT, else with 1 and a line why.

The standard library is all it takes, so the image needs no curl; no proxy is asked, whatever the environment says.
"""

# ruff: noqa: INP001 - a script, in no package

import os
import sys
from http.client import HTTPConnection, HTTPException

SECONDS = 3
"""For the connection and for the answer, each."""


def main() -> None:
    """Ask once."""
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "3000")), timeout=SECONDS)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        sys.exit(f"/healthz does not answer ({type(error).__name__})")
    if status != 200:
        sys.exit(f"/healthz answers {status}")


if __name__ == "__main__":
    main()
