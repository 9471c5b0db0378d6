"""What a plan will take, in words: time, room on the disk."""

import heapq
from collections.abc import Mapping, Sequence

from tintype.runtime.strips import cores
from tintype.tables.cost import Cost
from tintype.tables.execute import Folder
from tintype.tables.plan import Plan, Run, by_urgency
from tintype.tables.spec import Table

GPU = 100e12  # operations per second that hours are told for


def told_plan(table: Table, scale: str, plan: Plan, folder: Folder, jobs: int, costs: Mapping[str, Cost]) -> str:
    """What will be run, before it is.

    Args:
        jobs: runs at a time.
        costs: of the runs that are not done, by name.
    """
    todo = folder.todo(plan)
    lines = [f"{table.title}", f"scale {scale}: {table.scales[scale].about}", ""]
    lines += _groups(plan, folder)
    if not todo:
        return "\n".join([*lines, "nothing to run"])
    timed = [run for run in todo if run.minutes]
    counted = [run for run in todo if not run.minutes and costs[run.name].operations]
    parts = []
    if timed:
        side = min(jobs, cores())
        parts.append((len(timed), f"about {told_time(makespan(todo, side))}, {side} at a time with a CPU core each"))
    if counted:
        total = sum(costs[run.name].operations for run in counted)
        parts.append((len(counted), f"at most about {told_operations(total)}"))
    if len(timed) + len(counted) < len(todo):
        parts.append((len(todo) - len(timed) - len(counted), "of unknown length"))
    lines.append(f"{len(todo)} to run:")
    lines += [f"  {count:3} {what}" for count, what in parts]
    room = sum(costs[run.name].stored for run in todo)
    if room:
        lines.append(f"their weights and checkpoints: at most about {told_bytes(room)}")
    return "\n".join(lines)


def _groups(plan: Plan, folder: Folder) -> list[str]:
    """A line for all runs of a recipe: how many, what is known to be done, and how long one takes."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for name, run in plan.runs.items():
        groups.setdefault((run.kind, name.rpartition("-")[0]), []).append(run)
    width = max((len(title) for _, title in groups), default=0)
    lines = []
    for (kind, title), runs in groups.items():
        done = sum(folder.state(run) == "done" for run in runs)
        counted = f"{len(runs):3} run{'' if len(runs) == 1 else 's'}" + (f", of which {done} are done" if done else "")
        minutes = sorted({run.minutes for run in runs if run.minutes})
        each = f", {' to '.join(f'{one:g}' for one in dict.fromkeys((minutes[0], minutes[-1])))} min" if minutes else ""
        lines.append(f"  {kind:<9} {title:<{width}} {counted}{each}{' each' if each and len(runs) > 1 else ''}")
    return lines


def makespan(todo: Sequence[Run], jobs: int) -> float:
    """Minutes from the start of the first run to the end of the last, as `execute` goes through them.

    Args:
        todo: in the plan's order. What a run needs that is not among them is there.
        jobs: runs at a time.
    """
    waiting, ends = by_urgency(todo), dict.fromkeys((run.name for run in todo), float("inf"))
    running: list[tuple[float, str]] = []
    now = 0.0
    while waiting or running:
        ready = [run for run in waiting if all(ends.get(need, 0.0) <= now for need in run.needs)]
        for run in ready[: jobs - len(running)]:
            waiting.remove(run)
            heapq.heappush(running, (now + run.minutes, run.name))
        now, name = heapq.heappop(running)
        ends[name] = now
    return now


def told_bytes(count: float) -> str:
    """Such as 1.3 GB."""
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e6:.0f} MB"


def told_operations(count: float) -> str:
    """Such as 3.6 × 10^18 operations: 10.0 hours of a GPU at 100 TFLOP/s. Of seconds no time is told, as other things
    than operations take it."""
    mantissa, exponent = f"{count:.1e}".split("e+")
    minutes = count / GPU / 60
    time = f": {told_time(minutes)} of a GPU at {GPU / 1e12:.0f} TFLOP/s" if minutes >= 1 else ""
    return f"{mantissa} \N{MULTIPLICATION SIGN} 10^{int(exponent)} operations{time}"


def told_time(minutes: float) -> str:
    """In minutes, hours or days."""
    if minutes >= 48 * 60:
        return f"{minutes / 60 / 24:.1f} days"
    if minutes >= 90:
        return f"{minutes / 60:.1f} hours"
    return f"{minutes:.0f} minutes" if minutes >= 1.5 else "a minute"
