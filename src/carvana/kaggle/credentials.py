"""Kaggle credentials: found where the official client looks for them, and checked before anything is asked of Kaggle.

The client itself takes empty variables for a login, mixes sources, sends stray newlines, and names a broken file only
as "authentication required". Here every source is read in the client's own order, stripped and checked; the client is
then given exactly one pair or token.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from carvana.errors import UserError

HOW_TO_GET_ONE: Final = (
    "make a token at https://www.kaggle.com/settings (API, Generate New Token) and save it as ~/.kaggle/access_token,"
    " or put kaggle.json into ~/.kaggle"
)

# What a token, user name or key may consist of; quotes and braces are signs of a pasted file.
_VALUE: Final = re.compile(r"[!#-&(-z|~]+")


@dataclass(frozen=True)
class Credentials:
    """What to authenticate with.

    Attributes:
        source: where they were found, for people.
        environment: the variables that give them to the client; empty after `kaggle auth login`, whose file the client
            reads and renews itself.
        secrets: every text that must not be shown, in the forms in which it is sent.
        warning: what the user should know about their files; "" if nothing.
    """

    source: str
    environment: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    warning: str = ""


def find_credentials(environment: Mapping[str, str], home: Path) -> Credentials:
    """The credentials that the client would use: a token, a user name with a key, or a login.

    Args:
        environment: the process's.
        home: the user's home folder.

    Raises:
        UserError: there are none, or those that come first are empty or malformed; the message names them.
    """
    empty: list[str] = []
    for find in (_notebook_token, _token_variable, _token_files):
        if found := find(environment, home, empty):
            return _token(*found)
    if pair := _user_and_key(environment, home):
        return pair
    if login := _login(home):
        return login
    told = f" ({', '.join(empty)} {'is' if len(empty) == 1 else 'are'} empty)" if empty else ""
    raise UserError(f"no Kaggle credentials were found{told}; {HOW_TO_GET_ONE}")


def _notebook_token(environment: Mapping[str, str], home: Path, empty: list[str]) -> tuple[str, str] | None:
    """Inside a Kaggle notebook, the file that KAGGLE_API_V1_TOKEN names."""
    path = environment.get("KAGGLE_API_V1_TOKEN")
    if not path or not {"KAGGLE_KERNEL_RUN_TYPE", "KAGGLE_DATA_PROXY_URL"} <= environment.keys():
        return None
    return _token_in(Path(path), "the file that KAGGLE_API_V1_TOKEN names", empty)


def _token_variable(environment: Mapping[str, str], home: Path, empty: list[str]) -> tuple[str, str] | None:
    value = environment.get("KAGGLE_API_TOKEN")
    if value is None:
        return None
    if not value.strip():
        empty.append("KAGGLE_API_TOKEN")
        return None
    if _is_file(Path(value.strip())):
        found = _token_in(Path(value.strip()), "the file that KAGGLE_API_TOKEN names", empty)
        if found is None:
            raise UserError(f"the file that KAGGLE_API_TOKEN names is empty; {HOW_TO_GET_ONE}")
        return found
    return value.strip(), "KAGGLE_API_TOKEN"


def _token_files(environment: Mapping[str, str], home: Path, empty: list[str]) -> tuple[str, str] | None:
    for name in ("access_token", "access_token.txt"):
        if found := _token_in(home / ".kaggle" / name, f"~/.kaggle/{name}", empty):
            return found
    return None


def _token_in(path: Path, source: str, empty: list[str]) -> tuple[str, str] | None:
    if not _is_file(path):
        return None
    if value := _read(path, source).strip():
        return value, source
    empty.append(source)
    return None


def _token(value: str, source: str) -> Credentials:
    _check(value, source)
    return Credentials(source, {"KAGGLE_API_TOKEN": value}, (value,))


def _user_and_key(environment: Mapping[str, str], home: Path) -> Credentials | None:
    """The pair of kaggle.json, each part replaced by its variable if that is set, as the client does."""
    values: dict[str, str] = {}
    sources: list[str] = []
    path = _config_folder(environment, home) / "kaggle.json"
    warning = ""
    variables = {name: f"KAGGLE_{name.upper()}" for name in ("username", "key")}
    if _is_file(path) and not set(variables.values()) <= environment.keys():
        values = _kaggle_json(path)
        sources.append(str(path))
        if path.stat().st_mode & 0o044:
            warning = f"{path} can be read by other users of this machine; chmod 600 {path}"
    for name, variable in variables.items():
        if variable in environment:
            if not environment[variable].strip():
                raise UserError(f"{variable} is set but empty; give it its value, or unset it")
            values[name] = environment[variable].strip()
            sources.append(variable)
    if not values:
        return None
    source = " and ".join(sources)
    for name, variable in variables.items():
        if name not in values:
            raise UserError(f"{source} is set and {variable} is not; set both, or neither")
        _check(values[name], f"the {name} in {source}")
    if ":" in values["username"]:
        raise UserError(f"the username in {source} holds a colon; give the user name alone")
    pair = base64.b64encode(f"{values['username']}:{values['key']}".encode()).decode()
    given = {variable: values[name] for name, variable in variables.items()}
    return Credentials(source, given, (values["key"], pair), warning)


def _config_folder(environment: Mapping[str, str], home: Path) -> Path:
    if given := environment.get("KAGGLE_CONFIG_DIR"):
        return Path(given)
    if (home / ".kaggle").exists():
        return home / ".kaggle"
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config", "kaggle")


def _kaggle_json(path: Path) -> dict[str, str]:
    content = _json_object(path, str(path))
    values = {}
    for name in ("username", "key"):
        value = content.get(name)
        if not isinstance(value, str) or not value.strip():
            raise UserError(f"{path} has no {name} or an empty one; download kaggle.json anew, or {HOW_TO_GET_ONE}")
        values[name] = value.strip()
    return values


def _login(home: Path) -> Credentials | None:
    """What `kaggle auth login` left."""
    path = home / ".kaggle" / "credentials.json"
    if not _is_file(path):
        return None
    content = _json_object(path, "~/.kaggle/credentials.json")
    secrets = [content.get(name) for name in ("refresh_token", "access_token")]
    if not secrets[0]:
        raise UserError("~/.kaggle/credentials.json has no refresh_token; run `kaggle auth login` again")
    return Credentials("~/.kaggle/credentials.json", {}, tuple(str(secret) for secret in secrets if secret))


def _json_object(path: Path, source: str) -> dict[str, Any]:
    text = _read(path, source)
    if not text.strip():
        raise UserError(f"{source} is empty; {HOW_TO_GET_ONE}")
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise UserError(f'{source} is malformed: expected one JSON object such as {{"username": ..., "key": ...}}')
    return content


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a token too long for a path, a NUL, a folder that may not be entered
        return False


def _read(path: Path, source: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UserError(f"{source} cannot be read: {reason}") from None


def _check(value: str, source: str) -> None:
    if not _VALUE.fullmatch(value):
        raise UserError(
            f"{source} is malformed: it holds blanks, quotes, braces or other characters that no Kaggle credential has;"
            " give the bare value"
        )
