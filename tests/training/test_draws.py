import pytest

from carvana.training.draws import Draws

FIRST = Draws(seed=0, recipe_seed=44, model="linknet34_fma_s44", fold=1)
# Each in one thing other than the first; the last with its seed and fold exchanged.
OTHERS = (
    Draws(seed=2, recipe_seed=44, model="linknet34_fma_s44", fold=1),
    Draws(seed=0, recipe_seed=88, model="linknet34_fma_s44", fold=1),
    Draws(seed=0, recipe_seed=None, model="linknet34_fma_s44", fold=1),
    Draws(seed=0, recipe_seed=44, model="linknet34_fma_s88", fold=1),
    Draws(seed=0, recipe_seed=44, model="linknet34_fma_s44", fold=2),
    Draws(seed=1, recipe_seed=44, model="linknet34_fma_s44", fold=0),
)


def numpy_draw(draws, *purpose):
    return draws.generator(*purpose).random()


@pytest.mark.parametrize("drawn", [numpy_draw, Draws.torch_seed])
def test_draws_depend_on_both_seeds_the_model_the_fold_and_the_purpose(drawn):
    """By the run's seed, fold, epoch and index; LinkNet34's variants differ by the seed in config/recipes alone."""
    found = [drawn(draws, "sample", 3, 4) for draws in (FIRST, *OTHERS)]
    found += [drawn(FIRST, *purpose) for purpose in (("order", 3, 4), ("sample", 5, 4), ("sample", 3, 5))]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("drawn", [numpy_draw, Draws.torch_seed])
def test_equal_values_give_equal_draws_whatever_was_drawn_before(drawn):
    expected = drawn(FIRST, "sample", 3, 4)
    drawn(FIRST, "sample", 3, 5)
    assert drawn(Draws(0, 44, "linknet34_fma_s44", 1), "sample", 3, 4) == expected
