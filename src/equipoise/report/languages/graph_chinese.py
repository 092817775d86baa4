"""What is said of graphs in Chinese: proposals, tests of what a graph implies, and questions put to one."""

from __future__ import annotations

from typing import Final

PHRASES: Final[dict[str, str]] = {
    # Proposals
    r"(.+) proposes (\d+) edges? among (\d+) columns; nobody has accepted them\.": "{0} 在 {2} 列之间提出 {1} 条"
    "边；尚无人接受。",
    r"What is learned from logged events is also what the logging policy did\.": "从日志事件中学到的，也包含"
    "日志策略自身的行为。",
    r"It was read from names and descriptions alone; no row was looked at: test it on data\.": "仅根据列名和"
    "说明得出，未查看任何数据行：请用数据检验。",
    r"(\d+) answers were unusable\. It was read from names and descriptions alone; no row was looked at: test "
    r"it on data\.": "{0} 个回答不可用。仅根据列名和说明得出，未查看任何数据行：请用数据检验。",
    r"(\d+) resamples could not be learned from\. What is learned from logged events is also what the logging "
    r"policy did\.": "{0} 个重抽样样本无法学习。从日志事件中学到的，也包含日志策略自身的行为。",
    # Tests of what a graph implies
    r"The graph implies no independence, so no data can contradict it\.": "该图不蕴含任何独立性，因此没有数据"
    "能与之矛盾。",
    r"None of the (\d+) independences that the graph implies is contradicted by (\d+) rows\. That does not prove "
    r"the graph: many others imply the same\.": "该图蕴含的 {0} 项独立性均未被 {1} 行数据否定。这并不证明该图："
    "许多其他图蕴含同样的独立性。",
    r"None of the (\d+) independences that the graph implies is contradicted by (\d+) rows of (\d+) clusters\. That "
    r"does not prove the graph: many others imply the same\.": "该图蕴含的 {0} 项独立性均未被 {2} 个簇的 {1} 行数据"
    "否定。这并不证明该图：许多其他图蕴含同样的独立性。",
    r"None of the (\d+) independences that the graph implies is contradicted by (\d+) rows\. (\d+) more could not "
    r"be tested\. That does not prove the graph: many others imply the same\.": "该图蕴含的 {0} 项独立性均未被 {1} "
    "行数据否定；另有 {2} 项无法检验。这并不证明该图：许多其他图蕴含同样的独立性。",
    r"None of the (\d+) independences that the graph implies is contradicted by (\d+) rows of (\d+) clusters\. "
    r"(\d+) more could not be tested\. That does not prove the graph: many others imply the same\.": "该图蕴含的 "
    "{0} 项独立性均未被 {2} 个簇的 {1} 行数据否定；另有 {3} 项无法检验。这并不证明该图：许多其他图蕴含同样的独立性。",
    r"The data contradict the graph: (\d+) of (\d+) implied independences do not hold \((.+)\)\. An arrow or a "
    r"hidden common cause is missing between these variables, or an arrow elsewhere is wrong\. (\d+) more could "
    r"not be tested\.": "数据与图矛盾：所蕴含的 {1} 项独立性中有 {0} 项不成立（{2}）。这些变量之间缺少箭头或隐藏的"
    "共同原因，或别处的箭头有误。另有 {3} 项无法检验。",
    r"The data contradict the graph: (\d+) of (\d+) implied independences do not hold \((.+)\)\. An arrow or a "
    r"hidden common cause is missing between these variables, or an arrow elsewhere is wrong\.": "数据与图矛盾："
    "所蕴含的 {1} 项独立性中有 {0} 项不成立（{2}）。这些变量之间缺少箭头或隐藏的共同原因，或别处的箭头有误。",
    r"G": "G 检验",
    r"Cochran-Mantel-Haenszel": "Cochran-Mantel-Haenszel 检验",
    r"exact Mantel-Haenszel": "精确 Mantel-Haenszel 检验",
    r"generalised covariance": "广义协方差度量",
    # Questions
    r"(\d+) variables; the graph implies (\d+) independences\.": "{0} 个变量；该图蕴含 {1} 项独立性。",
    r"The effect of (.+) on (.+) cannot be known from the observed variables alone\. Hidden common causes join "
    r"(.+) to (.+), all the way to (.+): worlds in which the same is observed differ in the effect\.?": "仅凭已观测"
    "变量无法得知 {0} 对 {1} 的效应。隐藏的共同原因把 {2} 与 {3} 相连，一直到 {4}：观测结果相同的世界，效应却"
    "不同。",
    r"Observe what these variables have in common, or set the action at random for a while\.": "请观测这些变量的"
    "共同原因，或在一段时间内随机设定该行动。",
    r"The effect of (.+) on (.+) cannot be known from the observed variables alone\.": "仅凭已观测变量无法得知 {0} "
    "对 {1} 的效应。",
    r"Hidden common causes join (.+) to (.+), all the way to (.+): worlds in which the same is observed differ in the "
    r"effect\.": "隐藏的共同原因把 {0} 与 {1} 相连，一直到 {2}：观测结果相同的世界，效应却不同。",
    r"Observe what these variables have in common, or set the action at random for a while; or believe a linear model, "
    r"for which (.+) is an instrument \(strategy='iv'\)\.": "请观测这些变量的共同原因，或在一段时间内随机设定该行动；"
    "或采信线性模型，此时 {0} 是工具变量（strategy='iv'）。",
    r"The strategy '(.+)' does not apply to the effect of (.+) on (.+): no set of observed covariates blocks all paths "
    r"that are not effects without blocking or opening others\.?": "策略“{0}”不适用于 {1} 对 {2} 的效应：没有一组已观测"
    "协变量能阻断所有非效应路径而不阻断或打开其他路径。",
    r"The strategy '(.+)' does not apply to the effect of (.+) on (.+): no set of observed variables carries the whole "
    r"effect of one treatment on one outcome without being confounded itself\.?": "策略“{0}”不适用于 {1} 对 {2} 的效"
    "应：没有一组已观测变量承载全部效应而自身不受混杂。",
    r"The strategy '(.+)' does not apply to the effect of (.+) on (.+): no observed variable moves the one treatment "
    r"and is otherwise unrelated to the one outcome\.?": "策略“{0}”不适用于 {1} 对 {2} 的效应：没有已观测变量只通过"
    "该处理与该结果相关。",
    r"Another one does: leave `strategy` out to have it chosen\.": "另有策略适用：不指定 `strategy` 即自动选择。",
    r"'(.+)' shares no hidden cause with '(.+)' and acts on it through '(.+)' alone once (.+) is held fixed\.": "固定 "
    "{3} 之后，“{0}”与“{1}”没有共同的隐藏原因，且只通过“{2}”影响它。",
    # Mediation
    r"No hidden cause is shared by (.+) and (.+) once (.+) is held fixed\.": "固定 {2} 之后，{0} 与 {1} 没有共同的隐藏"
    "原因。",
    r"No hidden cause is shared by (.+) and (.+)\.": "{0} 与 {1} 没有共同的隐藏原因。",
    r"Nothing that (.+) affects is a common cause of (.+) and (.+)\.": "{0} 所影响的变量都不是 {1} 与 {2} 的共同原因。",
    r"What an individual's mediators would be under one treatment and the outcome under another are independent given "
    r"the covariates: no experiment can test this\.": "给定协变量，个体在一种处理下的中介变量与在另一种处理下的结果相互"
    "独立：任何实验都无法检验这一点。",
    r"What (.+) does to (.+) through (.+) cannot be told from what it does past: no observed covariates that (.+) does "
    r"not affect make (.+) and (.+) free of common causes with both effects still identifiable\.?": "无法区分 {0} 经由 "
    "{2} 与绕过它对 {1} 的影响：没有不受 {3} 影响的已观测协变量能消除 {4} 与 {5} 的共同原因并使两种效应均可识别。",
    r"Observe the causes that they share, or ask for the total effect by `identify`\.": "请观测它们的共同原因，或用 "
    "`identify` 求总效应。",
    r"The natural effects follow from the graph by a formula that no estimator here covers: no one set of covariates "
    r"frees (.+), (.+) and (.+) of common causes\.": "自然效应可由图得出，但没有可用的估计方法：没有一组协变量能同时消"
    "除 {0}、{1} 与 {2} 的共同原因。",
}
"""Regular expressions of English sentences to Chinese."""
