"""The first job of a drawn run: whose code it runs, and what makes it run again."""

import pytest

from tests.workflow.checkout import Checkout

DRAWN = ["results/tiny/competition/metadata.csv"]


def test_jobs_run_the_checkouts_code_and_not_what_is_installed(tmp_path):
    checkout = Checkout(tmp_path, targets=DRAWN)
    checkout.edit(
        "src/carvana/data/synthetic/dataset.py",
        "from __future__ import annotations\n",
        "from __future__ import annotations\n\nraise SystemExit('this is the checkout')\n",
    )
    assert "this is the checkout" in checkout.snakemake(check=False)


@pytest.mark.slow
def test_numbers_of_cars_that_change_places_are_another_competition(tmp_path):
    checkout = Checkout(tmp_path, targets=DRAWN)
    checkout.snakemake()
    assert checkout.planned() == {}
    cars = "    train_cars: {}\n    test_cars: {}\n"
    checkout.edit("config/tiny.yaml", cars.format(2, 1), cars.format(1, 2))
    assert checkout.planned() == {"draw_synthetic": [""]}
