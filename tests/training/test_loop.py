import contextlib
import importlib.metadata
import json
import math
import time

import pytest
import torch

from tintype.training import Compute, Plan, TrainingError, launch, loop, train
from training.runs import assert_same_weights, batch, metrics, network, run


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


def test_figures_are_means_over_all_that_is_held_out(tmp_path):
    parts = [({"val_loss": 6.0, "top1": 100.0}, 3), ({"val_loss": 1.0, "top1": 100.0}, 1)]
    run(tmp_path / "some", validate=lambda model, step: parts)
    assert metrics(tmp_path / "some")[-1] == {"step": 10, "val_loss": 7 / 4, "top1": 50.0}
    run(tmp_path / "none", validate=lambda model, step: [])
    assert all("loss" in line for line in metrics(tmp_path / "none"))


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

    before = network().state_dict()
    after = run(tmp_path, steps=3, optimizer=groups, ema=0).state_dict()
    assert torch.equal(before["0.weight"], after["0.weight"])
    assert not torch.equal(before["0.bias"], after["0.bias"])
    assert [group["lr"] for group in made[0].param_groups] == [0.0, pytest.approx(1e-2 / 3)]


def test_clipping_bounds_the_update(tmp_path):
    before = network().state_dict()
    after = run(tmp_path, steps=1, ema=0, clip=1e-3, optimizer=lambda m: torch.optim.SGD(m.parameters())).state_dict()
    change = torch.cat([(after[k] - before[k]).flatten() for k in before]).norm()
    assert float(change) == pytest.approx(1e-2 * 1e-3, rel=1e-3)


def test_bf16_trains_with_weights_in_float32(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "precision_on", lambda device, wanted: wanted)
    seen = []

    def note(step, loss):
        seen.append(torch.is_autocast_enabled("cpu"))
        return loss

    trained = run(tmp_path, steps=2, precision="bf16", on_loss=note)
    assert seen == [True, True]
    assert {p.dtype for p in trained.parameters()} == {torch.float32}


def _plain_sgd(model):
    return torch.optim.SGD(model.parameters())


@pytest.mark.parametrize("parts", [2, 4, 8])
def test_a_batch_in_parts_makes_the_updates_of_the_whole_batch(tmp_path, parts):
    how = {"optimizer": _plain_sgd, "dropout": 0.0, "steps": 4}
    whole = run(tmp_path / "whole", **how).state_dict()
    in_parts = run(tmp_path / "parts", **how, compute=Compute(accumulate=parts)).state_dict()
    for name, value in whole.items():
        torch.testing.assert_close(in_parts[name], value, rtol=1e-5, atol=1e-7)
    losses = [[line["loss"] for line in metrics(tmp_path / which) if "loss" in line] for which in ("whole", "parts")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_batch_that_cannot_be_parted_is_refused(tmp_path):
    with pytest.raises(TrainingError, match=r"^8 images for each process cannot be parted into 3$"):
        run(tmp_path, compute=Compute(accumulate=3))


def test_each_part_is_told_its_place_in_the_joint_batch(tmp_path):
    places = []

    def loss(model, images, step, first):
        places.append((step, first, len(images)))
        torch.testing.assert_close(images, batch(step - 1)[first : first + len(images)])
        return model(images).square().mean()

    train(
        launch(),
        model := network(),
        _plain_sgd(model),
        tmp_path,
        Plan(steps=2, seed=0),
        batches=lambda start: (batch(step) for step in range(start, 2)),
        loss=loss,
        learning_rate=lambda step: 1e-2,
        validate=lambda model, step: {},
        compute=Compute(accumulate=2),
    )
    assert places == [(1, 0, 4), (1, 4, 4), (2, 0, 4), (2, 4, 4)]


def test_where_channels_lie_in_memory_changes_the_updates_by_rounding_only(tmp_path):
    how = {"optimizer": _plain_sgd, "dropout": 0.0, "steps": 4}
    last = run(tmp_path / "last", **how)
    first = run(tmp_path / "first", **how, compute=Compute(channels_last=False))
    assert last[3].weight.is_contiguous(memory_format=torch.channels_last)
    assert first[3].weight.is_contiguous()
    for name, value in first.state_dict().items():
        torch.testing.assert_close(last.state_dict()[name], value, rtol=1e-5, atol=1e-7)


def test_a_compiled_network_makes_the_same_updates_and_checkpoints(tmp_path, monkeypatch):
    compiled = []
    compile = torch.compile  # the whole compiler takes half a minute here; what is ours is what is compiled and kept
    monkeypatch.setattr(torch, "compile", lambda model: (compiled.append(model), compile(model, backend="eager"))[1])
    how = {"optimizer": _plain_sgd, "dropout": 0.0, "steps": 4}
    plain = run(tmp_path / "plain", **how).state_dict()
    fast = run(tmp_path / "fast", **how, compute=Compute(compile=True)).state_dict()
    assert len(compiled) == 1
    assert_same_keys_and_close(fast, plain)
    run(tmp_path / "fast", **how | {"steps": 6}, resume=True)


def assert_same_keys_and_close(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-5, atol=1e-7)


def test_what_made_the_loss_infinite_is_written_down(tmp_path):
    def poison(step, loss):
        return loss * math.nan if step == 5 else loss

    with pytest.raises(TrainingError, match=r"at step 5; .*; what it was shown is listed in .*nan-batch.txt\. A lower"):
        run(tmp_path, on_loss=poison, names=lambda step: [f"{step}/a.jpg", f"{step}/b.jpg"])
    assert (tmp_path / "nan-batch.txt").read_text().splitlines() == [
        "# step 5, process 0: loss nan",
        "5/a.jpg",
        "5/b.jpg",
        "# step 4, process 0: the step before",
        "4/a.jpg",
        "4/b.jpg",
    ]


def test_names_that_cannot_be_told_do_not_hide_what_went_wrong(tmp_path):
    def names(step):
        raise OSError("gone")

    with pytest.raises(TrainingError, match=r"the loss became nan at step 1; there is no checkpoint yet; what it was"):
        run(tmp_path, on_loss=lambda step, loss: loss * math.nan, names=names)
    assert (tmp_path / "nan-batch.txt").read_text().splitlines()[1] == "# cannot be told: gone"


def test_a_damaged_checkpoint_never_pushes_out_a_good_one(tmp_path):
    whole = run(tmp_path / "whole")
    run(tmp_path / "run", steps=8, keep=2)
    folder = tmp_path / "run/checkpoints"
    (folder / "step-0000008.pt").write_bytes(b"damage")
    (folder / ".step-0000012.pt.tmp").write_bytes(b"half")
    with pytest.raises(PowerCut):  # after the checkpoint of step 6, which is older than the damaged one
        run(tmp_path / "run", resume=True, keep=1, checkpoint_every=6, on_loss=cut_power_at(7))
    assert sorted(path.name for path in folder.iterdir()) == ["step-0000006.pt", "step-0000008.pt.damaged"]
    assert_same_weights(run(tmp_path / "run", resume=True), whole)


def test_a_disk_that_fills_up_ends_the_run_in_one_line_and_keeps_the_last_checkpoint(small_disk, tmp_path):
    whole = run(tmp_path / "whole")
    folder = small_disk / "run"
    filler = small_disk / "filler"

    def fill(step, loss):
        if step == 6:
            with filler.open("wb") as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(4096))
                    file.flush()
        return loss

    with pytest.raises(OSError, match="No space left on device"):
        run(folder, on_loss=fill, log_every=100)
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["step-0000004.pt"]
    filler.unlink()
    assert_same_weights(run(folder, resume=True), whole)


