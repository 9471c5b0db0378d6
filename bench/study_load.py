"""A thousand visitors of a study, fifty at once, against a real `tintype study serve` on this machine.

python bench/study_load.py [--visitors N] [--at-once N] [--think SECONDS] [--database URL]

Each visitor goes the whole way: the page, consent, and for every pair both pictures, `shown` and `answer`. Every tenth
answer is sent a second time with the other side, as by a second tab. At the end what the server took in is compared,
answer by answer, with what the database holds. Clients and server share the machine's cores.
"""

import argparse
import asyncio
import hashlib
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from _machine import describe

PRACTICE, TRIALS = 10, 40
PAIRS = PRACTICE + TRIALS
LIMIT_MS, LIMIT_RESULTS_S = 100, 2.0
TINTYPE = Path(sys.executable).with_name("tintype")


@dataclass
class Seen:
    """What the visitors saw of the server: by visitor's key, the side of each answer that was taken in."""

    answers: dict[str, dict[int, str]] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)  # seconds by kind of request
    wrong: list[str] = field(default_factory=list)


class Client:
    """One visitor's connection: HTTP/1.1 kept alive, in as few lines as it takes, as the clients cost cores too."""

    def __init__(self, link: str, seen: Seen) -> None:
        parts = urlsplit(link)
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path
        self._seen = seen
        self.token = ""

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)

    def close(self) -> None:
        self._writer.close()

    async def ask(self, path: str, body: dict[str, Any] | None = None, *, kind: str = "") -> tuple[int, bytes]:
        data = b"" if body is None else json.dumps(body).encode()
        lines = [f"{'GET' if body is None else 'POST'} {self._path}{path} HTTP/1.1", f"Host: {self._host}"]
        if self.token:
            lines.append(f"Cookie: tintype-visitor={self.token}")
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
        begun = time.perf_counter()
        self._writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *headers = head.split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in headers if ": " in line)
        content = await self._reader.readexactly(int(fields["content-length"]))
        if kind:
            self._seen.times.setdefault(kind, []).append(time.perf_counter() - begun)
        if "set-cookie" in fields:  # its value is case-sensitive
            self.token = head.split("tintype-visitor=", 1)[1].split(";", 1)[0]
        return int(status.split()[1]), content


async def visit(link: str, think: float, rng: random.Random, seen: Seen) -> None:
    """One visitor's way from the page to the last pair."""
    client = Client(link, seen)
    await client.open()
    for path in ("", "study.css", "study.js", "state"):
        await client.ask(path)
    while (await client.ask("begin", {}, kind="begin"))[0] == 429:  # so many new visitors of one address
        await asyncio.sleep(1)
    mine = seen.answers.setdefault(hashlib.sha256(client.token.encode()).hexdigest(), {})
    for place in range(PAIRS):
        for side in ("left", "right"):
            status, content = await client.ask(f"pictures/{place}/{side}", kind="picture")
            if status != 200 or not content.startswith(b"\x89PNG"):
                seen.wrong.append(f"picture {place} {side}: {status}")
        status, _ = await client.ask("shown", {"place": place, "showing": f"{place}"}, kind="shown")
        if status != 200:
            seen.wrong.append(f"shown {place}: {status}")
        await asyncio.sleep(think * rng.uniform(0.5, 1.5))
        side, other = rng.sample(("left", "right"), 2)
        answer = {"place": place, "side": side, "first": 1000.0, "second": 1000.0, "answer": 900.0}
        status, content = await client.ask("answer", answer, kind="answer")
        if status != 200 or json.loads(content)["side"] != side:
            seen.wrong.append(f"answer {place}: {status} {content[:80]!r}")
            continue
        mine[place] = side
        if place % 10 == 5:
            status, content = await client.ask("answer", answer | {"side": other}, kind="answer, again")
            if status != 200 or json.loads(content)["side"] != side:
                seen.wrong.append(f"second answer {place}: {status} {content[:80]!r}")
    if json.loads((await client.ask("state"))[1])["stage"] != "done":
        seen.wrong.append("a visitor was not done at the end")
    client.close()


