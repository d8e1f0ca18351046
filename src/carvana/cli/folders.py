"""The folders that commands read from and write to, looked at before anything is computed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from carvana.errors import UserError


def check_run(results: Path) -> None:
    """Raises UserError where there is no folder of a run."""
    if not results.is_dir():
        raise UserError(f"{results}: no such run folder; name a finished run's, such as results/sample")


def check_writable(files: Sequence[Path]) -> None:
    """Make the folders of files that are to be written. Raises UserError where one of the files cannot be."""
    for folder in dict.fromkeys(file.parent for file in files):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except FileExistsError:
            raise UserError(f"{folder} is no folder; name another place with --out") from None
        except OSError as error:
            raise UserError(
                f"{folder} cannot be written to ({error.strerror}); name another place with --out"
            ) from None
    if folders := [file for file in files if file.is_dir()]:
        raise UserError(f"{folders[0]} is a folder; name another place with --out")
