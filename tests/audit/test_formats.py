"""What other libraries save is read as it is; the shapes and values below are what their current versions give."""

import numpy as np
import polars as pl
import pytest

from equipoise.audit.formats import examine, read, recognise, side_table
from equipoise.errors import ConfigError, DataError

LEAST = np.finfo(np.float32).min


def codes(reading):
    return [note.code for note in reading.notes]


def rows(frame):
    return frame.select("user_id", "item_id", "rank").rows()


def test_rectools_frames_are_read_from_csv_with_and_without_index_and_from_parquet(tmp_path):
    pandas = pytest.importorskip("pandas")
    given = pandas.DataFrame(  # RecTools 0.19: dtypes int64, int64, float32, int64
        {
            "user_id": [1, 1, 2, 2],
            "item_id": [111, 139, 127, 119],
            "score": np.array([4.98706, 4.323223, 4.66061, 3.945107], dtype=np.float32),
            "rank": [1, 2, 1, 2],
        }
    )
    given.to_csv(tmp_path / "a.csv", index=False)
    given.to_csv(tmp_path / "b.csv")
    given.to_parquet(tmp_path / "c.parquet")
    for name in ("a.csv", "b.csv", "c.parquet"):
        frame = read(tmp_path / name, "rectools")
        assert frame.columns == ["user_id", "item_id", "rank", "score"]
        assert rows(frame) == [(1, 111, 1), (1, 139, 2), (2, 127, 1), (2, 119, 2)]
        assert read(tmp_path / name).equals(frame)


def lenskit_native(fields):
    kind = pl.List(pl.Struct(fields))
    items = [
        [
            {"item_id": 111, "rank": 1, "score": 8.2, "nbr_counts": 20},
            {"item_id": 153, "rank": 2, "score": 7.7},
        ],
        [],
        [{"item_id": 107, "rank": 1, "score": 7.2}],
    ]
    kept = [[{name: row.get(name) for name in fields} for row in part] for part in items]
    return pl.DataFrame({"user_id": [1, 2, 3], "items": pl.Series(kept, dtype=kind)})


def test_lenskit_collections_are_read_in_the_native_layout(tmp_path):
    path = tmp_path / "recs.parquet"  # LensKit 2025.8: list<struct<item_id, rank, score, nbr_counts>>
    fields = {"item_id": pl.Int64, "rank": pl.Int32, "score": pl.Float32, "nbr_counts": pl.Int32}
    lenskit_native(fields).write_parquet(path)
    assert recognise(path) == "lenskit"
    frame = read(path)
    assert rows(frame) == [(1, 111, 1), (1, 153, 2), (3, 107, 1)]
    assert frame["score"].to_list() == pytest.approx([8.2, 7.7, 7.2], abs=1e-6)


def test_lenskit_lists_without_ranks_keep_their_order(tmp_path):
    path = tmp_path / "recs.parquet"
    lenskit_native({"item_id": pl.Int64}).write_parquet(path)
    found = examine(path)
    assert rows(found.frame) == [(1, 111, 1), (1, 153, 2), (3, 107, 1)]
    assert codes(found) == ["ranks_from_order"]


def test_lenskit_flat_frames_are_read_also_with_the_names_of_older_versions(tmp_path):
    flat = pl.DataFrame({"item": [5, 6], "score": [0.4, 0.3], "user": [1, 1], "rank": [1, 2]})
    flat.write_parquet(tmp_path / "recs.parquet")
    found = examine(tmp_path / "recs.parquet", "lenskit")
    assert rows(found.frame) == [(1, 5, 1), (1, 6, 2)]
    assert found.notes[0].values == {"user_id": "user", "item_id": "item"}


IDS = np.array([[2, 0, 1], [1, -1, -1]], dtype=np.int32)
SCORES = np.array([[0.7, 0.6, LEAST], [0.9, LEAST, LEAST]], dtype=np.float32)


@pytest.mark.parametrize("names", [(), ("ids", "scores"), ("items", "scores")])
def test_implicit_arrays_lose_their_fillers_and_get_their_ids_back(tmp_path, names):
    """implicit 0.7: an item the user has comes last, scored with the least float32, or as -1."""
    path = tmp_path / "recs.npz"
    np.savez(path, **dict(zip(names, (IDS, SCORES), strict=True))) if names else np.savez(path, IDS, SCORES)
    np.save(tmp_path / "items.npy", np.array(["a", "b", "c"]))
    (tmp_path / "users.csv").write_text("user_id\n70\n80\n")
    assert recognise(path) == "implicit"
    assert rows(read(path)) == [(0, 2, 1), (0, 0, 2), (1, 1, 1)]
    found = examine(path, users=tmp_path / "users.csv", items=tmp_path / "items.npy")
    assert rows(found.frame) == [(70, "c", 1), (70, "a", 2), (80, "b", 1)]
    assert codes(found) == ["fillers_dropped", "ranks_from_order"]


