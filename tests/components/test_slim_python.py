"""Python source without comments and docstrings: it means the same, and every line keeps its number."""

import ast
import dis
import types
from pathlib import Path

import pytest

from components.slim_python import slim_python

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "bot").rglob("*.py"))


def instructions(source: bytes) -> list[tuple[str, object, int | None]]:
    """What runs, with line numbers: of a module compiled without docstrings, as `python -OO` does."""

    def of(code: types.CodeType) -> list[tuple[str, object, int | None]]:
        found: list[tuple[str, object, int | None]] = []
        for each in dis.get_instructions(code):
            if isinstance(each.argval, types.CodeType):
                found += of(each.argval)
            else:
                found.append((each.opname, each.argval, each.positions.lineno if each.positions else None))
        return found

    return of(compile(source, "source", "exec", optimize=2))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_runs_the_same_on_the_same_lines(path: Path) -> None:
    source = path.read_bytes()

    slim = slim_python(path.name, source)

    assert [each[:2] for each in instructions(slim)] == [each[:2] for each in instructions(source)]
    # A docstring's own line aside, every line is where it was.
    kept = {each[2] for each in instructions(source)}
    assert {each[2] for each in instructions(slim)} <= kept | {1}
    assert slim.count(b"\n") == source.count(b"\n")


def test_comments_and_docstrings_are_gone_and_texts_that_look_like_them_are_not() -> None:
    source = '''"""Ünder."""

x = "# no comment"  # ä comment


class A:
    """All that there is,

    on several lines."""


async def f(y="""no
docstring"""):  # gone
    """Documented."""; z = '"""'
    return {
        # between
        "grüße # 👋": y,  # ß
    }
'''.encode()

    slim = slim_python("a.py", source)

    assert b"comment\n" not in slim
    for gone in ("Ünder", "All that", "Documented", "between", "gone", "ß\n"):
        assert gone.encode() not in slim
    for kept in ('"# no comment"', '"""no\ndocstring"""', '"grüße # 👋": y,', 'z = \'"""\''):
        assert kept.encode() in slim
    assert ast.parse(slim)


def test_what_is_no_python_stays_as_it_is() -> None:
    assert slim_python("index.js", b"# anything\n") == b"# anything\n"


def test_what_should_be_python_and_is_not_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        slim_python("a.py", b"def (")
