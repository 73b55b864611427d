"""Do in a folder what the Dockerfile does: its COPY and RUN steps, in order, with every absolute path inside the folder.

No container daemon is needed, so this runs anywhere that the tests run. What differs: this machine's Python and
libraries stand for those of the images, and both stages share one folder. `build_image.py FOLDER`.
"""

# ruff: noqa: INP001 - a script, in no package

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
OWNER = re.compile(r"-[og] 10001 ")
"""Only root may give a folder away."""


def steps(dockerfile: str) -> list[tuple[str, str]]:
    """Every instruction with its argument, continued lines joined, comments left out."""
    lines = [line for line in dockerfile.splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(name, argument) for name, _, argument in (line.partition(" ") for line in joined.splitlines())]


def build(folder: Path) -> None:
    """Raises CalledProcessError or OSError where a step fails."""
    workdir = folder
    # A bare machine may have no `python` and no `pip` but those beside the one that runs this.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for name, argument in steps((ROOT / "Dockerfile").read_text()):
        if name == "WORKDIR":
            workdir = _inside(folder, argument)
            workdir.mkdir(parents=True, exist_ok=True)
        elif name == "COPY" and not argument.startswith("--from="):
            *sources, target = argument.split()
            for source in sources:
                _copy(ROOT / source, _inside(folder, target) if target.startswith("/") else workdir / target)
        elif name == "RUN":
            command = OWNER.sub("", re.sub(r"(?<= )/(?=\w)", f"{folder}/", argument))
            print(f"RUN {command}")  # noqa: T201 - what CI shows
            subprocess.run(["/bin/sh", "-ec", command], cwd=workdir, env=environment, check=True)  # noqa: S603 - our own


def _inside(folder: Path, path: str) -> Path:
    return folder / path.lstrip("/")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


if __name__ == "__main__":
    build(Path(sys.argv[1]).resolve())
