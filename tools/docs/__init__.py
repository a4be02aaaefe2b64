"""Writes the parts of the docs that follow from the code: `python -m tools.docs`."""
