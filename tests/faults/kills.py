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
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from carvana.catalogue import RECIPES, recipe_of
from carvana.data.synthetic.dataset import write_competition
from carvana.geometry import SMALL
from carvana.processes import began
from carvana.revision import ROOT
from carvana.standin.server import StandIn
from carvana.store.claim import owner
from tests.programs import SNAKEMAKE, with_programs, without_credentials

SLUG = "drawn-cars"
WRITING = "writing a state"
STAGES = ("download", *(f"train {recipe}" for recipe in RECIPES), "validate", "predict", "merge", WRITING)
# What says when or how long, or where the run lies.
TIMED = ("timings.json", "manifest.csv")
POLL_SECONDS = 0.02
# A state is written in no less time.
WRITING_SECONDS = 0.15


def stage_of(command: Sequence[str]) -> str | None:
    """The stage that a process works for, if it is one of the workflow's."""
    if "python" not in Path(command[0]).name:
        return None
    script = next((Path(part).stem for part in command if part.startswith("workflow/scripts/")), None)
    if script == "train":
        return f"train {recipe_of(command[command.index('--model') + 1])}"
    return script if script in STAGES else None


def workers(process: int) -> dict[int, str]:
    """The stage of every working process below one, by its number; not what they start themselves."""
    found: dict[int, str] = {}
    waiting = [process]
    while waiting:
        process = waiting.pop()
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
            if stage := stage_of(command):
                found[process] = stage
                continue
            waiting += children(process)
    return found


@dataclass
class Worker:
    """A process, and when it is to die.

    Attributes:
        stage: that it works for.
        dies: seconds of computing after which it is killed; None: it may live.
        computed: seconds that it has computed so far. Not those that passed: a busy machine would stretch them.
        entry: its folder in the store, once it has one.
        written: the state that it was last seen to write.
        dies_writing: moment of the monotonic clock when it is killed if it writes that state still.
    """

    stage: str
    dies: float | None
    computed: float = 0
    entry: Path | None = None
    written: Path | None = None
    dies_writing: float | None = None


@dataclass
class Killer:
    """Watches a run's processes and kills them as planned.

    Attributes:
        store: of the run.
        wanted: kills per stage.
        longest: seconds that an undisturbed job of the stage computed at most.
        draw: for the moments.
        kills: so far, by stage.
        seen: seconds that processes computed that were not killed, by stage.
        spared: folders in the store whose next state is not killed.
        missed: states since the last kill of one that were written before their moment came.
    """

    store: Path
    wanted: dict[str, int]
    longest: dict[str, float]
    draw: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    seen: dict[str, list[float]] = field(default_factory=dict)
    spared: set[Path | None] = field(default_factory=set)
    missed: int = 0

    def watch(self, snakemake: subprocess.Popen[bytes]) -> None:
        """Until Snakemake has ended: give every process that appears a moment to die, if its stage still needs one."""
        alive: dict[int, Worker] = {}
        while snakemake.poll() is None:
            now, found = time.monotonic(), workers(snakemake.pid)
            for process in alive.keys() - found.keys():
                worker = alive.pop(process)
                self.seen.setdefault(worker.stage, []).append(worker.computed)
            for process, stage in found.items():
                if process not in alive:
                    alive[process] = Worker(stage, self._moment(stage))
                worker = alive[process]
                worker.computed = max(worker.computed, computed(process))
                if self._is_to_die(process, worker, now):
                    self._kill(process, worker)
                    del alive[process]
            time.sleep(POLL_SECONDS)

    def _moment(self, stage: str) -> float | None:
        if not self._wants(stage):
            return None
        return self.draw.uniform(0.05, 0.8) * self.longest[stage]

    def _wants(self, stage: str) -> bool:
        return self.kills[stage] < self.wanted.get(stage, 0)

    def _is_to_die(self, process: int, worker: Worker, now: float) -> bool:
        if worker.stage.startswith("train ") and self._wants(WRITING):
            written = self._written(process, worker)
            if written != worker.written:
                self.missed += worker.dies_writing is not None
                worker.written, worker.dies_writing = written, None
                # Behind one that died the next one gets through, so that the training goes on.
                if written is not None and worker.entry not in self.spared:
                    # On a busy machine a state can be seen late: each one that is missed leaves the next less time.
                    worker.dies_writing = now + self.draw.uniform(0, WRITING_SECONDS / 2**self.missed)
                elif written is not None:
                    self.spared.discard(worker.entry)
            if worker.written is not None and worker.dies_writing is not None and now >= worker.dies_writing:
                return True
        return worker.dies is not None and worker.computed >= worker.dies and self._wants(worker.stage)

    def _written(self, process: int, worker: Worker) -> Path | None:
        """The file of a state that a training is writing."""
        if worker.entry is None:
            # Claims are numbered files that say whose they are.
            for path in self.store.glob("*/claim-*"):
                holder = owner(path.parent)
                if holder is not None and holder.process == process:
                    worker.entry = path.parent
        return None if worker.entry is None else next(worker.entry.glob("state-*.partial"), None)

    def _kill(self, process: int, worker: Worker) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
            while began(process) is not None:
                time.sleep(0.001)
            half = worker.entry is not None and any(worker.entry.glob("state-*.partial"))
            stage = WRITING if half and self._wants(WRITING) else worker.stage
            self.kills[stage] += 1
            if stage == WRITING:
                self.spared.add(worker.entry)
                self.missed = 0
            print(f"killed process {process}: {stage} ({self.kills[stage]} of {self.wanted.get(stage, 0)})", flush=True)


def computed(process: int) -> float:
    """Seconds of processor time that a process and those that it started have used; 0 for one that is gone."""
    try:
        # Its own, in user and kernel mode, and those of children that have ended.
        times = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:15]
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK") + sum(map(computed, children(process)))
    except OSError:
        return 0


def children(process: int) -> list[int]:
    """The living processes that a process started, by whichever of its threads."""
    return [
        int(child) for path in Path(f"/proc/{process}/task").glob("*/children") for child in path.read_text().split()
    ]


def run(
    folder: Path, targets: Sequence[str], configfile: Path, server: StandIn, killer: Killer, more: Sequence[str] = ()
) -> None:
    """Run the workflow to its end, with `more` configuration; Snakemake starts a job again that was killed."""
    config = [
        f"results={folder}",
        f"competition={SLUG}",
        f"data={json.dumps({'source': 'kaggle', 'folder': str(folder / 'downloaded')})}",
        *more,
    ]
    command = [str(SNAKEMAKE), *targets, "--nolock", "--cores", "2", "--retries", "100", "--quiet", "all"]
    command += ["--resources", "gpu=0", "--configfile", str(configfile), "--config", *config]
    environment = {**with_programs(without_credentials()), "HOME": str(folder), **server.environment()}
    with (folder / "snakemake.log").open("ab") as log:
        snakemake = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            killer.watch(snakemake)
        finally:
            snakemake.terminate()
    if snakemake.wait():
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
            observer = Killer(calm / "store", {}, {}, random.Random(seed))
            run(calm, targets, configfile, server, observer)
            longest = {stage: max(seconds) for stage, seconds in observer.seen.items()}
            print({stage: round(seconds, 1) for stage, seconds in longest.items()}, flush=True)
            killer = Killer(disturbed / "store", dict.fromkeys(stages, kills), longest, random.Random(seed))
            # Several states of even the shortest training; how often one is saved must not matter.
            seconds = min(longest[stage] for stage in longest if stage.startswith("train ")) / 10
            run(disturbed, targets, configfile, server, killer, [f"save_minutes={seconds / 60}"])
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
