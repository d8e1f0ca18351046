import csv

from carvana.training.callbacks import EpochRecord
from carvana.training.history import write_history

RECORDS = [
    EpochRecord(0, 1, 1e-4, {"loss": 0.1 + 0.2}, {"loss": 1 / 3, "dice": 0.5}, True),
    EpochRecord(1, 27, 5e-5, {"loss": 0.25}, {"loss": 0.5, "dice": 0.75}, False),
]


def test_history_gives_every_value_back_exactly(tmp_path):
    path = tmp_path / "history.csv"
    write_history(RECORDS, path)
    with path.open(newline="") as stream:
        first, second = csv.DictReader(stream)
    assert list(first) == [
        "epoch",
        "recipe_epoch",
        "learning_rate",
        "train_loss",
        "valid_loss",
        "valid_dice",
        "selected",
    ]
    assert [float(first["train_loss"]), float(first["valid_loss"])] == [0.1 + 0.2, 1 / 3]
    assert (second["epoch"], second["recipe_epoch"], second["selected"]) == ("2", "27", "0")
    assert float(second["learning_rate"]) == 5e-5
