from typing import cast

import numpy as np
import pytest

from carvana import catalogue
from carvana.catalogue import merged_models, models_of
from carvana.errors import UserError
from carvana.geometry import FULL
from carvana.recipe_files import load_recipe, model_names, resolved_document
from carvana.schedules import asanakoy
from carvana.transforms.albu import Draw
from carvana.transforms.protocol import build_transforms
from tests.planning.plans import plan


def presented(**changes):
    return plan(edition="presented", **changes)


def changed(model):
    """Section -> names of values that the slides change, with their sources."""
    released, slides = resolved_document(model), resolved_document(model, edition="presented")
    found = {}
    for section, values in slides.items():
        if isinstance(values, dict):
            for name, leaf in values.items():
                if released.get(section, {}).get(name) != leaf:
                    found[f"{section}.{name}"] = (leaf["value"], leaf["source"])
    return found


def test_the_slides_values_and_nothing_else_are_laid_over():
    for model in models_of("linknet34"):
        assert changed(model) == {"augmentation.shift_rounded_before_scaling": (False, "slides")}
    assert changed("unet_vgg11") == {
        "optimizer.name": ("sgd", "slides"),
        "optimizer.momentum": (0.9, "assumption"),
        "optimizer.weight_decay": (5e-4, "assumption"),
        "schedule.rate": (0.005, "assumption"),
    }
    assert changed("unet_scratch") == {
        "schedule.factor": (0.5, "assumption"),
        "schedule.milestones": ([2, 4, 6, 8, 10], "assumption"),
        "schedule.cycle": (12, "assumption"),
    }
    assert changed("ternausnet") == {}


def test_the_cyclic_rate():
    spec = load_recipe("unet_scratch", edition="presented").schedule
    rates = [asanakoy.learning_rate(epoch, spec) for epoch in range(25)]  # type: ignore[arg-type]
    assert rates[:12] == [0.005 / 2**n for n in (0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5)]
    assert rates[12:24] == rates[:12]


def test_the_second_round_takes_the_firsts_place():
    assert (plan().second_round.second, plan().second_round.first) == (None, None)
    assert (presented().second_round.second, presented().second_round.first) == ("ternausnet_pseudo", "ternausnet")
    assert merged_models("ternausnet", "presented") == ("ternausnet_pseudo",)
    assert set(model_names(edition="presented")) - set(model_names()) == {"ternausnet_pseudo"}
    first, second = (load_recipe(model, edition="presented") for model in ("ternausnet", "ternausnet_pseudo"))
    assert first.model_dump(exclude={"model", "pseudo_labels"}) == second.model_dump(exclude={"model", "pseudo_labels"})


def test_two_second_rounds_are_refused(monkeypatch):
    labels = load_recipe("ternausnet_pseudo", edition="presented").pseudo_labels

    def another(model, *, edition):
        recipe = load_recipe(model, edition=edition)
        return recipe.model_copy(update={"pseudo_labels": labels}) if model == "unet_vgg11" else recipe

    monkeypatch.setattr(catalogue, "load_recipe", another)
    with pytest.raises(UserError, match="pseudo-labels for ternausnet_pseudo and unet_vgg11, and a run has one second"):
        presented().check()


def test_a_second_round_that_is_imported_or_whose_member_is_missing_is_none():
    for other in (presented(weights={"ternausnet_pseudo": "released"}), presented(members=["albu"])):
        assert other.second_round.second is None
        assert other.reporting.pseudo_labels() == []


def test_both_rounds_are_in_every_table():
    run = presented()
    rows = {(row.level, row.name): row for row in run.scoring.rows()}
    assert rows["model", "ternausnet"].masks == "ternausnet_first_round"
    for row in (("model", "ternausnet_pseudo"), ("recipe", "ternausnet"), ("member", "ternaus")):
        assert (rows[row].masks, rows[row].models) == ("ternausnet", ("ternausnet_pseudo",))
    assert "ternausnet" not in rows["ensemble", "ensemble"].models
    assert "--model ternausnet 0,1,2,3,4 --model ternausnet_pseudo 0,1,2,3,4" in run.reporting.model_arguments()
    assert run.maps.masks_of("ternausnet")[0].startswith("results/full-presented/masks/ternausnet_first_round/")
    assert run.maps.masks_of("ternaus")[0].startswith("results/full-presented/masks/ternausnet/")


def test_each_fold_has_its_own_teacher_and_the_ensemble_is_marked():
    run = presented().second_round
    assert run.manifest("ternausnet_pseudo", 3) == ["results/full-presented/pseudo_labels/fold3/manifest.csv"]
    assert run.manifest("ternausnet", 3) == run.manifest("unet_scratch", 0) == []
    assert presented().notes.of_scores(["ternausnet_pseudo"]) == []
    marked = presented(pseudo_labels={"teacher": "ensemble"})
    assert marked.second_round.manifest("ternausnet_pseudo", 3) == [
        "results/full-presented/pseudo_labels/ensemble/manifest.csv"
    ]
    note = "ternausnet_pseudo: contaminated out of fold, its teachers have seen the cars that it is judged by"
    told = {(row.level, row.name) for row in marked.scoring.rows() if note in marked.notes.of_scores(row.models)}
    assert told == {
        ("model", "ternausnet_pseudo"), ("recipe", "ternausnet"), ("member", "ternaus"), ("ensemble", "ensemble"),
    }  # fmt: skip
    assert f"--note '{note}'" in marked.expectations.arguments()


def test_the_precondition_is_the_slides_unless_told_otherwise():
    assert presented().second_round.precondition_arguments() == "--teacher network --needed 0.997"
    other = presented(pseudo_labels={"precondition": 0.5, "accept_below": True}).second_round
    assert other.precondition_arguments() == "--teacher network --needed 0.5 --accept-below"
    assert presented().second_round.choice_arguments() == "--ratio 1.25"
    assert presented(pseudo_labels={"cars": 7}).second_round.choice_arguments() == "--ratio 1.25 --cars 7"


def test_the_slides_shifts_really_shift():
    def largest(edition):
        transforms = build_transforms(load_recipe("linknet34_fma_s44", edition=edition), FULL)
        draws = [cast(Draw, transforms.sample(np.random.default_rng(seed), 0)).geometry for seed in range(200)]
        moved = np.array([(draw.shift_x, draw.shift_y) for draw in draws if draw])
        return np.abs(moved).max(axis=0)

    height, width = FULL.wide_size
    assert largest("released").tolist() == [0, 0]
    found = largest("presented")
    assert (found <= [0.0625 * width, 0.0625 * height]).all()
    assert (found > [0.05 * width, 0.05 * height]).all()


def test_the_precondition_is_judged_by_whoever_teaches():
    folder = "results/full-presented"
    own, ensemble = presented(), presented(pseudo_labels={"teacher": "ensemble"})
    assert own.second_round.first_masks("first") == f"{folder}/masks/first/train.csv"
    assert ensemble.second_round.first_masks("first") == f"{folder}/pseudo_labels/ensemble/masks/train.csv"
