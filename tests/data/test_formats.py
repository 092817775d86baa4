from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from equipoise.data import Dataset
from equipoise.data.config import Source, read
from equipoise.data.formats import FORMATS, coat, recognise
from equipoise.errors import ConfigError, DataError

GENRES = 19


@pytest.fixture
def ml_100k(tmp_path: Path) -> Path:
    (tmp_path / "u.data").write_text("196\t242\t3\t881250949\n186\t302\t5\t891717742\n")
    (tmp_path / "u.user").write_text("196|17|M|writer|02138\n186|56|F|executive|94043\n")
    flags = ["0"] * GENRES
    flags[1] = flags[5] = "1"
    film = "242|Léon (1994)|01-Jan-1994||http://us.imdb.com/x?a"
    rows = [f"{film}|{'|'.join(flags)}", "302|Fargo||||" + "|".join(["1"] + ["0"] * 18)]
    (tmp_path / "u.item").write_bytes("\n".join(rows).encode("latin-1") + b"\n")
    return tmp_path


def test_official_ml_100k(ml_100k: Path) -> None:
    assert recognise(ml_100k) == "movielens"
    data = read(Source(format="movielens", path=str(ml_100k)))
    assert data.events.rows() == [(196, 242, 881250949, "rating", 3.0), (186, 302, 891717742, "rating", 5.0)]
    assert data.users is not None
    assert data.users["zip_code"].to_list() == ["02138", "94043"]
    assert data.users["age_band"].to_list() == ["under 18", "56+"]
    assert data.items is not None
    assert data.items.select("title", "genres").rows() == [
        ("Léon (1994)", "Action|Comedy"),
        ("Fargo", "unknown"),
    ]
    assert data.sensitive == ("gender", "age_band")


def test_official_ml_1m(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("1::1193::5::978300760\n2::661::3::978302109\n")
    (tmp_path / "users.dat").write_text("1::F::1::10::48067\n2::M::56::16::00070\n")
    (tmp_path / "movies.dat").write_bytes(
        "1193::Am\xe9lie: A Film (2001)::Comedy|Romance\r\n661::B::Drama\r\n".encode("latin-1")
    )
    data = read(Source(format="movielens", path=str(tmp_path)))
    assert data.events["value"].to_list() == [5.0, 3.0]
    assert data.users is not None
    assert data.users.rows() == [(1, "F", "under 18", 10, "48067"), (2, "M", "56+", 16, "00070")]
    assert data.items is not None
    assert data.items.rows() == [(1193, "Amélie: A Film (2001)", "Comedy|Romance"), (661, "B", "Drama")]
    assert data.sensitive == ("gender", "age")


def test_movielens_csv_with_tags(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n")
    (tmp_path / "movies.csv").write_text(
        'movieId,title,genres\n31,"Film, The (1995)",Drama|War\n32,Other,Comedy\n'
    )
    (tmp_path / "tags.csv").write_text("userId,movieId,tag,timestamp\n9,31,slow,5\n8,31,old,6\n8,31,slow,7\n")
    data = read(Source(format="movielens", path=str(tmp_path)))
    assert data.items is not None
    assert data.items.rows() == [
        (31, "Film, The (1995)", "Drama|War", "old, slow"),
        (32, "Other", "Comedy", None),
    ]
    assert data.text == ("title", "genres")
    assert data.users is None


def test_atomic_files_have_no_quotes(tmp_path: Path) -> None:
    (tmp_path / "x.inter").write_text(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t7\t4\t10\n"
    )
    (tmp_path / "x.user").write_text(
        "user_id:token\tage:token\tgender:token\tzip_code:token\n1\t44\tF\t05201\n"
    )
    (tmp_path / "x.item").write_text(
        'item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n7\t"Quoted title\tV\tDrama War\n'
    )
    data = read(Source(format="movielens", path=str(tmp_path)))
    assert data.items is not None
    assert data.items.rows() == [(7, '"Quoted title', "V", "Drama|War")]
    assert data.users is not None
    assert data.users["age_band"].to_list() == ["35-44"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            {
                "reviewerID": "A",
                "asin": "B",
                "overall": 5.0,
                "unixReviewTime": 1252800000,
                "reviewText": "good",
            },
            1252800000,
        ),
        (
            {"user_id": "A", "parent_asin": "B", "rating": 5.0, "timestamp": 1588687728923, "title": "t"},
            "2020-05-05",
        ),
        (
            {"user_id": "A", "item_id": "B", "rating": 5.0, "timestamp": 1252800000, "text": "good"},
            1252800000,
        ),
    ],
)
def test_amazon_layouts(row: dict[str, object], expected: object, tmp_path: Path) -> None:
    (tmp_path / "reviews_X_5.json.gz").write_bytes(gzip.compress((json.dumps(row) + "\n").encode()))
    assert recognise(tmp_path) == "amazon-reviews"
    data = read(Source(format="amazon-reviews", path=str(tmp_path)))
    assert data.events.select("user_id", "item_id", "event", "value").rows() == [("A", "B", "rating", 5.0)]
    assert str(data.events["timestamp"][0]).startswith(str(expected))


