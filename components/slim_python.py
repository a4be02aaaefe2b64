"""Python source without comments and docstrings: about half of its bytes, and every line keeps its number."""

import ast
import io
import tokenize
from functools import lru_cache

# So many that did not change since the last time are not read again.
FILES = 500

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@lru_cache(FILES)
def slim_python(name: str, source: bytes) -> bytes:
    """What is deployed of a file: of Python source what runs, of anything else all of it.

    Not for code that reads its own documentation (`__doc__`) when it runs.

    Args:
        name: the file's name.
        source: its content, UTF-8.

    Raises:
        SyntaxError: it is no Python.
    """
    if not name.endswith(".py"):
        return source
    lines = source.split(b"\n")
    for start, end in sorted([*_docstrings(source), *_comments(source)], reverse=True):
        (first, left), (last, right) = start, end
        # An empty string stands for a docstring: it may be all that a body holds.
        rest = b'""' if lines[first][left : left + 1] != b"#" else b""
        tail = lines[last][right:]
        lines[first : last + 1] = [(lines[first][:left] + rest + tail).rstrip(), *[b""] * (last - first)]
    return b"\n".join(lines)


Place = tuple[int, int]
"""Line and byte in it, both counted from 0."""


def _docstrings(source: bytes) -> list[tuple[Place, Place]]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            if text.end_lineno is not None and text.end_col_offset is not None:
                found.append(((text.lineno - 1, text.col_offset), (text.end_lineno - 1, text.end_col_offset)))
    return found


def _comments(source: bytes) -> list[tuple[Place, Place]]:
    lines = source.decode().split("\n")

    def place(number: int, column: int) -> Place:
        return number - 1, len(lines[number - 1][:column].encode())

    return [
        (place(*token.start), place(*token.end))
        for token in tokenize.tokenize(io.BytesIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
