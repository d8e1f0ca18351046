import pytest

from carvana.errors import UserError
from carvana.recipe_files import model_names
from tests.planning.plans import plan


def test_an_exclusion_list_is_an_input_of_training():
    assert plan().trainings.exclusions() == []
    assert plan(data={"exclude": "mask_audit.csv"}).trainings.exclusions() == ["mask_audit.csv"]


def test_an_exclusion_list_must_be_there(tmp_path):
    table = tmp_path / "marks.csv"
    run = plan(data={"exclude": str(table)})
    with pytest.raises(UserError, match=r"^data\.exclude: .*/marks\.csv is not there; name a table with"):
        run.check()
    table.touch()
    run.check()


def test_what_a_run_makes_from_its_images_cannot_exclude_any_of_them():
    with pytest.raises(UserError, match=r"^data.exclude is results/full/mask_audit.csv, which .*name the copy"):
        plan(data={"exclude": "results/full/mask_audit.csv"}).trainings.exclusions()


def test_what_a_second_round_waits_for_comes_before_all_other_trainings():
    presented = plan(edition="presented")
    order = sorted(model_names(edition="presented"), key=presented.trainings.priority, reverse=True)
    assert set(order[:2]) == {"ternausnet", "ternausnet_pseudo"}
    assert [presented.trainings.chain_priority(model) > 0 for model in order] == [True] * 2 + [False] * (len(order) - 2)
    assert not any(plan().trainings.chain_priority(model) for model in model_names())


def test_a_small_run_has_fewer_epochs_and_more_steps():
    assert plan().trainings.overrides("linknet34_fma_s44") == ""
    small = plan(epochs={**plan().config["epochs"], "linknet34": 7})
    assert small.trainings.overrides("linknet34_fma_s44") == "--epochs 7"
    assert [small.trainings.epochs(model) for model in ("linknet34_fma_s44", "unet_vgg11")] == [7, 60]
    small = plan(images_per_step={**plan().config["images_per_step"], "linknet34": 2})
    assert small.trainings.overrides("linknet34_fma_s44") == "--images-per-step 2"
    assert [small.trainings.images_per_step(model) for model in ("linknet34_fma_s44", "ternausnet")] == [2, 4]
    assert small.trainings.overrides("ternausnet") == ""


def test_what_saves_memory_is_asked_of_the_trainings_that_it_is_for():
    given = plan(
        activation_checkpointing={"linknet34": True},
        gpus_per_training={"ternausnet": 2},
        gpu_memory={"linknet34": 11, "unet_scratch": 8},
    )
    asked = {model: (given.trainings.gpus(model), given.trainings.memory_arguments(model)) for model in given.models}
    assert asked["ternausnet"] == (2, "")
    assert asked["linknet34_fma_s44"] == (1, "--gpu-memory 11 --activation-checkpointing")
    assert asked["unet_scratch"] == (1, "--gpu-memory 8")
    assert asked["unet_vgg11"] == (1, "")
    presented = plan(edition="presented", gpus_per_training={"ternausnet": 2})
    assert presented.trainings.gpus("ternausnet_pseudo") == 2