def test_amazon_items_of_the_meta_file(tmp_path: Path) -> None:
    review = {"user_id": "A", "parent_asin": "B", "rating": 5.0, "timestamp": 1588687728923}
    (tmp_path / "reviews.jsonl").write_text(json.dumps(review))
    meta = {"parent_asin": "B", "title": "Strings", "description": ["for", "guitars"], "details": {"x": "y"}}
    (tmp_path / "meta_X.jsonl").write_text(json.dumps(meta))
    data = read(Source(format="amazon-reviews", path=str(tmp_path)))
    assert data.items is not None
    assert data.items.rows() == [("B", "Strings", "for guitars")]
    assert data.text == ("title", "description")


def test_amazon_reviews_of_another_layout_are_refused(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("who,what\n1,2\n")
    with pytest.raises(DataError, match=r"no release.*who, what"):
        read(Source(format="amazon-reviews", path=str(tmp_path)))


def test_s3rec(tmp_path: Path) -> None:
    (tmp_path / "sequences.txt").write_text("1 10 11 12\n2 11 10\n")
    (tmp_path / "item_attributes.json").write_text('{"10": [3, 4], "11": [4], "12": [5]}')
    (tmp_path / "products_lookup.csv").write_text(",global_product_id,name\n0,10,never this\n")
    data = read(Source(format="s3rec", path=str(tmp_path)))
    assert data.events.rows() == [(1, 10, 0), (1, 11, 1), (1, 12, 2), (2, 11, 0), (2, 10, 1)]
    assert data.items is not None
    assert data.items.rows() == [(10, "a3 a4"), (11, "a4"), (12, "a5")]


def test_generic_folder(tmp_path: Path) -> None:
    pl.DataFrame({"user_id": [1], "item_id": ["a"]}).write_parquet(tmp_path / "events.parquet")
    pl.DataFrame({"user_id": [1], "gender": ["F"]}).write_csv(tmp_path / "users.csv")
    assert recognise(tmp_path) == "generic"
    data = read(Source(path=str(tmp_path), sensitive=["gender"]))
    assert data.users is not None
    assert data.sensitive == ("gender",)
    assert FORMATS.build("generic").read(tmp_path).events.rows() == [(1, "a")]


@pytest.mark.parametrize("name", ["movielens", "coat", "open-bandit", "amazon-reviews", "s3rec", "generic"])
def test_an_empty_folder_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=str(tmp_path)):
        read(Source(format=name, path=str(tmp_path)))
    with pytest.raises(DataError, match=r"no such folder|No file"):
        read(Source(format=name, path=str(tmp_path / "missing")))


def test_an_unknown_format_suggests_the_near_one() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'movielens'"):
        read(Source(format="movielense", path="."))


# Facts of the public data sets, counted from the files.


def real(folder: Path, name: str, part: str = "") -> Dataset:
    assert recognise(folder / part) == name
    return read(Source(format=name, path=str(folder / part)))


def test_real_ml_1m(real_data: Path) -> None:
    data = real(real_data, "movielens", "ml-1m")
    assert data.events.shape == (999_611, 4)
    assert (data.events["user_id"].n_unique(), data.events["item_id"].n_unique()) == (6_040, 3_416)
    assert data.users is not None
    assert dict(data.users["gender"].value_counts().rows()) == {"M": 4_331, "F": 1_709}
    assert data.users["age"].n_unique() == 7
    lengths = data.users["zip_code"].str.len_chars()
    assert ((lengths == 10).sum(), (lengths != 5).sum()) == (66, 81)
    assert data.items is not None
    assert len(data.items) == 3_883
    assert data.items["genres"].str.split("|").explode().n_unique() == 18
    assert len(data.items.join(data.events, on="item_id", how="anti")) == 467


def test_real_ml_100k(real_data: Path) -> None:
    data = real(real_data, "movielens", "ml-100k")
    assert len(data.events) == 100_000
    assert dict(data.events["value"].value_counts().rows()) == {
        1: 6_110,
        2: 11_370,
        3: 27_145,
        4: 34_174,
        5: 21_201,
    }
    assert (data.events["timestamp"].min(), data.events["timestamp"].max()) == (874724710, 893286638)
    assert data.users is not None
    assert dict(data.users["gender"].value_counts().rows()) == {"M": 670, "F": 273}
    assert (data.users["age"].min(), data.users["age"].max()) == (7, 73)
    assert data.items is not None
    assert len(data.items) == 1_682
    assert data.items["genres"].str.split("|").explode().n_unique() == 19
    assert data.items.filter(item_id=1412)["release_year"].item() == "V"


