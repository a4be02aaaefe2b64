"""Write every generated part of the docs: `python -m tools.docs`, or `make docs`."""

import argparse

from tools.docs.pages import pages

argparse.ArgumentParser("python -m tools.docs", description=__doc__, epilog="Example: make docs").parse_args()
for path, content in pages().items():
    path.write_text(content, encoding="utf-8")
