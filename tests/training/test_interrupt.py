"""A run that is asked to stop."""

import os
import signal

import pytest

from tintype.training import Interrupted
from training.runs import assert_same_weights, metrics, run


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


def test_a_run_asked_to_stop_while_it_is_validated_stops_between_two_batches_and_goes_on_exactly(tmp_path):
    calls = []

    def validate(model, step):
        for number in range(5):
            calls.append((step, number))
            if (step, number) == (6, 2):
                os.kill(os.getpid(), signal.SIGTERM)
            yield {"val_loss": float(number)}, 1

    with pytest.raises(Interrupted) as stopped:
        run(tmp_path / "stopped", validate=validate, validate_every=3)
    assert calls[5:] == [(6, 0), (6, 1), (6, 2)]
    assert stopped.value.checkpoint.name == "step-0000006.pt"
    assert [line["step"] for line in metrics(tmp_path / "stopped") if "val_loss" in line] == [3]
    assert_same_weights(run(tmp_path / "stopped", resume=True), run(tmp_path / "whole"))


def test_a_run_asked_to_stop_before_it_is_validated_does_not_wait_for_that(tmp_path):
    def stop_at_5(step, value):
        if step == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        return value

    with pytest.raises(Interrupted):
        run(tmp_path, on_loss=stop_at_5, validate_every=5, validate=lambda model, step: pytest.fail("was validated"))


def test_a_second_sigterm_changes_nothing_and_a_second_ctrl_c_ends_at_once(tmp_path):
    def twice(number):
        def stop_at_5(step, value):
            if step == 5:
                os.kill(os.getpid(), signal.SIGTERM)
                os.kill(os.getpid(), number)
            return value

        return stop_at_5

    with pytest.raises(Interrupted) as stopped:
        run(tmp_path / "cluster", on_loss=twice(signal.SIGTERM))
    assert stopped.value.checkpoint.name == "step-0000005.pt"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "hurry", on_loss=twice(signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, before)
