"""A folder of weights to publish, of a run that never was."""

import yaml

from carvana.folds import folds_digest, write_folds
from carvana.released.pack import pack


def packed(folder, geometry="small"):
    networks = []
    for fold, run in enumerate(({}, {"weights": "released"})):
        networks.append(folder / f"run/fold{fold}")
        networks[-1].mkdir(parents=True, exist_ok=True)
        (networks[-1] / "weights.safetensors").write_text(f"of fold {fold}")
        told = {"fold": fold, "geometry": geometry, "precision": "exact", **run}
        record = {"model": "ternausnet", "folds": {"scheme": {"value": "f04a"}}, "run": told}
        (networks[-1] / "recipe.yaml").write_text(yaml.safe_dump(record))
    (folder / "scores.json").write_text("[]")
    write_folds({"a": 0, "b": 1}, folder / "f04a.csv")
    run = {"name": "mine", "edition": "released", "commit": "c" * 40}
    return pack(networks, folder / "scores.json", {"f04a": folder / "f04a.csv"}, run, folder / "weights")


def test_the_index_says_where_each_network_is_from(tmp_path):
    index = packed(tmp_path)
    assert [(one.file, one.fold, one.scheme, one.origin) for one in index.networks] == [
        ("ternausnet/fold0.safetensors", 0, "f04a", "trained"),
        ("ternausnet/fold1.safetensors", 1, "f04a", "released"),
    ]
    assert (tmp_path / "weights/ternausnet/fold1.safetensors").read_text() == "of fold 1"
    assert index.folds == {"f04a": folds_digest({"a": 0, "b": 1})}


def test_what_the_folder_had_of_another_run_goes(tmp_path):
    for name in ("ternausnet/fold4.safetensors", "unet_vgg11/fold0.safetensors"):
        (tmp_path / "weights" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "weights" / name).touch()
    packed(tmp_path)
    assert sorted(path.name for path in tmp_path.glob("weights/*/*")) == ["fold0.safetensors", "fold1.safetensors"]


def test_the_card_of_a_small_run_says_that_it_is_of_no_use(tmp_path):
    for geometry in ("small", "full"):
        packed(tmp_path, geometry)
        told = (tmp_path / "weights/README.md").read_text()
        assert ("They are of a run of the small geometry, made to try the workflow" in told) is (geometry == "small")
        assert f"| geometry | {geometry} |" in told
