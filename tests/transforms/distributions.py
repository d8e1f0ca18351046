"""Checks of many draws with a fixed seed; a right sampler fails one of them for about one seed in a thousand."""

from itertools import combinations

import numpy as np

DRAWS = 20_000


def draws_of(transforms, epoch=0):
    rng = np.random.default_rng(11)
    return [transforms.sample(rng, epoch) for _ in range(DRAWS)]


def assert_probability(happened, probability):
    """The count lies within 4 standard deviations of the binomial distribution's mean."""
    happened = np.asarray(happened, bool)
    deviation = np.sqrt(len(happened) * probability * (1 - probability))
    assert abs(happened.sum() - len(happened) * probability) <= 4 * deviation


def assert_independent(**events):
    """Every two events happen together as often as the product of their frequencies says."""
    for (_, first), (_, second) in combinations(events.items(), 2):
        assert_probability(np.logical_and(first, second), float(np.mean(first) * np.mean(second)))


def assert_uniform(values, low, high):
    """In [low, high], spread evenly (Kolmogorov-Smirnov at 0.001) and reaching both ends."""
    values = np.sort(values)
    assert low <= values[0] < low + 0.01 * (high - low)
    assert high - 0.01 * (high - low) < values[-1] <= high
    places = np.arange(len(values) + 1) / len(values)
    expected = (values - low) / (high - low)
    distance = max((expected - places[:-1]).max(), (places[1:] - expected).max())
    assert distance * np.sqrt(len(values)) <= 1.95


def assert_unrelated(*samples):
    """No two of the samples, drawn together, are correlated."""
    limit = 4 / np.sqrt(len(samples[0]))
    correlations = np.corrcoef(np.array(samples))
    assert np.abs(correlations - np.eye(len(samples))).max() <= limit
