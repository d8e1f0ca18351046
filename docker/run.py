"""Run a command in the pinned image; see `python docker/run.py --help`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

try:
    from carvana.container.launcher import main
    from carvana.errors import main_guard
except ModuleNotFoundError as error:
    sys.exit(
        f"error: this Python ({sys.executable}) has no package {error.name}: take the environment of `make env` (source"
        " .venv/bin/activate), or install docker, jsonschema and pyyaml with pip"
    )

if __name__ == "__main__":
    main_guard(lambda: main(ROOT))
