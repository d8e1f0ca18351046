import json

import pytest

from carvana.errors import UserError
from carvana.geometry import SMALL
from carvana.grading.score_table import COLUMNS, format_table, read_scores, write_scores
from carvana.grading.scores import ScoreEntry, score
from carvana.reading import read_rows
from carvana.text import NOT_AVAILABLE
from tests.grading.tables import HIDDEN, TRAINING


def test_files_and_table_show_every_row(tmp_path, tables):
    rows = [
        score(ScoreEntry("model", "ternausnet", *tables), TRAINING, HIDDEN, SMALL),
        score(ScoreEntry("ensemble", "ensemble", tables[0], ()), TRAINING, None, SMALL),
    ]
    write_scores(rows, tmp_path / "scores.json", tmp_path / "scores.csv")
    stored = json.loads((tmp_path / "scores.json").read_text())
    for values in (stored, read_rows(tmp_path / "scores.csv")):
        assert [list(row) for row in values] == [list(COLUMNS)] * 2
        assert [row["name"] for row in values] == ["ternausnet", "ensemble"]
        assert float(values[0]["out_of_fold"]) == rows[0].out_of_fold
        assert values[1]["public"] == NOT_AVAILABLE
    assert read_scores(tmp_path / "scores.json") == rows
    lines = format_table(rows).splitlines()
    assert lines[0].split() == ["level", "name", "out_of_fold", "public", "private", "images", "notes"]
    assert lines[1].split() == ["model", "ternausnet", "0.833333", "0.500000", "0.833333", "3", "[1]", "[2]"]
    assert lines[2].split() == ["ensemble", "ensemble", "0.833333", *NOT_AVAILABLE.split() * 2, "3", "[1]", "[2]"]
    assert lines[3:] == [
        "[1] each network was selected on its fold: out_of_fold is optimistic",
        "[2] small geometry: cannot be submitted",
    ]


@pytest.mark.parametrize("text", ["", "{}x", "[1]", '[{"level": "model"}]'])
def test_damaged_scores_are_refused(tmp_path, text):
    (tmp_path / "scores.json").write_text(text)
    with pytest.raises(UserError, match="`snakemake score` again"):
        read_scores(tmp_path / "scores.json")
