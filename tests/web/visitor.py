"""A page's side of the conversation."""

import json
import secrets
from typing import Any

from starlette.testclient import TestClient

EXPOSED = {"first": 1000.0, "second": 1000.0, "answer": 500.0}


class Visitor:
    def __init__(self, client: TestClient, root: str) -> None:
        self.client, self.root = client, root

    def other(self, **options: Any) -> "Visitor":
        """Another browser, which has no cookie yet."""
        return Visitor(TestClient(self.client.app, base_url="http://study.test", **options), self.root)

    def get(self, path: str) -> Any:
        return self.client.get(self.root + path)

    def post(self, path: str, **body: Any) -> Any:
        content = json.dumps(body)  # with what JSON has no words for, as nan, and half characters
        return self.client.post(self.root + path, content=content, headers={"content-type": "application/json"})

    def begin(self, **body: Any) -> Any:
        return self.post("begin", **{"beginning": secrets.token_hex(16), **body})

    def look(self, place: int, showing: str = "once") -> None:
        assert self.post("shown", place=place, showing=showing).status_code == 200

    def choose(self, place: int, side: str = "left") -> Any:
        return self.post("answer", place=place, side=side, **EXPOSED)

    def finish(self) -> None:
        """Answers all six pairs."""
        for place in range(6):
            self.look(place)
            self.choose(place)
