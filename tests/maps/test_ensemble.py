import numpy as np
import pytest

from carvana.maps import ensemble


def test_truncated_merge_drops_the_fraction():
    sums = np.array([[0, 4, 5, 1274, 1275]], np.uint16)
    merged = ensemble.merge_truncated(sums, 5)
    assert merged.dtype == np.uint8
    np.testing.assert_array_equal(merged, [[0, 0, 1, 254, 255]])


def test_rounded_merge_rounds_to_the_nearest_and_halves_to_even():
    np.testing.assert_array_equal(
        ensemble.merge_rounded(np.array([3, 4, 10, 11, 1785], np.uint16), 7), [0, 1, 1, 2, 255]
    )
    halves = ensemble.merge_rounded(np.array([1, 3, 255], np.uint16), 2)
    assert halves.dtype == np.uint8
    np.testing.assert_array_equal(halves, [0, 2, 128])


def test_merges_agree_with_the_mean_of_every_possible_sum():
    for networks in (1, 2, 5, 7, 30):
        sums = np.arange(255 * networks + 1, dtype=np.uint16)
        np.testing.assert_array_equal(ensemble.merge_truncated(sums, networks), sums.astype(float) / networks // 1)
        np.testing.assert_array_equal(ensemble.merge_rounded(sums, networks), np.rint(sums.astype(float) / networks))
        np.testing.assert_array_equal(ensemble.mean_reaches(sums, networks, 128), sums.astype(float) / networks >= 128)


def test_a_mean_just_below_the_threshold_is_no_car_though_it_is_stored_as_128():
    sums = np.array([895, 896], np.uint16)
    np.testing.assert_array_equal(ensemble.merge_rounded(sums, 7), [128, 128])
    np.testing.assert_array_equal(ensemble.mean_reaches(sums, 7, 128), [False, True])


def test_the_mean_is_exact_and_in_float32():
    rng = np.random.default_rng(1)
    maps = [rng.integers(0, 256, (6, 7), np.uint8) for _ in range(4)]
    mean = ensemble.mean(maps)
    assert mean.dtype == np.float32
    np.testing.assert_array_equal(mean, np.mean(maps, axis=0, dtype=np.float64))


def test_the_ensemble_is_of_four():
    with pytest.raises(ValueError, match="not of 3"):
        ensemble.mean([np.zeros((2, 2), np.uint8)] * 3)
