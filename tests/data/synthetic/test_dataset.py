import hashlib
import zipfile

import numpy as np
import pytest
from PIL import Image

from carvana.data.intake import take_in
from carvana.data.names import VIEWS, ImageName, parse_image_name
from carvana.data.synthetic.dataset import write_competition
from carvana.errors import UserError
from carvana.folds import assign_folds
from carvana.geometry import SMALL
from carvana.reading import read_rows

from .conftest import TEST_CARS, TRAIN_CARS

ARCHIVES = ("train_hq.zip", "train_masks.zip", "test_hq.zip")
TABLES = ("metadata.csv", "sample_submission.csv", "solution.csv")


def write_little(folder, seed=1, train_cars=1, test_cars=1, archives=True):
    write_competition(folder, seed, train_cars, test_cars, (32, 48), archives)
    return folder


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return write_little(tmp_path_factory.mktemp("packed"))


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    return write_little(tmp_path_factory.mktemp("unpacked"), archives=False)


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def pixel_digest(folder):
    pixels = hashlib.sha256()
    for path in sorted(folder.rglob("*_*.*")):
        if path.suffix in (".jpg", ".gif"):
            pixels.update(np.asarray(Image.open(path)).tobytes())
    return pixels.hexdigest()


def cars(images):
    return {parse_image_name(name).car for name in images}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(packed, tmp_path):
    first, again, other = map(digests, (packed, write_little(tmp_path / "b", 1), write_little(tmp_path / "c", 2)))
    assert first == again
    assert sorted(first) == sorted(ARCHIVES + TABLES)
    assert all(first[name] != other[name] for name in first)


def test_the_pixels_are_those_of_every_other_machine(unpacked):
    assert pixel_digest(unpacked) == "6dd4dc3c782cf0f0c75b91fa11ae888c6707e9ee1dbf57c6b853a00dec0dbdd1"


def test_more_cars_leave_the_first_ones_as_they_are(packed, tmp_path):
    many = write_little(tmp_path / "many", train_cars=2)
    with zipfile.ZipFile(packed / "train_hq.zip") as one, zipfile.ZipFile(many / "train_hq.zip") as two:
        assert {name: one.read(name) for name in one.namelist()}.items() <= {
            n: two.read(n) for n in two.namelist()
        }.items()
        assert len(two.namelist()) == 32
    assert (packed / "test_hq.zip").read_bytes() == (many / "test_hq.zip").read_bytes()


def test_archives_hold_a_folder_of_their_own_name_with_what_is_otherwise_unpacked(packed, unpacked):
    for name in ("train_hq", "train_masks", "test_hq"):
        with zipfile.ZipFile(packed / f"{name}.zip") as archive:
            assert archive.testzip() is None
            found = {member: archive.read(member) for member in archive.namelist()}
        assert found == {f"{name}/{path.name}": path.read_bytes() for path in (unpacked / name).iterdir()}
    for table in TABLES:
        assert (packed / table).read_bytes() == (unpacked / table).read_bytes()


def test_names_and_formats_are_kaggles(drawn):
    images = sorted(path.name for path in (drawn.folder / "train_hq").iterdir())
    assert images == [str(ImageName(car, view)) for car in sorted(cars(images)) for view in VIEWS]
    assert len(cars(images)) == TRAIN_CARS
    masks = sorted(path.name for path in (drawn.folder / "train_masks").iterdir())
    assert masks == [f"{parse_image_name(name).mask_stem}.gif" for name in images]
    with (
        Image.open(drawn.folder / "train_hq" / images[0]) as image,
        Image.open(drawn.folder / "train_masks" / masks[0]) as mask,
    ):
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", SMALL.image_size[::-1])
        assert (mask.format, mask.mode, mask.size) == ("GIF", "P", SMALL.image_size[::-1])
        assert set(np.unique(np.asarray(mask))) == {0, 1}


def test_tables_are_kaggles(drawn):
    metadata = read_rows(drawn.folder / "metadata.csv")
    assert list(metadata[0]) == ["id", "year", "make", "model", "trim1", "trim2"]
    images = [path.name for split in ("train_hq", "test_hq") for path in (drawn.folder / split).iterdir()]
    assert [row["id"] for row in metadata] == sorted(cars(images))
    assert len(metadata) == TRAIN_CARS + TEST_CARS
    sample = read_rows(drawn.folder / "sample_submission.csv")
    test_images = sorted(path.name for path in (drawn.folder / "test_hq").iterdir())
    assert sample == [{"img": name, "rle_mask": "1 1"} for name in test_images]


def test_the_hidden_truth_has_every_test_image_and_all_three_usages(drawn, packed):
    solution = read_rows(drawn.folder / "solution.csv")
    assert list(solution[0]) == ["img", "rle_mask", "usage"]
    assert [row["img"] for row in solution] == sorted(path.name for path in (drawn.folder / "test_hq").iterdir())
    usages = [row["usage"] for row in read_rows(packed / "solution.csv")]
    assert {usage: usages.count(usage) for usage in usages} == {"Public": 5, "Private": 6, "Ignored": 5}


def test_intake_takes_it_for_the_competition(drawn, tmp_path):
    train = take_in(drawn.folder, "train", SMALL, tmp_path / "train", quiet=True)
    test = take_in(drawn.folder, "test", SMALL, tmp_path / "test", quiet=True)
    assert (len(list(train)), len(list(test))) == (16 * TRAIN_CARS, 16 * TEST_CARS)


@pytest.mark.parametrize("scheme", ["f04a", "fma"])
def test_two_folds_both_hold_a_car_in_a_glare(drawn, scheme):
    # Networks that never saw a glare would not have to be unsure of it. Fold tables rank by area; the tall vans lead.
    names = sorted(path.name for path in (drawn.folder / "train_hq").iterdir())
    areas: dict[str, dict[int, int]] = {}
    for name, mask in zip(names, drawn.train_masks, strict=True):
        image = parse_image_name(name)
        areas.setdefault(image.car, {})[image.view] = int(mask.sum())
    models = {row["id"]: row["model"] for row in read_rows(drawn.folder / "metadata.csv")}
    folds = assign_folds(scheme, areas, 2)
    assert {fold for car, fold in folds.items() if models[car] == "Granary"} == {0, 1}


@pytest.mark.parametrize(("train_cars", "test_cars"), [(0, 1), (1, 0), (-1, 1)])
def test_a_competition_needs_cars_of_both_kinds(tmp_path, train_cars, test_cars):
    with pytest.raises(UserError, match="at least one"):
        write_little(tmp_path, 1, train_cars, test_cars)
