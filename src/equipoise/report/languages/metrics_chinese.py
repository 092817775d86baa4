"""Chinese names of the metrics of audits, and what their definitions say of units, notes and guards."""

from __future__ import annotations

from typing import Final

MESSAGES: Final[dict[str, str]] = {
    # Lists
    "metric.exposure_share": "曝光占比",
    "metric.calibration_kl": "校准偏差（KL）",
    "metric.calibration_js": "校准偏差（JS）",
    "metric.category_coverage": "自身类别覆盖率",
    "metric.expected_exposure_loss": "期望曝光损失",
    "metric.expected_exposure_disparity": "期望曝光差异",
    "metric.expected_exposure_relevance": "期望曝光相关",
    "metric.faithful": "如实解释",
    "metric.shared_places": "人人相同的位置",
    "metric.popularity_overlap": "与最热门列表的重合",
    "metric.list_distance": "列表距离",
    "metric.list_distance_excess": "列表距离（相对总体）",
    "metric.neighbour_overlap_own": "重合度（本组）",
    "metric.neighbour_overlap_other": "重合度（他组）",
    "metric.neighbour_overlap_difference": "重合度（他组减本组）",
    "metric.neighbour_similarity_difference": "相似度（他组减本组）",
    # Providers
    "metric.group_exposure": "分组曝光",
    "metric.exposure_distance": "与目标的距离",
    "metric.exposure_gap": "单品曝光差距",
    "metric.exposure_per_utility": "EXPU",
    "metric.clicks_per_utility": "EXPRU",
    "metric.awrf": "AWRF",
    "metric.rsp": "RSP",
    "metric.reo": "REO",
    "metric.provider_gini": "提供方基尼系数",
    "metric.worst_off_share": "处境最差的五分之一",
    # Attackers
    "metric.auc": "AUC",
    "metric.balanced_accuracy": "平衡准确率",
}

