"""Many simulated visitors of a study at once, on this machine, against the real `tintype study serve`.

    python bench/study_load.py [--visitors 1000] [--at-once 50] [--think 0.2]

Each visitor does what the page does: asks where he is, begins, and for each of 50 pairs fetches both pictures, says
that they are shown, waits for about THINK seconds in place of exposure and thought (a person takes three at least), and
answers. Printed: how long an answer took to be acknowledged, whether each acknowledged answer is stored as it was given
and no other is, and how long the results take. Visitors and server share the machine's cores.
"""

import argparse
import asyncio
import json
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from sqlalchemy import select

from _machine import describe
from tintype.study.folder import Study, read_study
from tintype.study.make import make_study
from tintype.study.results import results
from tintype.study.storage import Storage, trials, visitors
from tintype.study.visit import key_of

LIMIT_MS, RESULTS_S = 100, 2
COOKIE = "tintype-visitor"


class Visitor:
    """One keep-alive connection, spoken to with as little work as can be, to leave the cores to the server."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.root = parts.hostname, parts.port, parts.path
        self.token = ""
        self.answers: dict[int, str] = {}
        self.waited: list[float] = []
        self.requests = 0

    async def visit(self, think: float) -> None:
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        state = json.loads(await self.ask("GET", "state"))
        state = json.loads(await self.ask("POST", "begin", {"beginning": secrets.token_hex(16)}))
        while state["stage"] != "done":
            place, side = state["place"], random.choice(("left", "right"))
            for picture in ("left", "right"):
                await self.ask("GET", f"pictures/{place}/{picture}")
            await self.ask("POST", "shown", {"place": place, "showing": f"{place}"})
            await asyncio.sleep(random.uniform(0.5, 1.5) * think)
            body = {"place": place, "side": side, "first": 1000.0, "second": 1000.0, "answer": 800.0}
            start = time.perf_counter()
            reply = json.loads(await self.ask("POST", "answer", body))
            self.waited.append(time.perf_counter() - start)
            assert reply["side"] == side
            self.answers[place] = side
            state = reply["state"]
        self.writer.close()

    async def ask(self, method: str, path: str, body: object = None) -> bytes:
        """Sends a request until it passes the limits of rate."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {self.root}{path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}"]
        lines += ["Content-Type: application/json"] if content else []
        lines += [f"Cookie: {COOKIE}={self.token}"] if self.token else []
        while True:
            self.writer.write("\r\n".join([*lines, "", ""]).encode() + content)
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            cookie = next((line for line in head if line.lower().startswith(f"set-cookie: {COOKIE}=")), None)
            reply = await self.reader.readexactly(int(headers["content-length"]))
            self.requests += 1
            status = int(head[0].split()[1])
            if status == 429:
                await asyncio.sleep(float(headers["retry-after"]))
                continue
            assert status == 200, (path, head[0], reply[:200])
            if cookie:
                self.token = cookie.partition("=")[2].partition(";")[0]
            return reply


async def crowd(url: str, number: int, at_once: int, think: float) -> list[Visitor]:
    coming = [Visitor(url) for _ in range(number)]
    waiting = iter(coming)

    async def seat(delay: float) -> None:
        await asyncio.sleep(delay)
        for visitor in waiting:
            await visitor.visit(think)

    await asyncio.gather(*(seat(random.uniform(0, think)) for _ in range(at_once)))
    return coming


def pictures(place: Path, number: int) -> Path:
    """A study with smooth noise for photographs, which is about as long as a photograph when written."""
    rng = np.random.default_rng(0)
    folders = {name: place / name for name in ("true", "one", "other")}
    for folder in folders.values():
        folder.mkdir()
    for count in range(number):
        noise = Image.fromarray(rng.integers(0, 256, (90, 90, 3), dtype=np.uint8)).resize((256, 256), 3)
        for folder, strength in zip(folders.values(), (1.0, 0.6, 0.3), strict=True):
            grey = noise.convert("L").convert("RGB")
            Image.blend(grey, noise, strength).save(folder / f"{count}.png", compress_level=1)
    make_study(place / "study", folders["true"], {name: folders[name] for name in ("one", "other")}, seed=1)
    return place / "study"


def check(storage: Storage, came: list[Visitor]) -> tuple[int, int, int]:
    """How many acknowledged answers are stored as given, are lost or changed, and how many others are stored."""
    query = select(visitors.c.key, trials.c.place, trials.c.chose_left).join_from(visitors, trials)
    rows = storage.read(lambda c: c.execute(query.where(trials.c.answered.is_not(None))).all())
    stored = {(key, place): "left" if left else "right" for key, place, left in rows}
    given = {(key_of(visitor.token), place): side for visitor in came for place, side in visitor.answers.items()}
    kept = sum(stored.get(which) == side for which, side in given.items())
    return kept, len(given) - kept, len(rows) - len(given)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--think", type=float, default=0.2)
    arguments = parser.parse_args()
    print(describe("sqlalchemy", "starlette", "uvicorn"))
    with tempfile.TemporaryDirectory() as temporary:
        study = pictures(Path(temporary), 60)
        command = [sys.executable, "-c", "from tintype.cli import main; main()", "study", "serve", str(study)]
        command += [
            "--port",
            "0",
            "--most-visitors",
            str(arguments.visitors),
            "--most-per-hour",
            str(arguments.visitors),
        ]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout
            url = server.stdout.readline().strip()
            start = time.perf_counter()
            came = asyncio.run(crowd(url, arguments.visitors, arguments.at_once, arguments.think))
            seconds = time.perf_counter() - start
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
        tell(study, read_study(study), came, seconds, arguments)


def tell(folder: Path, study: Study, came: list[Visitor], seconds: float, arguments: argparse.Namespace) -> None:
    waited = 1000 * np.concatenate([visitor.waited for visitor in came])
    storage = Storage(folder)
    kept, lost, others = check(storage, came)
    start = time.perf_counter()
    found = storage.read(results, study)
    took = time.perf_counter() - start
    storage.close()
    p50, p99 = np.percentile(waited, [50, 99])
    requests = sum(visitor.requests for visitor in came)
    print(f"{len(came)} visitors, {arguments.at_once} at once, {arguments.think} s to think: {seconds:.0f} s")
    print(f"{len(waited)} answers, {requests} requests, {requests / seconds:.0f} a second")
    print(f"answer: p50 {p50:.1f} ms, p99 {p99:.1f} ms (limit {LIMIT_MS}), longest {waited.max():.1f} ms")
    print(f"stored as given {kept}, lost or changed {lost}, doubled or not given {others}")
    begun = {name: figures["visitors"] for name, figures in found["without_exclusion"].items()}
    print(f"visitors by method: {begun}")
    print(f"results of {found['answers']['test']} test answers in {took:.2f} s (limit {RESULTS_S})")
    if lost or others or p99 >= LIMIT_MS or took >= RESULTS_S:
        sys.exit("NOT within the limits")


if __name__ == "__main__":
    main()
