"""Kills the jobs of a small run at random moments, again and again, and compares its results with an undisturbed run's.

    python -m tests.faults.kills --configfile config/tiny.yaml --kills 5

SIGKILL goes to the working process itself: each stage (download, the training of each recipe, validation, prediction,
merging) is hit at least `--kills` times, and as many kills fall while a training's state is being written. Then every
final file is compared, byte by byte. The competition comes from the stand-in server.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from carvana.catalogue import RECIPES, recipe_of
from carvana.data.synthetic.dataset import write_competition
from carvana.geometry import SMALL
from carvana.standin.server import StandIn

ROOT = Path(__file__).resolve().parents[2]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
SLUG = "drawn-cars"
WRITING = "writing a state"
STAGES = ("download", *(f"train {recipe}" for recipe in RECIPES), "validate", "predict", "merge", WRITING)
# What says when or how long, or where the run lies.
TIMED = ("timings.json", "manifest.csv")
POLL_SECONDS = 0.002


def stage_of(command: Sequence[str]) -> str | None:
    """The stage that a process works for, if it is one of the workflow's."""
    script = next((Path(part).stem for part in command if "workflow/scripts/" in part), None)
    if script == "train":
        return f"train {recipe_of(command[command.index('--model') + 1])}"
    return script if script in STAGES else None


def workers(folder: Path) -> dict[int, str]:
    """The stage of every process that works for the run in `folder`, by its number."""
    found: dict[int, str] = {}
    for path in Path("/proc").iterdir():
        if not path.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            command = (path / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if "python" not in Path(command[0]).name or not any(str(folder) in part for part in command):
                continue
            # Not a fork of one, such as the client's process of a download.
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            stage = stage_of(command)
            if stage and str(parent) not in map(str, found):
                found[int(path.name)] = stage
    return found


@dataclass
class Killer:
    """Watches a run's processes and kills them as planned.

    Attributes:
        folder: of the run.
        wanted: kills per stage.
        longest: seconds that an undisturbed job of the stage took at least.
        draw: for the moments.
        kills: so far, by stage.
        seen: seconds that finished processes lived, by stage.
    """

    folder: Path
    wanted: dict[str, int]
    longest: dict[str, float]
    draw: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    seen: dict[str, list[float]] = field(default_factory=dict)

    def watch(self, closing: threading.Event) -> None:
        """Until `closing`: give every process that appears a moment to die, if its stage still needs one."""
        born: dict[int, tuple[str, float]] = {}
        dies: dict[int, float | None] = {}
        looked = 0.0
        while not closing.wait(POLL_SECONDS):
            now = time.monotonic()
            if now - looked > 0.05:
                looked, alive = now, workers(self.folder)
                for process in born.keys() - alive.keys():
                    stage, began = born.pop(process)
                    if dies.pop(process, None) is None:
                        self.seen.setdefault(stage, []).append(now - began)
                for process, stage in alive.items():
                    if process not in born:
                        born[process], dies[process] = (stage, now), self._moment(stage, now)
            for process, moment in list(dies.items()):
                stage = born[process][0]
                if moment is not None and now >= moment:
                    self._kill(process, stage)
                    dies[process] = None
                    born.pop(process)
                    dies.pop(process)
                elif stage.startswith("train ") and self._writing():
                    self._kill(process, WRITING)
                    born.pop(process)
                    dies.pop(process)

    def _moment(self, stage: str, now: float) -> float | None:
        if self.kills[stage] >= self.wanted.get(stage, 0):
            return None
        return now + self.draw.uniform(0.05, 0.9) * self.longest[stage]

    def _writing(self) -> bool:
        if self.kills[WRITING] >= self.wanted.get(WRITING, 0):
            return False
        # Half of the times, so that some states get through.
        return any(self.folder.glob("store/*/state-*.partial")) and self.draw.random() < 0.5

    def _kill(self, process: int, stage: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
            self.kills[stage] += 1
            print(f"killed process {process}: {stage} ({self.kills[stage]} of {self.wanted[stage]})", flush=True)


def run(folder: Path, targets: Sequence[str], configfile: Path, server: StandIn, killer: Killer) -> None:
    """Run the workflow to its end, starting it again whenever a kill has ended it."""
    config = [
        f"results={folder}",
        f"competition={SLUG}",
        f"data={json.dumps({'source': 'kaggle', 'folder': str(folder / 'downloaded')})}",
        "save_minutes=0.02",
    ]
    command = [str(SNAKEMAKE), *targets, "--nolock", "--cores", "2", "--retries", "100", "--quiet", "all"]
    command += ["--resources", "gpu=0", "--configfile", str(configfile), "--config", *config]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KAGGLE_")}
    path = f"{SNAKEMAKE.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**kept, "PATH": path, "HOME": str(folder), **server.environment()}
    closing = threading.Event()
    thread = threading.Thread(target=killer.watch, args=(closing,))
    thread.start()
    try:
        with (folder / "snakemake.log").open("ab") as log:
            done = subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    finally:
        closing.set()
        thread.join()
    if done.returncode:
        raise SystemExit((folder / "snakemake.log").read_text(errors="replace")[-6000:] + "\nthe run failed")


def final_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every result that does not say when or where it was made, by its path in the run."""
    found = {}
    for (run_folder,) in [[path for path in folder.iterdir() if (path / "models").is_dir()]]:
        for path in sorted(run_folder.rglob("*")):
            name = path.relative_to(run_folder).as_posix()
            timed = name.startswith(("logs/", "tensorboard/", "download/", "data/")) or path.name in TIMED
            timed = timed or re.fullmatch(r"predictions/.*\.json", name) is not None
            if path.is_file() and not timed:
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def compare(targets: Sequence[str], configfile: Path, kills: int, stages: Sequence[str], seed: int) -> None:
    """Run undisturbed and disturbed, and compare. Raises SystemExit where they differ or too few jobs were killed."""
    with tempfile.TemporaryDirectory() as folder:
        competition, calm, disturbed = (Path(folder, name) for name in ("competition", "calm", "disturbed"))
        calm.mkdir()
        disturbed.mkdir()
        write_competition(competition, 11, 2, 1, SMALL.image_size, archives=True)
        with StandIn(competition, SMALL, Path(folder, "uploads"), slug=SLUG) as server:
            observer = Killer(calm, {}, {}, random.Random(seed))
            run(calm, targets, configfile, server, observer)
            longest = {stage: max(seconds) for stage, seconds in observer.seen.items()}
            print({stage: round(seconds, 1) for stage, seconds in longest.items()}, flush=True)
            killer = Killer(disturbed, dict.fromkeys(stages, kills), longest, random.Random(seed))
            run(disturbed, targets, configfile, server, killer)
        few = [f"{stage}: {killer.kills[stage]}" for stage in stages if killer.kills[stage] < kills]
        one, other = final_files(calm), final_files(disturbed)
    different = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    print(f"{sum(killer.kills.values())} kills ({dict(killer.kills)}); {len(one)} final files, {len(different)} differ")
    if different:
        raise SystemExit("different: " + ", ".join(different))
    if few:
        raise SystemExit("too few kills: " + ", ".join(few))


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configfile", type=Path, default=ROOT / "config" / "tiny.yaml")
    parser.add_argument("--target", nargs="*", default=[], help="what is made (default: everything)")
    parser.add_argument("--stage", choices=STAGES, nargs="*", default=list(STAGES), help="what is killed")
    parser.add_argument("--kills", type=int, default=6, help="of each stage, at least")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    given = parser.parse_args()
    compare(given.target, given.configfile, given.kills, given.stage, given.seed)


if __name__ == "__main__":
    main()
