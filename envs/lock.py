"""Resolve the two .in files into locks with hashes, for Python 3.11 and 3.12 at once, and write the conda form.

    python envs/lock.py

What is pinned stays pinned where it can: delete a line of a lock, or the file, to have newer releases. Each lock begins
with a digest of what it was resolved from, so that a stale one is seen without a network (tests/test_lock.py).
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent

# Lock -> what it is resolved from. The second one is held to the first one's releases.
LOCKS: Final = {
    "requirements.txt": ("requirements.in",),
    "requirements-dev.txt": ("requirements-dev.in", "requirements.txt"),
}
SETTINGS: Final = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate")

# What the CPU builds of torch and torchvision do without.
_CUDA: Final = re.compile(r"(cuda|nvidia)-|triton$")
_BUILDS: Final = ("torch", "torchvision")


def source_digest(lock: str) -> str:
    """SHA-256 of the files that the lock was resolved from and of the resolver's settings."""
    sources = [(HERE / name).read_text(encoding="utf-8") for name in LOCKS[lock]]
    return hashlib.sha256(json.dumps([SETTINGS, sources]).encode()).hexdigest()


def head(lock: str) -> str:
    """The lock's first line."""
    return f"# Made by `make lock` from {' and '.join(LOCKS[lock])}; SHA-256 of these and of the settings: "


def is_fresh(lock: str) -> bool:
    """Whether the lock was made from its sources as they are now."""
    return (HERE / lock).read_text(encoding="utf-8").startswith(f"{head(lock)}{source_digest(lock)}\n")


def pins(lock: str) -> Iterator[tuple[str, str, str]]:
    """Every pin of a lock's text: the package's name, the requirement without hashes, and its lines."""
    for lines in re.findall(r"^\w.*(?:\n +--hash.*)*\n", lock, re.MULTILINE):
        requirement = lines.splitlines()[0].removesuffix("\\").strip()
        yield requirement.partition("==")[0], requirement, lines


def without_cuda(lock: str) -> tuple[str, list[str]]:
    """The lock's text without torch, torchvision and what only their CUDA builds need; and these two's CPU builds.

    Their hashes are not known: they come from an index of their own.
    """
    kept = [lines for name, _, lines in pins(lock) if not (_CUDA.match(name) or name in _BUILDS)]
    builds = [f"{requirement}+cpu" for name, requirement, _ in pins(lock) if name in _BUILDS]
    return "".join(kept), builds


def conda(lock: str) -> str:
    """The environment of Snakemake's conda users; Snakemake copies the file, so it cannot refer to another one."""
    first = ["# Made by `make lock` from requirements.txt.", "channels: [conda-forge]", "dependencies:"]
    first += ["  - python=3.11", "  - pip", "  - pip:"]
    return "\n".join([*first, *(f'      - "{requirement}"' for _, requirement, _ in pins(lock))]) + "\n"


def resolve(lock: str) -> None:
    """Write the lock anew with uv."""
    path = HERE / lock
    command = ["uv", "pip", "compile", "--quiet", *SETTINGS, "--no-header", "--no-emit-index-url"]
    command += ["--no-emit-find-links", LOCKS[lock][0], "--output-file", lock]
    subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.DEVNULL)
    path.write_text(f"{head(lock)}{source_digest(lock)}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")


def main() -> None:
    """Make all of them, or print what `make env TORCH_CPU=...` installs."""
    path = HERE / "requirements.txt"
    if sys.argv[1:] == ["--without-cuda"]:
        sys.stdout.write(without_cuda(path.read_text(encoding="utf-8"))[0])
    elif sys.argv[1:] == ["--cpu-builds"]:
        print(*without_cuda(path.read_text(encoding="utf-8"))[1])
    else:
        for lock in LOCKS:
            resolve(lock)
        (HERE / "environment.yaml").write_text(conda(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
