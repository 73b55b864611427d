"""Nothing here needs a file beside the checkout, which a clone does not have. `.ci/run` tries it in such a clone."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = Path("bot/__init__.py")
"""What `bot.__file__` names."""
SOURCES = [
    path.relative_to(ROOT) for folder in (".ci", "bench", "bot", "tests") for path in (ROOT / folder).rglob("*.py")
]


def depth(node: ast.expr, source: Path, known: dict[str, int]) -> int | None:
    """How many folders below the root the path of this expression lies; None where it is no path from a source's own."""
    match node:
        case ast.Call(func=ast.Name(id="Path"), args=[ast.Name(id="__file__")]):
            return len(source.parts)
        case ast.Call(func=ast.Name(id="Path"), args=[ast.Attribute(attr="__file__")]):
            return len(PACKAGE.parts)
        case ast.Call(func=ast.Attribute(value=inner, attr="resolve" | "absolute")):
            return depth(inner, source, known)
        case ast.Attribute(value=inner, attr="parent"):
            below, up = depth(inner, source, known), 1
        case ast.Subscript(value=ast.Attribute(value=inner, attr="parents"), slice=ast.Constant(value=int(index))):
            below, up = depth(inner, source, known), index + 1
        case ast.BinOp(left=inner, op=ast.Div(), right=ast.Constant(value="..")):
            below, up = depth(inner, source, known), 1
        case ast.Name(id=name):
            return known.get(name)
        case _:
            return None
    return None if below is None else below - up


def above_the_root(text: str, source: Path) -> list[str]:
    """The expressions in a source that lead above the root."""
    tree = ast.parse(text)
    known: dict[str, int] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found = depth(node.value, source, known)
            if found is not None:
                known[node.targets[0].id] = found
    expressions = [node for node in ast.walk(tree) if isinstance(node, ast.expr)]
    return [ast.unparse(node) for node in expressions if (depth(node, source, known) or 0) < 0]


def test_no_source_names_a_path_above_the_root() -> None:
    found = {str(source): above_the_root((ROOT / source).read_text(), source) for source in SOURCES}
    assert {source: paths for source, paths in found.items() if paths} == {}


@pytest.mark.parametrize(
    "line",
    [
        "SCHEMA = Path(__file__).parents[3] / 'schema.json'",
        "ROOT = Path(__file__).resolve().parents[2]; SCHEMA = ROOT.parent / 'schema.json'",
        "ROOT = Path(bot.__file__).parents[1]; SCHEMA = ROOT / '..' / 'schema.json'",
        "SCHEMA = Path(__file__).parent.parent.parent.parent",
    ],
)
def test_a_path_above_the_root_is_found_however_it_is_written(line: str) -> None:
    assert above_the_root(line, Path("tests/house/test_x.py"))
