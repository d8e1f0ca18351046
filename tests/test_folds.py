import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from carvana.data.manifest import ImageRecord, Manifest, write_manifest
from carvana.errors import UserError
from carvana.folds import (
    SCHEMES,
    assign_folds,
    check_digest,
    folds_digest,
    mask_areas,
    read_folds,
    write_folds,
)
from carvana.reading import read_rows
from tests.programs import SCRIPTS

SCRIPT = SCRIPTS / "folds.py"

PUBLISHED = {
    "f04a": (5, "0acd14f1b22044ebf4858ee33c0cc1d39115e230c9e05499f1db297baad79dde"),
    "fma": (5, "9eecb7242cbdc83070591f96f9fec1d43ad89a54640f209116c7748ff7534c5b"),
    "random7": (7, "122b467b7de4845c8d2eb9abc3dc374673cf74f995439b0068dc486d665e5215"),
    "area7": (7, "c2f2fce792b8688410b24790cd919b969f2ce7a35b72d08336784eb58612718a"),
}


@pytest.fixture(scope="module")
def competition_areas():
    """The 318 training cars; all views but 05 are summed in view 01, which no rule can tell apart."""
    return {
        row["car"]: {1: int(row["total_area"]) - int(row["view05_area"]), 5: int(row["view05_area"])}
        for row in read_rows(Path(__file__).with_name("car_areas.csv"))
    }


def record(car, view, area):
    name = f"{car}_{view:02d}.jpg"
    mask = "" if area is None else "mask.gif"
    return ImageRecord(name, car, view, 1, 94, 64, "0" * 64, name, mask, "0" * 64 if mask else "", area)


@pytest.fixture
def manifest():
    cars = [f"{number:012x}" for number in range(9)]
    return Manifest(
        tuple(record(car, view, 100 + 7 * int(car, 16) % 5 + view) for car in cars for view in range(1, 17))
    )


@pytest.mark.parametrize("scheme", PUBLISHED)
def test_the_competitions_folds_are_the_authors(competition_areas, scheme):
    number, digest = PUBLISHED[scheme]
    folds = assign_folds(scheme, competition_areas, number)
    assert len(folds) == 318
    assert folds_digest(folds) == digest


def test_sizes_of_area7(competition_areas):
    folds = assign_folds("area7", competition_areas, 7)
    assert [Counter(folds.values())[fold] for fold in range(7)] == [53, 51, 49, 46, 42, 39, 38]


def test_the_competitions_areas_have_no_ties(competition_areas):
    assert len({views[5] for views in competition_areas.values()}) == 318
    assert len({sum(views.values()) for views in competition_areas.values()}) == 318


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("number", [2, 3, 7])
@pytest.mark.parametrize("cars", [7, 8, 20])
def test_every_car_is_in_one_fold_and_every_fold_has_cars(competition_areas, scheme, number, cars):
    few = dict(list(competition_areas.items())[:cars])
    folds = assign_folds(scheme, few, number)
    assert folds.keys() == few.keys()
    assert set(folds.values()) == set(range(number))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_folds_do_not_depend_on_the_order_of_the_table(competition_areas, scheme):
    reversed_table = dict(reversed(competition_areas.items()))
    assert assign_folds(scheme, reversed_table, 5) == assign_folds(scheme, competition_areas, 5)


def test_f04a_looks_at_view_05_and_fma_at_all():
    areas = {"a": {1: 100, 5: 3}, "b": {1: 10, 5: 2}, "c": {1: 50, 5: 1}}
    assert assign_folds("f04a", areas, 3) == {"c": 0, "b": 1, "a": 2}
    assert assign_folds("fma", areas, 3) == {"b": 0, "c": 1, "a": 2}


def test_equal_areas_go_by_car_id():
    areas = {car: {5: 10} for car in "dbca"}
    assert assign_folds("f04a", areas, 2) == {"a": 0, "b": 1, "c": 0, "d": 1}
    assert set(assign_folds("area7", areas, 2).values()) == {0, 1}


def test_area7_gives_every_fold_its_share_of_small_and_large_cars():
    areas = {f"{number:02d}": {5: number // 10 * 1000 + number % 10} for number in range(20)}
    folds = assign_folds("area7", areas, 5)
    for group in (range(10), range(10, 20)):
        assert Counter(folds[f"{number:02d}"] for number in group) == dict.fromkeys(range(5), 2)


def test_refuses_more_folds_than_cars_and_a_single_fold(competition_areas):
    four = dict(list(competition_areas.items())[:4])
    with pytest.raises(UserError, match="4 training cars cannot be cut into 5 folds"):
        assign_folds("f04a", four, 5)
    with pytest.raises(UserError, match="at least 2"):
        assign_folds("f04a", four, 1)


def test_areas_come_from_a_training_manifest(manifest):
    areas = mask_areas(manifest)
    assert len(areas) == 9
    assert areas["000000000001"][16] == manifest.by_name["000000000001_16.jpg"].area
    with pytest.raises(UserError, match="has no mask"):
        mask_areas(Manifest((record("000000000001", 1, None),)))


def test_folds_are_read_as_written_sorted_by_car(tmp_path):
    path = tmp_path / "folds" / "fma.csv"
    write_folds({"b": 1, "a": 0}, path)
    assert path.read_text() == "car,fold\na,0\nb,1\n"
    assert read_folds(path) == {"a": 0, "b": 1}


@pytest.mark.parametrize("text", ["car,part\na,1\n", "car,fold\na,one\n", "car,fold\na\n"])
def test_refuses_another_table(tmp_path, text):
    path = tmp_path / "folds.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=r"folds\.csv cannot be read .* make the folds again"):
        read_folds(path)
    with pytest.raises(UserError, match=r"missing\.csv cannot be read \(No such file"):
        read_folds(tmp_path / "missing.csv")


def test_another_digest_stops_the_run():
    folds = {"a": 0, "b": 1}
    check_digest(folds, folds_digest(folds))
    with pytest.raises(UserError, match="the training masks are not the competition's"):
        check_digest({"a": 1, "b": 0}, folds_digest(folds))


def run_script(tmp_path, *options):
    command = [sys.executable, SCRIPT, "--manifest", tmp_path / "train.csv", "--scheme", "area7", "--folds", 3]
    command += ["--out", tmp_path / "area7.csv", *options]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def test_the_script_writes_folds_and_checks_the_digest(tmp_path, manifest):
    write_manifest(manifest, tmp_path / "train.csv")
    expected = assign_folds("area7", mask_areas(manifest), 3)
    refused = run_script(tmp_path, "--expected-digest", "0" * 64)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: the folds' SHA-256 is")
    assert not (tmp_path / "area7.csv").exists()
    assert run_script(tmp_path, "--expected-digest", folds_digest(expected)).returncode == 0
    assert read_folds(tmp_path / "area7.csv") == expected
