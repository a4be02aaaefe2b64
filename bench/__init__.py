"""Figures that anyone can repeat, and the proof under load that nothing is lost."""
