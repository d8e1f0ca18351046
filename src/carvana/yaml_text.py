"""YAML in which no mapping has a key twice."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import yaml

from carvana.errors import UserError


def parsed(text: str, origin: str) -> Any:
    """What a text in JSON or YAML says. Raises UserError, of one line, where it is neither, or has a key twice.

    Args:
        text: of a file or of a command line.
        origin: where it is from, for the error.
    """
    with _told(origin):
        # As Snakemake does: JSON may be indented by tabs, which YAML may not.
        with contextlib.suppress(ValueError):
            return json.loads(text, object_pairs_hook=_once)
        return yaml.load(text, Loader=_Loader)


def of_command_line(text: str, origin: str) -> Any:
    """What Snakemake makes of the value of a `--config key=value`, without the quotes around it: a number, true or
    false, or YAML whose values are all text. Arguments and error as for `parsed`.
    """
    text = text.strip("'\"")
    if text in ("", "True", "False"):
        return {"": None, "True": True, "False": False}[text]
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(text)
    with _told(origin):
        return yaml.load(text, Loader=_TextLoader)


@contextlib.contextmanager
def _told(origin: str) -> Iterator[None]:
    try:
        yield
    except _TwiceError as error:
        raise UserError(f"{origin}: {error}; keep one of them") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UserError(f"{origin} is no YAML ({line}{error.problem}); correct it") from None
    # ValueError: a date that there is not.
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{origin} is no YAML ({str(error).splitlines()[0]}); correct it") from None


class _TwiceError(Exception):
    """A mapping has a key twice; the lines are known where it is YAML."""

    def __init__(self, key: str, lines: tuple[int, int] | None = None) -> None:
        super().__init__(
            f"the key {key} is given twice" + (f", in line {lines[0]} and line {lines[1]}" if lines else "")
        )


class _Composer(yaml.composer.Composer):
    """PyYAML's own takes the last of equal keys."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        # Before merge keys (<<) are followed: what they bring may be given again.
        node = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                name, line = (key.tag, key.value), key.start_mark.line + 1
                if name in lines:
                    raise _TwiceError(key.value, (lines[name], line))
                lines[name] = line
        return node


class _Loader(_Composer, yaml.SafeLoader):
    pass


class _TextLoader(_Composer, yaml.BaseLoader):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise _TwiceError(key)
        content[key] = value
    return content
