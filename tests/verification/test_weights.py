import shutil

import torch

from carvana.verification.weights import check_weights, weight_hashes
from carvana.weights import save_weights


def weights(path, model, fold, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(path, {"a": torch.full((2,), float(value))}, {"model": model, "fold": fold, "epoch": 1})
    return path


def failing(files):
    return [check.what for check in check_weights(files, weight_hashes(files)) if check.verdict == "FAILS"]


def test_all_there_distinct_and_in_their_places(tmp_path):
    files = {
        "ternausnet": [
            weights(tmp_path / f"fold{fold}/weights.safetensors", "ternausnet", fold, fold) for fold in (0, 1)
        ]
    }
    assert failing(files) == []
    assert sorted(weight_hashes(files)) == ["ternausnet/fold0", "ternausnet/fold1"]
    assert failing({"unet_scratch": files["ternausnet"]}) == ["of their model and fold"]
    shutil.copyfile(files["ternausnet"][0], files["ternausnet"][1])
    assert failing(files) == ["different SHA-256", "of their model and fold"]
    files["ternausnet"][1].unlink()
    assert len(failing(files)) == 3


def test_what_is_to_be_said_of_imported_networks_is_in_the_table():
    (*_, told) = check_weights({}, {}, ["ternausnet: released weights"])
    assert (told.verdict, told.measured) == ("no expectation", "ternausnet: released weights")
