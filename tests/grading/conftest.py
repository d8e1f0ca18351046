import pytest

from tests.grading.tables import table


@pytest.fixture
def tables(tmp_path):
    oof = (table(tmp_path / "o1.csv", c="", a="3 4"), table(tmp_path / "o2.csv", b="11 2"))
    test = (table(tmp_path / "t.csv", q="1 2", x="9 9", p="2 2", r="5 10"),)
    return oof, test
