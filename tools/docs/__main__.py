"""Write every generated part of the docs: `python -m tools.docs`, or `make docs`."""

from tools.docs.pages import pages

for path, content in pages().items():
    path.write_text(content, encoding="utf-8")
