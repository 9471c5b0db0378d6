import json

from tintype.training.log import Log, cut_metrics


def test_lines_beyond_the_resumed_step_and_half_lines_are_cut(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 2, "loss": 1.0}\n{"step": 4, "loss": 1.0}\n{"step": 6, "loss": 1.0}\n{"step": 4, "lo')
    cut_metrics(path, 4)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [2, 4]


def test_metrics_are_one_object_for_each_line(tmp_path):
    log = Log(tmp_path, 0, 10)
    log.metrics(1, loss=2.5, lr=0.1)
    log.metrics(1, val_loss=3.0)
    log.close()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines == [{"step": 1, "loss": 2.5, "lr": 0.1}, {"step": 1, "val_loss": 3.0}]
    assert list(tmp_path.glob("events.*"))


def test_only_the_first_process_writes(tmp_path):
    log = Log(tmp_path, 0, 10, main=False)
    log.metrics(1, loss=2.5)
    log.progress(10, 1.0, 1.0, 1.0)
    log.say("something")
    log.close()
    assert not list(tmp_path.iterdir())


def test_without_a_terminal_progress_is_a_plain_line_now_and_then(tmp_path, capsys):
    log = Log(tmp_path, 0, 1000)
    for step in range(1, 100):
        log.progress(step, 0.5, 12.0, 2.0)
    log.close()
    printed = capsys.readouterr().err.splitlines()
    assert printed == ["step 1/1000  loss 0.5  12 images/s  33:18 left"]
