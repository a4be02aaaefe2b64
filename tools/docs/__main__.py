"""Write every generated part of the docs: `python -m tools.docs`, or `make docs`."""

import sys

from tools.docs.pages import pages
from tools.recorder import ROOT


def main() -> None:
    """Write each generated page, and report which ones have changed."""
    for path, content in pages().items():
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(content, encoding="utf-8")
        state = "unchanged" if before == content else "written"
        sys.stdout.write(f"{path.relative_to(ROOT)}: {state}\n")


if __name__ == "__main__":
    main()
