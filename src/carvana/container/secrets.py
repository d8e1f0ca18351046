"""Kaggle credentials for a container: one file, and nothing in its environment."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from docker.types import Mount

from carvana.errors import UserError
from carvana.kaggle.credentials import find_credentials


@contextmanager
def credentials(environment: Mapping[str, str], home: Path, inside: Path) -> Iterator[list[Mount]]:
    """The mount of the caller's credentials; none, and a line on stderr, where there are none to be used.

    It is a copy that is only read, but for a login's, which the package renews.

    Args:
        environment: the caller's.
        home: the caller's.
        inside: home folder in the container.
    """
    try:
        found = find_credentials(environment, home)
    except UserError as error:
        print(f"the container gets no Kaggle credentials: {error}", file=sys.stderr)
        yield []
        return
    given = found.environment
    if not given:
        # Of `kaggle auth login`: the package renews its token and writes it down, for outside too.
        name = "credentials.json"
        yield [Mount(str(inside / ".kaggle" / name), str(home / ".kaggle" / name), type="bind")]
        return
    with tempfile.TemporaryDirectory(prefix="carvana-") as folder:
        if "KAGGLE_API_TOKEN" in given:
            name, content = "access_token", given["KAGGLE_API_TOKEN"]
        else:
            pair = {"username": given["KAGGLE_USERNAME"], "key": given["KAGGLE_KEY"]}
            name, content = "kaggle.json", json.dumps(pair)
        path = Path(folder, name)
        path.touch(mode=0o600)
        path.write_text(content, encoding="utf-8")
        yield [Mount(str(inside / ".kaggle" / name), str(path), type="bind", read_only=True)]