def test_implicit_arrays_may_carry_their_ids(tmp_path):
    path = tmp_path / "recs.npz"
    np.savez(path, ids=IDS, scores=SCORES, users=np.array([70, 80]), items=np.array([500, 600, 700]))
    assert rows(read(path)) == [(70, 700, 1), (70, 500, 2), (80, 600, 1)]


def test_arrays_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "recs.npz"
    np.savez(path, IDS, SCORES)
    with pytest.raises(DataError, match="3 users do not fit 2 lists"):
        read(path, users=[1, 2, 3])
    with pytest.raises(DataError, match="Item number 2 is beyond the 2 item ids"):
        read(path, items=["a", "b"])
    np.savez(path, IDS[0], SCORES[0])
    with pytest.raises(DataError, match="One matrix of items"):
        read(path)


TOKENS = np.array([["156", "104"], ["118", "[PAD]"]])


def test_recbole_tokens_are_read_with_their_users(tmp_path):
    """RecBole 1.2.1: `id2token` gives text, and seen items are scored with minus infinity."""
    path = tmp_path / "recs.npz"
    scores = np.array([[0.14, 0.1], [0.2, -np.inf]], dtype=np.float32)
    np.savez(path, users=np.array(["1", "2"]), items=TOKENS, scores=scores)
    assert recognise(path) == "recbole"
    assert rows(read(path)) == [(1, 156, 1), (1, 104, 2), (2, 118, 1)]


def test_recbole_numbers_and_nameless_users_are_refused(tmp_path):
    path = tmp_path / "recs.npz"
    np.savez(path, topk_score=SCORES[:, :2], topk_iid_list=IDS[:, :2])
    with pytest.raises(DataError, match="whose lists these are"):
        read(path)
    with pytest.raises(DataError, match="internal numbers"):
        read(path, users=["1", "2"])


def test_recbole_atomic_files_are_read_as_lists_and_as_side_tables(tmp_path):
    (tmp_path / "recs.csv").write_text("user_id:token\titem_id:token\tscore:float\n1\t7\t0.5\n1\t8\t0.9\n")
    (tmp_path / "a.user").write_text('user_id:token\tage:token\tname:token_seq\n1\t24\ta "b\n')
    (tmp_path / "a.inter").write_text("user_id:token\titem_id:token\trating:float\n1\t7\t4\n")
    found = examine(tmp_path / "recs.csv")
    assert (found.format, rows(found.frame)) == ("recbole", [(1, 8, 1), (1, 7, 2)])
    assert side_table(tmp_path / "a.user").rows() == [(1, 24, 'a "b')]
    assert side_table(tmp_path / "a.inter").columns == ["user_id", "item_id", "value"]


def test_pickled_objects_are_never_read(tmp_path):
    path = tmp_path / "recs.npz"
    np.savez(path, items=TOKENS.astype(object))
    with pytest.raises(DataError, match=r"pickled Python objects.*astype\(str\)"):
        read(path)


def test_ranks_come_from_scores_and_equal_scores_from_ids(tmp_path):
    table = pl.DataFrame(
        {
            "uid": [2, 1, 1, 1],
            "iid": [5, 10, 9, 3],
            "score": [1.0, 0.5, 0.5, 0.7],
            "system": ["a", "a", "a", "b"],
        }
    )
    table.write_csv(tmp_path / "recs.csv")
    found = examine(tmp_path / "recs.csv")
    assert sorted(found.frame.select("system", "user_id", "item_id", "rank").rows()) == [
        ("a", 1, 9, 1),
        ("a", 1, 10, 2),
        ("a", 2, 5, 1),
        ("b", 1, 3, 1),
    ]
    assert codes(found) == ["columns_renamed", "ranks_from_scores"]


def test_ranks_from_zero_are_raised_and_told(tmp_path):
    pl.DataFrame({"user_id": [1, 1], "item_id": [5, 6], "rank": [0, 1]}).write_csv(tmp_path / "recs.csv")
    found = examine(tmp_path / "recs.csv")
    assert found.frame["rank"].to_list() == [1, 2]
    assert codes(found) == ["ranks_from_zero"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"user": [1], "uid": [1], "item_id": [2], "rank": [1]}, "user and uid could both be 'user_id'"),
        ({"user_id": [1], "item_id": [2]}, "Nothing tells the order"),
        ({"user_id": [1], "movie": [2], "rank": [1]}, "No column is 'item_id'"),
        ({"user_id": [1], "item_id": [2], "rank": [1.5]}, "whole numbers"),
        ({"user_id": [1], "item_id": [2], "score": ["x"]}, "scores are no numbers"),
        ({"user_id": [1], "item_id": [2], "score": [float("inf")], "rank": [1]}, "no recommendations"),
    ],
)
def test_what_is_not_clear_is_asked_for(tmp_path, columns, said):
    path = tmp_path / "recs.parquet"
    pl.DataFrame(columns).write_parquet(path)
    with pytest.raises(DataError, match=said):
        read(path)


def test_unknown_formats_are_named(tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'lenskit'"):
        read(tmp_path / "x.csv", "lensket")
