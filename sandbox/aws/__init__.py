"""The emulated AWS: its process, corrections for what it gets wrong, and faults between it and the function."""
