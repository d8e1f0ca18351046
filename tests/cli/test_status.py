"""`python -m carvana status`, `store` and `plan` on files that real trainings would leave."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from carvana.__main__ import main
from carvana.config import load_config
from carvana.data.manifest import write_manifest
from carvana.errors import UserError
from carvana.folds import assign_folds, mask_areas, write_folds
from carvana.planning.plan import Plan
from carvana.revision import ROOT
from carvana.status import Status
from carvana.store.claim import Claim
from carvana.store.store import Store
from carvana.training.split import TrainingImages
from tests.training.conditions import small_conditions

MODEL = "unet_scratch"


def as_a_user(*arguments, check=True, environment=None):
    """What it prints, run in a process of its own; without `check` its exit code and what it says is wrong."""
    command = [sys.executable, "-X", "importtime", "-m", "carvana", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    assert " torch" not in run.stderr
    errors = "".join(line for line in run.stderr.splitlines(keepends=True) if not line.startswith("import time:"))
    assert not check or run.returncode == 0, errors
    return run.stdout if check else (run.returncode, errors)


@pytest.fixture
def carvana(monkeypatch, capsys):
    """A function that runs a command within this process, where no GPU's program is found, and gives what it prints."""
    monkeypatch.setenv("PATH", "")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["carvana", *map(str, arguments)])
        main()
        return capsys.readouterr().out

    return run


class Run:
    """A run of tiny, of one member, whose inputs are made."""

    def __init__(self, folder, manifest):
        self.overrides = [f"results={folder}", 'members=["asanakoy"]', "folds=2"]
        self.arguments = ["--configfile", ROOT / "config" / "tiny.yaml", "--config", *self.overrides]
        self.plan = Plan(load_config(ROOT, [ROOT / "config" / "tiny.yaml"], self.overrides), ROOT)
        (folder / "tiny" / "data").mkdir(parents=True)
        (folder / "tiny" / "folds").mkdir()
        write_manifest(manifest, folder / "tiny" / "data" / "train.csv")
        self.manifest, self.folds = manifest, assign_folds("random7", mask_areas(manifest), 2)
        write_folds(self.folds, folder / "tiny" / "folds" / "random7.csv")

    def entry(self, fold):
        images = TrainingImages(self.manifest, self.folds)
        facts = small_conditions(MODEL, 1, fold=fold).facts(ROOT / "workflow/scripts/train.py", images)
        entry = Store(self.plan.store).entry(facts)
        entry.folder.mkdir(parents=True, exist_ok=True)
        (entry.folder / "facts.json").write_text(json.dumps(facts))
        return entry

    def train(self, fold):
        """Run the script that trains as the workflow does, but for where its results go."""
        made, run = self.plan.results / "elsewhere", self.plan.results
        arguments = {
            "model": MODEL,
            "edition": "released",
            "fold": fold,
            "manifest": run / "data" / "train.csv",
            "folds": run / "folds" / f"{self.plan.folds.of(MODEL)}.csv",
            "geometry": "small",
            "epochs": 1,
            "seed": 0,
            "precision": "exact",
            "gpus-wanted": 1,
            "gpus-granted": 0,
            "threads": 1,
            "workers": 0,
            "weights": made / "weights.safetensors",
            "history": made / "history.csv",
            "recipe": made / "recipe.yaml",
            "timings": made / "timings.json",
            "tensorboard": made / "events",
            "store": self.plan.store,
            "save-seconds": 1000,
        }
        options = [part for name, value in arguments.items() for part in (f"--{name}", str(value))]
        script = ROOT / "workflow" / "scripts" / "train.py"
        subprocess.run([sys.executable, script, *options, "--quiet"], check=True, capture_output=True)

    def states(self):
        return {(t.model, t.fold): t.state for t in Status(self.plan).trainings()}


@pytest.fixture
def run(tmp_path, manifest):
    return Run(tmp_path, manifest)


LEFT = "1:06:40 left of the running ones, added up"
PROGRESS = {
    "epoch": 3,
    "epochs": 8,
    "loss": 0.25,
    "dice": 0.9,
    "images_per_second": 4.25,
    "seconds_left": 4000.0,
    "device": "pretend card",
}


