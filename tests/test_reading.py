import csv

import pytest
import yaml

from carvana.errors import UserError
from carvana.files import write_json, write_table
from carvana.reading import read_json, read_rows, read_yaml, readable


def test_what_was_written_is_read(tmp_path):
    write_json(tmp_path / "a.json", {"a": "é"})
    write_table(tmp_path / "a.csv", ("a", "b"), [(1, "é"), (2, "y,z")])
    (tmp_path / "a.yaml").write_text("a: é\n", encoding="utf-8")
    assert read_json(tmp_path / "a.json") == read_yaml(tmp_path / "a.yaml") == {"a": "é"}
    assert read_rows(tmp_path / "a.csv") == [{"a": "1", "b": "é"}, {"a": "2", "b": "y,z"}]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FileNotFoundError(2, "No such file or directory", "x.json"), "No such file or directory"),
        (OSError("broken"), "broken"),
        (KeyError("fold"), "'fold' is missing"),
        (IndexError("list index out of range"), "list index out of range"),
        (TypeError("no number"), "no number"),
        (AttributeError("no items"), "no items"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "'utf-8' codec can't decode byte 0xff"),
        (csv.Error("unexpected end of data"), "unexpected end of data"),
        (yaml.YAMLError("a tab\n  in line 1"), "a tab in line 1"),
    ],
)
def test_whatever_fails_is_the_files_fault_and_has_a_remedy(tmp_path, error, told):
    with pytest.raises(UserError) as caught, readable(tmp_path / "x.json", "make it again"):
        raise error
    assert str(caught.value).startswith(f"{tmp_path / 'x.json'} cannot be read ({told}")
    assert str(caught.value).endswith("); make it again")


def test_what_is_told_already_and_what_has_no_such_cause_passes(tmp_path):
    for error in (UserError("no folds"), AssertionError(), MemoryError()):
        with pytest.raises(type(error)) as caught, readable(tmp_path, "make it again"):
            raise error
        assert caught.value is error
