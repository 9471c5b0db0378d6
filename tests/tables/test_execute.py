import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from tables import small
from tables.small import write_table
from tintype.tables import execute as module
from tintype.tables.collect import agreement, collect, numbers_at
from tintype.tables.execute import Folder, Stopped, execute, shell_line
from tintype.tables.page import page
from tintype.tables.plan import make_plan
from tintype.tables.spec import load_table
from tintype.tables.words import damage, reasons, verdicts


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """A table's plan, with a stand-in for tintype."""
    monkeypatch.setattr(module, "PROGRAM", (sys.executable, small.__file__))
    (tmp_path / "a.tar").touch()
    orders(tmp_path)
    table = load_table(write_table(tmp_path))
    return table, make_plan(table, "mini", {"photos": [str(tmp_path)]}), Folder(tmp_path / "out")


def orders(place, fail=(), sleep=0.0):
    (place / "orders.json").write_text(json.dumps({"fail": list(fail), "sleep": sleep}))


def called(place):
    file = place / "called.txt"
    lines = [line.strip() for line in file.read_text().splitlines()] if file.exists() else []
    file.unlink(missing_ok=True)
    return sorted(lines)


def test_what_is_missing_is_run_and_what_is_there_is_not(planned, tmp_path):
    _, plan, folder = planned
    execute(plan, folder, jobs=2)
    assert called(tmp_path) == sorted(
        ["pretrain larsson17-alexnet-histograms-mini"] + 4 * ["transfer segment-mini"] + 2 * ["transfer low-shot-mini"]
    )
    assert {folder.state(run) for run in plan.runs.values()} == {"done"}
    execute(plan, folder)
    assert called(tmp_path) == []
    folder.result(plan.runs[plan.cells["none", "few"].runs[0]]).unlink()
    execute(plan, folder)
    assert called(tmp_path) == ["transfer low-shot-mini --resume"]


