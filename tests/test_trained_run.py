import os

import pytest

from carvana.catalogue import RECIPES, merged_models
from carvana.errors import UserError
from carvana.trained_run import edition_of, trained_run


def test_the_edition_is_the_one_that_all_networks_can_be_of(tmp_path):
    assert edition_of(tmp_path) == "released"
    for model, editions in (("ternausnet", "released, presented"), ("linknet34_fma_s44", "presented")):
        record = tmp_path / "models" / model / "fold0/recipe.yaml"
        record.parent.mkdir(parents=True)
        record.write_text(f"run: {{edition: '{editions}', folds: 2, geometry: small, precision: exact}}\n")
        assert edition_of(tmp_path) == editions.split(", ")[0]


def test_an_unfinished_run_is_told(tmp_path):
    with pytest.raises(UserError, match="finish the run"):
        trained_run(tmp_path)
    folder = tmp_path / "models/ternausnet/fold0"
    folder.mkdir(parents=True)
    (folder / "recipe.yaml").write_text("run: {edition: released, folds: 2, geometry: small, precision: exact}\n")
    with pytest.raises(UserError, match=r"weights\.safetensors is not there"):
        trained_run(tmp_path)


def test_of_folds_that_were_edited_or_imported_the_newest_tell_which_there_are(tmp_path):
    for model in (model for recipe in RECIPES for model in merged_models(recipe, "released")):
        for fold, told, when in ((0, "folds: 5", 1), (1, "folds: 5", 1), (3, "folds: 5, networks: [1, 3]", 2)):
            folder = tmp_path / f"models/{model}/fold{fold}"
            folder.mkdir(parents=True)
            (folder / "weights.safetensors").touch()
            record = f"run: {{edition: released, {told}, geometry: small, precision: exact}}\n"
            (folder / "recipe.yaml").write_text(record)
            os.utime(folder / "recipe.yaml", (when, when))
    assert {tuple(weights) for weights in trained_run(tmp_path).weights.values()} == {(1, 3)}


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"run:\n",
        b"model: ternausnet\n",
        b"run: {edition: released, folds: 2, precision: exact}\n",
        b"run: {edition: released, geometry: small, precision: exact}\n",
        b"run: {edition: released, folds: 2, geometry: small}\n",
        b"run: {edition: released, folds: 2, geometry: medium, precision: exact}\n",
        b"run: {edition: released, folds: 2, geometry: [small], precision: exact}\n",
        b"run: {edition: released, folds: two, geometry: small, precision: exact}\n",
        b"run: {edition: released, folds: 0, geometry: small, precision: exact}\n",
        b"run: {edition: released, folds: 2, networks: 1, geometry: small, precision: exact}\n",
        b"run: {edition: released, folds: 2, networks: [one], geometry: small, precision: exact}\n",
        b"run: {edition: released, folds: 2, geometry: small, precision: 16}\n",
        b"run: {edition: none, folds: 2, geometry: small, precision: exact}\n",
        b"run: {edition: released, folds: 2, geometry: small, pre",
        b"# caf\xe9\nrun: {edition: released, folds: 2, geometry: small, precision: exact}\n",
    ],
)
def test_a_damaged_record_of_a_network_is_told(tmp_path, record):
    path = tmp_path / "models/ternausnet/fold0/recipe.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(record)
    (path.parent / "weights.safetensors").touch()
    with pytest.raises(UserError, match=r"fold0/recipe\.yaml cannot be read \(.+\); run the step that made it again"):
        trained_run(tmp_path)
