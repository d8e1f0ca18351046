"""The folds of the competition's 318 training cars, and which images every network is trained and judged on."""

import csv
from pathlib import Path

import pytest
import yaml

from carvana.data.manifest import ImageRecord, Manifest
from carvana.folds import assign_folds, folds_digest, mask_areas
from carvana.recipe_files import RECIPE_FOLDER, load_recipe
from carvana.training.split import split
from tests.golden.compare import equal

AREAS = Path(__file__).parents[1] / "car_areas.csv"
SIDE_VIEW = 5


@pytest.fixture(scope="module")
def competition():
    """All 5,088 images. All views but 05 are summed in view 01, which no rule can tell apart."""
    records = []
    with AREAS.open(newline="") as stream:
        for row in csv.DictReader(stream):
            side = int(row["view05_area"])
            areas = {SIDE_VIEW: side, 1: int(row["total_area"]) - side}
            for view in range(1, 17):
                name = f"{row['car']}_{view:02d}.jpg"
                area = areas.get(view, 0)
                records.append(ImageRecord(name, row["car"], view, 1, 1918, 1280, "", name, "mask.gif", "", area))
    return Manifest(tuple(records))


@pytest.mark.parametrize(
    "model", ["ternausnet", "linknet34_fma_s44", "linknet34_f04a_s44", "unet_scratch", "unet_vgg11"]
)
def test_folds(competition, model):
    recipe = load_recipe(model)
    folds = assign_folds(recipe.folds.scheme, mask_areas(competition), recipe.folds.count)
    published = yaml.safe_load((RECIPE_FOLDER.parent / "published.yaml").read_text())["fold_digests"][
        recipe.folds.scheme
    ]
    equal(recipe.recipe, f"folds {recipe.folds.scheme}: SHA-256", folds_digest(folds), published)
    of_car = {record.name: record.car for record in competition}
    for fold in range(recipe.folds.count):
        parts = split(competition, folds, fold)
        validated = {of_car[name] for name in parts.validation}
        equal(recipe.recipe, "cars of a fold", sorted(validated), sorted(car for car in folds if folds[car] == fold))
        trained = {of_car[name] for name in parts.training}
        equal(recipe.recipe, "cars both trained and judged on", len(trained & validated), 0)
        equal(recipe.recipe, "images trained or judged on", len(parts.training) + len(parts.validation), 5088)