def test_waiting_running_interrupted_and_done(run, carvana):
    from carvana.training.state_files import record_text

    running, interrupted = run.entry(0), run.entry(1)
    (running.folder / "progress.json").write_text(json.dumps(PROGRESS))
    (interrupted.folder / "progress.json").write_text(json.dumps(PROGRESS))
    values = {"place": {"phase": "train", "batches": 11}, "next_epoch": 2}
    (interrupted.folder / "state-000004.json").write_text(record_text({"files": {}, "values": values}))
    done = Path(run.plan.networks.weights("unet_vgg11")[1]).parent
    done.mkdir(parents=True)
    (done / "weights.safetensors").touch()
    (done / "history.csv").write_text("epoch,train_loss,valid_dice\n1,0.5,0.7\n2,0.4,0.6\n")
    with Claim.take(running.folder, pytest.fail):
        lines = carvana("status", *run.arguments).splitlines()
    assert lines[1].startswith("unet_scratch  0     running      3/8")
    assert "0.2500  0.9000     4.2       1:06:40  pretend card, process" in lines[1]
    assert lines[2].startswith("unet_scratch  1     interrupted  continues from epoch 3, training batch 12")
    assert lines[3] == "unet_vgg11    0     waiting"
    assert lines[4].startswith("unet_vgg11    1     done         2/2")
    assert "0.4000  0.7000" in lines[4]
    assert lines[5] == "4 trainings: 1 done, 1 running, 1 interrupted, 1 waiting; " + LEFT


def test_what_another_checkout_made_is_done(run):
    entry = run.entry(0)
    (entry.folder / "complete.json").write_text('{"files": {}}')
    assert run.states()[MODEL, 0] == "done"
    assert run.states()[MODEL, 1] == "waiting"


@pytest.mark.slow
def test_what_the_training_script_made_is_found_under_its_key(run):
    run.train(1)
    assert run.states()[MODEL, 1] == "done"
    assert run.states()[MODEL, 0] == "waiting"
    # Under another seed, or in another number of folds, it is not what would be made now.
    shutil.move(run.plan.results / "elsewhere", run.plan.results / "models" / MODEL / "fold1")
    assert run.states()[MODEL, 1] == "done"
    for changed in ("folds=3", "seed=7"):
        told = as_a_user("status", *run.arguments, changed).splitlines()
        assert [line.split()[:3] for line in told if line.startswith(MODEL)][1] == [MODEL, "1", "outdated"]
    # A job has no more threads than --cores.
    told_of_two = as_a_user("status", *run.arguments, "threads=2").splitlines()
    assert [line.split()[:3] for line in told_of_two if line.startswith(MODEL)][1] == [MODEL, "1", "done"]
    assert told[-1].endswith(" 0 done, 0 running, 0 interrupted, 3 waiting, 1 outdated")


@pytest.mark.parametrize("timings", ['{"epochs": [1]}', '{"epochs": null}', '{"key": []}', "[]", "{"])
def test_damaged_timings_are_no_obstacle(run, timings):
    done = Path(run.plan.networks.weights(MODEL)[0]).parent
    done.mkdir(parents=True)
    (done / "weights.safetensors").touch()
    (done / "history.csv").write_text("epoch,train_loss,valid_dice\n1,0.5,0.7\n")
    (done / "timings.json").write_text(timings)
    assert run.states()[MODEL, 0] == "done"


def test_before_anything_was_made_everything_waits(tmp_path):
    out = as_a_user("status", "--configfile", ROOT / "config" / "tiny.yaml", "--config", f"results={tmp_path}")
    assert out.splitlines()[-1] == "18 trainings: 0 done, 0 running, 0 interrupted, 18 waiting"