def test_every_start_is_recorded(tmp_path):
    run(tmp_path, steps=4, facts={"photographs": "10"})
    run(tmp_path, steps=8, facts={"photographs": "10"}, resume=True, compute=Compute(accumulate=2))
    first, second = [json.loads(line) for line in (tmp_path / "sessions.jsonl").read_text().splitlines()]
    for name, value in {"step": 0, "seed": 1, "precision": "fp32", "processes": 1, "photographs": "10"}.items():
        assert first[name] == value
    assert (second["step"], second["accumulate"], first["accumulate"]) == (4, 2, 1)
    assert first["versions"]["torch"] == importlib.metadata.version("torch")
    assert first["host"]["name"]
    assert "matrix_flops_per_second" not in first  # on a CPU it is not measured


def test_on_a_gpu_the_share_of_the_peak_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "_peak", lambda device, plan: 1e9)  # as if this were one
    run(tmp_path, steps=6, dropout=0.0)
    (session,) = [json.loads(line) for line in (tmp_path / "sessions.jsonl").read_text().splitlines()]
    assert session["matrix_flops_per_second"] == 1e9
    # Three convolutions over 8 x 8 pixels, forward and twice back, but for the gradient of the input.
    flops = 2 * 64 * (9 * 8 * 2 + 9 * 8 * 8 * 3 + 8 * 3)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    for line in (line for line in lines if "loss" in line):
        assert line["share_of_peak"] == pytest.approx(line["images_per_second"] * flops / 1e9, rel=0.02, abs=1e-4)
        assert 0 <= line["waiting_for_data"] <= 1


def test_counting_what_a_step_computes_changes_nothing(tmp_path, monkeypatch):
    plain = run(tmp_path / "plain")
    monkeypatch.setattr(loop, "_peak", lambda device, plan: 1e9)
    assert_same_weights(run(tmp_path / "counted"), plain)


def test_slow_data_shows_as_waiting(tmp_path):
    def slow(start):
        for step in range(start, 3):
            time.sleep(0.2)
            yield batch(step)

    train(
        launch(),
        model := network(),
        _plain_sgd(model),
        tmp_path,
        Plan(steps=3, seed=0),
        batches=slow,
        loss=lambda model, images, step, first: model(images).square().mean(),
        learning_rate=lambda step: 1e-2,
        validate=lambda model, step: {},
    )
    first = (tmp_path / "metrics.jsonl").read_text().splitlines()[0]
    assert json.loads(first)["waiting_for_data"] > 0.5
