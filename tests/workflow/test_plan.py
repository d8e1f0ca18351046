"""The planned jobs, asserted for every kind of target; nothing is computed and no data is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from carvana.computing.cpu import computes_bfloat16
from carvana.revision import ROOT
from tests.programs import SNAKEMAKE, with_programs

FULL = {
    "download_file": 4,
    "intake": 2,
    "folds": 4,
    "encoder_weights": 2,
    "train": 49,
    "validate": 9,
    "predict": 9 * 16,
    "merge": 4 * 17,
    "model_masks": 6,
    "ensemble": 17,
    "write_submission": 5,
    "baselines": 1,
    "score": 1,
    "picture": 1,
    "all": 1,
}


def snakemake(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [str(SNAKEMAKE), "--dry-run", "--nolock", "--cores", "1", *arguments]
    return subprocess.run(command, cwd=ROOT, env=with_programs(), check=check, capture_output=True, text=True)


def plan(tmp_path: Path, *arguments: str) -> str:
    """What Snakemake says that it would do, in a results folder where nothing exists."""
    config = [] if "--config" in arguments else ["--config"]
    return snakemake(*arguments, *config, f"results={tmp_path}").stdout


def counted(output: str) -> dict[str, int]:
    """Rule -> number of jobs."""
    table = output.split("Job stats:")[1].split("\ntotal")[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+)\s+(\d+)\s*$", table, re.MULTILINE)}


def planned(tmp_path: Path, *arguments: str) -> dict[str, int]:
    """Rule -> number of jobs, in a results folder where nothing exists."""
    return counted(plan(tmp_path, *arguments))


def given_maps(output: str, masks: Path) -> dict[str, str]:
    """Option -> store of maps, of the command that makes this table of masks; planned with --printshellcmds."""
    (command,) = [line for line in output.splitlines() if f" --out {masks} " in line]
    return dict(re.findall(r" --(\S+) (\S+\.h5)", command))


def test_the_full_reproduction(tmp_path):
    assert planned(tmp_path) == FULL


@pytest.mark.parametrize(("gpus", "told"), [(0, not computes_bfloat16()), (1, False)])
def test_bfloat16_on_a_cpu_without_units_for_it_is_told(tmp_path, gpus, told):
    planned = snakemake("--resources", f"gpu={gpus}", "--config", f"results={tmp_path}", "precision=bf16")
    assert ("warning: precision is bf16, and this CPU has no units for it" in planned.stdout) == told


def test_planning_imports_neither_torch_nor_kaggle(tmp_path):
    # What keeps it under five seconds: 2 s of CPU where importing torch alone would cost 3.
    command = [sys.executable, "-X", "importtime", "-m", "snakemake", "--dry-run", "--nolock"]
    run = subprocess.run(
        [*command, "--config", f"results={tmp_path}"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    imported = set(re.findall(r"^import time:.*\| +([\w.]+)$", run.stderr, re.MULTILINE))
    assert {"snakemake", "carvana.planning.plan"} <= imported
    assert not {"torch", "kaggle", "cv2"} & imported


@pytest.mark.slow
@pytest.mark.parametrize(
    ("member", "trainings", "models", "recipes", "schemes", "encoders"),
    [("ternaus", 5, 1, 1, 1, 1), ("albu", 30, 6, 1, 2, 1), ("asanakoy", 14, 2, 2, 2, 1)],
)
def test_a_member_gets_only_what_it_needs(tmp_path, member, trainings, models, recipes, schemes, encoders):
    assert planned(tmp_path, member) == {
        "download_file": 4,
        "intake": 2,
        "folds": schemes,
        "encoder_weights": encoders,
        "train": trainings,
        "predict": models * 16,
        "merge": recipes * 16,
        "write_submission": recipes,
        member: 1,
    }


@pytest.mark.slow
def test_one_model_of_several(tmp_path):
    assert planned(tmp_path, "linknet34_f04a_clahe") == {
        "download_file": 4,
        "intake": 2,
        "folds": 1,
        "encoder_weights": 1,
        "train": 5,
        "predict": 16,
        "model_masks": 16,
        "write_submission": 1,
        "linknet34_f04a_clahe": 1,
    }


@pytest.mark.slow
def test_a_model_that_is_a_recipe_by_itself(tmp_path):
    jobs = planned(tmp_path, "unet_scratch")
    assert jobs == {
        "download_file": 4,
        "intake": 2,
        "folds": 1,
        "train": 7,
        "predict": 16,
        "merge": 16,
        "write_submission": 1,
        "unet_scratch": 1,
    }


def test_the_sample_runs_the_same_rules(tmp_path):
    output = plan(tmp_path, "--configfile", "config/sample.yaml", "--printshellcmds")
    # The unreliable-top rule is linknet34's: other maps under its option would give other masks, and no error.
    for part in ("train", "test-01-of-01"):
        maps = given_maps(output, tmp_path / f"sample/masks/ensemble/{part}.csv")
        assert maps == {
            "ternausnet": f"{tmp_path}/sample/maps/ternausnet/{part}.h5",
            "linknet34": f"{tmp_path}/sample/maps/linknet34/{part}.h5",
            "unet-scratch": f"{tmp_path}/sample/maps/unet_scratch/{part}.h5",
            "unet-vgg11": f"{tmp_path}/sample/maps/unet_vgg11/{part}.h5",
        }
    assert counted(output) == {
        "draw_synthetic": 1,
        "intake": 2,
        "folds": 4,
        "train": 18,
        "validate": 9,
        "predict": 9,
        "merge": 8,
        "model_masks": 12,
        "ensemble": 2,
        "write_submission": 5,
        "baselines": 1,
        "score": 1,
        "picture": 1,
        "all": 1,
    }


@pytest.mark.slow
def test_the_comparison_of_encoders_trains_four_networks(tmp_path):
    # The images of the test set, 16 GB, are not among them.
    assert planned(tmp_path, "encoder_curves") == {
        "download_file": 2,
        "intake": 1,
        "folds": 2,
        "encoder_weights": 2,
        "train": 2,
        "train_from_random": 2,
        "encoder_curves": 1,
    }


@pytest.mark.slow
def test_only_what_is_needed_is_downloaded(tmp_path):
    training = planned(tmp_path, f"{tmp_path}/full/models/ternausnet/fold0/weights.safetensors")
    assert training == {"download_file": 2, "intake": 1, "folds": 1, "encoder_weights": 1, "train": 1}
    assert planned(tmp_path, "download") == {"download_file": 5, "download": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edition", "file"),
    [
        ("released", "full/predictions/ternausnet/test-01-of-08.h5"),
        ("released", "full/predictions/ternausnet/test-17-of-16.h5"),
        ("presented", "full-presented/pseudo_labels/fold0/test-01-of-08.csv"),
    ],
)
def test_shards_that_the_run_is_not_divided_into_are_not_known(edition, file, tmp_path):
    # A job would write its part of 16 under the name of a part of 8.
    config = ("--config", f"results={tmp_path}", f"edition={edition}")
    asked = tmp_path / file
    run = snakemake(str(asked), *config, check=False)
    assert run.returncode != 0
    assert f"No rule to produce {asked}" in run.stdout + run.stderr
    known = str(asked).replace("01-of-08", "01-of-16").replace("17-of-16", "16-of-16")
    assert snakemake(known, *config).returncode == 0


@pytest.mark.slow
def test_a_users_own_folder_is_not_downloaded_to(tmp_path):
    own = ("--config", "data={'source': 'folder', 'folder': 'mine'}")
    assert "download_file" not in planned(tmp_path, *own)
    run = snakemake("download", *own, check=False)
    assert run.returncode != 0
    assert "data.source is folder, so there is nothing to download; set it to kaggle" in run.stdout + run.stderr


@pytest.mark.slow
def test_two_members_make_no_ensemble(tmp_path):
    jobs = planned(tmp_path, "--configfile", "config/tiny.yaml", "--config", 'members=["ternaus", "albu"]')
    assert jobs["train"] == 14
    assert jobs["write_submission"] == 2
    assert "ensemble" not in jobs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("targets", "source", "others"),
    [
        # Everything but `leaderboard`, and the longest way: with pseudo-labels.
        (["report", "verify", "weights", "encoder_curves"], "synthetic", ["edition=presented"]),
        (
            ["leaderboard"],
            "kaggle",
            ['leaderboard=["ternaus"]', "weights={ternausnet: released}", "competition=drawn-cars"],
        ),
    ],
)
def test_a_shell_takes_no_path_apart(tmp_path, targets, source, others):
    named = tmp_path / "left right"
    (named / "ternausnet").mkdir(parents=True)
    for fold in range(5):
        (named / f"ternausnet/fold{fold}.safetensors").touch()
    values = [
        f"results={named}",
        f"store={named}",
        f"data={{source: {source}, folder: {named}, exclude: {named}, expect_published: false}}",
        f"encoder_weights={{source: folder, folder: {named}}}",
        f"released={{folder: {named}}}",
    ]
    said = snakemake(*targets, "--printshellcmds", "--config", *values, *others).stdout
    commands = re.findall(r"^Shell command: (.*)", said, re.MULTILINE)
    assert len(commands) > 20
    # A shell tells what words it would give to each program.
    telling = "python() { printf '%s\\n' \"$@\"; }; tee() { cat; printf '%s\\n' \"$@\"; }\n"
    shell = subprocess.run(["bash"], input=telling + "\n".join(commands), capture_output=True, text=True, check=True)
    # Every word has both halves of the folder's name, or none.
    assert not [word for word in shell.stdout.splitlines() if re.search("left|right", word.replace("left right", ""))]
    assert shell.stdout.count("left right") > 3 * len(commands)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("geometri=small", "top level: unknown key geometri; known are results, run, geometry,"),
        ("geometry=medium", "geometry: 'medium' is not one of ['full', 'small']"),
        ("shards=0", "shards: 0 is less than the minimum of 1"),
        ("results=a{b}", "results: 'a{b}' cannot be used; write a path without braces"),
        ('data={"source": "web"}', "data.source: 'web' is not one of ['kaggle', 'folder', 'synthetic']"),
    ],
)
def test_a_wrong_configuration_is_told_in_one_message(override, told):
    run = snakemake("--config", override, check=False)
    assert run.returncode != 0
    message = run.stdout + run.stderr
    assert told in message
    assert "Traceback" not in message


@pytest.mark.parametrize("where", [("--directory", "{elsewhere}"), ("--snakefile", f"{ROOT}/Snakefile")])
def test_from_elsewhere_it_is_told_where_to_go(tmp_path, where):
    command = [str(SNAKEMAKE), "--dry-run", "--cores", "1", *(part.format(elsewhere=tmp_path) for part in where)]
    command += ["--configfile", str(ROOT / "config/tiny.yaml")]
    at = ROOT if where[0] == "--directory" else tmp_path
    run = subprocess.run(command, cwd=at, capture_output=True, text=True)
    assert run.returncode == 1
    assert f"the workflow runs in its checkout: run `cd {ROOT}` first" in run.stdout + run.stderr


def test_a_key_that_is_given_twice_is_told_before_any_job(tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("folds: 2\nfolds: 3\n")
    run = snakemake("--configfile", "config/sample.yaml", str(overlay), check=False)
    assert run.returncode != 0
    assert f"{overlay}: the key folds is given twice, in line 1 and line 2; keep one" in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr


def test_every_rule_with_a_script_carries_its_provenance():
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for rule in re.split(r"\n(?=rule |use rule )", path.read_text())[1:]:
            scripts = re.findall(r"python (workflow/scripts/\w+\.py)", rule)
            if scripts:
                assert re.search(rf'\*\*PLAN\.provenance\.\w+\("{scripts[0]}"', rule), rule.splitlines()[0]


def test_rule_files_are_short():
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        assert len(path.read_text().splitlines()) < 100, path.name