PHRASES: Final[dict[str, str]] = {
    # Titles
    r"Share of exposure": "曝光占比",
    r"Miscalibration \(Kullback-Leibler\)": "校准偏差（Kullback-Leibler）",
    r"Miscalibration \(Jensen-Shannon\)": "校准偏差（Jensen-Shannon）",
    r"Coverage of own categories": "自身类别覆盖率",
    r"Expected-exposure loss": "期望曝光损失",
    r"Expected-exposure disparity": "期望曝光差异",
    r"Expected-exposure relevance": "期望曝光相关",
    r"Faithful explanations": "如实解释占比",
    r"Places shared by everybody": "人人相同的位置占比",
    r"Overlap with the most popular": "与最热门列表的重合",
    r"Distance between lists inside the group": "组内列表距离",
    r"List distance inside the group against all": "组内列表距离减总体列表距离",
    r"Overlap with similar users of the own group": "与本组相似用户的列表重合",
    r"Overlap with similar users of other groups": "与他组相似用户的列表重合",
    r"Similar users across groups": "跨组相似用户",
    r"Similarity of neighbours across groups": "跨组邻居的相似度",
    r"Exposure of a group of items": "物品组的曝光",
    r"Distance of exposure to its target": "曝光与目标的距离",
    r"Gap of exposure per item": "单品曝光差距",
    r"Exposure per utility \(EXPU\)": "单位效用曝光（EXPU）",
    r"Realised exposure per utility \(EXPRU\)": "单位效用实现曝光（EXPRU）",
    r"Attention-weighted rank fairness": "注意力加权排序公平（AWRF）",
    r"Ranking-based statistical parity \(RSP\)": "排序统计均等（RSP）",
    r"Ranking-based equal opportunity \(REO\)": "排序机会均等（REO）",
    r"Gini over providers": "提供方基尼系数",
    r"Share of the worst-off fifth of providers": "处境最差的五分之一提供方的份额",
    r"Attacker's AUC": "攻击者的 AUC",
    r"Attacker's balanced accuracy": "攻击者的平衡准确率",
    r"Difference": "差值",
    r"Ratio": "比值",
    r"Disparity": "差异率",
    r"Worst group": "最差组",
    r"Between-group variance": "组间方差",
    r"Kolmogorov-Smirnov distance": "Kolmogorov-Smirnov 距离",
    r"Wasserstein distance": "Wasserstein 距离",
    # Units
    r"share of the list's exposure": "占列表曝光比例",
    r"nats": "奈特",
    r"share of the user's categories": "占用户类别比例",
    r"squared exposure": "曝光平方",
    r"share of exposure": "占曝光比例",
    r"exposure per item and user": "每物品每用户曝光",
    r"ratio": "比值",
    r"total variation distance": "全变差距离",
    r"coefficient of variation": "变异系数",
    r"probability": "概率",
    r"unit of the metric": "指标单位",
    r"unit of the metric, squared": "指标单位的平方",
    r"cosine": "余弦",
    # Notes
    r"Fair where it meets the target that was named\.": "达到所指定的目标即为公平。",
    r"At most −ln m; short profiles make it noisy\.": "不超过 −ln m；历史较短时噪声较大。",
    r"Bounded, so that users compare; short profiles make it noisy\.": "有界，便于用户间比较；历史较短时噪声较大。",
    r"Cannot reach 1 where a list has fewer places.*": "当列表位置少于历史类别数时可能达不到 1。",
    r"A fixed list cannot reach 0.*": "固定列表必须给同等相关的物品排序，因此达不到 0。",
    r"The same for all full lists that are fixed; only random rankings lower it\.": "所有满长的固定列表相同；"
    "只有随机排序能降低它。",
    r"Near 1 everybody gets the same: gaps between groups then say little\.": "接近 1 时人人所得相同，"
    "此时组间差距说明不了什么。",
    r"0: the whole group gets one list\.": "0 表示全组得到同一个列表。",
    r"Below 0 the group's lists are more alike than lists in general\.": "小于 0 表示该组列表比总体更相似。",
    r"Below 0 similar users get less alike lists.*": "小于 0 表示相似用户因分属不同组而得到较不相似的列表。",
    r"Below 0 neighbours in other groups are less similar.*": "小于 0 表示他组邻居较不相似：列表差异可能源于口味。",
    r"A spread: pulled away from its fair value by chance.*": "离散程度类指标：各组几乎相同时会因偶然偏离公平值；"
    "偏差已给出。",
    r"A short list cannot meet a target exactly.*": "短列表无法恰好达到目标，故可能达不到 0；其他变体使用其他距离。",
    r"Guessing gives one over the number of groups\.": "随机猜测得到组数的倒数。",
    r"Over more than two groups it is above 0 by chance alone.*": "多于两组时偶然也会大于 0：请与置换零分布比较。",
    r"Above 0 by chance alone, more so with more groups.*": "偶然也会大于 0，组越多越大：请与置换零分布比较。",
    r"Fair where it equals the mean over all users\.": "等于全体用户均值即为公平。",
    r"With thousands of users any distance is significant: read its size\.": "用户成千时任何距离都显著：请看大小。",
    # Guards
    r"A user without a list scores 0; users without truth are left out and counted\.": "没有列表的用户记 0 分；"
    "没有真实选择的用户不计入，并给出人数。",
    r"Pairs of the truth without a prediction are left out; a score that is not finite is refused\.": "没有预测的"
    "真实配对不计入；非有限的分数会被拒绝。",
    r"A user without a list has no value\.": "没有列表的用户没有数值。",
    r"0 where nothing was shown; items never shown count as 0\.": "没有任何展示时为 0；从未展示的物品计为 0。",
    r"0 where nothing was shown; a catalogue smaller than what was shown is refused\.": "没有任何展示时为 0；"
    "小于展示内容的目录会被拒绝。",
    r"A list of fewer than two items has no value; an item without vector.*": "少于两个物品的列表没有数值；"
    "没有向量或类别的物品与所有物品都不同。",
    r"A user without a list has no value; an item that the items do not hold.*": "没有列表的用户没有数值；"
    "物品表中没有的物品不属于任何组。",
    r"A user without a list, without training events.*": "没有列表、没有训练事件或两者之一没有已知类别的用户没有数值；"
    "没有类别的物品在两边都不计入。",
    r"A user without a list has exposure 0 everywhere.*": "没有列表的用户处处曝光为 0；没有真实选择的用户不计入；"
    "小于用户真实选择或列表的目录会被拒绝。",
    r"Not measured without a column 'faithful'.*": "没有 faithful 列则不测量；没有值的位置视为不如实。",
    r"A user without a list has no value; with fewer than two lists there is none\.": "没有列表的用户没有数值；"
    "少于两个列表时没有数值。",
    r"A user without either list has no value\.": "缺少任一列表的用户没有数值。",
    r"A group of fewer than two users with lists has no value.*": "有列表的用户少于两位的组没有数值；"
    "较短的列表按较长者计算。",
    r"A user without list or profile, of unknown group.*": "没有列表或历史、组未知或一侧没有相似用户者没有数值。",
    r"Items of unknown group are left out; without any exposure there is no value\.": "组未知的物品不计入；"
    "没有任何曝光时没有数值。",
    r"Items never recommended count as 0; groups without items are left out\.": "从未推荐的物品计为 0；"
    "没有物品的组不计入。",
    r"Groups without items or without positives in the truth are left out; fewer than two left: no value\.": "没有物品"
    "或真实选择的组不计入；剩余少于两组时没有数值。",
    r"Groups without items or without positives in the truth.* 0 where all hits.*": "没有物品或真实选择的组不计入；"
    "剩余少于两组时没有数值。某组没有命中时为 0。",
    r"Groups without items or without positives in the truth.* No hit at all: no value\.": "没有物品或真实选择的组"
    "不计入；剩余少于两组时没有数值。完全没有命中时没有数值。",
    r"Lists without any item of known group are left out\.": "没有已知组物品的列表不计入。",
    r"Groups without items are left out; fewer than two left or no place filled: no value\.": "没有物品的组不计入；"
    "剩余少于两组或没有任何推荐时没有数值。",
    r"Providers without exposure count as 0; without any exposure there is no value\.": "没有曝光的提供方计为 0；"
    "没有任何曝光时没有数值。",
    r"Providers without exposure count; a fifth that is no whole number.*": "没有曝光的提供方计入；"
    "五分之一不是整数时取下一提供方的一部分。",
    r"Users of unknown group are left out; a class of fewer users than folds cannot be attacked\.": "组未知者不计入；"
    "用户少于折数的类别无法攻击。",
    r"Only groups with enough measured users enter; with fewer than two such groups there is no gap\.": "只有被测用户"
    "足够的组计入；这样的组少于两个时没有差距。",
    r"Only groups with enough measured users enter.* Undefined where a mean is 0 or below\.": "只有被测用户足够的组"
    "计入；这样的组少于两个时没有差距。均值不大于 0 时无定义。",
}
"""Regular expressions of what definitions say in English, to Chinese."""
