import pytest
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)

from carvana.interruption import Interruption
from carvana.training.callbacks import EpochRecord, StepRecord
from carvana.training.recorder import Recorder
from carvana.weights import read_facts
from tests.training.conditions import small_conditions
from tests.training.stopped import EPOCHS, Training, states

MODEL = "linknet34_fma_s44"
CONDITIONS = small_conditions(MODEL, EPOCHS, fold=1)


def epoch(number, selected):
    return EpochRecord(number, number, 1e-4, {"loss": 0.5}, {"hard_dice": 0.9}, selected)


def curve(folder):
    return [event.step for event in EventAccumulator(str(folder)).Reload().Scalars("valid/hard_dice")]


@pytest.fixture
def session(tmp_path):
    (tmp_path / "state").mkdir()
    return Training(MODEL, tmp_path / "state").session


@pytest.fixture
def recorder_of(tmp_path):
    def made(session, quiet=True):
        folder, events = tmp_path / "state", tmp_path / "events"
        return Recorder(CONDITIONS, session, 100, folder, events, quiet, Interruption())

    return made


def test_the_best_weights_are_kept_and_say_whose_they_are(session, recorder_of, tmp_path):
    recorder = recorder_of(session)
    for number, selected in enumerate((True, True, False)):
        recorder.epoch(epoch(number, selected))
    recorder.close()
    assert session.best == "best-0002.safetensors"
    facts = read_facts(tmp_path / "state" / session.best)
    assert (facts["model"], facts["fold"], facts["epoch"]) == (MODEL, 1, 2)
    assert [record.epoch for record in session.history] == [0, 1, 2]
    assert len(session.stopwatch.epochs) == 3


def test_the_last_epochs_state_is_not_saved(session, recorder_of, tmp_path):
    recorder = recorder_of(session)
    session.state.next_epoch = EPOCHS
    recorder.rest("epoch")
    assert states(tmp_path / "state") == []
    session.state.next_epoch = EPOCHS - 1
    recorder.rest("epoch")
    assert len(states(tmp_path / "state")) == 2


def test_what_an_earlier_process_did_is_drawn_again_and_not_told_again(session, recorder_of, tmp_path, capsys):
    session.history.append(epoch(0, True))
    recorder = recorder_of(session, quiet=False)
    assert capsys.readouterr().err == ""
    recorder.step(StepRecord(1, "train", 0, ("a", "b"), {"loss": 0.5}))
    recorder.epoch(epoch(1, False))
    recorder.close()
    assert curve(tmp_path / "events") == [1, 2]
    assert "epoch 2/3 loss 0.5000 dice 0.9000" in capsys.readouterr().err
    assert (tmp_path / "state" / "progress.json").is_file()
