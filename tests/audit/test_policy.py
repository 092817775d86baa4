import pytest
from pydantic import ValidationError

from equipoise.audit.policy import Policy, Rule
from equipoise.errors import ConfigError


def policy(*rules, owner="Trust team"):
    return Policy(owner=owner, rules=[Rule(**rule) for rule in rules])


def written(tmp_path, text):
    path = tmp_path / "policy.toml"
    path.write_text(text, "utf-8")
    return path


def test_intersections_are_found_in_any_order():
    found = policy({"tolerance": 0.5}, {"attribute": "age x gender", "tolerance": 0.1})
    assert found.rule("ndcg@10", "gender x age").tolerance == 0.1
    assert found.rule("ndcg@10", "gender").tolerance == 0.5
    with pytest.raises(ValidationError, match="rules 1 and 2"):
        policy({"attribute": "a x b", "tolerance": 0.1}, {"attribute": "b x a", "tolerance": 0.2})
    settled = policy(
        {"metric": "ndcg@10", "tolerance": 0.1},
        {"attribute": "a x b", "tolerance": 0.2},
        {"metric": "ndcg@10", "attribute": "b x a", "tolerance": 0.3},
    )
    assert settled.rule("ndcg@10", "a x b").tolerance == 0.3


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"attribute": "gendr"}, ["attribute 'gendr'", "rule 2", "Did you mean 'gender'"]),
        ({"metric": "ndcg@7"}, ["metric 'ndcg@7'", "Did you mean 'ndcg@5'"]),
        ({"metric": "recall"}, ["metric 'recall'", "recall, all attributes"]),
        ({"attribute": "gender x region"}, ["attribute 'gender x region'"]),
    ],
)
def test_a_rule_for_nothing_that_is_measured_is_an_error(rule, said):
    measured = (["ndcg@5", "ndcg@10"], ["gender", "age", "gender x age"])
    for fine in (
        {"attribute": "age x gender"},
        {"metric": "ndcg"},
        {"metric": "ndcg@10", "attribute": "age"},
    ):
        policy({**fine, "tolerance": 0.1}).check(*measured)
    with pytest.raises(ConfigError) as error:
        policy({"metric": "ndcg@5", "attribute": "age", "tolerance": 1}, {**rule, "tolerance": 0.1}).check(
            *measured
        )
    assert [words for words in said if words not in str(error.value)] == [], str(error.value)


def test_the_narrowest_rule_applies():
    found = policy(
        {"tolerance": 0.5},
        {"metric": "ndcg", "tolerance": 0.4},
        {"metric": "ndcg@10", "tolerance": 0.3},
        {"metric": "ndcg@10", "attribute": "gender", "tolerance": 0.2},
    )
    tolerances = {
        ("ndcg@10", "gender"): 0.2,
        ("ndcg@10", "age"): 0.3,
        ("ndcg@20", "gender"): 0.4,
        ("recall@10", "gender"): 0.5,
        ("NDCG@10", "gender"): 0.2,
        ("ndcg@10", "gender x age"): 0.3,
    }
    assert {pair: found.rule(*pair).tolerance for pair in tolerances} == tolerances


def test_no_rule_no_tolerance():
    found = policy({"metric": "ndcg@10", "attribute": "gender", "tolerance": 0.02})
    assert found.rule("ndcg@10", "age") is None
    assert found.rule("ndcg@100", "gender") is None, "a cutoff is compared whole"
    assert found.rule("ndcg", "gender") is None
    assert Policy().rule("ndcg@10", "gender") is None


def test_owner_of_the_policy_answers_where_a_rule_names_nobody():
    found = policy({"tolerance": 0.1}, {"metric": "ndcg", "tolerance": 0.2, "owner": "Ranking team"})
    assert [rule.owner for rule in found.rules] == ["Trust team", "Ranking team"]
    assert policy({"tolerance": 0.1}, owner=None).rules[0].owner is None, "not stated stays not stated"


def test_a_third_rule_settles_what_two_both_cover():
    across = [{"metric": "ndcg@10", "tolerance": 0.1}, {"attribute": "gender", "tolerance": 0.2}]
    with pytest.raises(ValidationError, match="add a rule for exactly that"):
        policy(*across)
    settled = policy(*across, {"metric": "ndcg@10", "attribute": "gender", "tolerance": 0.3})
    assert settled.rule("ndcg@10", "gender").tolerance == 0.3
    assert settled.rule("ndcg@10", "age").tolerance == 0.1
    assert settled.rule("ndcg@20", "gender").tolerance == 0.2


def test_rules_that_never_meet_are_no_conflict():
    found = policy(
        {"metric": "ndcg@10", "tolerance": 0.1},
        {"metric": "recall", "attribute": "gender", "tolerance": 0.2},
    )
    assert found.rule("ndcg@10", "gender").tolerance == 0.1


def test_reading_gives_what_was_written(tmp_path):
    path = written(
        tmp_path,
        """
        owner = "Trust team"
        [[rule]]
        metric = "ndcg@10"
        attribute = "gender"
        tolerance = 0.02
        reason = "A fifth of the mean"
        [[rule]]
        tolerance = 0.05
        """,
    )
    found = Policy.read(path)
    expected = {"metric": "ndcg@10", "attribute": "gender", "tolerance": 0.02, "kind": "difference"}
    assert found.rules[0].model_dump() == {**expected, "owner": "Trust team", "reason": "A fifth of the mean"}
    assert Policy.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[rule]\n", ["not valid TOML", "line 1"]),
        ("ownr = 'x'", ["'ownr'", "Did you mean 'owner'"]),
        ("[[rule]]\ntolerence = 1", ["'tolerence'", "rule 1", "Did you mean 'tolerance'"]),
        ("[[rule]]\nmetric = 'ndcg'", ["'tolerance' is missing", "rule 1"]),
        ("[[rule]]\ntolerance = 1\n[[rule]]\ntolerance = 1\natribute = 'a'", ["rule 2", "Did you mean 'attribute'"]),
        ("[[rule]]\ntolerance = -0.1", ["rule 1", "'tolerance'", "greater than or equal to 0"]),
        ("[[rule]]\ntolerance = nan", ["rule 1", "finite"]),
        ("[[rule]]\ntolerance = '2 %'", ["rule 1", "'2 %'"]),
        ("[[rule]]\ntolerance = 1\nmetric = 'ndgc@10'", ["no metric called 'ndgc@10'", "Did you mean 'ndcg'"]),
        ("[[rule]]\ntolerance = 1\nkind = 'diference'", ["'diference'", "Did you mean 'difference'"]),
        ("[[rule]]\ntolerance = 1\n[[rule]]\ntolerance = 2", ["rules 1 and 2", "all metrics, all attributes"]),
        ("[[rule]]\nmetric='ndcg@10'\ntolerance=1\n[[rule]]\nattribute='a'\ntolerance=2", ["ndcg@10, a"]),
        ("rule = 3", ["'rule'", "got 3"]),
    ],
)  # fmt: skip
def test_faults_are_located(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        Policy.read(path)
    assert str(path) in str(error.value)
    assert [words for words in said if words not in str(error.value)] == [], str(error.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ConfigError, match="no such policy"):
        Policy.read(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="no policy file"):
        Policy.read(tmp_path)
