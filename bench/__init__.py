"""Figures that a user can repeat: ours beside a peer's and beside the floor, in one run."""
