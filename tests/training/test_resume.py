"""A training that was stopped, killed or spoilt on the way ends as one that was not, bit for bit."""

import json
import re
from dataclasses import replace

import pytest
import torch

from carvana.errors import Interrupted, UserError
from carvana.interruption import Interruption
from tests.services import UNREADABLE
from tests.training.stopped import EPOCHS, Training, assert_same, batch, states

# Between them: all optimizers, a renewal every epoch and one in mid-run, hard negatives, accumulated gradients, moving
# statistics in validation.
MODELS = ["ternausnet", "linknet34_fma_s44", "linknet34_f04a_clahe_rmsprop", "unet_scratch", "unet_vgg11"]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, one_thread):
    return {model: Training(model, tmp_path_factory.mktemp(model)).run() for model in MODELS}


@pytest.mark.parametrize("model", MODELS)
def test_a_training_that_is_stopped_all_the_time_ends_the_same(model, undisturbed, tmp_path):
    stops = 0
    while True:
        training = Training(model, tmp_path)
        try:
            # 2, then 3, then 2, ... batches, so that training, validation and epochs' ends are all hit.
            ended = training.run(stop_after=2 + stops % 2)
            break
        except Interrupted:
            stops += 1
    assert stops > 10
    assert_same(ended, undisturbed[model])


@pytest.mark.parametrize("model", ["linknet34_fma_s44", "unet_vgg11"])
def test_a_state_saved_in_passing_is_as_good(model, undisturbed, tmp_path):
    """Nobody announces a kill: whatever was saved last counts, and what came after it is done again."""

    class KilledError(Exception):
        pass

    kills = left = 0

    def kill():
        nonlocal left
        left -= 1
        if not left:
            raise KilledError

    while True:
        training = Training(model, tmp_path, seconds=0)
        left = 4
        try:
            ended = training.run(at_rest=kill)
            break
        except KilledError:
            kills += 1
    assert kills > 5
    assert_same(ended, undisturbed[model])


def test_batches_that_were_trained_on_are_not_loaded_again(tmp_path):
    with pytest.raises(Interrupted):
        Training("unet_scratch", tmp_path).run(stop_after=5)
    again = Training("unet_scratch", tmp_path)
    again.run()
    assert again.loaded == [(0, 5), (1, 0), (2, 0)]


def test_where_it_continues_is_said(tmp_path, capsys):
    for stop_after, told in ((4, "epoch 1, training batch 5"), (4, "epoch 1, validation batch 3")):
        with pytest.raises(Interrupted):
            Training("unet_scratch", tmp_path).run(stop_after=stop_after)
        Training("unet_scratch", tmp_path).session.go_on()
        assert f"[unet_scratch] continues from {told}\n" in capsys.readouterr().err
    with pytest.raises(Interrupted):
        Training("unet_scratch", tmp_path).run(stop_after=2)
    Training("unet_scratch", tmp_path).session.go_on()
    assert "continues from the beginning of epoch 2\n" in capsys.readouterr().err


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) * 3 // 4] ^= 1
    path.write_bytes(content)


def delete(path):
    path.unlink()


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
@pytest.mark.parametrize("spoil", [truncate, flip_a_bit, delete])
def test_a_spoilt_state_is_told_and_the_one_before_is_used(spoil, suffix, undisturbed, tmp_path):
    with pytest.raises(Interrupted):
        Training("unet_vgg11", tmp_path, seconds=0).run(stop_after=12)
    before, newest = (path for path in states(tmp_path) if path.suffix == suffix)
    spoil(newest)
    training = Training("unet_vgg11", tmp_path)
    assert_same(training.run(), undisturbed["unet_vgg11"])
    assert len(training.said) == 1
    assert re.match(rf"saved state {int(newest.stem[6:])} cannot be used \(.+\); going back", training.said[0])
    assert before.name != newest.name


def test_spoilt_weights_that_a_state_needs_spoil_the_state(tmp_path):
    with pytest.raises(Interrupted):
        Training("unet_vgg11", tmp_path, seconds=0).run(stop_after=12)
    flip_a_bit(next(tmp_path.glob("best-*")))
    training = Training("unet_vgg11", tmp_path)
    training.session.go_on()
    assert "best-0001.safetensors is damaged" in training.said[0]


def test_a_state_on_a_disk_that_does_not_answer_is_told_and_nothing_is_trained_again(undisturbed, tmp_path):
    with pytest.raises(Interrupted):
        Training("unet_vgg11", tmp_path).run(stop_after=8)
    newest = states(tmp_path)[-1].with_suffix(".json")
    whole = newest.rename(tmp_path / "whole")
    newest.symlink_to(UNREADABLE)
    with pytest.raises(UserError, match=r"saved state \d+ .* cannot be read \(Input/output error\): have it readable"):
        Training("unet_vgg11", tmp_path).run()
    whole.replace(newest)
    assert_same(Training("unet_vgg11", tmp_path).run(), undisturbed["unet_vgg11"])


