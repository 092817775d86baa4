"""The checks of a gate as JUnit XML: whatever stands in them, a build server can read it."""

from xml.etree import ElementTree

from equipoise.pipeline.causal.junit import junit


def check(**facts):
    return {
        "subject": "fairness",
        "status": "undecided",
        "code": "not measured",
        "says": "It was not.",
        **facts,
    }


def suite(*checks):
    content = {"candidate": "new", "current": "old", "checks": checks}
    return ElementTree.fromstring(junit(content).encode())


def test_what_xml_cannot_hold_is_left_out():
    read = suite(check(says="a\x00b\x0bc\ud800d\ufffee\uffff 年 😀", attribute="x\ud83d"))
    assert read.find("testcase/error").get("message") == "abcde 年 😀"
    assert read.find("testcase").get("name") == "x"


def test_a_case_without_a_metric_is_called_by_its_subject():
    names = [case.get("name") for case in suite(check(), check(metric="ndcg@10")).iter("testcase")]
    assert names == ["fairness", "ndcg@10"]