def test_the_store_is_listed_and_pruned(run, carvana):
    finished, begun = run.entry(0), run.entry(1)
    (finished.folder / "result").mkdir()
    (finished.folder / "result" / "weights.safetensors").write_bytes(bytes(5_000_000))
    finished.finish()
    (begun.folder / "state-000001.json").write_text("{}")
    lines = carvana("store", *run.arguments).splitlines()
    states = {line.split()[0]: line for line in lines[1:-1]}
    assert "train  unet_scratch  0     complete  5.0 MB" in states[finished.key[:12]]
    assert "train  unet_scratch  1     begun" in states[begun.key[:12]]
    assert lines[-1].startswith("2 results or trainings in ")
    with Claim.take(begun.folder, pytest.fail):
        assert "deleted" not in carvana("store", "--prune-unfinished", *run.arguments)
    assert f"deleted {begun.key}, " in carvana("store", "--prune-unfinished", *run.arguments)
    assert not begun.folder.exists()
    assert "deleted" not in carvana("store", "--prune-unused", 1, *run.arguments)
    for path in finished.folder.iterdir():
        os.utime(path, (0, 0))
    # While a run has the same file, it takes no room in the store, and protects the run's from being made again.
    of_a_run = run.plan.store.parent / "weights.safetensors"
    os.link(finished.folder / "result" / "weights.safetensors", of_a_run)
    assert "deleted" not in carvana("store", "--prune-unused", 1, *run.arguments)
    of_a_run.unlink()
    carvana("store", "--prune-unused", 1, *run.arguments)
    assert not finished.folder.exists()
    told = "error: abc is the beginning of 0 keys; the list shows them all\n"
    assert as_a_user("store", "--prune", "abc", *run.arguments, check=False) == (1, told)


def test_what_is_no_store_is_not_listed_as_an_empty_one(run, carvana, tmp_path):
    with pytest.raises(UserError, match=r"nowhere: no such store; is `store` the run's"):
        carvana("store", *run.arguments, f"store={tmp_path / 'nowhere'}")
    (tmp_path / "empty").mkdir()
    assert carvana("store", *run.arguments, f"store={tmp_path / 'empty'}").startswith("0 results or trainings in ")
    # Before the first run.
    assert as_a_user("store", "--config", f"results={tmp_path}").startswith("0 results or trainings in ")


def test_a_damaged_entry_is_told_and_the_others_are_listed(run, carvana):
    whole, damaged, other = run.entry(0), run.entry(1), run.plan.store / "c0ffee"
    (damaged.folder / "facts.json").write_text("{")
    other.mkdir()
    (other / "facts.json").write_text("5")
    out = carvana("store", *run.arguments)
    states = {line.split()[0]: line.split() for line in out.splitlines()[1:]}
    assert states[whole.key[:12]][1:5] == ["train", "unet_scratch", "0", "begun"]
    for folder in (damaged.folder, other):
        assert f"\n{folder.name[:12]} is damaged: {folder}/facts.json does not say what it is; delete it with" in out
    assert " damaged " in out.splitlines()[1] + out.splitlines()[2]
    assert out.splitlines()[-1].startswith("3 results or trainings in ")
    assert "unet_scratch" in carvana("plan", *run.arguments)
    deleted = carvana("store", "--prune", damaged.key[:12], damaged.key, "c0ffee", *run.arguments)
    assert deleted.count("deleted") == 2 and " is damaged" not in deleted
    assert whole.folder.exists() and not damaged.folder.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--prune-unused", "-1"], "--prune-unused -1: give a number of days, 0 or more"),
        (["--prune-unused=-inf"], "--prune-unused -inf: give a number of days"),
        (["--prune-unused", "inf"], "--prune-unused inf: give a number of days"),
        (["--prune-unused", "nan"], "--prune-unused nan: give a number of days"),
        (["--prune", ""], "--prune: an empty key would fit everything"),
    ],
)
def test_what_would_prune_everything_is_refused(run, carvana, arguments, told):
    entry = run.entry(0)
    with pytest.raises(UserError, match=told):
        carvana("store", *arguments, *run.arguments)
    assert entry.folder.exists()


@pytest.mark.parametrize("command", ["plan", "status", "store"])
def test_what_snakemake_refuses_is_refused(carvana, command):
    with pytest.raises(UserError, match="weights: no model foo in the released edition; the models are"):
        carvana(command, "--config", 'weights={"foo":"released"}')


@pytest.mark.parametrize("command", ["plan", "status", "store"])
def test_runs_are_looked_for_in_the_checkout_only(carvana, monkeypatch, tmp_path, command):
    for folder in (tmp_path, ROOT / "src"):
        monkeypatch.chdir(folder)
        with pytest.raises(UserError) as caught:
            carvana(command)
        assert str(caught.value).startswith(f"{folder} is not the folder of this checkout, ")
        assert str(caught.value).endswith(f": run `cd {ROOT}` first")


