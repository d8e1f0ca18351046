"""That the drawn pictures are a fair exercise: areas as in the real sample, and no short cut by colour or place."""

import numpy as np

from carvana.geometry import SMALL

# Mean share of car pixels by view, 1 to 16, of 20 real training cars.
REAL_SHARE = [
    0.1732, 0.1988, 0.2347, 0.2482, 0.2479, 0.2404, 0.2283, 0.1972,
    0.1525, 0.1868, 0.2208, 0.2377, 0.2448, 0.2469, 0.2355, 0.2078,
]  # fmt: skip


def mean_dice(predicted_NHW, true_NHW):
    both = (predicted_NHW & true_NHW).sum((1, 2))
    return float(np.mean(2 * both / (predicted_NHW.sum((1, 2)) + true_NHW.sum((1, 2)))))


def colours_and_one(images_NHWC):
    colours = images_NHWC.reshape(-1, 3) / 255
    return np.concatenate([colours, np.ones((len(colours), 1))], axis=1)


def by_view(masks_NHW):
    return masks_NHW.reshape(-1, 16, *SMALL.image_size)


def test_the_share_of_car_by_view_is_close_to_the_real_one(drawn):
    share = by_view(drawn.train_masks).mean((0, 2, 3))
    np.testing.assert_allclose(share, REAL_SHARE, rtol=0.25)


def test_side_views_are_longer_than_front_and_rear_views(drawn):
    widths = by_view(drawn.train_masks).any(axis=2).sum(axis=2)
    assert (widths[:, [4, 12]].min(axis=1) > 1.5 * widths[:, [0, 8]].max(axis=1)).all()


def test_the_best_colour_plane_and_threshold_stay_far_below_a_network(drawn):
    truth = drawn.train_masks.ravel().astype(float)
    weights = np.linalg.lstsq(colours_and_one(drawn.train_images), truth, rcond=None)[0]
    scores = (colours_and_one(drawn.test_images) @ weights).reshape(drawn.test_masks.shape)
    # Even with the threshold that suits the test images best.
    assert max(mean_dice(scores > threshold, drawn.test_masks) for threshold in np.arange(0.1, 0.9, 0.05)) < 0.8


def test_the_mean_training_mask_stays_far_below_a_network(drawn):
    mean_HW = drawn.train_masks.mean(0)
    assert mean_dice(np.broadcast_to(mean_HW > 0.5, drawn.test_masks.shape), drawn.test_masks) < 0.85


def test_car_and_background_share_colours(drawn):
    coarse = drawn.train_images.astype(int) // 16 @ [256, 16, 1]
    car, background = (
        np.bincount(coarse[part], minlength=4096) / part.sum() for part in (drawn.train_masks, ~drawn.train_masks)
    )
    assert np.minimum(car, background).sum() > 0.2
