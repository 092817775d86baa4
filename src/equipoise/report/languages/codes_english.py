"""English: codes that the evidence of an audit holds, as words and sentences.

A sentence names the values that it needs in braces; with other values than these, the values follow in brackets.
"""

from typing import Final

MESSAGES: Final[dict[str, str]] = {
    # Rules that acted on the data
    "note.attack_group_dropped": "{group} of {attribute} is too small a group to train attackers on; it was left out.",
    "note.attack_sampled": "Attackers on {attribute} used a random sample of {users} users.",
    "note.users_missing": "{users} users stand in no row of the table of users; they form the group unknown, "
    "which enters no gap.",
    "note.users_missing.plain": "Users who stand in no row of the table of users form the group unknown, which "
    "enters no gap",
    "note.attribute_missing": "{users} users have no value of {attribute}; they form the group unknown, which "
    "enters no gap.",
    "note.attribute_missing.plain": "Users without a value of an attribute form the group unknown, which "
    "enters no gap",
    "note.truth_missing": "{users} users have lists and no held-out events; they are excluded and counted.",
    "note.truth_missing.plain": "Users with lists and no held-out events are excluded and counted",
    "note.recommendations_missing": "{users} users have held-out events and no list; each of their values is 0.",
    "note.recommendations_missing.plain": "Users with held-out events and no list count with the value 0",
    "note.ranks_with_holes": "The ranks of {users} users' lists have holes; ranks are used as given, so an "
    "empty place counts as a miss.",
    "note.ranks_with_holes.plain": "Ranks with holes are used as given: an empty place counts as a miss",
    "note.banded": "{attribute} has many values and was cut at its quintiles into {bands} bands.",
    "note.banded.plain": "A column with many numbers was cut at its quintiles into bands",
    "note.small_groups": "Groups of {attribute} with fewer users than the minimum are not shown and enter no "
    "gap.",
    "note.small_groups.plain": "Groups with fewer users than the minimum are not shown and enter no gap",
    "note.single_group": "{attribute} has a single group, so there is nothing to compare.",
    "note.single_group.plain": "An attribute with a single group has nothing to compare",
    "note.duplicate_truth": "{rows} held-out events repeat a user and an item; each pair counts once.",
    "note.duplicate_truth.plain": "Held-out events that repeat a user and an item count once",
    "note.short_lists": "{users} users have lists shorter than {places} places; the missing ones count as "
    "misses.",
    "note.short_lists.plain": "Lists shorter than asked for: the missing places count as misses",
    "note.system_users_differ": "The systems do not cover the same users; pairs of systems are compared on the "
    "users of both.",
    "note.system_users_differ.plain": "The systems do not cover the same users; pairs of systems are compared "
    "on the users of both",
    "note.permutations_raised": "With {tests} tests the number of permutations was raised to {permutations}, "
    "so that adjusted p-values can become small enough.",
    "note.permutations_raised.plain": "The number of permutations was raised, so that adjusted p-values can "
    "become small enough",
    "note.strata_left_out": "{attribute}: {strata} strata of the controls with {users} users have fewer than 5 "
    "of a group and were left out of the adjusted gap.",
    "note.strata_left_out.plain": "Strata of the controls with fewer than 5 users of a group were left out of the "
    "adjusted gap",
    "note.missing_words": "{attribute}: the words {words} were taken for missing values.",
    "note.missing_words.plain": "Words such as nan and none in an attribute were taken for missing values",
    "note.kind_without_test": "{attribute}: there is no test of the kind {kind}, so its gap cannot be found unfair.",
    "note.kind_without_test.plain": "Some kinds of gap have no test, so they cannot be found unfair",
    "note.kind_unadjusted": "{attribute}: the kind {kind} is judged without adjusting for the controls.",
    "note.kind_unadjusted.plain": "Kinds of gap other than the difference are judged without adjusting for the "
    "controls",
    "note.columns_renamed": "Columns of other names were read as those of the audit.",
    "note.ranks_from_zero": "Ranks count from 0 in the table; 1 was added to each.",
    "note.ranks_from_scores": "The table has no ranks; they were made from the scores, the highest first.",
    "note.ranks_from_order": "The table has no ranks; the order of its rows was taken.",
    "note.fillers_dropped": "{rows} rows that only fill up short lists were dropped.",
    "note.fillers_dropped.plain": "Rows that only fill up short lists were dropped",
    "note.items_without_group": "{attribute}: {places} places in the lists of {system} hold items without a value, "
    "a share of {share} of the exposure; they count for no group.",
    "note.items_without_group.plain": "Recommended items without a value of a column count for no group in exposure",
    # What could not be tested
    "not_testable.no_tolerance": "{metric} by {attribute} has no tolerance, so no gap in it can be found fair.",
    "not_testable.no_tolerance.plain": "Without a tolerance no gap can be found fair",
    "not_testable.small_group": "{attribute}: the group {group} has too few users to be shown, or would give such a "
    "group away, so no verdict is given.",
    "not_testable.small_group.plain": "A group has too few users to be shown, or would give such a group away, so no "
    "verdict is given",
    "not_testable.single_group": "{attribute} has a single group large enough, so there is no gap.",
    "not_testable.single_group.plain": "An attribute has a single group large enough, so there is no gap",
    "not_testable.underpowered": "{metric} by {attribute}: only gaps from {minimum_detectable} on can be "
    "detected reliably, more than the tolerance of {tolerance}.",
    "not_testable.underpowered.plain": "The gaps that can be detected reliably are larger than the tolerance",
    "not_testable.no_train": "Without training events (--train) there is no comparison with the most popular "
    "items, and no measure that needs what users liked before.",
    "not_testable.no_items": "Without a table of items (--items) the exposure of providers was not measured.",
    "not_testable.no_catalogue": "Without a table of items or training events (--items or --train) the catalogue is "
    "not known, so coverage and concentration were not measured.",
    "not_testable.no_explanations": "Without a column faithful in the recommendations, explanations were not "
    "measured.",
    "not_testable.no_item_groups": "No column of the items was named as their groups or providers "
    "(--item-groups), so the exposure of providers was not measured.",
    "not_testable.no_attackers": "Attackers were not asked for, so it was not tested whether lists give away "
    "the attribute.",
    "not_testable.attack_impossible": "{attribute} could not be attacked.",
    "not_testable.attack_impossible.plain": "An attribute could not be attacked",
    "not_testable.no_scores": "Without scores in the recommendations, attackers read the lists only.",
    "not_testable.no_vectors": "Without vectors of users, attackers could not read them.",
    "not_testable.no_users": "Without a table of users (--users) there are no groups to compare.",
    "not_testable.no_groups": "No groups were asked for, so none were compared.",
    "not_testable.no_truth": "Without held-out events (--truth) the quality of the lists was not measured.",
    "not_testable.no_policy": "No policy was given, so no tolerance was set before the audit.",
    "not_testable.one_system": "There is one system only, so none were compared.",
    # Names of values
    "value.users": "users",
    "value.rows": "rows",
    "value.items": "items",
    "value.system": "system",
    "value.attribute": "attribute",
    "value.metric": "metric",
    "value.group": "group",
    "value.groups": "groups",
    "value.min_cell": "minimum",
    "value.table": "table",
    "value.minimum_detectable": "smallest detectable gap",
    "value.tolerance": "tolerance",
    "value.bands": "bands",
    "value.k": "length",
    "value.names": "names",
    "value.view": "from",
    "value.reason": "reason",
    "value.systems": "systems",
    "value.permutations": "permutations",
    "value.tests": "tests",
    "value.strata": "strata",
    "value.places": "places",
    "value.words": "words",
    "value.kind": "kind",
    # Kinds of gap
    "kind.difference": "Difference",
    "kind.raw difference": "Difference, not adjusted for controls",
    "kind.ratio": "Ratio",
    "kind.disparity": "Disparity, highest / lowest − 1",
    "kind.worst group": "Worst group",
    "kind.between-group variance": "Variance between groups",
    "kind.kolmogorov-smirnov": "Kolmogorov-Smirnov distance",
    "kind.wasserstein": "Wasserstein distance",
    # Attackers
    "attacker.logistic": "Logistic regression",
    "attacker.gradient boosting": "Gradient boosting",
    "attacker.mlp": "Neural network",
    "attacker.nearest neighbours": "Nearest neighbours",
    "attacker.majority": "Majority",
    "attacker.permuted labels": "Permuted labels",
    "view.lists": "Lists",
    "view.scores": "Scores",
    "view.vectors": "User vectors",
    "view.profile": "Profile (the ceiling to compare with)",
    "target.catalogue": "share of the catalogue",
    "target.uniform": "equal shares",
    "target.merit": "share of held-out events",
    "target.given": "as given",
    # Tables and settings
    "table.recommendations": "Recommendations",
    "table.truth": "Held-out events",
    "table.users": "Users",
    "table.items": "Items",
    "table.vectors": "User vectors",
    "table.user_ids": "Ids of users",
    "table.item_ids": "Ids of items",
    "table.train": "Training events",
    "table.explanations": "Explanations",
    "setting.item_groups": "groups of items",
    "setting.target": "target of exposure",
    "setting.protocol": "protocol",
    "setting.k": "list lengths",
    "setting.groups": "attributes",
    "setting.intersections": "attributes crossed",
    "setting.controls": "controls",
    "setting.level": "level",
    "setting.n_bootstrap": "bootstrap draws",
    "setting.n_permutations": "permutations",
    "setting.min_cell": "smallest group",
    "setting.metrics": "metrics",
    "setting.seed": "seed",
    # How numbers came about
    "method.overall": "Mean over users. The interval is a bootstrap over users, {n_bootstrap} draws.",
    "method.group": "Mean over the users of the group. The interval is a bootstrap over users, {n_bootstrap} "
    "draws.",
    "method.gap.difference": "Difference of the means of both groups. Interval: bootstrap over users within "
    "groups, {n_bootstrap} draws. p: groups permuted over users within strata of the controls, "
    "{n_permutations} draws; adjusted by Holm over all primary gaps.",
    "method.gap.range": "Highest mean minus lowest mean of the groups, beside the same after permuting groups "
    "over users, {n_permutations} draws; p adjusted by Holm over all primary gaps. Interval: bootstrap "
    "over users within groups, {n_bootstrap} draws.",
    "method.gap.raw_difference": "Difference of the means without adjusting for the controls.",
    "method.gap.ratio": "Lowest mean divided by highest mean of the groups.",
    "method.gap.disparity": "Highest mean divided by lowest mean, minus 1.",
    "method.gap.worst_group": "The worst mean among the groups.",
    "method.gap.between_group_variance": "Variance of the group means, weighted by users.",
    "method.gap.kolmogorov_smirnov": "Largest distance between the groups' distribution functions.",
    "method.gap.wasserstein": "Distance between the groups' distributions: how far values must be moved on "
    "average.",
    "method.gap.other": "Gap between the groups' values.",
    "method.concentration": "One value of all lists together; a bootstrap over users would be biased for it, "
    "so it has no interval.",
    "method.comparison": "Mean of the differences of the same users. p: signs flipped by user, "
    "{n_permutations} draws; adjusted by Holm.",
    "method.gap_comparison": "Difference between the gaps of two systems on the same users, resampled "
    "together, {n_bootstrap} draws.",
    "method.slice": "Mean of the slice minus the mean of everybody else. q by Benjamini and Hochberg over all "
    "slices searched.",
    "method.list": "Mean over the users of the group. The interval is a bootstrap over users, {n_bootstrap} "
    "draws.",
    "method.exposure": "Share of the exposure of all places, discounted by rank, that falls to the group. The "
    "interval is a bootstrap over users, {n_bootstrap} draws.",
    "method.provider": "Measured on the exposure of groups of items. The interval is a bootstrap over users, "
    "{n_bootstrap} draws.",
    "method.attacker": "Trained on the frozen output, tested on users that the attacker has not seen, in "
    "stratified folds. The interval is a bootstrap over users.",
    "method.transparency": "Mean over users of the share of their recommendations marked faithful.",
    # Questions of law
    "question.main_parameters": "Are the main parameters of the recommender set out in plain language, with "
    "the options to change them?",
    "question.main_parameters.shows": "The share of recommendations with an explanation that is faithful to "
    "the system.",
    "question.main_parameters.open": "What the terms and conditions say, and whether the options work.",
    "question.systemic_risk": "Are risks from the system's design assessed, effects on non-discrimination "
    "among them?",
    "question.systemic_risk.shows": "How far quality and exposure differ between groups, where they differ "
    "most, and whether lists give away who a person is.",
    "question.systemic_risk.open": "Risks that do not show in recommendations and held-out events, and effects "
    "over time.",
    "question.mitigation": "Are the risks mitigated, and is the recommender tested and adapted to that end?",
    "question.mitigation.shows": "What changes between the systems compared, in quality and in gaps, on the "
    "same people.",
    "question.mitigation.open": "Whether a measure is proportionate, and whether it is in use.",
    "question.non_profiling": "Is there an option that is not based on profiling?",
    "question.non_profiling.shows": "What a list that is the same for everybody (most popular) would give to "
    "each group.",
    "question.non_profiling.open": "Whether such an option is offered and easy to find.",
    "question.data_governance": "Are the data examined for possible biases that affect people?",
    "question.data_governance.shows": "Which tables were used, with their hashes, who is missing from them, "
    "and how large each group is.",
    "question.data_governance.open": "How the data were collected, and biases in the held-out events "
    "themselves.",
    "question.accuracy": "Are the levels of accuracy declared, and the metrics that they are told in?",
    "question.accuracy.shows": "Each metric with its definition, its value and its interval over people.",
    "question.accuracy.open": "Robustness against errors and attacks, and accuracy outside the period measured.",
    # Sections of the evidence
    "evidence.policy": "policy",
    "evidence.data": "data",
    "evidence.notes": "rules on the data",
    "evidence.settings": "settings",
    "evidence.definitions": "definitions",
    "evidence.reference": "most popular lists",
    "evidence.overall": "quality",
    "evidence.concentration": "concentration",
    "evidence.groups": "quality by group",
    "evidence.gaps": "gaps",
    "evidence.comparisons": "systems compared",
    "evidence.gap_comparisons": "gaps compared",
    "evidence.slices": "worst slices",
    "evidence.lists": "lists by group",
    "evidence.transparency": "explanations",
    "evidence.exposure": "exposure of providers",
    "evidence.provider": "measures of provider exposure",
    "evidence.lorenz": "concentration of exposure",
    "evidence.attackers": "attackers",
    "evidence.collapse": "popularity collapse",
    "evidence.not_testable": "what could not be tested",
    "evidence.versions": "versions",
    "evidence.signature": "signature",
}
