import numpy as np
import pytest
from PIL import Image

from carvana import baselines, rle
from carvana.data.imageset import ImageSet
from carvana.data.manifest import ImageRecord, Manifest
from carvana.geometry import SMALL

H, W = SMALL.image_size


def part(colours, is_car, counts=((1, 0),), images=1):
    return baselines.TrainingPart(
        images, np.array(counts, np.int64), np.array(colours, np.uint8).reshape(-1, 3), np.array(is_car, bool)
    )


def test_the_mean_mask_is_car_where_half_of_the_masks_are():
    fitted = baselines.fit_mean_mask([part([], [], [[2, 1, 0]], 2), part([], [], [[1, 1, 0]], 2)])
    np.testing.assert_array_equal(fitted.predict(np.zeros((1, 3, 3), np.uint8)), [[True, True, False]])


def test_the_colour_threshold_separates_colours_that_a_plane_separates():
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (4000, 3))
    plane = colours @ [1, -2, 0.5]
    clear = np.abs(plane + 60) > 30
    colours, is_car = colours[clear], plane[clear] > -60
    fitted = baselines.fit_colour_threshold([part(colours[:2000], is_car[:2000]), part(colours[2000:], is_car[2000:])])
    agreement = fitted.predict(colours.astype(np.uint8)[None])[0] == is_car
    assert agreement.mean() > 0.97


def test_the_threshold_has_the_highest_dice_of_all_thresholds():
    rng = np.random.default_rng(1)
    colours = rng.integers(0, 256, (3000, 3)).astype(np.uint8)
    is_car = rng.random(3000) < 0.1 + 0.4 * (colours[:, 1] > 180)
    fitted = baselines.fit_colour_threshold([part(colours, is_car)])

    def dice(threshold):
        predicted = baselines.ColourThreshold(fitted.weights, threshold).predict(colours[None])[0]
        return 2 * (predicted & is_car).sum() / (predicted.sum() + is_car.sum())

    assert dice(fitted.threshold) >= max(dice(threshold) for threshold in np.linspace(-0.5, 1.5, 500)) - 0.005


@pytest.fixture
def images(tmp_path):
    """Two cars with one image each: a red one at the left, a blue one at the right, on grey."""
    records = []
    for car, columns, colour in (("a", slice(10, 45), (0, 0, 255)), ("b", slice(60, 85), (255, 0, 0))):
        pixels = np.full((H, W, 3), 128, np.uint8)
        pixels[20:50, columns] = colour[::-1]
        mask = np.zeros((H, W), np.uint8)
        mask[20:50, columns] = 255
        assert mask.any()
        Image.fromarray(pixels).save(tmp_path / f"{car}.png")
        Image.fromarray(mask).save(tmp_path / f"{car}_mask.png")
        files = str(tmp_path / f"{car}.png"), str(tmp_path / f"{car}_mask.png")
        records.append(ImageRecord(f"{car}_01.jpg", car, 1, 1, W, H, "", files[0], files[1], "", 1))
    return ImageSet(Manifest(tuple(records)))


def test_training_images_are_predicted_from_the_other_folds(images):
    folds = {"a": 0, "b": 1}
    parts = baselines.learn_by_fold(images, folds, SMALL)
    masks = dict(baselines.out_of_fold_masks(images, folds, parts, "mean_mask"))
    for name, other in (("a_01.jpg", "b_01.jpg"), ("b_01.jpg", "a_01.jpg")):
        np.testing.assert_array_equal(rle.decode(masks[name], (H, W)), images.mask(other))


def test_test_images_are_predicted_from_all_folds(images):
    parts = baselines.learn_by_fold(images, {"a": 0, "b": 1}, SMALL)
    masks = dict(baselines.masks_of_test_images(images, parts, "mean_mask"))
    either = images.mask("a_01.jpg") | images.mask("b_01.jpg")
    assert masks == dict.fromkeys(("a_01.jpg", "b_01.jpg"), rle.encode(either))
    masks = dict(baselines.masks_of_test_images(images, parts, "colour_threshold"))
    for name in masks:
        np.testing.assert_array_equal(rle.decode(masks[name], (H, W)), images.mask(name))
