"""The check of a configuration: every problem in one message, each with its key, its value and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from carvana.errors import UserError


def check_config(config: Mapping[str, Any], schema: Path) -> None:
    """Compare the configuration with a JSON schema. Raises UserError that lists every problem."""
    validator = Draft202012Validator(yaml.safe_load(schema.read_text()))
    problems = [_problem(error) for error in validator.iter_errors(config)]
    if problems:
        raise UserError("the configuration cannot be used:\n  " + "\n  ".join(sorted(problems)))


def _problem(error: ValidationError) -> str:
    """For example: `epochs.linknet34: 0 is less than the minimum of 1`."""
    key = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        unknown = sorted(set(error.instance) - set(known))
        return f"{key or 'top level'}: unknown key {', '.join(unknown)}; known are {', '.join(known)}"
    return f"{key or 'top level'}: {error.message}"
