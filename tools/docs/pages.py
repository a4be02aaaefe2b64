"""The generated pages: each file and its content."""

from pathlib import Path

from tools.docs import components, contract, diagram, errors, settings
from tools.recorder import ROOT

README = ROOT / "README.md"
ANY_LANGUAGE = ROOT / "docs" / "any-language.md"
WEBHOOK_EXAMPLES = ROOT / "tests" / "data" / "webhook-examples.json"


def pages() -> dict[Path, str]:
    """File → its whole content, as it follows from the code."""
    mermaid = f"```mermaid\n{diagram.mermaid(diagram.default_graph())}```\n"
    schemas = ROOT / "docs" / "contract"
    return {
        README: with_part(README.read_text(encoding="utf-8"), "diagram", mermaid),
        ROOT / "docs" / "settings.md": settings.page(ROOT / "Pulumi.yaml"),
        ROOT / "docs" / "errors.md": errors.page(),
        ROOT / "docs" / "components.md": components.page(ROOT / "components"),
        ANY_LANGUAGE: with_part(
            ANY_LANGUAGE.read_text(encoding="utf-8"), "events", contract.examples(WEBHOOK_EXAMPLES)
        ),
        schemas / "turn.schema.json": contract.turn_schema(),
        schemas / "reply.schema.json": contract.reply_schema(),
    }


def with_part(text: str, name: str, part: str) -> str:
    """A text with a generated part between its two markers; everything else stays.

    Args:
        text: Has the line `<!-- NAME: written by `make docs` -->` and, below it, the line `<!-- end of NAME -->`.
        name: Of the part, such as `diagram`.
        part: The part in Markdown, ending in a line break.

    Raises:
        ValueError: If the markers are not there.
    """
    first, last = f"<!-- {name}: written by `make docs` -->\n", f"<!-- end of {name} -->\n"
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"There is no place for the {name}: add the lines {first.strip()} and {last.strip()}.")
    return f"{before}{begin}{part}{end}{after}"
