"""The generated pages: each file, and what has to stand in it."""

from pathlib import Path

from tools.docs import components, picture, settings
from tools.recorder import ROOT

README = ROOT / "README.md"
BEGIN, END = "<!-- picture: written by `make docs` -->\n", "<!-- end of picture -->\n"


def pages() -> dict[Path, str]:
    """File → its whole content, as it follows from the code."""
    return {
        README: with_picture(README.read_text(encoding="utf-8"), picture.mermaid(picture.default_graph())),
        ROOT / "docs" / "settings.md": settings.page(ROOT / "Pulumi.yaml"),
        ROOT / "docs" / "components.md": components.page(ROOT / "components"),
    }


def with_picture(text: str, mermaid: str) -> str:
    """A text with the picture between its two markers; the rest stays.

    Args:
        text: Has the line `BEGIN` and, below it, the line `END`, each once.
        mermaid: The picture in Mermaid's language, ending in a line break.

    Raises:
        ValueError: If the markers are not there.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"The picture has no place: put the lines {BEGIN.strip()} and {END.strip()} there, each once.")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}```mermaid\n{mermaid}```\n{END}{after}"