def test_the_plan_of_everything_is_the_authors_cost(tmp_path):
    """With nothing measured: their hours, which the counted operations share out."""
    out = as_a_user("plan", "--config", f"results={tmp_path}", environment={"PATH": ""})
    assert "202 jobs, 2,140.0 GPU-hours of training and 3" in out
    assert "89 days of training and 13 of prediction on one Titan X Pascal; they had about 20" in out
    assert out.count("the authors' cards") == 9
    days = {int(number): float(count) for number, count in re.findall(r"^(\d+) +([\d.]+)$", out, re.MULTILINE)}
    assert 100 < days[1] < 105
    # The longest training bounds it.
    assert 6 < days[20] < 7


@pytest.mark.parametrize("gpus", [0, 2])
def test_what_was_measured_here_counts(run, carvana, gpus):
    entry = run.entry(0)
    (entry.folder / "result").mkdir()
    epoch = {
        "train_seconds": 9.0,
        "valid_seconds": 1.0,
        "train_images": 3,
        "valid_images": 1,
        "images_per_second": 1 / 3,
    }
    (entry.folder / "result" / "timings.json").write_text(json.dumps({"gpus": gpus, "epochs": [epoch]}))
    entry.finish()
    lines = carvana("plan", MODEL, *run.arguments).splitlines()
    # 32 images of two folds, one pass a second: 16 x 3 + 16 passes of a training take 64 s of each GPU.
    minutes = "2.13" if gpus == 2 else "1.07"
    assert lines[1].split() == [MODEL, "2", minutes, "2", *lines[1].split()[4:5], "measured"]
    assert lines[0].split()[2:4] == ["minutes", "each"]
    assert re.search(rf"^4 jobs, {2 * float(minutes):.1f} \wPU-minutes of training", "\n".join(lines), re.MULTILINE)
    assert "measured on other recipes" in carvana("plan", "unet_vgg11", *run.arguments)


def test_an_unknown_target_is_told(carvana):
    with pytest.raises(UserError, match="nothing is known of the target vgg"):
        carvana("plan", "vgg")


@pytest.mark.parametrize(("age", "deleted"), [(0.9, False), (1.1, True)])
def test_days_of_disuse_are_days(run, carvana, age, deleted):
    finished = run.entry(0)
    (finished.folder / "result").mkdir()
    finished.finish()
    then = time.time() - age * 24 * 3600
    for path in finished.folder.iterdir():
        os.utime(path, (then, then))
    assert (f"deleted {finished.key}" in carvana("store", "--prune-unused", 1, *run.arguments)) is deleted


@pytest.mark.parametrize(
    "change", ["seed=7", "precision=bf16", "deterministic=false", 'images_per_step={"unet_scratch": 2}', "exclude"]
)
def test_whatever_a_key_is_made_of_is_looked_for(run, tmp_path, change):
    """Else a network of before would be called done, or one of now outdated."""
    if change == "exclude":
        marked = next(record for record in run.manifest if run.folds[record.car] != 0)
        (tmp_path / "marks.csv").write_text(f"img,exclude\n{marked.name},1\n")
        change = f'data={{"exclude": "{tmp_path}/marks.csv"}}'
    changed = Plan(load_config(ROOT, [ROOT / "config" / "tiny.yaml"], [*run.overrides, change]), ROOT)
    before, after = (next(Status(plan)._entries(MODEL, 0)) for plan in (run.plan, changed))
    assert before.key != after.key


def test_what_was_measured_on_a_cpu_is_not_called_a_gpus(run, carvana):
    assert "GPU-hours of training" in carvana("plan")
    entry = run.entry(0)
    (entry.folder / "result").mkdir()
    epoch = {"train_seconds": 9.0, "valid_seconds": 1.0, "train_images": 3, "valid_images": 1}
    (entry.folder / "result" / "timings.json").write_text(json.dumps({"gpus": 0, "epochs": [epoch]}))
    entry.finish()
    told = carvana("plan", MODEL, *run.arguments)
    assert "CPU-minutes of training" in told and "GPU" not in told.split("The authors")[0].replace("shows no GPU", "")


def test_the_store_says_who_works_on_what_is_begun(run, carvana):
    begun = run.entry(0)
    with Claim.take(begun.folder, pytest.fail):
        assert f"worked on by process {os.getpid()} of " in carvana("store", *run.arguments)
    assert "worked on by" not in carvana("store", *run.arguments)
