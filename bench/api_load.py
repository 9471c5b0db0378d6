"""Many clients at once, good ones and bad ones, on this machine, against the real `tintype serve`.

    python bench/api_load.py [--seconds 300] [--clients 200] [--workers 1]

Most clients send photographs, small and of 12 megapixels, and damaged files, decompression bombs and wrong forms
(bench/_abuse.py), each when the last one is answered, and come again when they are told to. Some do nothing but go away
in the middle, send their body drop by drop, send half a request or no HTTP, or do not take their answer. Printed:
answers by kind, how long good ones took (from the first byte sent to the last one received, after whatever 503), the
server's memory over time, and what it left behind. Status 1 if it died, answered a good request by anything but 200 and
503 or a bad one by anything but 4xx and 503, grew, or left files. Clients and server share the machine's cores.
"""

import argparse
import asyncio
import contextlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from _abuse import MOST, Sent, requests
from _machine import describe

HEAVY = {"12 megapixels", "50 megapixels"}
GROWTH = 200  # MB by which the server may be larger at the end than after a quarter of the time


class Crowd:
    """What the clients have seen, until it is time to go."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.path, self.until = parts.hostname, parts.port, parts.path, 0.0
        self.answers: Counter[tuple[str, str]] = Counter()
        self.waited: dict[bool, list[float]] = defaultdict(list)  # whether heavy: seconds
        self.wrong: list[str] = []
        weights, self._makers = zip(*requests(), strict=True)
        self._shares = np.array(weights) / sum(weights)
        self.small, self.large = (self._example(kind) for kind in ("small JPEG", "12 megapixels"))

    def _example(self, kind: str) -> Sent:
        made = (make(np.random.default_rng(0)) for make in self._makers)
        return next(sent for sent in made if sent.kind == kind)

    async def client(self, number: int) -> None:
        rng = np.random.default_rng(number)
        odd = {0: leaves, 1: drips, 2: hangs, 3: mutters, 4: ignores}.get(number % 40)
        while time.monotonic() < self.until:
            try:
                await (odd(self, rng) if odd else self.comes(rng))
            except OSError as error:
                self.answers[odd.__name__ if odd else "any", type(error).__name__] += 1
                await asyncio.sleep(0.5)

    async def comes(self, rng: np.random.Generator) -> None:
        """One request, again and again until it is let in."""
        sent = self._makers[rng.choice(len(self._makers), p=self._shares)](rng)
        while time.monotonic() < self.until:
            begun = time.perf_counter()
            status, headers, body = await self.ask(sent)
            self.answers[sent.kind, status] += 1
            if status == "503":
                await asyncio.sleep(float(headers.get("retry-after", 1)) * rng.uniform(1, 1.2))
                continue
            if status not in sent.allowed and f"{status[0]}xx" not in sent.allowed:
                self.wrong.append(f"{sent.kind}: {status} {body[:200]!r}")
            elif status == "200" and sent.allowed == ("200",):
                self.waited[sent.kind in HEAVY].append(time.perf_counter() - begun)
                if (size := _size(headers["content-type"], body)) not in (None, sent.size):
                    self.wrong.append(f"{sent.kind}: of {size} pixels")
            return

    async def ask(self, sent: Sent) -> tuple[str, dict[str, str], bytes]:
        reader, writer = await self.open()
        try:
            sending = asyncio.ensure_future(self._send(writer, sent))
            try:
                return await _answer(reader)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                return type(error).__name__, {}, b""
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        finally:
            writer.close()

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host, self.port)

    def head(self, length: int | None, query: str = "", headers: dict[str, str] | None = None) -> bytes:
        lines = [f"POST {self.path}{query} HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += [] if length is None else [f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        return "\r\n".join([*lines, "", ""]).encode()

    async def _send(self, writer: asyncio.StreamWriter, sent: Sent) -> None:
        chunked = "Transfer-Encoding" in (sent.headers or {})
        writer.write(self.head(None if chunked else len(sent.body), sent.query, sent.headers))
        for place in range(0, len(sent.body), 1 << 16):
            part = sent.body[place : place + (1 << 16)]
            writer.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
            await writer.drain()
        writer.write(b"0\r\n\r\n" if chunked else b"")


async def _answer(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    length = headers.get("content-length")
    body = await (reader.readexactly(int(length)) if length else reader.read())
    return head[0].split()[1], headers, body


def _size(kind: str, body: bytes) -> tuple[int, int] | None:
    if kind == "application/json":
        told = json.loads(body)
        return told["width"], told["height"]
    with Image.open(io.BytesIO(body)) as picture:
        return picture.size


async def leaves(crowd: Crowd, rng: np.random.Generator) -> None:
    """Goes away before the body is there, before the answer, or in the midst of that."""
    body = crowd.large.body
    reader, writer = await crowd.open()
    writer.write(crowd.head(len(body)))
    how = rng.integers(3)
    writer.write(body[: len(body) // 2] if how == 0 else body)
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        await writer.drain()
        await (asyncio.wait_for(reader.readexactly(50_000), 60) if how == 2 else asyncio.sleep(rng.uniform(0, 2)))
    if rng.random() < 0.5:
        writer.transport.abort()
    writer.close()
    crowd.answers["leaves", "-"] += 1
    await asyncio.sleep(1)


async def drips(crowd: Crowd, rng: np.random.Generator) -> None:
    """Sends its body drop by drop, and is given up."""
    reader, writer = await crowd.open()
    writer.write(crowd.head(1_000_000))
    answer = asyncio.ensure_future(_answer(reader))
    with contextlib.suppress(ConnectionError):
        while not answer.done() and time.monotonic() < crowd.until:
            writer.write(b"x" * 100)
            await writer.drain()
            await asyncio.wait([answer], timeout=1)
    if not answer.done():
        answer.cancel()
    else:
        status = type(answer.exception()).__name__ if answer.exception() else answer.result()[0]
        crowd.answers["drips", status] += 1
        if status not in ("408", "503"):
            crowd.wrong.append(f"drips: {status}")
        await asyncio.sleep(5)
    writer.close()


async def hangs(crowd: Crowd, rng: np.random.Generator) -> None:
    """Begins a request, and is cut off."""
    reader, writer = await crowd.open()
    writer.write(crowd.head(1)[: rng.integers(0, 50)])
    try:
        said = await asyncio.wait_for(reader.read(), 60)
    except TimeoutError:
        crowd.wrong.append("hangs: is not cut off")
        said = b""
    except ConnectionError:
        said = b""
    crowd.answers["hangs", said[9:12].decode() or "cut off"] += 1
    writer.close()


async def mutters(crowd: Crowd, rng: np.random.Generator) -> None:
    """Sends what is no HTTP."""
    reader, writer = await crowd.open()
    writer.write(rng.bytes(rng.integers(1, 100_000)) + b"\r\n\r\n")
    with contextlib.suppress(ConnectionError, TimeoutError):
        await writer.drain()
        said = await asyncio.wait_for(reader.read(), 60)
        crowd.answers["mutters", said[9:12].decode("latin-1") or "cut off"] += 1
        if said and not said.startswith(b"HTTP/1.1 4"):
            crowd.wrong.append(f"mutters: {said[:100]!r}")
    writer.close()
    await asyncio.sleep(1)


async def ignores(crowd: Crowd, rng: np.random.Generator) -> None:
    """Asks for a large picture and does not take it."""
    body = crowd.large.body
    _, writer = await asyncio.open_connection(crowd.host, crowd.port, limit=1000)
    writer.write(crowd.head(len(body), "?json=1&format=png"))
    writer.write(body)
    await asyncio.sleep(min(100, max(0, crowd.until - time.monotonic())))
    crowd.answers["ignores", "-"] += 1
    writer.transport.abort()


async def watch(process: int, memory: list[float], until: float) -> None:
    """Takes down the process's resident memory, in MB, twice a second."""
    while time.monotonic() < until:
        memory.append(rss(process))
        await asyncio.sleep(0.5)


