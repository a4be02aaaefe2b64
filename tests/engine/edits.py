"""Some thirty edits of a stack."""
