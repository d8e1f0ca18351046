import pytest

from carvana.errors import UserError
from tests.planning.plans import plan


def test_the_authors_folds_unless_told_otherwise():
    assert [plan().folds.number(scheme) for scheme in ("f04a", "fma", "random7", "area7")] == [5, 5, 7, 7]
    assert plan(folds=3).folds.number("area7") == 3
    assert plan().networks.weights("ternausnet")[4] == "results/full/models/ternausnet/fold4/weights.safetensors"


def test_a_network_of_a_fold_that_there_is_not_is_refused_before_anything_is_fetched():
    assert plan().folds.table("ternausnet", 4) == "results/full/folds/f04a.csv"
    for number, last in ((None, 6), (2, 1)):
        with pytest.raises(UserError, match=rf"^unet_vgg11 has no fold {last + 1}; it has 0 to {last}$"):
            plan(folds=number).folds.table("unet_vgg11", last + 1)


def test_the_authors_folds_are_insisted_on():
    assert plan().folds.digest_argument("f04a").startswith("--expected-digest 0acd14f1")
    assert plan(folds=5).folds.digest_argument("f04a").startswith("--expected-digest 0acd14f1")
    # Others have no published digest.
    assert plan(folds=5).folds.digest_argument("area7") == ""
    assert plan(folds=2).folds.digest_argument("f04a") == ""
    assert plan(data={"expect_published": False}).folds.digest_argument("f04a") == ""
