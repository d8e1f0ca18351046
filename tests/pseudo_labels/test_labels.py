import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from carvana import rle
from carvana.data.imageset import ImageSet
from carvana.data.manifest import Manifest, read_manifest, write_manifest
from carvana.errors import UserError
from carvana.files import sha256_of
from carvana.geometry import SMALL
from carvana.pseudo_labels.candidates import Candidate, read_candidates, write_candidates
from carvana.pseudo_labels.choice import ranked_cars, wanted_cars
from carvana.pseudo_labels.labels import read_labels, write_labels
from carvana.pseudo_labels.uncertainty import Uncertainty
from tests.programs import SCRIPTS


def test_cars_are_ranked_by_their_least_sure_image():
    uncertainties = {"a": [0.1, 0.9], "b": [0.5, 0.5], "c": [0.2, 0.6], "d": [0.0, float("inf")]}
    ranked = ranked_cars(uncertainties, 2)
    assert [car.car for car in ranked] == ["b", "c", "a", "d"]
    assert [car.chosen for car in ranked] == [True, True, False, False]
    assert [car.rank for car in ranked] == [1, 2, 3, 4]


def test_a_car_with_an_empty_mask_is_never_chosen():
    uncertainties = {"a": [0.1], "d": [float("inf")]}
    assert [car.chosen for car in ranked_cars(uncertainties, 5)] == [True, False]
    with pytest.raises(UserError, match="it has not learnt enough"):
        ranked_cars({"d": [float("inf")]}, 1)


def test_more_than_the_training_set_unless_told_otherwise():
    assert wanted_cars(None, 1.25, 318) == 398
    assert wanted_cars(None, 1.25, 2) == 3
    assert wanted_cars(7, 1.25, 318) == 7


@pytest.fixture
def unlabelled(manifest):
    return Manifest(tuple(replace(record, mask="", mask_sha256="", area=None) for record in manifest))


def mask_of(number):
    mask_HW = np.zeros(SMALL.image_size, np.uint8)
    mask_HW[10:40, 10 : 20 + number] = 1
    return mask_HW


@pytest.fixture
def tables(unlabelled, tmp_path):
    """Two shards; later cars are surer, and of each car the last view the least."""
    cars = unlabelled.cars
    candidates = [
        Candidate(
            record.name,
            rle.encode(mask_of(n)),
            Uncertainty(10 * (len(cars) - cars.index(record.car)) + record.view, 10),
        )
        for n, record in enumerate(unlabelled)
    ]
    for number, part in enumerate((candidates[:6], candidates[6:])):
        write_candidates(tmp_path / f"{number}.csv", part)
    return [tmp_path / "0.csv", tmp_path / "1.csv"]


def written(tables, images, tmp_path, wanted=2):
    outputs = {name: tmp_path / f"{name}.csv" for name in ("manifest", "ranking", "labels")}
    ranked = write_labels(tables, images, wanted, SMALL.image_size, tmp_path / "masks", outputs)
    return ranked, outputs


def test_a_table_of_candidates_comes_back(tables):
    first = next(read_candidates(tables[0]))
    assert (first.uncertainty, np.diff(rle.runs(first.rle_mask)).sum()) == (Uncertainty(41, 10), 30 * 10)


def test_the_surest_cars_become_training_images(tables, unlabelled, tmp_path):
    ranked, outputs = written(tables, unlabelled, tmp_path)
    surest = unlabelled.cars[::-1][:2]
    assert tuple(car.car for car in ranked if car.chosen) == surest
    labels = read_manifest(outputs["manifest"])
    assert set(labels.cars) == set(surest)
    numbers = {name: n for n, name in enumerate(unlabelled.names)}
    for record in labels:
        # Whole cars, in the competition's format, and the pixels are the test image's own.
        assert Path(record.mask).name == record.name.replace(".jpg", "_mask.gif")
        with Image.open(record.mask) as picture:
            assert (picture.format, picture.mode, set(np.unique(np.asarray(picture)))) == ("GIF", "P", {0, 1})
        assert np.array_equal(ImageSet(labels).mask(record.name), mask_of(numbers[record.name]))
        assert record.file == unlabelled.by_name[record.name].file
        assert record.mask_sha256 == sha256_of(Path(record.mask))
    uncertainties = [label.uncertainty for label in read_labels(outputs["labels"])]
    assert uncertainties == sorted(uncertainties) and len(uncertainties) == len(labels)
    assert outputs["ranking"].read_text().splitlines()[1] == f"1,{surest[0]},1.3,1"


def test_a_second_choice_leaves_nothing_of_the_first(tables, unlabelled, tmp_path):
    written(tables, unlabelled, tmp_path, wanted=3)
    _, outputs = written(tables, unlabelled, tmp_path, wanted=1)
    assert len(list((tmp_path / "masks").iterdir())) == len(read_manifest(outputs["manifest"])) == 3


def test_tables_of_other_images_are_told(tables, unlabelled, tmp_path):
    with pytest.raises(UserError, match="differ in 6 images"):
        written(tables[:1], unlabelled, tmp_path)
    tables[0].write_text("img\n")
    with pytest.raises(UserError, match=r"differ in|cannot be read"):
        written(tables, unlabelled, tmp_path)


def test_masks_are_on_disk_before_a_table_tells_of_them_and_have_their_area(tables, unlabelled, tmp_path, monkeypatch):
    there = []
    monkeypatch.setattr(
        "os.sync",
        lambda: there.append((len(list((tmp_path / "masks").iterdir())), (tmp_path / "manifest.csv").exists())),
    )
    _, outputs = written(tables, unlabelled, tmp_path)
    labels = read_manifest(outputs["manifest"])
    assert there == [(len(labels), False)]
    assert [record.area for record in labels] == [ImageSet(labels).mask(record.name).sum() for record in labels]


@pytest.mark.parametrize(("wanted", "training", "told"), [(2, 1, []), (1, 1, ["advised"]), (99, 1, ["99 were wanted"])])
def test_the_script_says_where_there_are_fewer_cars_than_wanted_or_advised(
    tables, unlabelled, tmp_path, wanted, training, told
):
    write_manifest(unlabelled, tmp_path / "test.csv")
    few = Manifest(tuple(record for record in unlabelled if record.car in unlabelled.cars[:training]))
    write_manifest(few, tmp_path / "train.csv")
    command = [SCRIPTS / "pseudo_labels.py", "--candidates", *tables, "--manifest", tmp_path / "test.csv"]
    command += ["--training-manifest", tmp_path / "train.csv", "--cars", wanted, "--ratio", 1.25, "--geometry", "small"]
    for name in ("masks", "out", "ranking", "labels"):
        command += [f"--{name}", tmp_path / name]
    run = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    warnings = [line for line in run.stdout.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == len(told) and all(word in line for word, line in zip(told, warnings, strict=True))
