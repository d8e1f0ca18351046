import json

import pytest

from carvana.errors import UserError
from carvana.leaderboard.record import Scored, read_scored, write_scored

RECORD = Scored("albu", "drawn-cars", 7, 0.91, 0.92, "2017-09-27T00:00:00", "d", "albu.csv.gz", "0" * 64)


def test_records_are_read_as_they_were_written(tmp_path):
    write_scored(tmp_path / "leaderboard.json", [RECORD])
    assert read_scored(tmp_path / "leaderboard.json") == [RECORD]
    assert json.loads((tmp_path / "leaderboard.json").read_text())[0]["private"] == 0.92


@pytest.mark.parametrize("text", ["", "{", "[{}]"])
def test_a_damaged_file_is_told(tmp_path, text):
    (tmp_path / "leaderboard.json").write_text(text)
    with pytest.raises(UserError, match="run `snakemake leaderboard` again"):
        read_scored(tmp_path / "leaderboard.json")