def rss(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / 1e6


async def load(url: str, process: int, clients: int, seconds: float) -> tuple[Crowd, list[float]]:
    crowd, memory = Crowd(url), []
    crowd.until = time.monotonic() + seconds
    await asyncio.gather(watch(process, memory, crowd.until), *(crowd.client(number) for number in range(clients)))
    crowd.until = time.monotonic() + 300  # the last one
    while (await crowd.ask(crowd.small))[0] == "503" and time.monotonic() < crowd.until:
        await asyncio.sleep(1)
    status, _, _ = await crowd.ask(crowd.small)
    if status != "200":
        crowd.wrong.append(f"the last request: {status}")
    reader, writer = await crowd.open()
    writer.write(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    if waiting := json.loads((await _answer(reader))[2])["waiting"]:
        crowd.wrong.append(f"{waiting} places are not free at the end")
    writer.close()
    return crowd, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    print(describe("starlette", "uvicorn", "pillow"))
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "tintype",
            "serve",
            "--no-browser",
            "--port",
            "0",
            "--most-megabytes",
            str(MOST // 1_000_000),
        ]
        command += ["--workers", str(arguments.workers)]
        environment = {**os.environ, "TMPDIR": folder}
        with tempfile.TemporaryFile("w+") as errors:
            server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
            try:
                assert server.stdout
                url = server.stdout.readline().strip() + "api/colorize"
                before = rss(server.pid)
                crowd, memory = asyncio.run(load(url, server.pid, arguments.clients, arguments.seconds))
                time.sleep(2)
                after, left = rss(server.pid), len(os.listdir(folder))
            finally:
                server.send_signal(signal.SIGINT)
                ended = server.wait(60)
            errors.seek(0)
            said = errors.read().splitlines()[1:]  # without the one that tells how to end it
    tell(crowd, arguments, [before, *memory, after], left, ended, said)


def tell(
    crowd: Crowd, arguments: argparse.Namespace, memory: list[float], left: int, ended: int, said: list[str]
) -> None:
    statuses = sorted({status for _, status in crowd.answers})
    print(f"{arguments.clients} clients, {arguments.seconds:.0f} s, {sum(crowd.answers.values())} answers")
    print(f"{'':32}{''.join(f'{status:>12}' for status in statuses)}")
    for kind in sorted({kind for kind, _ in crowd.answers}):
        print(f"{kind:32}{''.join(f'{crowd.answers[kind, status]:>12}' for status in statuses)}")
    for heavy, what in ((False, "small"), (True, "12 megapixels and more")):
        if seconds := crowd.waited[heavy]:
            p50, p95, p99 = np.percentile(seconds, [50, 95, 99])
            print(f"good, {what}: {len(seconds)}, p50 {p50:.2f} s, p95 {p95:.2f} s, p99 {p99:.2f} s")
    refused = sum(count for (_, status), count in crowd.answers.items() if status == "503")
    print(f"told to come again (503): {refused / max(1, sum(crowd.answers.values())):.0%} of the answers")
    quarters = [float(np.median(part)) for part in np.array_split(memory[1:-1], 4)]
    marks, early, late = ", ".join(f"{quarter:.0f}" for quarter in quarters), quarters[1], quarters[3]
    print(f"memory: {memory[0]:.0f} MB before, peak {max(memory):.0f}, {memory[-1]:.0f} after; medians {marks}")
    print(f"files left: {left}; status after Ctrl-C: {ended}; lines on stderr: {len(said)}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"the server's processor time: {used.ru_utime + used.ru_stime:.0f} s")
    print("\n".join(said[:40]))
    print("\n".join(f"WRONG {line}" for line in crowd.wrong[:20]))
    if crowd.wrong or left or ended or said or late > early + GROWTH:
        sys.exit("NOT as it should be")


if __name__ == "__main__":
    main()
