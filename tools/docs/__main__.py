"""Write everything that follows from the code: `python -m docs`, or `make docs`."""

import sys

from tools.docs.pages import pages
from tools.recorder import ROOT


def main() -> None:
    """Write each generated page, and tell which ones were stale."""
    for path, content in pages().items():
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(content, encoding="utf-8")
        state = "as it was" if before == content else "written"
        sys.stdout.write(f"{path.relative_to(ROOT)}: {state}\n")


if __name__ == "__main__":
    main()
