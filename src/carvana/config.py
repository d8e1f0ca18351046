"""The check of a configuration: every problem in one message, each with its key, its value and what is allowed."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, get_args

import yaml
from jsonschema import Draft202012Validator, TypeChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from carvana.errors import UserError
from carvana.reading import read_yaml
from carvana.yaml_text import of_command_line, parsed

# Folders beside the runs' own, for what all runs share; and what the name of a presented edition's run ends in.
SharedFolder = Literal["store", "encoders", "images", "submitted"]
SHARED: Final[tuple[SharedFolder, ...]] = get_args(SharedFolder)
PRESENTED: Final = "-presented"

# Types of the schema.
_TEXT: Final = ("string", ["string", "null"])


def _is_integer(_: TypeChecker, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(checker: TypeChecker, value: object) -> bool:
    return _is_integer(checker, value) or (isinstance(value, float) and math.isfinite(value))


# JSON Schema takes 2.0 for an integer, which Python's range() does not; and infinity for a number.
_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many({"integer": _is_integer, "number": _is_number}),
)


def check_config(config: dict[str, Any], schema: Path) -> None:
    """Compare the configuration with a JSON schema. Raises UserError that lists every problem.

    Snakemake hands `null`, and numbers and `true` within a value of --config, on as text. Where the schema wants no
    text they are replaced in `config` by what they mean, and `null` wherever there can be nothing.
    """
    rules = read_yaml(schema)
    _replace_null(config, rules)
    validator = _Validator(rules)
    for error in validator.iter_errors(config):
        if error.validator == "type" and isinstance(error.instance, str) and error.absolute_path:
            _replace_text(config, list(error.absolute_path), validator.evolve(schema={"type": error.validator_value}))
    # Where there are values of other types, folders cannot be composed of them.
    problems = [_problem(error) for error in validator.iter_errors(config)] or list(_misplaced(config))
    if problems:
        raise UserError("the configuration cannot be used:\n  " + "\n  ".join(sorted(problems)))


def load_config(root: Path, overlays: Sequence[Path], values: Sequence[str]) -> dict[str, Any]:
    """The configuration as Snakemake puts it together from --configfile and --config, checked.

    Args:
        root: of the checkout.
        overlays: files, each laid over what comes before.
        values: `key=value`, see `of_command_line`.

    Raises:
        UserError: a file is missing, cannot be read or has a key twice, a value has no key or is no YAML, or the
            configuration cannot be used.
    """
    config: dict[str, Any] = _read(root / "config" / "config.yaml")
    for path in overlays:
        config = laid_over(config, _read(path))
    for value in values:
        key, separator, text = value.partition("=")
        if not separator:
            raise UserError(f"--config {value}: write key=value")
        config = laid_over(config, {key: of_command_line(text, f"--config {value}")})
    check_config(config, root / "config" / "schema.yaml")
    return config


def check_files(files: Iterable[Path]) -> None:
    """Read files that Snakemake has read: of a key that is given twice it takes the last. Raises UserError."""
    for path in files:
        _read(path)


def laid_over(base: Any, top: Any) -> Any:
    """`top` laid over `base` as Snakemake lays one configuration file over another."""
    if isinstance(base, dict) and isinstance(top, dict):
        return {**base, **{key: laid_over(base.get(key), value) for key, value in top.items()}}
    return top


def _read(path: Path) -> dict[str, Any]:
    try:
        content = parsed(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise UserError(f"{path}: no such configuration; name an overlay such as config/sample.yaml") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}); name a file, an overlay such as config/sample.yaml"
        ) from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text in UTF-8 (byte {error.start}: {error.reason}); save it as such") from None
    # Snakemake refuses it too.
    if not isinstance(content, dict):
        raise UserError(f"{path} has no keys at its top level; write what it changes as `key: value`, or leave it out")
    return content


def _replace_text(config: Any, path: list[str | int], validator: Draft202012Validator) -> None:
    *parents, key = path
    for part in parents:
        config = config[part]
    # A text that is no YAML stays, and is told as it was written.
    with contextlib.suppress(yaml.YAMLError, ValueError):
        value = yaml.safe_load(config[key])
        if validator.is_valid(value):
            config[key] = value


def _replace_null(config: Any, rules: Mapping[str, Any]) -> None:
    for key, of_key in rules.get("properties", {}).items() if isinstance(config, dict) else ():
        if config.get(key) == "null" and "null" in of_key.get("type", ()):
            config[key] = None
        _replace_null(config.get(key), of_key)


def _problem(error: ValidationError) -> str:
    """For example: `epochs.linknet34: 0 is less than the minimum of 1`."""
    key = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        unknown = sorted(map(str, set(error.instance) - set(known)))
        return f"{key or 'top level'}: unknown key {', '.join(unknown)}; known are {', '.join(known)}"
    return f"{key or 'top level'}: {_told(error)}"


def _misplaced(config: dict[str, Any]) -> Iterator[str]:
    """Problems with the folders that results go to: two kinds of them would lie in one, or none can lie there."""
    run, results, store = config["run"], Path(config["results"]), config["store"]
    if run in SHARED:
        yield f"run: {results / run} is for what all runs share; choose another name"
    if run.endswith(PRESENTED):
        yield f"run: {run} is the folder of {run.removesuffix(PRESENTED)} in the presented edition; choose another name"
    if store and Path(store).absolute() in [(results / name).absolute() for name in (run, run + PRESENTED)]:
        yield f"store: {store} is the folder of the run; name another one"
    for key, folder in [("results", results / run)] + [("store", Path(store or ""))] * bool(store):
        try:
            files = [path for path in (folder, *folder.parents) if path.exists() and not path.is_dir()]
        except OSError as error:
            yield f"{key}: {folder} cannot be used ({error.strerror}); name another folder"
            continue
        yield from (f"{key}: {path} is no folder; name one, which need not be there yet" for path in files)


def _told(error: ValidationError) -> str:
    """What is wrong with a value and, where the schema's word for it would not say so, what to write instead."""
    value, message = error.instance, str(error.message)
    if error.validator == "maxLength":
        return f"{len(value)} characters are too many; write at most {error.validator_value}"
    if error.validator == "pattern" and "description" in error.schema:
        return f"{value!r} cannot be used; write {error.schema['description']}"
    if error.validator == "type" and error.validator_value in _TEXT and isinstance(value, int | float | date):
        # Of the quotes in --config 'run="2024"' Snakemake leaves none.
        return f"{value} is not text; write it in quotes, in an overlay (--configfile)"
    if error.validator == "type" and not isinstance(value, bool):
        # Within a value of --config a number is text.
        with contextlib.suppress(ValueError, TypeError):
            number = float(value)
            if "number" in error.validator_value and not math.isfinite(number):
                return f"{message}; write a finite number"
            if "integer" in error.validator_value and number.is_integer():
                return f"{message}; write {int(number)}"
    return message
