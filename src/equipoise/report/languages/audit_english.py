"""English: the pages of an audit."""

from typing import Final

MESSAGES: Final[dict[str, str]] = {
    "audit.title": "Audit of {name}",
    "audit.kicker": "Recommendations, audited",
    "audit.comma": ", ",
    "audit.stop": ".",
    "audit.next": " ",
    "audit.brackets": " ({told}).",
    "audit.noscript": "Charts and filters need scripts, which are off here. All numbers stand in the tables. "
    "Each can be computed again with: equipoise audit verify DIR --only ID, where ID is the end of the "
    "number's link.",
    # Verdicts
    "audit.verdict.unfair": "unfair",
    "audit.verdict.fair": "fair within tolerance",
    "audit.verdict.insufficient": "insufficient evidence",
    "audit.tally": "{verdict} in {n}",
    "audit.tallies": "{told} of {total} tests",
    "audit.headline.none": "No gap could be tested.",
    "audit.about": "By {attribute}: {told}.",
    "audit.gap": "{metric}: gap {gap}",
    "audit.gap.kind": "{metric}, {kind}: {gap}",
    "audit.gap.groups": " ({groups})",
    "audit.gap.interval": ", {level} interval {interval}",
    "audit.gap.tolerance": ", tolerance {tolerance}",
    "audit.gap.p": ", adjusted {p}",
    "audit.tolerance.short": "{tolerance} short of all users",
    "audit.reason.few": "Not shown: {groups}. A group needs {n} users, and none may give a smaller one away by "
    "subtraction.",
    "audit.reason.nothing": "There is no interval for this gap.",
    "audit.reason.open": "Interval and p-value do not settle on which side of the tolerance it lies.",
    "audit.reason.p_alone": "The interval excludes {fair}, but the p-value adjusted for the number of tests does "
    "not agree.",
    "audit.reason.no_tolerance": "The interval includes {fair}, and without a tolerance no gap can be found fair.",
    "audit.reason.underpowered": "With this many users only gaps from {detectable} on can be detected "
    "reliably; the tolerance is {tolerance}.",
    "audit.reason.p": "The interval lies outside the tolerance, but not the p-value adjusted for the number of "
    "tests.",
    "audit.reason.crosses": "The interval lies neither inside nor outside {tolerance}.",
    "audit.verdicts.lead": "Each test asks whether groups of users get lists of different quality. Unfair: the "
    "whole {level} interval of the gap lies outside the tolerance, and the p-value adjusted for the number "
    "of tests agrees. Fair within tolerance: the whole interval lies inside. Otherwise the evidence is "
    "insufficient, which is a result and not a pass.",
    "audit.verdicts.note": "Where no tolerance was set, unfair means that the interval excludes 0, and nothing "
    "can be found fair. Every underlined number leads to its formula, its users and the command that "
    "computes it again.",
    "audit.verdicts.none": "The evidence holds no gap with a verdict, so nothing can be said about fairness "
    "between groups.",
    "audit.reference": "(reference)",
    "audit.every": "all systems",
    "audit.unknown": "unknown",
    "audit.collapse": "“{system}” shows everybody much the same: {shared} of the places in its lists hold "
    "items that everybody gets, and {overlap} are places that a list of the most popular items fills as "
    "well. Equal lists make small gaps; that is no sign of fairness.",
    "audit.collapse.popular": "“{system}” mostly shows what is most popular: {overlap} of the places in its lists "
    "are filled by a list of the most popular items as well, and {shared} hold items that everybody gets. Where all "
    "get what is popular, gaps are small; that is no sign of fairness.",
    "audit.collapse.alone": "“{system}” shows everybody much the same: {shared} of the places in its lists "
    "hold items that everybody gets. Equal lists make small gaps; that is no sign of fairness.",
    "audit.suppressed": "not shown: fewer than {n} users, or a group that would give such a one away",
    "audit.excluded": "{n} excluded",
    "audit.items": "{n} items",
    "audit.more": "{n} more",
    "audit.all": "all",
    "audit.close": "Close",
    "audit.copy": "Copy",
    "audit.table": "As a table: {title}",
    "audit.table.behind": "The same numbers stand in the table below.",
    "audit.shown.slices": "{{shown}} of {{kept}} slices shown, {{all}} in all.",
    "audit.shown.copied": "Copied",
    # Sections
    "audit.section.verdicts": "Verdicts",
    "audit.section.untestable": "What could not be tested",
    "audit.section.gaps": "Gaps against the tolerance",
    "audit.section.groups": "Groups and metrics",
    "audit.section.slices": "Intersections and worst slices",
    "audit.section.systems": "Systems compared",
    "audit.section.lorenz": "What is shown to whom",
    "audit.section.providers": "Exposure of providers",
    "audit.section.lists": "Lists by group",
    "audit.section.attackers": "Can the attribute be read",
    "audit.section.transparency": "Explanations",
    "audit.section.policy": "Policy",
    "audit.section.notes": "Rules that acted on the data",
    "audit.section.questions": "Questions of law",
    "audit.section.limits": "What this does not show",
    "audit.section.data": "Data and how to repeat this",
    "audit.section.glossary": "Metrics",
    # Gaps
    "audit.gaps.title": "Gaps in {metric}",
    "audit.gaps.lead": "The difference between the groups named, with its {level} interval; right of 0 the "
    "first group is higher. "
    "The line stands at the fair value, which for a ratio is 1. "
    "Verdict unfair needs the whole interval outside the band, fair within "
    "tolerance the whole interval inside.",
    "audit.axis.gap": "gap in {metric}",
    "audit.axis.range": "range of {metric}",
    "audit.axis.exposure": "share of exposure",
    "audit.axis.auc": "AUC",
    "audit.mark.band": "tolerance",
    "audit.mark.detectable": "smallest gap detected with {power} power",
    "audit.mark.null": "what shuffled groups give: up to the 95th percentile, mean marked",
    "audit.mark.target": "target",
    "audit.mark.control": "control",
    "audit.ranges.heading": "Several groups, against chance",
    "audit.ranges.title": "Range of {metric} over groups",
    "audit.ranges.lead": "The highest group minus the lowest is above 0 even without any unfairness, and more "
    "so with more and smaller groups. So it stands beside what the same data give when users are shuffled "
    "over the groups; the excess is what remains.",
    "audit.kinds.heading": "Other kinds of gap",
    "audit.kinds.lead": "The same gaps measured in other ways. They carry no verdict.",
    "audit.kinds.table": "Other kinds by {attribute}",
    # Groups
    "audit.groups.lead": "Means over the users of each group with {level} intervals. Groups of fewer than {n} "
    "users are not shown, nor is a further group where it would tell them by subtraction.",
    "audit.groups.others": "The same for {n} more systems",
    "audit.slices.lead": "Each group, and each intersection of groups, against everybody else, with {level} "
    "intervals. The list searches many slices, so it gives q: the share of false discoveries expected "
    "among slices with a q this small.",
    "audit.slices.worse": "only worse than the rest",
    "audit.slices.found": "only q ≤ {q}",
    "audit.slices.all": "Show all",
    # Systems
    "audit.systems.lead": "Quality over all users against the gap between groups, both with {level} intervals: "
    "better is higher and nearer to the middle. Most popular and random lists are references, not under "
    "audit.",
    "audit.scatter.title": "{metric} and its gap by {attribute}",
    "audit.systems.more": "By other attributes",
    "audit.systems.tables": "The numbers of these charts stand in the table below and in the tables of gaps.",
    "audit.systems.overall": "All users",
    "audit.systems.pairs": "Differences in quality, on the same users",
    "audit.systems.gaps": "Differences between gaps, on the same users",
    # Exposure
    "audit.lorenz.lead": "Items from the least to the most recommended against the share of all places that "
    "they hold. A gap between groups can also vanish because all get the same few items, so concentration "
    "belongs beside every verdict.",
    "audit.lorenz.measures": "Concentration",
    "audit.exposure.title": "Exposure by {attribute}",
    "audit.providers.lead": "Share of exposure that each group of items or providers gets, with {level} "
    "intervals over users, beside the share that the named target gives it.",
    "audit.providers.measures": "Measures of provider exposure",
    "audit.lists.lead": "Whether a group still gets personal lists, gets lists like similar users of other "
    "groups, and gets what its users like.",
    "audit.attackers.title": "Attackers on {attribute}",
    "audit.attackers.lead": "New attackers learn to guess the attribute of users they have not seen, from the "
    "lists, the scores, the vectors or the profile. AUC 0.5 is chance. The charts show the strongest "
    "attacker on each view, with {level} intervals; the controls guess without information and must sit at "
    "chance.",
    "audit.strongest": "strongest",
    "audit.control": "control",
    "audit.transparency.lead": "Share of recommendations with an explanation that was found faithful.",
    # Policy, notes, questions
    "audit.policy.owner": "Responsible for the tolerances: {owner}.",
    "audit.policy.nobody": "Nobody is named as responsible for the tolerances.",
    "audit.policy.none": "No tolerance was set before the audit.",
    "audit.notes.lead": "What was found in the tables, and the rule that was followed.",
    "audit.questions.lead": "Where this audit holds evidence for a question that a law asks. It answers none "
    "of them: that is for counsel, with the current text of the law and knowledge of the service.",
    "audit.questions.open": "no evidence in this audit",
    "audit.questions.beyond": "Beyond it: {open}",
    "audit.article": "{law}, Art. {article}",
    "audit.limits.insufficient": "Insufficient evidence does not mean that there is no gap, only that these "
    "data do not show whether there is one.",
    "audit.limits.groups": "Groups are those in the table of users. Who is missing from it, or wrongly "
    "labelled, is not seen.",
    "audit.limits.unknown": "A small group of unknown users is hidden, but hides no other: whoever takes the known "
    "groups from the totals can work it out.",
    "audit.limits.cause": "A gap is a difference and not its cause: activity, taste or the size of profiles "
    "may stand behind it, also after adjusting for the controls named.",
    "audit.limits.seed": "Intervals cover the choice of users. Another training run of the same system gives "
    "other lists.",
    "audit.limits.attackers": "That these attackers fail does not show that every attacker would.",
    "audit.data.settings": "Settings",
    "audit.data.verify": "The first line makes the audit again, the second checks that the evidence in the "
    "folder DIR still holds.",
    # Explained numbers
    "audit.number.metric": "Metric",
    "audit.number.kind": "Kind of gap",
    "audit.number.formula": "Formula",
    "audit.number.about": "Meaning",
    "audit.number.method": "Method",
    "audit.number.protocol": "Protocol",
    "audit.number.users": "n",
    "audit.number.excluded": "Excluded users",
    "audit.number.command": "Compute again",
    "audit.number.folder": "DIR is the folder that holds this page.",
    # Absent sections
    "audit.absent.gaps": "Gaps between groups were not measured: that needs a table of users with the groups "
    "(--users, --groups) and held-out events (--truth).",
    "audit.absent.groups": "Quality by group was not measured: that needs a table of users with the groups.",
    "audit.absent.slices": "No slices were searched: that needs groups of users large enough.",
    "audit.absent.comparisons": "No systems were compared: that needs recommendations of at least two systems "
    "for the same users.",
    "audit.absent.lorenz": "Concentration was not drawn: the evidence holds no exposure of items.",
    "audit.absent.exposure": "Exposure of providers was not measured: that needs a table of items with groups "
    "of items or providers (--items).",
    "audit.absent.lists": "Lists by group were not measured: that needs groups of users and the events before "
    "the lists (--train).",
    "audit.absent.attackers": "Not tested whether the attribute can be read from the lists: no attackers were "
    "run.",
    "audit.absent.transparency": "Explanations: not measured. The recommendations have no column faithful that "
    "says whether an explanation was found faithful.",
    "audit.needs": "needs --{table}",
    "audit.absent.reference": "The reference {system} is missing: it needs --{needs}.",
    # Summary
    "summary.title": "Summary of the audit of {name}",
    "summary.kicker": "Summary of an audit",
    "summary.numbers": "Numbers behind it",
    "summary.rest": "{shown} of {all} tests, the most serious first; report.html has all.",
    "summary.untestable": "Not testable",
    "summary.nothing": "All that was asked could be tested.",
    "summary.more": "{n} more in report.html.",
    "summary.limits": "No number here certifies that a system is fair, safe or lawful. Insufficient evidence "
    "is not a pass.",
    "summary.sign": "Signatures",
    "summary.name": "Name",
    "summary.role": "Role",
    "summary.date": "Date and signature",
    "summary.auditor": "Made the audit",
    "summary.reviewer": "Reviewed it",
    "summary.owner": "Owns the policy",
    "summary.made": "Level {level}, groups from {min_cell} users, seed {seed}",
    "summary.others": "and {n} more systems",
    # Columns
    "column.system": "System",
    "column.attribute": "Attribute",
    "column.groups": "Groups",
    "column.gap": "Gap",
    "column.kind": "Kind",
    "column.tolerance": "Tolerance",
    "column.detectable": "Detectable",
    "column.null_mean": "Shuffled: mean",
    "column.null_high": "Shuffled: 95 %",
    "column.excess": "Excess",
    "column.p_adjusted": "p, adjusted",
    "column.verdict": "Verdict",
    "column.rest": "Everybody else",
    "column.q_value": "q",
    "column.pair": "Systems",
    "column.exposure": "Exposure per item",
    "column.target": "Target",
    "column.share": "Share of exposure",
    "column.items": "Items",
    "column.attacker": "Attacker",
    "column.view": "Reads",
    "column.faithful": "Faithful",
    "column.owner": "Owner",
    "column.law": "Law",
    "column.question": "Question",
    "column.evidence": "Evidence for the question",
    "column.fair": "Fair value",
    "column.guard": "Guard",
    "column.source": "Source",
}
