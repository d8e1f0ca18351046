"""Write environment.yaml, the conda form of requirements.txt, for `snakemake --sdm conda`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent


def environment(requirements: str) -> str:
    """The environment as YAML; Snakemake copies the file, so it cannot refer to another one."""
    pins = [line for line in requirements.splitlines() if line and not line.startswith("#")]
    head = ["# Made by `make lock` from requirements.txt.", "channels: [conda-forge]", "dependencies:"]
    return "\n".join([*head, "  - python=3.11", "  - pip", "  - pip:", *(f'      - "{pin}"' for pin in pins)]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(environment((HERE / "requirements.txt").read_text()))
