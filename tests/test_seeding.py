import numpy as np

from carvana.seeding import generator, torch_seed


def test_same_key_gives_the_same_draws():
    assert np.array_equal(generator(1, "ternausnet", 0, 3).random(5), generator(1, "ternausnet", 0, 3).random(5))


def test_every_part_of_the_key_counts():
    keys = [
        (1, "m", 0, 3),
        (2, "m", 0, 3),
        (1, "n", 0, 3),
        (1, "m", 1, 3),
        (1, "m", 0, 4),
        (None, "m", 0, 3),
        (1, "m0", 3),
    ]
    assert len({generator(*key).random() for key in keys}) == len(keys)


def test_torch_seed_fits_and_differs():
    seeds = {torch_seed("init", fold) for fold in range(100)}
    assert len(seeds) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)