@pytest.mark.parametrize(("jobs", "threads"), [(2, 3), (9, 1)])
def test_runs_side_by_side_share_the_processors_that_may_be_used(planned, monkeypatch, jobs, threads):
    monkeypatch.setattr(module, "cores", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    _, plan, folder = planned
    execute(plan, folder, jobs=jobs)
    assert all(f"threads {threads}\n" in folder.log(run).read_text() for run in plan.runs.values())


def test_what_a_person_says_of_threads_stands(planned, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    _, plan, folder = planned
    execute(plan, folder, jobs=2)
    assert all("threads 5\n" in folder.log(run).read_text() for run in plan.runs.values())


@pytest.mark.parametrize(
    ("jobs", "launch", "cards", "expected"),
    [
        (2, (), "3,5", {"3", "5"}),
        (3, (), "3,5", {"3", "5"}),
        (1, (), "3,5", {"3,5"}),
        (2, ("env",), "3,5", {"3,5"}),  # torchrun takes all
        (2, (), "", {""}),
    ],
)
def test_runs_side_by_side_have_gpus_of_their_own(planned, monkeypatch, tmp_path, jobs, launch, cards, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", cards)
    program = tmp_path / "tintype"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {small.__file__} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    orders(tmp_path, sleep=0.3)
    _, plan, folder = planned
    execute(plan, folder, jobs=jobs, launch=launch)
    logs = [folder.log(run).read_text() for run in plan.runs.values()]
    assert {re.search(r"^cards (.*)$", log, re.MULTILINE)[1] for log in logs} == expected


def test_without_a_word_about_gpus_all_may_be_used(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    assert module.gpus() == ["0", "1", "2"]


def test_the_table_has_means_deviations_and_the_papers_ordering(planned):
    table, plan, folder = planned
    execute(plan, folder, jobs=2)
    built = collect(table, "mini", plan, folder)
    rows = {row["row"]: row for row in built["rows"]}
    assert rows["colour"]["ours"]["seg"]["values"] == [30, 31]
    assert rows["colour"]["ours"]["seg"]["mean"] == 30.5
    assert rows["colour"]["ours"]["seg"]["std"] == pytest.approx(0.5**0.5)
    assert rows["colour"]["not_run"] == {"few": "too slow"}
    assert rows["none"]["published"]["few"] == {"value": 6.7, "margin": 0.5, "mark": "M", "printed": "6.7 ± 0.5"}
    judged = built["expected"][0]["columns"]
    expected = {"below_column": "seg", "gain": 10, "published_gain": pytest.approx(15.7), "separate": True}
    assert judged == {"seg": expected}
    json.dumps(built, allow_nan=False)


def test_a_cell_may_be_expected_above_a_cell_of_another_column(planned):
    table, plan, folder = planned
    execute(plan, folder, jobs=2)
    table = replace(table, expected=(("none", "seg", "none", "few"), ("none", "seg", "theirs", "seg")))
    first, second = collect(table, "mini", plan, folder)["expected"]
    assert first == {
        "above": "none",
        "below": "none",
        "columns": {
            "seg": {"below_column": "few", "gain": 13.0, "published_gain": pytest.approx(13.8), "separate": True}
        },
    }
    assert second["columns"] == {}
    line = verdicts(collect(table, "mini", plan, folder))[0]
    assert line == "random, seg above random, 10 per class: +13.0 (paper +13.8)  yes, every seed"


def test_the_ends_of_whiskers_are_means_over_the_seeds(planned):
    table, plan, folder = planned
    plan.cells["none", "seg"] = cell = replace(plan.cells["none", "seg"], path="median", low="quarter", high="rest.x")
    for seed, name in enumerate(cell.runs):
        folder.result(plan.runs[name]).parent.mkdir(parents=True)
        results = {"median": 5 + seed, "quarter": 2 + seed, "rest": {"x": 9 + seed}}
        folder.result(plan.runs[name]).write_text(json.dumps({"results": results}))
    ours = collect(table, "mini", plan, folder)["rows"][0]["ours"]["seg"]
    assert (ours["mean"], ours["low"], ours["high"]) == (5.5, 2.5, 9.5)


@pytest.mark.parametrize(("best", "value"), [("high", 9.5), ("low", 7.0)])
def test_the_best_of_several_figures_is_taken_where_a_path_has_a_star(planned, best, value):
    table, plan, folder = planned
    table = replace(table, columns={**table.columns, "seg": replace(table.columns["seg"], best=best)})
    plan.cells["none", "seg"] = cell = replace(plan.cells["none", "seg"], path="layers.*.top1")
    layers = {"conv1": {"top1": 7.0}, "conv2": {"top1": 9.5}, "conv3": {"top1": None}, "conv4": {"other": 99.0}}
    for name in cell.runs:
        folder.result(plan.runs[name]).parent.mkdir(parents=True)
        folder.result(plan.runs[name]).write_text(json.dumps({"results": {"layers": layers}}))
    built = collect(table, "mini", plan, folder)
    assert built["rows"][0]["ours"]["seg"]["values"] == [value, value]


def test_a_figure_that_runs_do_not_tell_is_named(planned):
    table, plan, folder = planned
    plan.cells["none", "seg"] = cell = replace(plan.cells["none", "seg"], path="layers.*.map")
    for name in cell.runs:
        folder.result(plan.runs[name]).parent.mkdir(parents=True)
        folder.result(plan.runs[name]).write_text(json.dumps({"results": {"layers": {"conv1": {"top1": 7.0}}}}))
    row = collect(table, "mini", plan, folder)["rows"][0]
    assert "seg" not in row["ours"]
    assert row["not_run"]["seg"] == "a run has no figure layers.*.map"


def test_a_run_that_fails_stops_what_needs_it_and_nothing_else(planned, tmp_path):
    table, plan, folder = planned
    orders(tmp_path, fail=["pretrain"])
    told = {}
    execute(plan, folder, told=lambda run, what: told.update({run.name: what}))
    assert called(tmp_path).count("transfer segment-mini") == 2  # the random row's
    (pretraining,) = (run for run in plan.runs.values() if run.kind == "pretrain")
    assert folder.state(pretraining) == "failed"
    assert "pretrain fails" in folder.log(pretraining).read_text()
    assert told[pretraining.name].startswith("FAILED, see")
    built = collect(table, "mini", plan, folder)
    reasons = {row["row"]: row["not_run"] for row in built["rows"]}
    assert reasons["colour"]["seg"] == "failed"
    assert reasons["none"] == {}
    orders(tmp_path)
    execute(plan, folder)  # tries again
    assert {folder.state(run) for run in plan.runs.values()} == {"done"}


def test_stopped_by_a_signal_it_stops_its_runs_and_goes_on_where_they_were(planned, tmp_path):
    _, plan, folder = planned
    orders(tmp_path, sleep=30)

    def stop():
        while not (tmp_path / "called.txt").exists():
            time.sleep(0.05)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop, daemon=True).start()
    start = time.monotonic()
    with pytest.raises(Stopped) as caught:
        execute(plan, folder)
    assert caught.value.signal == signal.SIGTERM
    assert time.monotonic() - start < 20
    assert not any(folder.state(run) == "failed" for run in plan.runs.values())
    assert len(called(tmp_path)) == 1
    orders(tmp_path)
    execute(plan, folder, jobs=3)
    assert any(line.endswith("--resume") for line in called(tmp_path))
    assert {folder.state(run) for run in plan.runs.values()} == {"done"}


@pytest.fixture
def every_kind(tmp_path, monkeypatch):
    """A plan that has a label study, what learns from it, its export, and an evaluation of that."""
    monkeypatch.setattr(module, "PROGRAM", (sys.executable, small.__file__))
    (tmp_path / "a b.tar").touch()
    orders(tmp_path)
    text = small.TABLE.replace("  few: {title: 10 per class}", "  few: {title: 10 per class}\n  auc: {title: AuC}")
    task = '      auc: {task: evaluate, data: ["{photos}"], figure: "methods.{model}.auc"}\n    rows:'
    text = text.replace("\n    rows:", f"\n{task}").replace("colour: {weights: colour,", "colour: {weights: labels,")
    table = load_table(write_table(tmp_path, text))
    plan = make_plan(table, "mini", {"photos": [str(tmp_path)]}, only=["colour"])
    assert {run.kind for run in plan.runs.values()} == {"labels", "pretrain", "export", "transfer", "evaluate"}
    return table, plan


def files(folder):
    found = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {path: data for path, data in found.items() if path.parts[0] == "runs"}


def by_hand(lines, place):
    """Run lines in a shell that finds the stand-in under the name of tintype; the exit status of each."""
    program = place / "bin" / "tintype"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {small.__file__} "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    return [subprocess.run(["sh", "-c", line], env=environment, check=False).returncode for line in lines]


def test_commands_for_a_queue_leave_what_is_run_here(every_kind, tmp_path):
    table, plan = every_kind
    here, queue = Folder(tmp_path / "here"), Folder(tmp_path / "a queue")
    execute(plan, here)
    calls = [line.replace(str(here.path), str(queue.path)) for line in called(tmp_path)]
    assert by_hand([shell_line(run, queue) for run in plan.runs.values()], tmp_path) == [0] * len(plan.runs)
    assert called(tmp_path) == calls
    assert set(files(queue.path)) == set(files(here.path))
    assert {queue.state(run) for run in plan.runs.values()} == {"done"}
    figures = [collect(table, "mini", plan, folder)["rows"][0]["ours"] for folder in (here, queue)]
    assert figures[0] == figures[1]
    assert figures[0]["auc"]["values"] == [91.5]


@pytest.mark.parametrize("fail", [False, True])
def test_an_evaluation_counts_when_photographs_are_damaged_and_not_when_it_fails(every_kind, tmp_path, fail):
    table, plan = every_kind
    here, queue = Folder(tmp_path / "here"), Folder(tmp_path / "queue")
    order = {"fail": ["evaluate"] if fail else [], "damaged": True}
    (tmp_path / "orders.json").write_text(json.dumps(order))
    execute(plan, here)
    (run,) = (run for run in plan.runs.values() if run.kind == "evaluate")
    *_, status = by_hand([shell_line(run, queue) for run in plan.runs.values()], tmp_path)
    assert (status != 0) == fail
    assert here.state(run) == ("failed" if fail else "done")
    assert queue.result(run).exists() == (not fail)
    assert here.damaged(run) == (not fail)
    built = collect(table, "mini", plan, here)
    assert damage(built) == ([] if fail else ["colorization: without 1 photograph that cannot be read"])
    assert any(line.startswith("colorization, AuC") for line in reasons(built)) == fail
    assert ("without 1 photograph that cannot be read" in page(built)) == (not fail)


def test_what_cannot_be_started_has_failed_and_all_else_goes_on(every_kind, tmp_path):
    _, plan = every_kind
    folder, told = Folder(tmp_path / "out"), {}
    execute(plan, folder, launch=["no-such-program"], told=lambda run, what: told.update({run.kind: what}))
    assert told["labels"] == "done"
    assert told["pretrain"].startswith("FAILED, see ")
    (run,) = (run for run in plan.runs.values() if run.kind == "pretrain")
    assert folder.state(run) == "failed"
    assert "no-such-program cannot be started: No such file" in folder.log(run).read_text()


def test_what_stands_for_seeds_that_are_not_done_is_said(planned):
    table, plan, folder = planned
    execute(plan, folder, jobs=2)
    first, second = plan.cells["colour", "seg"].runs
    folder.result(plan.runs[first]).unlink()
    built = collect(table, "mini", plan, folder)
    cell = next(row for row in built["rows"] if row["row"] == "colour")["ours"]["seg"]
    assert (cell["values"], cell["runs"], cell["planned"]) == ([31], [second], [first, second])
    assert verdicts(built)[0].endswith("(paper +15.7)  yes, every seed, so far")


def test_pairs_agree_that_are_in_the_papers_order():
    def row(published, ours):
        return {
            "published": {} if published is None else {"seg": {"value": published}},
            "ours": {} if ours is None else {"seg": {"mean": ours}},
        }

    rows = [row(10, 1.0), row(20, 3.0), row(30, 2.0), row(30, 5.0), row(None, 9.0), row(40, None), row(5, 1.0)]
    # Of six pairs with two equal published figures left out: 10 < 20, 10 < 30 twice, 20 < 30 once of twice; 5 is not
    # below 10, for ours are equal, but below 20 and both 30.
    assert agreement(rows, "seg") == {"pairs": 9, "agree": 7}
    assert agreement(rows, "few") == {"pairs": 0, "agree": 0}


def test_what_is_no_number_is_no_figure():
    results = {
        "layers": {"conv1": {"top1": 3, "top1_interval": [1.0, 2.0], "name": "a", "none": None, "nan": math.nan}}
    }
    found = {name: numbers_at(results, f"layers.*.{name}") for name in results["layers"]["conv1"]}
    assert found == {"top1": [3.0], "top1_interval": [], "name": [], "none": [], "nan": []}


def test_no_run_has_more_processes_than_its_batch_can_be_parted_among(planned):
    _, plan, folder = planned
    launch = ["torchrun", "--nproc-per-node", "8", "--no-python"]
    plan.runs |= {name: replace(run, batch_size=10) for name, run in plan.runs.items() if run.kind == "transfer"}
    for run in plan.runs.values():
        number = 5 if run.kind == "transfer" else 8
        assert shell_line(run, folder, launch).startswith(f"torchrun --nproc-per-node {number} --no-python tintype ")


def test_a_command_that_a_queue_puts_back_goes_on(every_kind, tmp_path):
    _, plan = every_kind
    queue = Folder(tmp_path / "a queue")
    lines = [shell_line(run, queue) for run in plan.runs.values()]
    assert by_hand(lines, tmp_path) == [0] * len(lines)
    called(tmp_path)
    assert by_hand(lines, tmp_path) == [0] * len(lines)
    again = [line.endswith("--resume") for line in called(tmp_path)]
    assert sum(again) == sum(run.kind in ("pretrain", "transfer") for run in plan.runs.values()) > 0


def test_several_processes_are_started_for_pretrainings_and_transfers_only(every_kind, tmp_path):
    _, plan = every_kind
    folder = Folder(tmp_path / "out")
    launch = ["torchrun", "--nproc-per-node", "8", "--no-python"]
    for run in plan.runs.values():
        launched = shell_line(run, folder, launch).startswith("torchrun --nproc-per-node 8 --no-python tintype ")
        assert launched == (run.kind in ("pretrain", "transfer"))
