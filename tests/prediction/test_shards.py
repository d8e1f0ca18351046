import random

import pytest

from carvana.data.names import VIEWS_PER_CAR
from carvana.errors import UserError
from carvana.prediction.shards import shard_slice


def test_shards_are_complete_disjoint_ordered_and_balanced():
    draw = random.Random(7)
    cases = [(1, 1), (6254, 20), (6254, 6254), (2, 2)]
    cases += [(cars := draw.randint(1, 7000), draw.randint(1, min(cars, 60))) for _ in range(300)]
    for cars, n_shards in cases:
        slices = [shard_slice(cars * VIEWS_PER_CAR, n_shards, index) for index in range(n_shards)]
        assert slices[0].start == 0
        assert slices[-1].stop == cars * VIEWS_PER_CAR
        assert [part.stop for part in slices[:-1]] == [part.start for part in slices[1:]]
        assert all(part.start % VIEWS_PER_CAR == part.stop % VIEWS_PER_CAR == 0 for part in slices)
        sizes = {(part.stop - part.start) // VIEWS_PER_CAR for part in slices}
        assert min(sizes) >= 1
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    ("n_images", "n_shards", "index", "told"),
    [
        (17, 1, 0, "17 images"),
        (32, 3, 0, "between 1 and 2"),
        (32, 0, 0, "between 1 and 2"),
        (0, 1, 0, "0 cars"),
        (32, 2, 2, "no shard 2"),
        (32, 2, -1, "no shard -1"),
    ],
)
def test_impossible_shards_are_told(n_images, n_shards, index, told):
    with pytest.raises(UserError, match=told):
        shard_slice(n_images, n_shards, index)
