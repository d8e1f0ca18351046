"""A checkout's jobs run its own code, whatever is installed where they run."""

from tests.workflow.checkout import Checkout


def test_jobs_run_the_checkouts_code_and_not_what_is_installed(tmp_path):
    checkout = Checkout(tmp_path, targets=["results/tiny/competition/metadata.csv"])
    checkout.edit(
        "src/carvana/data/synthetic/dataset.py",
        "from __future__ import annotations\n",
        "from __future__ import annotations\n\nraise SystemExit('this is the checkout')\n",
    )
    assert "this is the checkout" in checkout.snakemake(check=False)
