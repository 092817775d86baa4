"""Chinese of the sentences that the causal engine writes in English: findings, reasons, assumptions."""

from typing import Final

PHRASES: Final[dict[str, str]] = {
    # Verdicts of a card
    r"The estimate withstood every attempt to refute it\.?": "估计经受住了所有反驳尝试。",
    r"The estimate was not refuted, but little would be needed to overturn it\.?": "估计未被推翻，但很容易被"
    "推翻。",
    r"The estimate should not be believed\.?": "这个估计不应采信。",
    r"The data do not allow an estimate\.?": "数据不允许给出估计。",
    r"There is no estimate\.?": "没有估计值。",
    r"(\d+) checks were run and passed\.?": "执行了 {0} 项检查，全部通过。",
    r"No negative control was named, so hidden confounding was not looked for\.?": "没有指定阴性对照，因此未"
    "查找隐藏混杂。",
    r"The interval holds 0: the sign of the effect is not known\.?": "区间包含 0：效应的正负未知。",
    r"The interval may not cover as often as it says\.?": "区间的实际覆盖率可能低于其标称水平。",
    r"A hidden cause with risk ratios of (.+) with treatment and outcome would explain it\.?": "与处理和结果"
    "的风险比均为 {0} 的隐藏原因就足以解释它。",
    r"A hidden cause (.+) times as strong as '(.+)' would bring the estimate to 0\.?": "强度为“{1}”{0} 倍的"
    "隐藏原因就会使估计变为 0。",
    r"A passed check never proves identification: no check sees a hidden cause that no negative control "
    r"shares\. Sensitivity says how strong it would have to be, never that it is not there\.": "检查通过绝不"
    "能证明可识别性：阴性对照所没有的隐藏原因，任何检查都看不到。敏感性分析只说明它要有多强，而不能说明它不存"
    "在。",
    r"Only (\d+) of (\d+) attempts to refute it could be made \(at least (\d+) are needed\)\.?": "{1} 种反驳尝试"
    "中只能进行 {0} 种（至少需要 {2} 种）。",
    r"The formula of the graph has no place for one covariate more\.?": "因果图的公式无法再加入一个协变量。",
    r"The formula cannot be evaluated: it conditions on something that never happens \((.+)\)\.?": "公式无法计算："
    "它以从未发生的情形为条件（{0}）。",
    r"The interval takes no account of the choice among estimators, which the same rows made\.?": "区间没有计入"
    "估计方法的选择，而这一选择是由同样的数据行做出的。",
    # Findings
    r"It finds (.+) where there is nothing, (.+) standard errors off 0\.?": "在没有效应之处得到 {0}，偏离 0 "
    "达 {1} 个标准误。",
    r"Its interval misses 0 on (.+) of (.+) permuted treatments \((.+) were due\)\.?": "在 {1} 次置换处理中"
    "，其区间有 {0} 次不含 0（应为 {2}）。",
    r"On permuted treatments it finds (.+) on average, and its interval misses 0 (.+) of (.+) times\.?": "在置换"
    "处理上平均得到 {0}，{2} 次中有 {1} 次区间不含 0。",
    r"The estimator gave a number on (.+) of (.+) altered tables only\.?": "在 {1} 个改动后的表中，只有 {0} "
    "个得到了数值。",
    r"A covariate of noise moves the estimate by (.+), (.+) of its standard error\.?": "加入噪声协变量使估计"
    "移动 {0}，为其标准误的 {1} 倍。",
    r"On (.+) of the parts there is no estimate at all\.?": "在 {0} 的子集上得不到估计。",
    r"Parts of the data differ from the whole (.+) times as much as they should\.?": "子集与整体的差别是应有"
    "程度的 {0} 倍。",
    r"Parts of (.+) give (.+) to (.+), about as far apart as they should be\.?": "{0} 的子集得到 {1} 至 {2}"
    "，差别与应有程度相当。",
    r"On an outcome of noise it finds (.+), (.+) standard errors off 0\.?": "以噪声为结果时得到 {0}，偏离 0 "
    "达 {1} 个标准误。",
    r"On a known function of the covariates it finds (.+), on noise (.+?)\.?": "以协变量的已知函数为结果时得"
    "到 {0}，以噪声为结果时得到 {1}。",
    r"On a known function of the covariates, where there is nothing, it finds (.+) \[(.+), (.+)\]\.?": "以协变"
    "量的已知函数为结果，本应没有效应，却得到 {0} [{1}, {2}]。",
    r"No negative control among outcomes was named\.?": "没有指定阴性对照结果。",
    r"No negative control among exposures was named\.?": "没有指定阴性对照处理。",
    r"The effect on '(.+)' must be 0 and is (.+)\.?": "对“{0}”的效应必须为 0，实为 {1}。",
    r"The effect of '(.+)' must be 0 and is (.+)\.?": "“{0}”的效应必须为 0，实为 {1}。",
    r"The effect on '(.+)', which must be 0, is (.+)\.?": "对“{0}”的效应（必须为 0）为 {1}。",
    r"The effect of '(.+)', which must be 0, is (.+)\.?": "“{0}”的效应（必须为 0）为 {1}。",
    r"Propensities lie between (.+) and (.+); the treated rows are worth (.+) equally weighted ones, (.+) of "
    r"their number; (.+) were clipped\.?": "倾向得分介于 {0} 与 {1} 之间；处理组的行相当于 {2} 个等权重的行"
    "，为其行数的 {3}；{4} 被截断。",
    r"Propensities lie between (.+) and (.+); the control rows are worth (.+) equally weighted ones, (.+) of "
    r"their number; (.+) were clipped\.?": "倾向得分介于 {0} 与 {1} 之间；对照组的行相当于 {2} 个等权重的行"
    "，为其行数的 {3}；{4} 被截断。",
    r"The method '(.+)' has no propensities to look at\.?": "方法“{0}”没有可查看的倾向得分。",
    r"After weighting the arms differ most in '(.+)', by (.+) standard deviations \(before: '(.+)', (.+)\)\.?": "加权后"
    "两组在“{0}”上差别最大，为 {1} 个标准差（加权前：“{2}”，{3}）。",
    r"There is nothing to balance\.?": "没有需要平衡的协变量。",
    r"The method weighs no rows\.?": "该方法不对行加权。",
    # What a failure means
    r"The estimator finds effects in noise: something leaks, or the standard error is wrong\. Stop here\.": "估计方"
    "法在噪声中也找到效应：存在信息泄漏，或标准误有误。应就此停下。",
    r"The estimate moves when nothing was learnt: an unstable model, or too little data for it\.": "没有新"
    "信息时估计也在移动：模型不稳定，或数据太少。",
    r"A few users, or a group that differs from the rest, carry the result\.": "结果由少数用户或某个与众不同"
    "的群体支撑。",
    r"The estimator does not remove confounding that is known: its models are too simple for these "
    r"covariates\.": "估计方法连已知的混杂也没有去除：模型对这些协变量而言过于简单。",
    r"Something not adjusted for moves both treatment and outcome\. Do not act on the estimate; the size "
    r"here tells how far it may be off\.": "某个未调整的因素同时影响处理和结果。不要据此行动；这里的大小说明"
    "它可能偏离多远。",
    r"Something not adjusted for goes along with exposures and moves the outcome\. Do not act on the "
    r"estimate\.": "某个未调整的因素与处理相伴并影响结果。不要据此行动。",
    r"Parts of the estimate are extrapolated: ask about a narrower population, or use overlap weights\.": "估计的"
    "一部分是外推：请缩小人群范围，或使用重叠加权。",
    r"The arms still differ in what was adjusted for: the propensity model does not fit the data\.": "两组在"
    "已调整的变量上仍有差别：倾向得分模型与数据不符。",
    # Why there is no number, or why its interval is in doubt
    r"No overlap: (.+) of the rows have a propensity beyond the clip of (.+) \(at most (.+) may\)\.?": "没有重"
    "叠：{0} 的行倾向得分超出截断值 {1}（至多允许 {2}）。",
    r"No overlap: (.+) of the treated rows have a propensity beyond the clip of (.+) \(at most (.+) may\)\.?": "没有重"
    "叠：{0} 的处理组行倾向得分超出截断值 {1}（至多允许 {2}）。",
    r"No overlap: the covariates leave (.+) of the treatment's variance \(at least (.+) is needed\)\.?": "没有重"
    "叠：协变量只留下处理方差的 {0}（至少需要 {1}）。",
    r"Only (.+) treated rows or clusters \(at least (.+) are needed\)\.?": "处理组只有 {0} 个行或聚类（至少"
    "需要 {1}）。",
    r"Only (.+) untreated rows or clusters \(at least (.+) are needed\)\.?": "对照组只有 {0} 个行或聚类（至"
    "少需要 {1}）。",
    r"Little overlap: the treated are worth (.+) equally weighted rows or clusters \(at least (.+) are "
    r"needed\)\.?": "重叠太少：处理组仅相当于 {0} 个等权重的行或聚类（至少需要 {1}）。",
    r"Little overlap: the untreated are worth (.+) equally weighted rows or clusters \(at least (.+) are "
    r"needed\)\.?": "重叠太少：对照组仅相当于 {0} 个等权重的行或聚类（至少需要 {1}）。",
    r"Little overlap: one row or cluster carries (.+) of the weight of the (?:un)?treated \(at most (.+) "
    r"may\)\.?": "重叠太少：单个行或聚类占一组权重的 {0}（至多允许 {1}）。",
    r"Weak instrument: first-stage F is (.+) \(at least (.+) is needed\)\.?": "工具变量太弱：第一阶段 F 为 "
    "{0}（至少需要 {1}）。",
    r"Weak instrument: its interval has no ends \(first-stage F (.+)\)\.?": "工具变量太弱：区间没有端点（第"
    "一阶段 F 为 {0}）。",
    r"The covariates leave nothing of the instrument\.?": "协变量之外，工具变量没有剩余变化。",
    r"The interval is in doubt: the (?:un)?treated are worth (.+) equally weighted rows with the rarer "
    r"outcome \(at least (.+) are needed\)\.?": "区间存疑：较少见的结果仅相当于 {0} 个等权重的行（至少需要"
    " {1}）。",
    r"The interval is in doubt: (.+) of the variance lies where less than one row of an arm is expected \(at "
    r"most (.+) may\)\.?": "区间存疑：{0} 的方差位于一组中预期不足一行之处（至多允许 {1}）。",
    r"The interval is in doubt: one row or cluster carries (.+) of the variance \(at most (.+) may\)\.?": "区间存"
    "疑：单个行或聚类占方差的 {0}（至多允许 {1}）。",
    r"The interval is in doubt: the influence of rows is so skewed that it is expected to cover (.+) where "
    r"it says (.+?)\.?": "区间存疑：各行的影响偏斜严重，标称 {1} 的区间预计只能覆盖 {0}。",
    # Bounds
    r"the outcome is 0 or 1; nothing is assumed about who was treated; sampling error is not counted\.?": "结果为"
    " 0 或 1；对谁接受处理不作任何假设；不计抽样误差。",
    r"no outcome lies beyond those seen, (.+) to (.+); nothing is assumed about who was treated; sampling "
    r"error is not counted\.?": "结果不超出已观察到的范围 {0} 至 {1}；对谁接受处理不作任何假设；不计抽样误差。",
    r"'(.+)' acts on the outcome through the treatment alone and shares no cause with it; sampling error is "
    r"not counted\.?": "“{0}”只通过处理影响结果，且与结果没有共同原因；不计抽样误差。",
    # Assumptions
    r"The graph holds: no arrow and no hidden common cause is missing from it\.": "因果图成立：其中没有缺失"
    "任何箭头或隐藏的共同原因。",
    r"Every path between (.+) and (.+) that is no effect of the former is blocked given (.+): no hidden "
    r"common cause is missing from the graph\.": "给定 {2} 时，{0} 与 {1} 之间所有非效应的路径均被阻断：因果"
    "图没有遗漏隐藏的共同原因。",
    r"Every path between (.+) and (.+) that is no effect of the former is blocked: no hidden common cause is "
    r"missing from the graph\.": "{0} 与 {1} 之间所有非效应的路径均被阻断：因果图没有遗漏隐藏的共同原因。",
    r"Every action occurs at every value of (.+)\.": "在 {0} 的每个取值上，每种行动都出现过。",
    r"Every action occurs in the data\.": "每种行动都在数据中出现过。",
    r"All of the effect of (.+) on (.+) goes through (.+)\.": "{0} 对 {1} 的全部效应都经过 {2}。",
    r"No hidden cause is shared by (.+) and (.+), and none by (.+) and (.+) once (.+) is held fixed\.": "{0} 与"
    " {1} 没有共同的隐藏原因；固定 {4} 之后，{2} 与 {3} 也没有。",
    r"Every value of (.+) occurs at every value of (.+)\.": "在 {1} 的每个取值上，{0} 的每个取值都出现过。",
    r"The value of (.+) plays no part: any one gives the same answer\.": "{0} 取何值无关紧要：任何取值得到相"
    "同答案。",
    r"Every event that the formula conditions on has a positive probability\.": "公式所条件化的每个事件都有"
    "正的概率。",
    r"'(.+)' shares no hidden cause with '(.+)' and acts on it through '(.+)' alone\.": "“{0}”与“{1}”没有共"
    "同的隐藏原因，且只通过“{2}”影响它。",
    r"One unit of '(.+)' has the same effect on '(.+)' everywhere \(linear model\): the graph does not say "
    r"so\.": "“{0}”每变动一个单位对“{1}”的影响处处相同（线性模型）：因果图并未说明这一点。",
    # Value of a policy
    r"Uniform over the (.+) items that the log shows; name others as `items`\.": "在日志出现过的 {0} 个物品"
    "上均匀选择；其他物品用 `items` 指定。",
    r"The outcome model reads the item and no context\.": "结果模型只读取物品，不读取上下文。",
    r"The outcome model reads the item and (.+)\.": "结果模型读取物品以及 {0}。",
    r"(.+) rows of the target belong to no (.+) of the log\.": "目标策略中有 {0} 行不对应日志中的任何 {1}。",
    r"The interval of the direct method holds the chance of the requests only, not the outcome model's "
    r"error\.": "直接法的区间只包含请求的随机性，不包含结果模型的误差。",
    r"The value rests on the equivalent of (.+) contributions, fewer than (.+): too few for the normal "
    r"limit\.": "价值仅由相当于 {0} 个的贡献支撑，少于 {1}：不足以适用正态极限。",
    r"Cut weights may bias the value by (.+), which is (.+) standard errors\.": "截断权重可能使价值偏差 {0}"
    "，即 {1} 个标准误。",
    r"The mean weight is (.+) where 1 is expected \((.+) standard errors\): the propensities are off, or the "
    r"target chooses what the logger never shows\.": "平均权重为 {0}，应为 1（相差 {1} 个标准误）：倾向得分"
    "有误，或目标策略会选择日志策略从不展示的物品。",
    r"All decisions belong to one cluster\.": "所有决策都属于同一个聚类。",
    r"The rewards do not vary, so that their chance cannot be told\.": "奖励没有变化，无法判断其随机性。",
    r"There is no value\.": "没有价值估计。",
    # The gate
    r"No log was given\.": "没有提供日志。",
    r"The candidate is neither a run nor has an audit \(--audit\)\.": "候选既不是一次运行，也没有审计（"
    "--audit）。",
    r"The audit has no gap of (.+), all attributes\.": "审计中没有 {0} 在任何属性上的差距。",
    r"The audit has no gap of all metrics, (.+)\.": "审计中没有任何指标按 {0} 的差距。",
    r"The audit has no gap of (.+), (.+)\.": "审计中没有 {0} 按 {1} 的差距。",
    r"The audit has no (.+) of (.+) by (.+)\.": "审计中没有 {1} 按 {2} 的 {0} 类差距。",
    r"The worst group's (.+) by (.+) was judged by another tolerance; audit by this policy\.": "{0} 按 {1} 的最"
    "差群体当时按另一容许值判断；请按本政策重新审计。",
    r"The audit was made under another policy; its gaps are judged by this one\.": "该审计依据另一政策作出；其中"
    "的差距按本政策判断。",
    r"That the audit of '(.+)' is an audit of '(.+)' is taken on word\.": "“{0}”的审计即为“{1}”的审计，仅凭"
    "所述，未经核实。",
    # Weighted metrics of a run
    r"(.+) held-out pairs have no propensity and are left out\.": "{0} 个留出对没有倾向得分，未计入。",
    r"(.+) held-out pairs have a propensity that is no probability in \(0, 1\]: check the log\.": "{0} 个留出对"
    "的倾向得分不是 (0, 1] 内的概率：请检查日志。",
    r"The weighted pairs are worth (.+) equally weighted ones, fewer than (.+): do not rely on these "
    r"values\.": "加权后的留出对仅相当于 {0} 个等权重的对，少于 {1}：不要依赖这些数值。",
}
"""Regular expressions of English sentences to Chinese."""
