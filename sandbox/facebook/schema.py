"""Checks what a JSON schema can say of a request: the limits in `schemas/`."""

import json
from collections.abc import Mapping
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from sandbox.facebook.errors import invalid_parameter

FOLDER = Path(__file__).with_name("schemas")
LONGEST_REASON = 300  # a longer reason repeats the value: only its end is shown


class Schema:
    """One schema.

    Args:
        name: its file's name in `schemas/`, without the ending.
    """

    def __init__(self, name: str) -> None:
        self._validator = Draft202012Validator(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))

    def check(self, parameters: Mapping[str, object]) -> None:
        """Check a request's parameters.

        Raises:
            GraphError: the parameter that is not valid, and why.
        """
        error = best_match(self._validator.iter_errors(parameters))
        if error:
            where = error.json_path.removeprefix("$").removeprefix(".")
            reason = error.message if len(error.message) < LONGEST_REASON else f"… {error.message[-80:]}"
            raise invalid_parameter(f"Param {where or 'body'} is not valid: {reason}")
