"""Shards: contiguous slices of the image list, so that a job is short and a lost one costs little."""

from __future__ import annotations

from carvana.data.names import VIEWS_PER_CAR
from carvana.errors import UserError


def shard_slice(n_images: int, n_shards: int, index: int) -> slice:
    """The images of one shard: whole cars, and as many as any other shard has, give or take one car.

    Args:
        n_images: length of the list, in which the 16 views of a car follow one another.
        n_shards: from 1 to the number of cars.
        index: of the shard, from 0.

    Raises:
        UserError: the list is not one of whole cars, there are more shards than cars, or no such shard.
    """
    cars, rest = divmod(n_images, VIEWS_PER_CAR)
    if rest:
        raise UserError(
            f"{n_images} images are not whole cars of {VIEWS_PER_CAR} views; check the images with the intake"
        )
    if not 1 <= n_shards <= cars:
        raise UserError(f"{cars} cars cannot be divided into {n_shards} shards; set between 1 and {cars}")
    if not 0 <= index < n_shards:
        raise UserError(f"no shard {index}: the {n_shards} shards are numbered from 0")
    first, last = (car * cars // n_shards * VIEWS_PER_CAR for car in (index, index + 1))
    return slice(first, last)
