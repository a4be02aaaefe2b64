"""What goes wrong in the benchmark."""


class BenchError(Exception):
    """The benchmark cannot go on; the text says why and what to do."""
