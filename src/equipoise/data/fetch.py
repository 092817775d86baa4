"""Public data sets by their official addresses: licence first, resumable, checksummed."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from equipoise.errors import ConfigError, DataError, nearest
from equipoise.progress import track

_GROUPLENS = "https://files.grouplens.org/datasets/movielens"
_SNAP = "https://snap.stanford.edu/data/amazon/productGraph/categoryFiles"
_GROUPLENS_LICENCE = (
    "GroupLens: free for research; name the data set's paper; no redistribution and no commercial use without "
    "permission (the README in the archive is what counts)."
)
_AMAZON_LICENCE = (
    "No licence is stated; the authors ask to be cited (McAuley et al., SIGIR 2015). "
    "Reviews belong to their writers."
)
_BLOCK = 1 << 18


@dataclass(frozen=True)
class PublicSet:
    """Where a public data set lies and on what terms.

    Attributes:
        address: Official address of its file.
        licence: The terms in short; the owner's own words stand at `page`.
        page: The owner's page.
        format: The ready format that reads it.
        digest_address: Where the owner publishes an MD5 of the file; None where none is published.
    """

    address: str
    licence: str
    page: str
    format: str
    digest_address: str | None = None


def _movielens(name: str) -> PublicSet:
    address = f"{_GROUPLENS}/{name}.zip"
    return PublicSet(
        address,
        _GROUPLENS_LICENCE,
        "https://grouplens.org/datasets/movielens/",
        "movielens",
        f"{address}.md5",
    )


def _amazon(category: str) -> PublicSet:
    address = f"{_SNAP}/reviews_{category}_5.json.gz"
    return PublicSet(
        address, _AMAZON_LICENCE, "https://snap.stanford.edu/data/amazon/productGraph/", "amazon-reviews"
    )


PUBLIC_SETS: Mapping[str, PublicSet] = {
    "movielens-100k": _movielens("ml-100k"),
    "movielens-1m": _movielens("ml-1m"),
    "movielens-latest-small": _movielens("ml-latest-small"),
    "open-bandit": PublicSet(
        "https://research.zozo.com/data_release/open_bandit_dataset.zip",
        "ZOZO Research, Creative Commons Attribution 4.0; the owner's page is what counts (400 MB, 11 GB unpacked).",
        "https://research.zozo.com/data.html",
        "open-bandit",
    ),
    "amazon-beauty-5": _amazon("Beauty"),
    "amazon-musical-instruments-5": _amazon("Musical_Instruments"),
}
"""All that `fetch` knows, by name."""


@dataclass(frozen=True)
class Fetched:
    """What was fetched.

    Attributes:
        folder: Where its files lie, for `path` under `[data]`.
        format: The ready format that reads them.
        sha256: Of the file as it came.
        verified: Whether it agrees with a checksum that the owner publishes; False where none is published.
    """

    folder: Path
    format: str
    sha256: str
    verified: bool


def licence(name: str) -> str:
    """The terms of a public set, to be shown before anything is fetched.

    Raises:
        ConfigError: if there is no such set.
    """
    found = _find(name)
    return f"{name}: {found.licence} See {found.page}"


def fetch(
    name: str,
    folder: str | Path,
    accept_licence: bool = False,
    *,
    address: str | None = None,
    digest_address: str | None = None,
    progress: bool = True,
) -> Fetched:
    """Fetch a public set and unpack it.

    An interrupted download goes on where it stopped. A file that is there already is checked, not fetched
    again.

    Args:
        name: One of `PUBLIC_SETS`.
        folder: Where its own folder goes.
        accept_licence: Whether the terms, as `licence` tells them, are accepted.
        address: Another address of the same file (a mirror).
        digest_address: Another address of its checksum.
        progress: Whether a bar is shown.

    Raises:
        ConfigError: if there is no such set, or its terms are not accepted.
        DataError: if the server does not answer, or the checksum does not agree.
    """
    wanted = _find(name)
    if not accept_licence:
        raise ConfigError(
            "The licence has not been accepted",
            where=licence(name),
            todo="Read it, then pass --accept-licence.",
        )
    if address is not None:
        wanted = replace(wanted, address=address, digest_address=None)
    if digest_address is not None:
        wanted = replace(wanted, digest_address=digest_address)
    target = Path(folder).expanduser() / name
    target.mkdir(parents=True, exist_ok=True)
    file = target / wanted.address.rpartition("/")[2]
    try:
        with httpx.Client(follow_redirects=True, timeout=60) as client:
            if not file.exists():
                _download(client, wanted.address, file, progress)
            verified = _verify(client, wanted.digest_address, file)
    except httpx.HTTPError as error:
        raise DataError(
            "The download did not finish",
            where=f"{wanted.address}: {error or type(error).__name__}",
            todo="Run the same command again; it goes on where it stopped.",
        ) from error
    inside = _unpack(file, target) if file.suffix == ".zip" else target
    return Fetched(inside, wanted.format, _digest(file, "sha256"), verified)


def _find(name: str) -> PublicSet:
    if name not in PUBLIC_SETS:
        raise ConfigError(f"There is no public set called '{name}'", todo=nearest(name, PUBLIC_SETS))
    return PUBLIC_SETS[name]


def _download(client: httpx.Client, address: str, file: Path, progress: bool) -> None:
    """Into `<file>.part` from where it stopped; only the whole file gets its own name."""
    part = file.with_name(file.name + ".part")
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", address, headers=headers) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()  # longer than the file: it is no beginning of it
            return _download(client, address, file, progress)
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        left = int(answer.headers.get("Content-Length", 0))
        with part.open("ab" if resumed else "wb") as sink:
            steps = -(-left // _BLOCK) or None
            for block in track(answer.iter_raw(_BLOCK), f"fetching {file.name}", total=steps, show=progress):
                sink.write(block)
    size, whole = part.stat().st_size, left + (have if resumed else 0)
    if left and size != whole:
        raise DataError(
            "The download is not whole", where=f"{part}: {size:,} of {whole:,} bytes", todo="Run it again."
        )
    part.rename(file)
    return None


def _verify(client: httpx.Client, address: str | None, file: Path) -> bool:
    if address is None:
        return False
    answer = client.get(address).raise_for_status()
    published = re.search(r"\b[0-9a-fA-F]{32}\b", answer.text)
    if published is None:
        raise DataError("The published checksum cannot be read", where=address, todo="Try again later.")
    found = _digest(file, "md5")
    if found != published[0].lower():
        file.unlink()
        raise DataError(
            "The checksum does not agree, and the file has been removed",
            where=f"{file}: {found}, published {published[0].lower()}",
            todo="Fetch it again.",
        )
    return True


def _digest(file: Path, kind: str) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, kind).hexdigest()


def _unpack(file: Path, target: Path) -> Path:
    """Unpack an archive; gives the folder with the files, which is the archive's only folder where it has
    one.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                if not (target / name).resolve().is_relative_to(target.resolve()):
                    raise DataError("The archive would write outside its folder", where=f"{file}: {name}")
            archive.extractall(target)
            tops = {name.split("/")[0] for name in archive.namelist() if not name.startswith("__MACOSX")}
    except zipfile.BadZipFile as error:
        raise DataError(
            "The archive is damaged", where=str(file), todo="Remove it and fetch it again."
        ) from error
    only = target / next(iter(tops))
    return only if len(tops) == 1 and only.is_dir() else target
