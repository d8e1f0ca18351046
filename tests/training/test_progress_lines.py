from carvana.training.callbacks import EpochRecord, Phase, StepRecord
from carvana.training.progress_lines import ProgressLines
from carvana.training.stopwatch import EpochTimings, Stopwatch, work

STEPS: list[tuple[Phase, int, int]] = [("train", 0, 10), ("train", 1, 10), ("valid", 0, 4)]


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def run(interval, capsys):
    """Two epochs of two training batches (10 s each) and a validation batch (4 s), of two images each."""
    time = Clock()
    stopwatch = Stopwatch(time)
    progress = ProgressLines("ternausnet fold 0", 2, 2 * work(4, 2), stopwatch, interval)
    for epoch in range(2):
        for phase, number, seconds in STEPS:
            time.now += seconds
            record = StepRecord(epoch, phase, number, ("a", "b"), {"loss": 0.5, "dice": 0.9})
            stopwatch.step(record)
            progress.step(record)
        stopwatch.epoch()
        progress.epoch(EpochRecord(epoch, epoch, 1e-4, {"loss": 0.25}, {"loss": 0.5, "dice": 0.981}, epoch == 0))
    return stopwatch, capsys.readouterr().err.splitlines()


def test_a_line_per_epoch(capsys):
    stopwatch, lines = run(1000, capsys)
    assert lines == [
        "[ternausnet fold 0] epoch 1/2 loss 0.2500 dice 0.9810 0.2 images/s 0:24 left *",
        "[ternausnet fold 0] epoch 2/2 loss 0.2500 dice 0.9810 0.2 images/s 0:00 left",
    ]
    assert stopwatch.epochs == [EpochTimings(20.0, 4.0, 4, 2)] * 2
    assert stopwatch.seconds == 48.0


def test_lines_within_a_long_epoch(capsys):
    _, lines = run(15, capsys)
    assert lines[0].startswith("[ternausnet fold 0] epoch 1/2 training batch 2 loss 0.5000 dice 0.9000 0.2 images/s")
    assert len(lines) == 4


def test_replays_are_timed_and_not_work_that_is_planned():
    time = Clock()
    stopwatch = Stopwatch(time)
    time.now += 5
    stopwatch.step(StepRecord(0, "replay", 0, ("a",), {"loss": 1.0}))
    assert (stopwatch.work, stopwatch.current) == (0, EpochTimings(5.0, 0.0, 1, 0))
