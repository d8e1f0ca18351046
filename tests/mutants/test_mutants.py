from collections import Counter

import pytest

from tests.mutants.mutants import MUTANTS
from tests.mutants.run import ROOT, copy_code, run_python
from tests.pages import prose

# Names of the faults with which the code is still the one that docs/conformance.md was measured on.
UNSEEN = """
from pathlib import Path
from carvana import provenance, recipe_files
from carvana.verification.conformance import measured_code
from tests.mutants.mutants import MUTANTS

def code():
    for cached in (*vars(provenance).values(), *vars(recipe_files).values()):
        getattr(cached, "cache_clear", lambda: None)()
    return measured_code()

present = code()
for mutant in MUTANTS:
    path = Path(mutant.file)
    text = path.read_text()
    path.write_text(text.replace(mutant.old, mutant.new))
    if code() == present:
        print(mutant.name)
    path.write_text(text)
"""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_can_be_planted(mutant):
    """`make mutants` shows that each is caught; that it still finds its place in the code shows here, at no cost."""
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.new != mutant.old


def test_the_tests_that_are_to_catch_the_faults_are_there():
    """With their parameters, whose names change easily."""
    tests = {mutant.caught_by for mutant in MUTANTS}
    collected = run_python(ROOT, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", *sorted(tests))
    assert collected.returncode == 0, collected.stderr


def test_names_are_unique():
    assert max(Counter(mutant.name for mutant in MUTANTS).values()) == 1


@pytest.mark.slow
def test_verify_fails_with_any_fault_whether_or_not_a_score_moves(tmp_path):
    copy_code(tmp_path)
    done = run_python(tmp_path, "-c", UNSEEN)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
    assert f"each of the {len(MUTANTS)} faults of `make mutants`" in prose("scoring.md")
