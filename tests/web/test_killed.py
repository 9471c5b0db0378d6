"""kill -9 of the server amid many visits."""

import threading
import time

import httpx2
from sqlalchemy import select

from tintype.study.storage import Storage, trials

VISITORS = 20
EXPOSED = {"first": 1000.0, "second": 1000.0, "answer": 500.0}


class Visitor(threading.Thread):
    """Goes through the study as the page does: sends everything until it is answered."""

    def __init__(self, url, number):
        super().__init__(daemon=True)
        self.number = number
        self.client = httpx2.Client(base_url=url, timeout=10)
        self.acknowledged = {}  # place: side
        self.finished = False

    def run(self):
        state = self.post("begin", {"beginning": f"{self.number:032x}"})
        while state["stage"] != "done":
            place = state["place"]
            side = ("left", "right")[self.number >> place & 1]  # each visitor's answers are his alone
            self.post("shown", {"place": place, "showing": f"{place}"})
            reply = self.post("answer", {"place": place, "side": side, **EXPOSED})
            self.acknowledged[place] = reply["side"]
            state = reply["state"]
            time.sleep(0.02)
        self.client.close()
        self.finished = True

    def post(self, path, body):
        while True:
            try:
                reply = self.client.post(path, json=body)
            except httpx2.TransportError:
                time.sleep(0.05)
                continue
            assert reply.status_code == 200, (path, body, reply.text)
            return reply.json()


def test_after_a_kill_every_acknowledged_answer_is_there_and_every_visitor_goes_on(study, serve):
    server = serve(study)
    visitors = [Visitor(server.url, number) for number in range(VISITORS)]
    for visitor in visitors:
        visitor.start()
    while sum(len(visitor.acknowledged) for visitor in visitors) < 2 * VISITORS:
        time.sleep(0.005)
    server.kill()
    before = [dict(visitor.acknowledged) for visitor in visitors]
    assert sum(map(len, before)) < 6 * VISITORS, "killed too late to show anything"
    assert _stored(study) >= sum(map(len, before))

    again = serve(study, server.port)
    assert again.url == server.url
    for visitor in visitors:
        visitor.join(60)
    assert all(visitor.finished for visitor in visitors)
    assert all(sorted(visitor.acknowledged) == list(range(6)) for visitor in visitors)

    storage = Storage(study)
    rows = storage.read(lambda c: c.execute(select(trials).order_by(trials.c.visitor)).mappings().all())
    storage.close()
    stored = {}
    for row in rows:
        if row["answered"] is not None:
            stored.setdefault(row["visitor"], {})[row["place"]] = "left" if row["chose_left"] else "right"
    told = [visitor.acknowledged for visitor in visitors]
    assert len({row["visitor"] for row in rows}) == VISITORS, "who began as it was killed began twice"
    assert sorted(stored.values(), key=str) == sorted((dict(sorted(answers.items())) for answers in told), key=str)


def _stored(study):
    """Answers in the files that the killed server left."""
    storage = Storage(study)
    count = len(storage.read(lambda c: c.execute(select(trials.c.place).where(trials.c.answered.is_not(None))).all()))
    storage.close()
    return count
