"""What can go wrong in a sandbox: each error is one sentence for the person who started it."""

import errno
import os

UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.ENOENT}


def unwritable(error: OSError) -> "SandboxError | None":
    """The error for a disk that cannot be written to; ``None`` for other system errors."""
    if error.errno not in UNWRITABLE:
        return None
    why = os.strerror(error.errno or 0)
    return SandboxError(
        f"The sandbox cannot write its files: {why}. Free space where temporary files go, or name another folder: "
        "TMPDIR=FOLDER."
    )


class SandboxError(Exception):
    """The sandbox could not do it; the message says why and what to do."""


class Refused(SandboxError):
    """AWS would refuse this, with this message."""

    def __init__(self, code: str, operation: str, sentence: str) -> None:
        super().__init__(f"An error occurred ({code}) when calling the {operation} operation: {sentence}")
        self.code = code
