"""A copy of this checkout in which tests run, edit and break the workflow of `tiny`."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from carvana.revision import ROOT
from tests.programs import SNAKEMAKE, with_programs


def copy_code(folder: Path) -> None:
    """Copy what the workflow is made of, and nothing else, into a folder."""
    for name in ("src", "workflow", "config", "docker", "envs", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "Snakefile", folder)


class Checkout:
    """The code and nothing else.

    Args:
        folder: of the copy.
        store: as the configuration names it.
        targets: what is made; everything, unless named.
    """

    def __init__(self, folder: Path, store: object = "store", targets: Sequence[str] = ()) -> None:
        self.folder, self.store, self.targets = folder, store, targets
        copy_code(folder)
        self.run_folder = folder / "results" / "tiny"

    def command(self, *arguments: str, config: Sequence[str] = (), gpus: int = 0) -> list[str]:
        """Of Snakemake."""
        command = [str(SNAKEMAKE), *self.targets, "--cores", "2", "--resources", f"gpu={gpus}", *arguments]
        return [*command, "--configfile", "config/tiny.yaml", "--config", f"store={self.store}", *config]

    @property
    def environment(self) -> dict[str, str]:
        """In which programs that are started by hand use the copied code; Snakemake sees to that itself."""
        return {**with_programs(), "PYTHONPATH": str(self.folder / "src")}

    def snakemake(
        self,
        *arguments: str,
        config: Sequence[str] = (),
        gpus: int = 0,
        check: bool = True,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """What Snakemake says; it must succeed, unless `check` is false."""
        run = subprocess.run(
            self.command(*arguments, config=config, gpus=gpus),
            cwd=self.folder,
            env={**with_programs(), **environment},
            capture_output=True,
            text=True,
        )
        said = run.stdout + run.stderr
        assert not check or run.returncode == 0, said[-5000:]
        return said

    def planned(self) -> dict[str, list[str]]:
        """Rule -> models, recipes or "" of the jobs that would run, sorted; without those that only name targets."""
        found: dict[str, list[str]] = {}
        for rule, job in re.findall(
            r"^(?:local)?rule (\w+):\n((?:    .*\n)*)", self.snakemake("--dry-run"), re.MULTILINE
        ):
            if "    output: " in job:
                subject = re.search(r"wildcards: .*\b(?:model|recipe)=(\w+)", job)
                found.setdefault(rule, []).append(subject[1] if subject else "")
        return {rule: sorted(subjects) for rule, subjects in found.items()}

    def edit(self, path: str, old: str, new: str) -> str:
        """Replace text in a file of the copy; gives the file's text before."""
        text = (self.folder / path).read_text()
        assert old in text
        (self.folder / path).write_text(text.replace(old, new, 1))
        return text
