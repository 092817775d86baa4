from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from equipoise.data.config import Source, read
from equipoise.data.fetch import PUBLIC_SETS, fetch, licence
from equipoise.errors import ConfigError, DataError


def archive(name: str = "ml-100k/ratings.csv") -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        file.writestr(name, "userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n")
        file.writestr("ml-100k/movies.csv", "movieId,title,genres\n31,Film,Drama\n")
        file.writestr("ml-100k/filler.bin", bytes(range(256)) * 4_000)
    return sink.getvalue()


class Server(ThreadingHTTPServer):
    """Serves one file; can break off, forget ranges, and publish a wrong checksum."""

    content = archive()
    breaks_after: int | None = None
    ranges = True
    md5: str | None = None
    asked: list[str | None]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        content = self.server.content
        if self.path.endswith(".md5"):
            digest = self.server.md5 or hashlib.md5(content).hexdigest()
            self._answer(200, f"MD5 (ml-100k.zip) = {digest}\n".encode())
            return
        if self.path != "/ml-100k.zip":
            self._answer(404, b"")
            return
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.ranges else 0
        if start >= len(content):
            self._answer(416, b"")
            return
        self._answer(206 if start else 200, content[start:], self.server.breaks_after)
        self.server.breaks_after = None

    def _answer(self, status: int, body: bytes, breaks_after: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:breaks_after])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        running.asked = []
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def get(server: Server, folder: Path, **options: Any) -> Any:
    address = f"http://127.0.0.1:{server.server_port}/ml-100k.zip"
    options = {"accept_licence": True, "digest_address": f"{address}.md5", "progress": False, **options}
    return fetch("movielens-100k", folder, address=address, **options)


def test_a_set_is_fetched_verified_and_readable(server: Server, tmp_path: Path) -> None:
    fetched = get(server, tmp_path)
    assert fetched.verified
    assert fetched.sha256 == hashlib.sha256(server.content).hexdigest()
    assert len(read(Source(format=fetched.format, path=str(fetched.folder))).events) == 1
    assert not list(tmp_path.rglob("*.part"))


def test_the_licence_comes_first(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"licence has not been accepted.*no redistribution"):
        get(server, tmp_path, accept_licence=False)
    assert server.asked == []
    assert not list(tmp_path.iterdir())
    assert "grouplens.org" in licence("movielens-1m")


def test_an_interrupted_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.breaks_after = 500_000
    with pytest.raises(DataError, match=r"did not finish.*goes on where it stopped"):
        get(server, tmp_path)
    part = next(tmp_path.rglob("*.part"))
    have = part.stat().st_size
    assert 0 < have <= 500_000
    assert not part.with_suffix("").exists()
    assert get(server, tmp_path).verified
    assert server.asked == [None, f"bytes={have}-"]


def test_a_server_without_ranges_starts_again(server: Server, tmp_path: Path) -> None:
    server.breaks_after = 500_000
    with pytest.raises(DataError):
        get(server, tmp_path)
    server.ranges = False
    assert get(server, tmp_path).sha256 == hashlib.sha256(server.content).hexdigest()


def test_a_part_longer_than_the_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "movielens-100k" / "ml-100k.zip.part"
    part.parent.mkdir()
    part.write_bytes(bytes(len(server.content) + 1))
    assert get(server, tmp_path).verified


def test_a_wrong_checksum_removes_the_file(server: Server, tmp_path: Path) -> None:
    server.md5 = "0" * 32
    with pytest.raises(DataError, match="checksum does not agree"):
        get(server, tmp_path)
    assert not (tmp_path / "movielens-100k" / "ml-100k.zip").exists()
    server.md5 = None
    assert get(server, tmp_path).verified


def test_a_file_that_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    get(server, tmp_path)
    get(server, tmp_path)
    assert len(server.asked) == 1


def test_without_a_published_checksum_it_says_so(server: Server, tmp_path: Path) -> None:
    assert not get(server, tmp_path, digest_address=None).verified


def test_an_archive_that_writes_elsewhere_is_refused(server: Server, tmp_path: Path) -> None:
    server.content = archive("../../escaped.csv")
    with pytest.raises(DataError, match="outside its folder"):
        get(server, tmp_path / "in")
    assert not list(tmp_path.rglob("escaped.csv"))


def test_a_damaged_archive_is_told(server: Server, tmp_path: Path) -> None:
    server.content = b"no archive at all"
    with pytest.raises(DataError, match="damaged"):
        get(server, tmp_path)


def test_a_missing_file_and_name_are_told(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="404"):
        fetch("movielens-1m", tmp_path, True, address=f"http://127.0.0.1:{server.server_port}/other.zip")
    with pytest.raises(ConfigError, match="Did you mean 'movielens-1m'"):
        fetch("movielens-1n", tmp_path, True)


def test_official_addresses_are_encrypted_and_have_terms() -> None:
    for known in PUBLIC_SETS.values():
        assert known.address.startswith("https://")
        assert known.licence
        assert known.page.startswith("https://")
