"""What is written about the project, and what writes the parts of it that follow from the code: `python -m docs`."""
