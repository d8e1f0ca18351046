"""`score_at_kaggle` from files to records, against the stand-in."""

import csv
import gzip
import json

import pytest

from carvana.errors import UserError
from carvana.geometry import SMALL
from carvana.leaderboard.run import score_at_kaggle
from carvana.submission.mask_table import sample_names
from tests.leaderboard.conftest import SLUG


@pytest.fixture
def at_kaggle(start, drawn, ledger, tmp_path, monkeypatch):
    """A function that scores files; the credentials are in a file that others can read."""
    server, _ = start(pending_polls=0)
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / ".kaggle" / "kaggle.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"username": server.user, "key": server.key}))
    path.chmod(0o644)
    names = sample_names(drawn / "sample_submission.csv")
    return server, lambda **files: score_at_kaggle(files, names, SMALL.image_size, SLUG, "released", ledger)


def test_each_part_has_its_own_score_and_readable_credentials_are_told(at_kaggle, drawn, tmp_path, capsys):
    """Every mask of a private image is left empty."""
    path = tmp_path / "ensemble.csv.gz"
    with (drawn / "solution.csv").open(newline="") as stream, gzip.open(path, "wt") as packed:
        packed.write("img,rle_mask\n")
        for row in csv.DictReader(stream):
            packed.write(f"{row['img']},{'' if row['usage'] == 'Private' else row['rle_mask']}\n")
    (record,) = at_kaggle[1](ensemble=path)
    assert (record.name, record.public, record.private, record.file) == ("ensemble", 1.0, 0.0, path.name)
    assert "can be read by other users of this machine" in capsys.readouterr().err


def test_none_is_sent_where_one_is_wrong(at_kaggle, perfect, tmp_path):
    server, scored = at_kaggle
    wrong = tmp_path / "ternaus.csv"
    wrong.write_text("img,rle_mask\n")
    with pytest.raises(UserError, match="is not a valid submission"):
        scored(ensemble=perfect, ternaus=wrong)
    assert sum(server.requests.values()) == 0
