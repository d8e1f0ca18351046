from argparse import ArgumentParser

import pytest

from carvana.data.manifest import Manifest
from carvana.errors import UserError
from carvana.recipe_files import load_recipe
from carvana.training.conditions import Conditions
from carvana.training.split import TrainingImages
from tests.programs import SCRIPTS

SCRIPT = SCRIPTS / "train.py"
GIVEN = "--model ternausnet --edition released --fold 1 --geometry small --seed 7 --precision exact"
GIVEN += " --threads 2 --workers 0 --store store --gpus-wanted 2"
NOTHING = Manifest(())
OPTIONS = "--epochs 3 --images-per-step 2 --autotune --activation-checkpointing"


def asked(more, excluded=()):
    parser = ArgumentParser()
    Conditions.add_arguments(parser)
    return Conditions.asked(parser.parse_args([*GIVEN.split(), *more.split()]), excluded)


def test_what_is_not_asked_for_is_the_recipes():
    plain, recipe = asked("--gpus-granted 0"), load_recipe("ternausnet").training
    assert (plain.epochs, plain.images_per_step) == (recipe.epochs, recipe.images_per_step)
    shortened = asked(f"--gpus-granted 0 {OPTIONS}")
    assert (shortened.epochs, shortened.images_per_step) == (3, 2)


def test_what_is_for_gpus_counts_on_them_only():
    on_gpu, on_cpu = (asked(f"--gpus-granted {granted} {OPTIONS}") for granted in (2, 0))
    assert (on_gpu.device, on_gpu.gpus, on_gpu.autotune, on_gpu.activation_checkpointing) == ("cuda", 2, True, True)
    assert (on_cpu.device, on_cpu.gpus, on_cpu.autotune, on_cpu.activation_checkpointing) == ("cpu", 1, False, False)
    with pytest.raises(UserError, match="needs 2 GPUs and was granted 1"):
        asked("--gpus-granted 1")


def test_the_facts_are_what_changes_the_network(manifest, folds, tmp_path):
    (tmp_path / "encoder").write_text("weights")

    def facts(more, excluded=(), added=NOTHING):
        return asked(f"--gpus-granted 0 {more}", excluded).facts(SCRIPT, TrainingImages(manifest, folds, added))

    plain = facts("")
    assert (plain["step"], plain["model"], plain["fold"], plain["seed"]) == ("train", "ternausnet", 1, 7)
    assert facts("--quiet --activation-checkpointing --autotune") == plain
    for changed in (
        facts("--epochs 3"),
        facts("--images-per-step 2"),
        facts(f"--encoder-weights {tmp_path / 'encoder'}"),
        facts("", excluded=manifest.names[:1]),
        facts("", added=Manifest(manifest.records[:1])),
    ):
        assert changed != plain
