"""The generated pages: each file and its content."""

from pathlib import Path

from tools.docs import components, diagram, errors, settings
from tools.recorder import ROOT

README = ROOT / "README.md"
BEGIN, END = "<!-- diagram: written by `make docs` -->\n", "<!-- end of diagram -->\n"


def pages() -> dict[Path, str]:
    """File → its whole content, as it follows from the code."""
    return {
        README: with_diagram(README.read_text(encoding="utf-8"), diagram.mermaid(diagram.default_graph())),
        ROOT / "docs" / "settings.md": settings.page(ROOT / "Pulumi.yaml"),
        ROOT / "docs" / "errors.md": errors.page(),
        ROOT / "docs" / "components.md": components.page(ROOT / "components"),
    }


def with_diagram(text: str, mermaid: str) -> str:
    """A text with the diagram between its two markers; everything else stays.

    Args:
        text: Has the line `BEGIN` and, below it, the line `END`, each once.
        mermaid: The diagram in Mermaid's language, ending in a line break.

    Raises:
        ValueError: If the markers are not there.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"There is no place for the diagram: add the lines {BEGIN.strip()} and {END.strip()} once.")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}```mermaid\n{mermaid}```\n{END}{after}"
