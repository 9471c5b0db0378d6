"""A Hugging Face Hub in a thread: as much of its HTTP API as fetching and pushing models takes."""

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

TOKEN = "hf_right"
README_ONLY = {"README.md": b"---\nlicense: mit\n---\n"}


@dataclass
class Repository:
    """Commits, newest last, each all files by their path; and what branches and tags point to."""

    private: bool = False
    gated: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def commit(self, files: dict[str, bytes], branch: str = "main", message: str = "") -> str:
        before = self.commits.get(self.refs.get(branch, ""), {})
        commit = hashlib.sha1(f"{branch} {len(self.commits)} {id(self)}".encode()).hexdigest()
        self.commits[commit], self.refs[branch] = {**before, **files}, commit
        self.messages.append(message)
        return commit

    def at(self, revision: str) -> tuple[str, dict[str, bytes]]:
        commit = self.refs.get(revision, revision)
        return commit, self.commits[commit]


class Hub(ThreadingHTTPServer):
    """Attributes:
    repositories: by name.
    asked: every request that came, as `METHOD /path`.
    large: whether models are kept in large file storage, which is another host.
    status: what every request is answered with, if anything.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.asked: list[str] = []
        self.large, self.status, self.stored = False, 0, dict[str, bytes]()
        self.url, self.storage = (f"http://{host}:{self.server_port}" for host in ("127.0.0.1", "localhost"))
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def add(self, name: str, files: dict[str, bytes], **about: bool) -> Repository:
        self.repositories[name] = Repository(**about)
        self.repositories[name].commit(files)
        return self.repositories[name]

    def stop(self) -> None:
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
            self.server_close()


class _Refused(Exception):
    """With a status, and the Hub's own code or message for it."""


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        path = self.path.partition("?")[0]
        self.server.asked.append(f"{self.command} {path}")
        try:
            if self.server.status:
                raise _Refused(self.server.status, "", "")
            for method, pattern, answer in _ROUTES:
                if method == self.command and (match := re.fullmatch(pattern, path)):
                    return answer(self, *map(unquote, match.groups()))
            raise _Refused(501, "", f"the tests' Hub knows no {self.command} {path}")
        except _Refused as refused:
            status, code, message = refused.args
            self._send(b"", status, {"X-Error-Code": code, "X-Error-Message": message})

    do_GET = do_HEAD = do_POST = do_PUT = _answer

    def _send(self, content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _json(self, answer: object) -> None:
        self._send(json.dumps(answer).encode(), headers={"Content-Type": "application/json"})

    def _logged_in(self, needed: bool) -> bool:
        given = self.headers.get("Authorization")
        if given not in (None, f"Bearer {TOKEN}"):
            raise _Refused(401, "", "Invalid credentials in Authorization header")
        if needed and given is None:
            # At https addresses the library takes any 401 for this code; the Hub itself may send none.
            raise _Refused(401, "RepoNotFound", "Invalid username or password.")
        return given is not None

    def _repository(self, name: str) -> Repository:
        found = self.server.repositories.get(name)
        known = self._logged_in(needed=found is None or found.private)  # who is nobody learns of no name
        if found is None:
            raise _Refused(404, "RepoNotFound", "Repository not found")
        assert known or not found.private
        return found

    def _at(self, name: str, revision: str) -> tuple[str, dict[str, bytes]]:
        try:
            return self._repository(name).at(revision)
        except KeyError:
            raise _Refused(404, "RevisionNotFound", "Invalid rev id") from None

    def _info(self, name: str, revision: str | None = None) -> None:
        commit, files = self._at(name, revision or "main")
        siblings = [{"rfilename": path} for path in files]
        about = {"private": self.server.repositories[name].private, "tags": [], "siblings": siblings}
        self._json({"id": name, "modelId": name, "sha": commit, **about})

    def _resolve(self, name: str, revision: str, path: str) -> None:
        commit, files = self._at(name, revision)
        if self.server.repositories[name].gated:
            raise _Refused(403, "GatedRepo", "Access to this model is restricted")
        headers = {"X-Repo-Commit": commit}
        if path not in files:
            return self._send(b"", 404, {**headers, "X-Error-Code": "EntryNotFound"})
        content = files[path]
        if self.server.large and path.endswith((".onnx", ".safetensors")):
            oid = hashlib.sha256(content).hexdigest()
            self.server.stored[oid] = content
            headers |= {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(content))}
            return self._send(b"", 302, {**headers, "Location": f"{self.server.storage}/lfs/{oid}"})
        self._send(content, headers={**headers, "ETag": f'"{_git_hash(content)}"'})

    def _stored(self, oid: str) -> None:
        assert "Authorization" not in self.headers, "the token left the Hub"
        self._send(self.server.stored[oid])

    def _create(self) -> None:
        self._logged_in(needed=True)
        given = json.loads(self.body)
        if given["organization"] == "others":
            raise _Refused(403, "", "You don't have the rights to create a model under this namespace")
        name = f"{given['organization'] or 'me'}/{given['name']}"
        hidden = bool(given.get("private")) or given.get("visibility") == "private"
        self.server.add(name, {".gitattributes": b"*.onnx filter=lfs"}, private=hidden)
        self._json({"url": f"{self.server.url}/{name}", "name": name})

    def _branch(self, name: str, branch: str) -> None:
        self._logged_in(needed=True)
        repository = self._repository(name)
        if branch in repository.refs:
            raise _Refused(409, "", "Reference already exists")
        repository.refs[branch] = repository.refs["main"]
        self._json({})

    def _check(self) -> None:
        self._json({"errors": [], "warnings": []})

    def _preupload(self, name: str, revision: str) -> None:
        self._logged_in(needed=True)
        _, files = self._at(name, revision)
        wanted = []
        for path in (file["path"] for file in json.loads(self.body)["files"]):
            large = self.server.large and path.endswith((".onnx", ".safetensors"))
            about = {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
            if path in files:
                about["oid"] = hashlib.sha256(files[path]).hexdigest() if large else _git_hash(files[path])
            wanted.append(about)
        self._json({"files": wanted})

    def _batch(self, name: str) -> None:
        self._logged_in(needed=True)
        objects = [
            {**file, "actions": {"upload": {"href": f"{self.server.storage}/lfs/{file['oid']}"}}}
            for file in json.loads(self.body)["objects"]
        ]
        self._json({"transfer": "basic", "objects": objects})

    def _store(self, oid: str) -> None:
        assert hashlib.sha256(self.body).hexdigest() == oid
        self.server.stored[oid] = self.body
        self._send(b"")

    def _commit(self, name: str, revision: str) -> None:
        self._logged_in(needed=True)
        head, *changes = map(json.loads, self.body.splitlines())
        if head["value"].get("parentCommit") not in (None, self._at(name, revision)[0]):
            raise _Refused(412, "", "A commit has happened since. Please refresh and try again.")
        files = {}
        for change in changes:
            value = change["value"]
            small = change["key"] == "file"
            files[value["path"]] = base64.b64decode(value["content"]) if small else self.server.stored[value["oid"]]
        commit = self._repository(name).commit(files, revision, head["value"]["summary"])
        self._json({"success": True, "commitOid": commit, "commitUrl": f"{self.server.url}/{name}/commit/{commit}"})


_NAME = "([^/]+/[^/]+)"
_ROUTES = (
    ("GET", f"/api/models/{_NAME}", _Handler._info),
    ("GET", f"/api/models/{_NAME}/revision/(.+)", _Handler._info),
    ("HEAD", f"/{_NAME}/resolve/([^/]+)/(.+)", _Handler._resolve),
    ("GET", f"/{_NAME}/resolve/([^/]+)/(.+)", _Handler._resolve),
    ("GET", "/lfs/(.+)", _Handler._stored),
    ("PUT", "/lfs/(.+)", _Handler._store),
    ("POST", "/api/repos/create", _Handler._create),
    ("POST", "/api/validate-yaml", _Handler._check),
    ("POST", f"/api/models/{_NAME}/branch/(.+)", _Handler._branch),
    ("POST", f"/api/models/{_NAME}/preupload/(.+)", _Handler._preupload),
    ("POST", f"/{_NAME}[.]git/info/lfs/objects/batch", _Handler._batch),
    ("POST", f"/api/models/{_NAME}/commit/(.+)", _Handler._commit),
)


def _git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
