import pytest

from carvana.data.manifest import Manifest
from carvana.errors import UserError
from carvana.training.split import TrainingImages, split


def test_all_views_of_a_car_are_on_one_side(manifest, folds):
    parts = split(manifest, folds, 1)
    assert sorted(parts.training + parts.validation) == list(manifest.names)
    assert {name[:12] for name in parts.validation} == {"000000000002", "000000000004"}
    assert {name[:12] for name in parts.training} == {"000000000001", "000000000003"}
    assert list(parts.validation) == sorted(parts.validation)


def test_a_fold_that_does_not_exist(manifest, folds):
    with pytest.raises(UserError, match=r"fold 2 leaves 12 images to train and 0 to validate on; the folds are 0, 1"):
        split(manifest, folds, 2)


def test_a_car_without_fold(manifest, folds):
    without = {car: fold for car, fold in folds.items() if car != "000000000003"}
    with pytest.raises(UserError, match=r"1 cars have no fold, 000000000003 first"):
        split(manifest, without, 0)


def test_excluded_images_are_validated_on_all_the_same(manifest, folds):
    excluded = {name for name in manifest.names if name.endswith("_01.jpg")}
    whole, parts = split(manifest, folds, 1), split(manifest, folds, 1, excluded)
    assert parts.validation == whole.validation
    assert set(whole.training) - set(parts.training) == excluded - set(whole.validation)
    assert len(parts.training) < len(whole.training)


def test_pseudo_labelled_images_are_trained_on_and_never_judge(manifest, folds):
    whole, more = split(manifest, folds, 1), split(manifest, folds, 1, pseudo_labelled=("0" * 12 + "_01.jpg",))
    assert more.validation == whole.validation
    assert more.training == ("0" * 12 + "_01.jpg", *whole.training)


def test_training_images_are_together_by_name(manifest, folds):
    later, earlier = Manifest(manifest.records[:5]), Manifest(manifest.records[5:])
    assert TrainingImages(earlier, folds).together == earlier
    assert TrainingImages(earlier, folds, later).together == manifest
