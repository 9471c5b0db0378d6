import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from tintype.evaluate.records import Records

SETTINGS = {"preset": "own-size", "seed": 0}


def _add(records, number):
    records.add({"photograph": f"{number}.jpg", "value": number / 3}, {"net-0": np.full(3, number, np.float32)})


def test_what_was_added_is_there_again(tmp_path):
    with Records(tmp_path / "run", SETTINGS) as records:
        for number in range(4):
            _add(records, number)
    with Records(tmp_path / "run", SETTINGS) as records:
        assert records.done == {"0.jpg", "1.jpg", "2.jpg", "3.jpg"}
        assert list(records) == [{"photograph": f"{n}.jpg", "value": n / 3} for n in range(4)]
        np.testing.assert_array_equal(records.features("net-0")[:, 1], [0, 1, 2, 3])


def test_two_runs_never_write_to_one_folder(tmp_path):
    with Records(tmp_path / "run", SETTINGS) as records:
        _add(records, 0)
        with pytest.raises(ValueError, match="another run is measuring here"):
            Records(tmp_path / "run", SETTINGS)
        _add(records, 1)
    with Records(tmp_path / "run", SETTINGS) as records:
        assert len(records.done) == 2


@pytest.mark.parametrize(
    "line",
    ["[]", '{"photograph":"x"}', '{"photograph":["x"],"features":{}}', '{"photograph":"x","features":{"a":"b"}}'],
)
def test_a_line_that_is_no_record_ends_what_is_believed(tmp_path, line):
    with Records(tmp_path / "run", SETTINGS) as records:
        _add(records, 0)
    with open(tmp_path / "run" / "photographs.jsonl", "a") as file:
        file.write(f"{line}\n")
    with Records(tmp_path / "run", SETTINGS) as records:
        assert [record["photograph"] for record in records] == ["0.jpg"]


def test_a_photograph_stands_there_once(tmp_path):
    with Records(tmp_path / "run", SETTINGS) as records:
        _add(records, 0)
    lines = tmp_path / "run" / "photographs.jsonl"
    lines.write_bytes(2 * lines.read_bytes())
    with Records(tmp_path / "run", SETTINGS) as records:
        assert [record["photograph"] for record in records] == ["0.jpg"]


@pytest.mark.parametrize("damage", ["half a line", "a row cut", "a row too many", "a line of zeros"])
def test_a_photograph_that_was_half_written_is_measured_again(tmp_path, damage):
    folder = tmp_path / "run"
    with Records(folder, SETTINGS) as records:
        for number in range(3):
            _add(records, number)
    lines, rows = folder / "photographs.jsonl", folder / "features-net-0.f32"
    if damage == "half a line":
        os.truncate(lines, lines.stat().st_size - 5)
    elif damage == "a row cut":
        os.truncate(rows, rows.stat().st_size - 5)
    elif damage == "a row too many":
        rows.write_bytes(rows.read_bytes() + b"abc")
    else:
        lines.write_bytes(lines.read_bytes() + b"\0" * 20)
    whole = 3 if damage in ("a row too many", "a line of zeros") else 2
    with Records(folder, SETTINGS) as records:
        assert len(records.done) == whole
        for number in range(whole, 5):
            _add(records, number)
        assert [record["photograph"] for record in records] == [f"{number}.jpg" for number in range(5)]
        np.testing.assert_array_equal(records.features("net-0")[:, 0], range(5))


def test_a_run_killed_at_any_moment_loses_at_most_the_photograph_at_hand(tmp_path):
    script = (
        "import sys, numpy as np; from pathlib import Path; from tintype.evaluate.records import Records\n"
        "with Records(Path(sys.argv[1]), {}) as records:\n"
        "    for number in range(10**9):\n"
        "        records.add({'photograph': str(number)}, {'net-0': np.full(500, number, np.float32)})\n"
        "        print(number, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, tmp_path / "run"], stdout=subprocess.PIPE, text=True
    ) as process:
        acknowledged = -1
        while acknowledged < 200:
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in process.stdout.read().splitlines() if line)])
    with Records(tmp_path / "run", {}) as records:
        count = len(records.done)
        assert count in (acknowledged + 1, acknowledged + 2)
        np.testing.assert_array_equal(records.features("net-0")[:, 0], range(count))


def test_records_of_other_settings_are_refused_by_name(tmp_path):
    with Records(tmp_path / "run", SETTINGS) as records:
        _add(records, 0)
    with pytest.raises(ValueError, match=r"run: was measured with other settings \(seed\)"):
        Records(tmp_path / "run", {**SETTINGS, "seed": 1})
    with Records(tmp_path / "run", SETTINGS) as records:
        assert records.done == {"0.jpg"}


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"precious")
    with pytest.raises(ValueError, match="holds other files"):
        Records(tmp_path, SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


@pytest.mark.parametrize("text", ["{", "[]", "3", "null"])
def test_damaged_settings_are_one_line(tmp_path, text):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(ValueError, match=r"settings\.json: damaged"):
        Records(tmp_path, SETTINGS)
