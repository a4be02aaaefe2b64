"""The bill of materials of what is deployed (CycloneDX), made of the zip itself."""

import ast
import hashlib
import io
import sys
import zipfile
from typing import Any

PACKAGE = "bot"


def imported(source: str) -> set[str]:
    """The packages that a module imports, by their first names."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def third_parties(archive: bytes) -> list[str]:
    """Whatever in a zip is not the bot's: packages beside it, packages' own records, and what it imports of others."""
    found = set()
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        for name in zipped.namelist():
            top = name.partition("/")[0]
            if top != PACKAGE or ".dist-info/" in name or ".egg-info/" in name:
                found.add(top)
            elif name.endswith(".py"):
                found |= imported(zipped.read(name).decode()) - sys.stdlib_module_names - {PACKAGE}
    return sorted(found)


def bill(archive: bytes) -> dict[str, Any]:
    """The bill of materials of a zip.

    Args:
        archive: the zip as it is deployed.
    """
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": "innolab-fbm",
                "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(archive).hexdigest()}],
            }
        },
        "components": [{"type": "library", "name": name} for name in third_parties(archive)],
    }
