"""English."""

from typing import Final

MESSAGES: Final[dict[str, str]] = {
    "html.lang": "en",
    "title": "Report of the run {name}",
    "brand": "Equipoise",
    "kicker": "Recommendations, measured",
    "nav": "On this page",
    "skip": "Skip to the numbers",
    # Verdict
    "verdict.better": "On held-out events the correction raises {metric} from {before} to {after}.",
    "verdict.worse": "On held-out events the correction lowers {metric} from {before} to {after}.",
    "verdict.unclear": "No difference in {metric} can be shown: {before} before, {after} after the correction.",
    "verdict.same": "The correction leaves {metric} at {before}, the same for every user.",
    "verdict.few": "{metric} is {before} before and {after} after the correction; too few users to say more.",
    "verdict.alone": "The lists reach {metric} {before} on held-out events.",
    "verdict.nothing": "Nothing was measured.",
    "truth.better": "The correction raises {metric} against the true preferences from {before} to {after}.",
    "truth.worse": "The correction lowers {metric} against the true preferences from {before} to {after}.",
    "truth.same": "The correction leaves {metric} against the true preferences at {before}.",
    "truth.alone": "The lists reach {metric} {before} against the true preferences.",
    "truth.logged": "This is a generated world, so the truth is known. Held-out events, as in any log, were shown by a "
    "biased policy, and favour what it favoured:",
    "verdict.difference": "Paired difference {difference}, {level} interval {low} to {high}, {p}, {users} users.",
    "verdict.interval": "{level} interval {low} to {high}, {users} users.",
    "verdict.no_comparison": "Nothing was corrected in this run, so there is nothing to compare with.",
    "verdict.concentrated": "Exposure becomes more concentrated: Gini {before} to {after}.",
    "verdict.spread": "Exposure becomes less concentrated: Gini {before} to {after}.",
    "verdict.exposure_same": "Exposure stays as concentrated as it was: Gini {before}.",
    "verdict.coverage": "{before} of the catalogue was recommended before, {after} after.",
    "verdict.coverage_alone": "{before} of the catalogue is recommended to anybody; Gini of exposure {gini}.",
    "p": "p = {p}",
    "p.small": "p < {p}",
    "users": "{n} users",
    "to": "to",
    # Stages
    "stage.baseline": "Baseline",
    "stage.corrected": "Corrected",
    # Sections
    "section.quality": "Before and after",
    "section.quality.alone": "Quality of the lists",
    "section.groups": "By group",
    "section.exposure": "Who is shown",
    "section.calibration": "What a probability is worth",
    "section.planted": "Against the planted truth",
    "section.samples": "Lists to look at",
    "section.data": "Where the data went",
    "section.protocol": "How it was measured",
    "section.limits": "What this does not show",
    "section.glossary": "Metrics",
    "section.reproduce": "Make it again",
    "section.warnings": "Read this first",
    "hero.caption": "Mean {metric} over held-out users, with {level} intervals",
    # Quality
    "quality.lead": "Means over held-out users with {level} intervals from a bootstrap over users. Each plot has "
    "its own scale, "
    "given at its ends.",
    "quality.compared": "Differences are paired: the same users before and after, p by flipping signs. With "
    "{count} metrics "
    "side by side, some small p-values are to be expected by chance.",
    "quality.whole": "The system as a whole",
    "quality.system": "A bootstrap over users would be biased for these values, so they have no interval.",
    "column.metric": "Metric",
    "column.interval": "Intervals",
    "column.difference": "Difference",
    "column.p": "p",
    "column.value": "Value",
    "column.users": "Users",
    "column.group": "Group",
    "column.table": "Table",
    "column.reason": "Reason",
    "column.dropped": "Dropped",
    "column.kept": "Kept",
    "column.rows": "Rows",
    "column.hash": "SHA-256 of the content",
    "column.rank": "Rank",
    "column.item": "Item",
    "column.probability": "Probability",
    "column.said": "Said",
    "column.seen": "Seen",
    "column.n": "Predictions",
    "column.stage": "Step",
    "column.seconds": "Seconds",
    "column.quantity": "Quantity",
    "column.share_items": "Share of items",
    "column.formula": "Formula",
    "column.range": "Range",
    "column.better": "Better",
    "column.unit": "Unit",
    # Groups
    "groups.lead": "Mean {metric} per group with {level} intervals over the users of that group. A difference "
    "between two groups "
    "is not tested here: overlapping intervals do not prove equality.",
    "groups.by": "By {attribute}",
    "groups.few": "few users",
    "groups.few.note": "Groups of fewer than {n} users are marked; their values say little.",
    "groups.table": "All metrics by {attribute}",
    # Exposure
    "exposure.lead": "Items from the least to the most recommended against the share of all places they hold. On "
    "the dashed line "
    "all items would be shown equally often.",
    "exposure.x": "share of items, least shown first",
    "exposure.y": "share of places",
    "exposure.equal": "equal exposure",
    "exposure.title": "Lorenz curve of exposure",
    "exposure.table": "The curve as a table",
    # Calibration
    "calibration.lead": "For what was recommended: the probability given against the share that held-out users "
    "then took. On the "
    "dashed line probabilities mean what they say.",
    "calibration.error": "Expected calibration error: {errors}.",
    "calibration.x": "probability given",
    "calibration.y": "share taken",
    "calibration.title": "Reliability of the probabilities",
    "calibration.perfect": "calibrated",
    "calibration.table": "The bins as a table",
    "calibration.n": "{n} predictions",
    # Planted truth
    "planted.lead": "This data comes from a generated world, whose true preferences, propensities and group gaps "
    "are known. Real "
    "data has no such table.",
    # Samples
    "samples.lead": "Lists of a few users. A filled mark: the user took this item in the held-out time.",
    "samples.user": "User {user}",
    "samples.history": "Before: {titles}",
    "samples.taken": "taken",
    "samples.cold": "new item",
    # Data
    "data.lead": "Every row that was dropped is counted by its reason.",
    "data.waterfall": "Events, from reading to splitting",
    "data.read": "read",
    "data.left": "left",
    "data.account": "The account as a table",
    "data.provenance": "Tables used",
    "data.nothing_dropped": "No row was dropped.",
    # Protocol
    "protocol.line": "Protocol: {protocol}",
    "protocol.k": "list length",
    "protocol.strategy": "split",
    "protocol.split": "split",
    "protocol.candidates": "candidates",
    "protocol.seen_items": "seen items",
    "protocol.relevant": "relevant",
    "protocol.test_users": "held-out users",
    "protocol.test_pairs": "held-out pairs",
    "protocol.level": "level",
    "protocol.interval": "intervals",
    "protocol.seed": "seed",
    "protocol.users": "users",
    "protocol.items": "items",
    "protocol.events": "events",
    "protocol.train": "training events",
    "protocol.valid": "validation events",
    "protocol.test": "test events",
    # Limits
    "limits.offline": "These are measurements on logged events. What people would have done with other lists in "
    "front of them, "
    "the log does not say.",
    "limits.seed": "Intervals cover the choice of users, not of the random seed: another training run gives "
    "other numbers.",
    "limits.groups": "Groups are those in the data. Who is missing from it, or wrongly labelled, is not seen here.",
    "limits.exposure": "Equal exposure is not by itself fair, nor unequal exposure unfair: that depends on what "
    "is owed to whom.",
    "limits.claim": "No number here certifies that a system is fair, safe or lawful.",
    # Names of metrics
    "metric.precision": "Precision",
    "metric.recall": "Recall",
    "metric.hit_rate": "Hit rate",
    "metric.ndcg": "NDCG",
    "metric.mrr": "MRR",
    "metric.map": "MAP",
    "metric.rmse": "RMSE",
    "metric.mse": "MSE",
    "metric.mae": "MAE",
    "metric.diversity": "Diversity",
    "metric.novelty": "Novelty",
    "metric.popularity": "Popularity",
    "metric.coverage": "Coverage",
    "metric.gini": "Gini",
    "metric.entropy": "Entropy",
    # Glossary
    "glossary.high": "higher",
    "glossary.low": "lower",
    "glossary.neither": "depends",
    "glossary.unbounded": "no bound",
    "glossary.terms": "u user, i item, r rank from 1, k list length, rel(u) what u took in the held-out time, "
    "hit(r) 1 where the "
    "item at rank r is in rel(u).",
    # Reproduction
    "reproduce.lead": "The same data, configuration and versions give the same numbers.",
    "reproduce.command": "Command",
    "reproduce.config": "Configuration",
    "reproduce.versions": "Versions",
    "reproduce.time": "Time per step",
    "reproduce.seed": "Seed {seed}",
    "reproduce.memory": "peak memory {memory}",
    "made": "Started {started}",
}