def test_real_ml_latest_small(real_data: Path) -> None:
    data = real(real_data, "movielens", "ml-latest-small")
    assert (len(data.events), data.events["user_id"].n_unique()) == (100_004, 671)
    assert data.events["item_id"].n_unique() == 9_066
    assert data.items is not None
    assert len(data.items) == 9_125
    assert (data.items["genres"] == "(no genres listed)").sum() == 18


def test_real_coat(real_data: Path) -> None:
    data = real(real_data, "coat", "coat")
    assert len(data.events) == 6_960
    assert data.events["user_id"].value_counts()["count"].unique().to_list() == [24]
    assert data.events["value"].mean() == pytest.approx(2.61, abs=0.005)
    assert data.users is not None
    assert dict(data.users["gender"].value_counts().rows()) == {"men": 162, "women": 128}
    assert dict(data.users["age"].value_counts().rows())["over 60"] == 7
    assert data.items is not None
    assert dict(data.items["gender"].value_counts().rows()) == {"men": 150, "women": 150}
    assert (data.items["onfrontpage"] == "yes").sum() == 16
    test = coat.random_test(real_data / "coat")
    assert (len(test), len(coat.random_test(real_data / "coat", without_training=True))) == (
        4_640,
        4_640 - 366,
    )
    assert test["value"].mean() == pytest.approx(2.23, abs=0.005)
    assert coat.propensities(real_data / "coat")["propensity"].sum() == pytest.approx(6_961.6, abs=0.05)
    ips = (data.events["value"] / data.events["propensity"]).sum() / (1 / data.events["propensity"]).sum()
    assert ips == pytest.approx(
        2.331, abs=5e-4
    )  # the self-normalised estimate: propensities sit at their own cells


@pytest.mark.parametrize(
    ("log", "items", "clicks"),
    [("random/men", 34, 46), ("random/women", 46, 46), ("bts/men", 34, 69), ("bts/women", 46, 46)],
)
def test_real_open_bandit(log: str, items: int, clicks: int, real_data: Path) -> None:
    data = real(real_data, "open-bandit", f"open-bandit/{log}")
    shown = data.events.filter(event="impression")
    assert (len(shown), shown["reward"].sum(), data.positives.height) == (10_000, clicks, clicks)
    assert shown["position"].unique().sort().to_list() == [1, 2, 3]
    assert str(shown["timestamp"].dt.date().min()) == "2019-11-24"
    assert shown["policy"].unique().to_list() == [log.split("/")[0]]
    if log.startswith("random"):
        assert shown["propensity"].unique().to_list() == pytest.approx([1 / items], abs=1e-5)
    assert data.items is not None
    assert len(data.items) == items


def test_real_open_bandit_as_a_whole(real_data: Path) -> None:
    data = real(real_data, "open-bandit", "open-bandit")
    assert len(data.events.filter(event="impression")) == 40_000
    assert data.items is not None
    assert len(data.items) == 34 + 46
    assert data.items["item_id"].str.contains("^(men|women)/").all()
    assert data.users is not None
    assert set(data.events["user_id"]) == set(data.users["user_id"])
    assert data.users.drop("user_id").n_unique() == data.users["user_id"].n_unique() == len(data.users)


def test_real_amazon_beauty(real_data: Path) -> None:
    data = real(real_data, "s3rec", "amazon-beauty")
    assert (len(data.events), data.events["user_id"].n_unique()) == (198_502, 22_363)
    lengths = data.events["user_id"].value_counts()["count"]
    assert (lengths.min(), lengths.max(), lengths.median()) == (5, 204, 6)
    assert data.items is not None
    assert (len(data.items), data.items["item_id"].max()) == (12_101, 12_101)
    assert data.items["attributes"].str.split(" ").explode().n_unique() == 637


def test_real_musical_instruments(real_data: Path) -> None:
    data = real(real_data, "amazon-reviews", "musical-instruments")
    assert (len(data.events), data.events["user_id"].n_unique(), data.events["item_id"].n_unique()) == (
        10_261,
        1_429,
        900,
    )
    assert (data.events["timestamp"].min(), data.events["timestamp"].max()) == (1095465600, 1405987200)
    assert data.events["timestamp"].n_unique() == 1_570
    assert (data.events["text"] == "").sum() == 7