async def visit_all(link: str, visitors: int, at_once: int, think: float) -> Seen:
    """All visitors, of whom so many are at it at any time; they come spread over one pair's time."""
    seen, gate, waiting = Seen(), asyncio.Semaphore(at_once), iter(range(visitors))

    async def place(number: int) -> None:
        await asyncio.sleep(think * number / at_once)
        for visitor in waiting:
            async with gate:
                await visit(link, think, random.Random(visitor), seen)

    await asyncio.gather(*(place(number) for number in range(at_once)))
    return seen


def make_study(folder: Path) -> Path:
    """A study of two methods in noisy pictures, made by the command."""
    rng = np.random.default_rng(0)
    for kind in ("true", "one", "two"):
        (folder / kind).mkdir()
        for number in range(PAIRS + 10):
            small = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(small).resize((256, 256)).save(folder / kind / f"{number}.png")
    study = folder / "study"
    options = ["--true", folder / "true", "--method", f"one={folder / 'one'}", "--method", f"two={folder / 'two'}"]
    subprocess.run([TINTYPE, "study", "new", study, *options, "--seed", "0"], check=True, stderr=subprocess.DEVNULL)
    return study


def compare(stored: list[tuple[str, int, int]], seen: Seen) -> tuple[int, int]:
    """How many of the answers taken in are not stored as they were given, and how many are stored that nobody gave."""
    given = {(key, place): side for key, mine in seen.answers.items() for place, side in mine.items()}
    kept = {(key, place): "left" if left else "right" for key, place, left in stored}
    lost = sum(kept.get(name) != side for name, side in given.items())
    return lost, len(stored) - len(given)


def read(study: Path, database: list[str]) -> list[tuple[str, int, int]]:
    query = (
        "SELECT v.key, t.place, t.chose_left FROM trials t JOIN visitors v ON v.id = t.visitor "
        "WHERE t.answered IS NOT NULL"
    )
    if not database:
        with sqlite3.connect(study / "study.db") as connection:
            return connection.execute(query).fetchall()
    from sqlalchemy import create_engine, text

    with create_engine(database[1]).connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--think", type=float, default=0.5, help="mean seconds per pair; people take three and more")
    parser.add_argument("--database", help="an SQLAlchemy URL of an empty database; by default SQLite")
    arguments = parser.parse_args()
    database = ["--database", arguments.database] if arguments.database else []
    print(describe("sqlalchemy", "starlette", "uvicorn"))
    with tempfile.TemporaryDirectory() as name:
        study = make_study(Path(name))
        command = [TINTYPE, "study", "serve", study, "--port", "0", *database]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            link = server.stdout.readline().strip()
            begun = time.perf_counter()
            seen = asyncio.run(visit_all(link, arguments.visitors, arguments.at_once, arguments.think))
            took = time.perf_counter() - begun
        finally:
            server.terminate()
            server.wait()
        stored = read(study, database)
        begun = time.perf_counter()
        subprocess.run([TINTYPE, "study", "results", study, "--json", *database], check=True, capture_output=True)
        results = time.perf_counter() - begun
    requests = sum(map(len, seen.times.values()))
    print(f"{arguments.visitors} visitors, {arguments.at_once} at once, {arguments.think} s to think: {took:.0f} s")
    print(f"  {requests / took:.0f} requests per second")
    for kind, times in seen.times.items():
        middle, high, most = 1000 * np.percentile(times, [50, 99, 100])
        limit = f"   limit {LIMIT_MS} ms" if kind == "answer" else ""
        print(f"  {kind:14} {len(times):7}   p50 {middle:6.1f} ms   p99 {high:6.1f} ms{limit}   most {most:6.1f} ms")
    lost, doubled = compare(stored, seen)
    taken = sum(map(len, seen.answers.values()))
    print(f"  answers: {taken} taken in, {len(stored)} stored, {lost} lost or changed, {doubled} doubled")
    print(f"  results, the whole command: {results:.2f} s   limit {LIMIT_RESULTS_S:.0f} s")
    for line in seen.wrong[:10]:
        print(f"  wrong: {line}")
    slow = 1000 * np.percentile(seen.times["answer"], 99) > LIMIT_MS or results > LIMIT_RESULTS_S
    whole = taken == arguments.visitors * PAIRS and not lost and not doubled and not seen.wrong
    sys.exit(0 if whole and not slow else 1)


if __name__ == "__main__":
    main()
