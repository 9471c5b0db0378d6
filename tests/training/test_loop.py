import json
import math
import os
import signal

import pytest
import torch

from tintype.training import Interrupted, TrainingError
from training.runs import run


def metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("images_per_second", "waiting_for_data")} for line in lines]


def assert_same_weights(a, b):
    for (name, x), (other, y) in zip(a.state_dict().items(), b.state_dict().items(), strict=True):
        assert name == other
        assert torch.equal(x, y), name


class PowerCut(BaseException):
    """Ends a run as a kill does: nothing in the loop may catch it to save something."""


def cut_power_at(step):
    def on_loss(now, value):
        if now == step:
            raise PowerCut
        return value

    return on_loss


def test_a_run_that_was_cut_off_and_resumed_ends_as_one_that_never_was(tmp_path):
    whole = run(tmp_path / "whole")
    with pytest.raises(PowerCut):
        run(tmp_path / "cut", on_loss=cut_power_at(7))
    assert [p.name for p in (tmp_path / "cut/checkpoints").iterdir()] == ["step-0000004.pt"]
    assert_same_weights(run(tmp_path / "cut", resume=True), whole)
    assert metrics(tmp_path / "cut") == metrics(tmp_path / "whole")


def test_a_run_cut_off_before_its_first_checkpoint_starts_over(tmp_path):
    whole = run(tmp_path / "whole")
    with pytest.raises(PowerCut):
        run(tmp_path / "cut", on_loss=cut_power_at(2))
    assert_same_weights(run(tmp_path / "cut", resume=True), whole)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path, caplog):
    whole = run(tmp_path / "whole")
    run(tmp_path / "damaged", steps=8)
    last = tmp_path / "damaged/checkpoints/step-0000008.pt"
    last.write_bytes(last.read_bytes()[:300])
    assert_same_weights(run(tmp_path / "damaged", resume=True), whole)
    assert "step-0000008.pt: damaged checkpoint" in caplog.text


def test_a_run_with_only_damaged_checkpoints_is_not_quietly_started_over(tmp_path):
    run(tmp_path, steps=4)
    (tmp_path / "checkpoints/step-0000004.pt").write_bytes(b"damage")
    with pytest.raises(TrainingError, match=r"cannot resume: .*step-0000004.pt: damaged checkpoint"):
        run(tmp_path, resume=True)


def test_a_finished_run_can_be_made_longer(tmp_path):
    run(tmp_path / "short", steps=6)
    assert_same_weights(run(tmp_path / "short", steps=10, resume=True), run(tmp_path / "long", steps=10))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_asked_to_stop_writes_a_checkpoint_and_goes_on_exactly(tmp_path, number):
    def stop_at_5(step, value):
        if step == 5:
            os.kill(os.getpid(), number)
        return value

    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as stopped:
        run(tmp_path / "stopped", on_loss=stop_at_5)
    assert (stopped.value.signal, stopped.value.step) == (number, 5)
    assert stopped.value.checkpoint.name == "step-0000005.pt"
    assert stopped.value.checkpoint.exists()
    assert signal.getsignal(number) == before
    assert_same_weights(run(tmp_path / "stopped", resume=True), run(tmp_path / "whole"))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_good_checkpoint(tmp_path, value):
    def poison(step, loss):
        return loss * value if step == 7 else loss

    with pytest.raises(TrainingError, match=r"at step 7; the last good checkpoint is .*step-0000004.pt"):
        run(tmp_path, on_loss=poison)
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-0000004.pt"]


def test_weights_that_are_not_finite_are_never_kept(tmp_path):
    class Poison(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad * math.nan

    with pytest.raises(TrainingError, match="weights are not finite after step 8"):
        run(tmp_path, on_loss=lambda step, loss: Poison.apply(loss) if step == 8 else loss)
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-0000004.pt"]


def test_a_run_cannot_be_resumed_on_other_data(tmp_path):
    run(tmp_path, steps=4, facts={"photographs": "10"})
    with pytest.raises(TrainingError, match="photographs was 10, and is now 11"):
        run(tmp_path, resume=True, facts={"photographs": "11"})


def test_logged_loss_is_the_mean_since_the_line_before(tmp_path):
    losses = {}

    def note(step, loss):
        losses[step] = loss.item()
        return loss

    run(tmp_path, steps=6, on_loss=note, checkpoint_every=6)
    lines = [line for line in metrics(tmp_path) if "loss" in line]
    assert [line["step"] for line in lines] == [3, 6]
    assert lines[0]["loss"] == pytest.approx(sum(losses[i] for i in (1, 2, 3)) / 3, rel=1e-5)
    assert lines[1]["loss"] == pytest.approx(sum(losses[i] for i in (4, 5, 6)) / 3, rel=1e-5)
    assert lines[1]["lr"] == pytest.approx(1e-2 / 6)


def test_groups_get_the_learning_rate_times_their_factor(tmp_path):
    made = []

    def groups(model):
        first, *rest = model.parameters()
        made.append(torch.optim.SGD([{"params": [first], "factor": 0.0}, {"params": rest, "factor": 1.0}], lr=7.0))
        return made[0]

    from training.runs import network

    before = network().state_dict()
    after = run(tmp_path, steps=3, optimizer=groups, ema=0).state_dict()
    assert torch.equal(before["0.weight"], after["0.weight"])
    assert not torch.equal(before["0.bias"], after["0.bias"])
    assert [group["lr"] for group in made[0].param_groups] == [0.0, pytest.approx(1e-2 / 3)]


def test_clipping_bounds_the_update(tmp_path):
    from training.runs import network

    before = network().state_dict()
    after = run(tmp_path, steps=1, ema=0, clip=1e-3, optimizer=lambda m: torch.optim.SGD(m.parameters())).state_dict()
    change = torch.cat([(after[k] - before[k]).flatten() for k in before]).norm()
    assert float(change) == pytest.approx(1e-2 * 1e-3, rel=1e-3)


def test_bf16_trains_with_weights_in_float32(tmp_path):
    seen = []

    def note(step, loss):
        seen.append(torch.is_autocast_enabled("cpu"))
        return loss

    trained = run(tmp_path, steps=2, precision="bf16", on_loss=note)
    assert seen == [True, True]
    assert {p.dtype for p in trained.parameters()} == {torch.float32}
