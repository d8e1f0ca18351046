from collections import Counter
from pathlib import Path

import pytest

from tests.mutants.mutants import MUTANTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_can_be_planted(mutant):
    """`make mutants` shows that each is caught; that it still finds its place in the code shows here, at no cost."""
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.new != mutant.old
    file, test = mutant.caught_by.split("::")
    assert f"def {test.split('[')[0]}(" in (ROOT / file).read_text()


def test_names_are_unique():
    assert max(Counter(mutant.name for mutant in MUTANTS).values()) == 1