def test_when_every_state_is_spoilt_the_training_begins_anew(undisturbed, tmp_path):
    with pytest.raises(Interrupted):
        Training("unet_vgg11", tmp_path, seconds=0).run(stop_after=6)
    for path in states(tmp_path):
        truncate(path)
    training = Training("unet_vgg11", tmp_path)
    assert_same(training.run(), undisturbed["unet_vgg11"])
    assert len(training.said) == 2


def test_two_states_are_kept_and_the_weights_that_they_need(tmp_path):
    with pytest.raises(Interrupted):
        Training("unet_vgg11", tmp_path, seconds=0).run(stop_after=14)
    assert [path.suffix for path in states(tmp_path)] == [".json", ".safetensors"] * 2
    needed = {name for path in tmp_path.glob("state-*.json") for name in json.loads(path.read_text())["body"]["files"]}
    assert {path.name for path in tmp_path.iterdir()} == needed | {path.name for path in tmp_path.glob("state-*.json")}


def test_a_state_that_does_not_read_back_leaves_the_one_before(tmp_path, monkeypatch):
    """A disk that loses what it confirmed."""
    training = Training("unet_vgg11", tmp_path, seconds=0)
    with pytest.raises(Interrupted):
        training.run(stop_after=6)
    kept = states(tmp_path)
    monkeypatch.setattr("carvana.training.checkpoints._drop_from_memory", truncate)
    with pytest.raises(UserError, match="does not read back"):
        Training("unet_vgg11", tmp_path, seconds=0).run()
    monkeypatch.undo()
    assert set(kept) < set(states(tmp_path))
    after = Training("unet_vgg11", tmp_path)
    after.session.go_on()
    assert after.session.state.place.batches == training.session.state.place.batches


def test_a_loss_that_is_not_a_number_names_the_images_and_keeps_the_last_good_state(tmp_path):
    broken = batch(3)
    broken.images_N3HW[1, 0, 0, 0] = float("nan")
    batches = [[batch(1), batch(2), broken]] * EPOCHS
    with pytest.raises(UserError, match=r"loss is nan in epoch 1 on the images image 3, image 3; the last good state"):
        Training("linknet34_fma_s44", tmp_path, seconds=0, batches=batches).run()
    mended = Training("linknet34_fma_s44", tmp_path, batches=[[batch(1), batch(2), batch(3)]] * EPOCHS)
    mended.session.go_on()
    assert mended.session.state.place.batches == 2
    assert all(parameter.isfinite().all() for parameter in mended.session.state.network.parameters())


def test_weights_that_are_not_finite_are_no_state(tmp_path):
    training = Training("linknet34_fma_s44", tmp_path, seconds=0)
    with torch.no_grad():
        next(training.session.state.network.parameters()).fill_(float("nan"))
    with Interruption() as interruption:
        training.session.rest("epoch", interruption)
    assert states(tmp_path) == []


def test_states_are_saved_at_intervals_and_behind_epochs(tmp_path):
    now = 0.0
    training = Training("unet_scratch", tmp_path, seconds=30)
    training.session = replace(training.session, clock=lambda: now)
    saved = []

    def note():
        nonlocal now
        now += 10
        saved.append(len(states(tmp_path)) and states(tmp_path)[-1].stem)

    training.run(at_rest=note)
    # Every fourth batch (the clock starts at 0 and a batch takes 10 s), and behind the epoch; then the count restarts.
    changes = [number for number in range(1, len(saved)) if saved[number] != saved[number - 1]]
    assert changes[:4] == [3, 6, 9, 12]


def test_states_hold_nothing_that_could_be_executed(tmp_path):
    with pytest.raises(Interrupted):
        Training("linknet34_fma_s44", tmp_path).run(stop_after=3)
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json"}
    for path in tmp_path.glob("*.safetensors"):
        # An 8-byte length and JSON; no pickle, no zip.
        content = path.read_bytes()
        json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])


def test_nothing_depends_on_pytorchs_global_generator(undisturbed, tmp_path):
    """So none has to be saved."""
    training = Training("linknet34_fma_s44", tmp_path)
    torch.manual_seed(12345)
    before = torch.get_rng_state()
    assert_same(training.run(), undisturbed["linknet34_fma_s44"])
    assert torch.equal(torch.get_rng_state(), before)
