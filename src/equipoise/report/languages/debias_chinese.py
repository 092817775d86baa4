"""Chinese words of the comparison of corrections."""

from typing import Final

MESSAGES: Final[dict[str, str]] = {
    "debias.title": "{name} 的校正方法",
    "debias.kicker": "偏差校正方法逐项对比",
    "debias.and": "和",
    "debias.verdict.pick": "选用 {pick}",
    "debias.verdict.mixed": "各有代价：保留 {pick}，或自行权衡",
    "debias.verdict.keep": "保留 {pick}",
    "debias.verdict.small": "保留 {pick}",
    "debias.sentence.pick": "{pick} 在{cares}上明显优于基础模型，"
    "且在这里用来评判的各项上均无明显变差（其他列可能不同）。",
    "debias.sentence.mixed": "凡是在某方面明显改善的校正，都在另一方面明显变差，或被其他方法胜过：除"
    "非其中某种取舍值得，"
    "否则保留 {pick}。",
    "debias.sentence.small": "明显的改善都不到基础模型数值的 5 %：保留 {pick}。",
    "debias.sentence.keep": "没有任何校正在任何方面明显优于基础模型：保留 {pick}。",
    "debias.lead": "依据留出的验证事件（{measure}）选择，然后在测试事件上测量一次；测试事件只会撤回"
    "推荐：若另一行在其上"
    "胜过它。",
    "debias.lead.truth": "数据来自生成的世界，因此由真相决定：{measure}，以及所植入的流行度偏差。",
    "debias.small": "这一变化很小，仅为基础模型数值的 {share}。",
    "debias.care.accuracy": "准确性",
    "debias.care.error": "评分误差",
    "debias.care.bias": "流行度偏差",
    "debias.care.gap": "群组差距",
    "debias.care.leakage": "属性泄露",
    "debias.care.calibration": "校准",
    "debias.advice.pick": "若重视{care}：选 {pick}（{before} → {after}）；{accuracy}。",
    "debias.advice.pick.accuracy": "若重视{care}：选 {pick}（{measure} {before} → {after}）。",
    "debias.advice.cost": "若重视{care}：选 {pick}（{before} → {after}），但以准确性为代价：{accuracy}。",
    "debias.advice.change": "{measure} {before} → {after}",
    "debias.advice.open": "{measure} {before} → {after}，无法证明有损失（差 {low} 至 {high}）",
    "debias.advice.harm": "{measure} {before} → {after}，明显变差",
    "debias.advice.keep": "若重视{care}：保留 {pick}；没有校正明显更好。",
    "debias.advice.others": "同样明显更好的还有：{others}。",
    "debias.advice.other": "{name}（{after}；{accuracy}）",
    "debias.advice.other.accuracy": "{name}（{after}）",
    # Findings on validation
    "debias.within": "（差 {difference}，{level} 区间 {low} 至 {high}，校正后 {p}）",
    "debias.found.accuracy.better": "{method} 使验证集上的 {measure} 从 {before} 升至 {after}{within}。",
    "debias.found.accuracy.worse": "{method} 使列表变差：验证集上的 {measure} 从 {before} 降至 {after}"
    "{within}。",
    "debias.found.accuracy.unclear": "验证集上的 {measure} 从 {before} 变为 {after}；无法证明有差异{within}"
    "。",
    "debias.found.error.better": "{method} 使验证集上的{measure}从 {before} 降至 {after}{within}。",
    "debias.found.error.worse": "{method} 使误差增大：验证集上的{measure}从 {before} 升至 {after}{within}。",
    "debias.found.error.unclear": "验证集上的{measure}从 {before} 变为 {after}；无法证明有差异{within}。",
    "debias.found.calibration.worse": "{method} 旨在校准概率，测试集上的校准误差却从 {before} 升至 {after}。",
    "debias.found.calibration.unclear": "测试集上的校准误差从 {before} 变为 {after}；没有区间。",
    "debias.found.bias.better": "{measure}从 {before} 缩小到 {after}{within}。",
    "debias.found.bias.worse": "{method} 使{measure}变大：从 {before} 到 {after}{within}。",
    "debias.found.bias.unclear": "{measure}从 {before} 变为 {after}；无法证明有差异{within}。",
    "debias.found.gap.better": "{measure}从 {before} 缩小到 {after}{within}。",
    "debias.found.gap.worse": "{method} 使{measure}变大：从 {before} 到 {after}{within}。",
    "debias.found.gap.unclear": "{measure}从 {before} 变为 {after}；无法证明有差异{within}。",
    "debias.found.leakage.better": "新训练的攻击者读出的更少：平衡准确率 {before} → {after}，区间互不相交"
    "{within}。",
    "debias.found.leakage.worse": "{method} 让攻击者读出更多：平衡准确率 {before} → {after}，区间互不相交"
    "{within}。",
    "debias.found.leakage.unclear": "新训练的攻击者读出的大致相同：平衡准确率 {before} → {after}，区间相交"
    "{within}。",
    "debias.because.calibration": "其倾向得分校准不良（校准误差 {error}）。",
    "debias.because.other": "{reason}",
    "debias.short.better": "{cares}明显更好",
    "debias.short.worse": "{cares}明显更差",
    "debias.short.unclear": "与基础模型无法区分",
    # What is measured
    "debias.measure.ndcg": "NDCG@{k}",
    "debias.measure.weighted_ndcg": "按倾向得分加权的 NDCG@{k}",
    "debias.measure.true_ndcg": "按真实偏好的 NDCG@{k}",
    "debias.measure.recall": "召回率@{k}",
    "debias.measure.mse": "评分均方误差",
    "debias.measure.bias": "高于 0 的流行度提升",
    "debias.measure.planted": "植入的流行度偏差",
    "debias.measure.ece": "校准误差",
    "debias.measure.head.favour": "植入的流行度偏差",
    "debias.measure.meaning.favour": "按世界的真相，列表中日志策略展示最多的物品比最佳列表多出多少，"
    "以标准差计；0 为正确。",
    "debias.measure.gap": "按 {attribute} 的 NDCG@{k} 差距",
    "debias.measure.leakage": "属性 {attribute} 的泄露",
    "debias.measure.head.true_ndcg": "真实 NDCG@{k}",
    "debias.measure.head.ndcg": "NDCG@{k}",
    "debias.measure.head.weighted_ndcg": "加权 NDCG@{k}",
    "debias.measure.head.recall": "召回率@{k}",
    "debias.measure.head.mse": "评分误差",
    "debias.measure.head.lift": "流行度提升",
    "debias.measure.head.gap": "{attribute} 差距",
    "debias.measure.head.leakage": "{attribute} 泄露",
    "debias.measure.head.coverage": "覆盖率",
    "debias.measure.head.gini": "基尼系数",
    "debias.measure.head.ece": "校准误差",
    "debias.measure.head.seconds": "训练（秒）",
    "debias.measure.head.latency": "毫秒/用户",
    "debias.measure.meaning.true_ndcg": "长度 {k} 的列表与按世界真实偏好的最佳列表有多接近，0 到 1。",
    "debias.measure.meaning.ndcg": "留出物品在长度 {k} 的列表中排得多高，0 到 1；它偏袒展示了日志策略所展示"
    "物品的列表。",
    "debias.measure.meaning.weighted_ndcg": "同上，但每个留出事件按 1 / 所记倾向得分计数，相当于所有物品得"
    "到同等展示。",
    "debias.measure.meaning.recall": "用户的留出物品中出现在长度 {k} 的列表里的占比。",
    "debias.measure.meaning.mse": "预测评分的均方误差，有记录时每个按 1 / 倾向得分加权。",
    "debias.measure.meaning.lift": "列表比人们实际选取的流行多少：列表物品的平均 log(1 + 训练事件数) 减去留"
    "出事件的相应值"
    "（有记录且足够可靠时按 1 / 倾向得分加权）。0.7 约为两倍流行。完美的列表也略高于 0，低于 0 "
    "并不比 0 更好：请参照 "
    "Random 所在之处。",
    "debias.measure.meaning.gap": "{attribute} 中服务最好的群组的 NDCG@{k} 减去最差群组的。",
    "debias.measure.meaning.leakage": "四个新训练的攻击者中最强者从列表（若用户向量透露更多则从向量）读出 "
    "{attribute} "
    "的平衡准确率；两个群组之间瞎猜为 50 %，低于 50 % 的攻击者按反向计。",
    "debias.measure.meaning.coverage": "出现在任一列表中的目录占比。",
    "debias.measure.meaning.gini": "物品分得列表位置的不均程度：0 完全均等，接近 1 为少数独占。",
    "debias.measure.meaning.ece": "给出的概率与实际发生之间的平均距离（期望校准误差）。",
    "debias.measure.meaning.seconds": "在该校正下训练模型的秒数，预热不计；只改列表的校正与基础模型相同。",
    "debias.measure.meaning.latency": "成批为全部用户生成列表时每个用户的毫秒数，取多次调用的中位数"
    "；含重排，以及校正方法每次调用时"
    "在留出事件上的搜索，单个请求也要等待这一搜索。",
    # The page
    "debias.notes": "请先阅读",
    "debias.section.table": "逐项对比",
    "debias.section.front": "谁胜过谁",
    "debias.section.methods": "各校正方法",
    "debias.section.truth": "按真相",
    "debias.section.twin": "在本日志的孪生世界上",
    "debias.section.skipped": "未参与",
    "debias.section.protocol": "如何测量",
    "debias.section.limits": "这里没有表明什么",
    "debias.table.lead": "测试事件上各次训练的均值，附按用户的 {level} 区间。TopPop（对所有人推荐最流行的物"
    "品）和 Random"
    "（随机）不了解任何人：它们达到的水平本身没有价值。",
    "debias.table.good": "明显优于基础模型",
    "debias.table.bad": "明显更差（配对区间；更好者还按校正方法的数目调整）",
    "debias.table.front": "没有其他方法胜过它",
    "debias.table.meanings": "各列的含义",
    "debias.column.row": "行",
    "debias.kind.base": "原模型",
    "debias.kind.configured": "依次全部应用",
    "debias.kind.reference": "仅供比较",
    "debias.stage.before": "训练之前",
    "debias.stage.during": "训练期间",
    "debias.stage.after": "训练之后，改动列表",
    "debias.against.selection": "选择偏差",
    "debias.against.popularity": "流行度偏差",
    "debias.against.position": "位置偏差",
    "debias.against.exposure": "曝光偏差",
    "debias.against.group_gap": "群组差距",
    "debias.against.leakage": "属性泄露",
    "debias.against.noise": "噪声与操纵",
    "debias.against.monotony": "物品雷同的列表",
    "debias.against.sparsity": "每个用户记录稀少",
    "debias.against.calibration": "名不副实的概率",
    "debias.front.lead": "越靠右越准确，越靠下偏差、差距或泄露越小；线段为 {level} 区间。只有当另一方法在各"
    "方面都不差、且至少"
    "在一方面明显更好时，才算被胜过：配对差的整个区间都在更好的一侧；对泄露而言，区间互不相交。",
    "debias.front.title": "准确性与{axis}",
    "debias.front.member": "未被胜过",
    "debias.front.behind": "被胜过",
    "debias.front.reference": "仅供比较",
    "debias.front.who": "谁被谁胜过",
    "debias.front.beaten": "{method}：被 {by} 胜过。",
    "debias.methods.lead": "相对于基础模型：整个 {level} 区间都在坏的一侧即为更差；整个区间都在好的"
    "一侧、且 p 值经 Holm "
    "调整后仍成立，才算更好：试过的校正越多，p 值须越小。依据验证用户作选择的校正，在未参与选择的另"
    "一半验证用户上评判。",
    "debias.method.note": "作用阶段：{stages}；针对{against}。",
    "debias.method.warnings": "它的警告",
    "debias.method.settings": "设置",
    "debias.method.reported": "它在第一次训练中的报告（沿用其字段名）",
    "debias.method.more": "另有 {n} 项见 debias.json。",
    "debias.truth.lead": "数据来自生成的世界，因而真相已知：各行按其列表与真实偏好的接近程度排列，并列出按"
    "真相仍留有的偏差。"
    "0 为无偏；偏差以标准差计，差距以 NDCG 计。",
    "debias.truth.accuracy": "真实 NDCG",
    "debias.truth.difference": "与基础模型之差",
    "debias.truth.popularity": "流行度",
    "debias.truth.exposure": "曝光",
    "debias.truth.position": "位置",
    "debias.truth.group_gap": "群组差距",
    "debias.twin.lead": "这是孪生世界，不是您的日志：一个按训练事件拟合的生成世界，有 {users} 个用户、"
    "{items} 个物品和 {events} "
    "个事件。活跃度、流行度、展示列表和群组与您的相似；偏好、倾向得分和效应是设定的，因而已知。若未"
    "记录展示，流行度中有多少出自日志策略只是猜测，而排名取决于它。它说明在这种"
    "形状的数据上、真相已知时各方法的"
    "表现，而不是您的用户的真实情况。",
    "debias.twin.ranking": "按孪生世界真相的排名",
    "debias.twin.estimators": "按孪生世界真相的估计量",
    "debias.twin.estimators.lead": "由孪生世界的日志评估三个未曾运行的策略；误差为估计值减真值的均方根，以"
    "每次决策的奖励计。`naive` "
    "对每个策略都取日志均值。",
    "debias.twin.likeness": "孪生世界与日志相距多远",
    "debias.twin.likeness.lead": "双样本度量：{all} 项中有 {alike} 项在两份同类日志之间偶然差异的范围内。凡"
    "孪生世界不同之处，不要照搬其排名。",
    "debias.twin.propensities": "按孪生世界真相的倾向得分模型",
    "debias.twin.propensities.lead": "各模型的权重 1 / 倾向得分与正确权重相差多少，以及其倾向得分与真实倾向"
    "得分的相关性（1 为正确）。",
    "debias.column.estimator": "估计量",
    "debias.column.error": "误差",
    "debias.column.bias": "平均误差",
    "debias.column.order": "策略排序正确",
    "debias.column.coverage": "区间含真值",
    "debias.column.refused": "拒绝给出",
    "debias.column.propensity": "模型",
    "debias.column.weight_rmse": "权重误差",
    "debias.column.log_correlation": "相关性",
    "debias.column.reason": "",
    "debias.column.measure": "度量",
    "debias.column.log": "日志",
    "debias.column.twin": "孪生",
    "debias.column.distance": "距离",
    "debias.column.band": "偶然所致",
    "debias.column.alike": "",
    "debias.alike.good": "相似",
    "debias.alike.weak": "不同",
    "debias.alike.open": "未评判",
    "debias.skipped.lead": "这些校正无法用于这些数据和模型，或中途放弃。",
    "debias.protocol.config": "配置",
    "debias.limits.choice": "没有明显更好的，也可能更好：用户少时，许多差异无法分辨。",
    "debias.limits.defaults": "各校正采用所示设置；多数为默认值，没有针对这些数据调优。",
    "debias.limits.log": "留出事件出自日志策略。若未记录倾向得分，展示同样物品的列表会显得比实际更好。",
    "debias.limits.attackers": "低泄露只说明所试的攻击者和视角读不出来，仅此而已。被攻击的是校正方法"
    "知道其属性的用户：对其他用户"
    "和新用户什么也没有说明。与基础模型的比较不是配对的，因此小的变化无法分辨。",
    "debias.limits.time": "人们长期看到不同列表后会如何改变，不在其中。",
    # Notes
    "debias.note.disagree": "仅按验证集会选 {validation}；按真相则选 {truth}。日志的留出事件所称赞的"
    "，并不总是用户所偏好的。",
    "debias.note.twin_disagrees": "在本日志的孪生世界上（真相已知）会选 {twin}；按日志自身的验证集则"
    "选 {log}。",
    "debias.note.no_twin": "本日志没有孪生世界。{reason}",
    "debias.note.few_users": "只有 {users} 个用户有留出事件；区间很宽。",
    "debias.note.no_propensities": "日志没有倾向得分，因此准确性和流行度按日志策略自己选出的事件评判。",
    "debias.note.weak_weights": "加权的验证事件只相当于 {worth} 个等权事件，因此按未加权的 NDCG 选择方法，"
    "它偏袒日志策略所展示的物品。",
    "debias.note.popular_wins": "在验证集上，对所有人推荐相同的流行物品与模型一样好或更好（{popular} 对 "
    "{base}）：先改进模型，再做校正。",
    "debias.note.split": "划分方式 '{strategy}' 使训练能看到晚于某些留出事件的事件；有时间戳时请用 'tempora"
    "l'。",
    "debias.note.no_attribute": "没有把任何用户属性标为敏感：不测量群组差距和泄露。请在 [data] sensitive 或"
    " [audit] groups 中指定。",
    "debias.note.one_value": "'{attribute}' 只有一个值：没有可比较的群组。",
    "debias.note.group_absent": "'{attribute}' = '{group}' 没有任何用户有训练事件：没有从该群组学到任何东西"
    "。",
    "debias.note.group_small": "'{attribute}' = '{group}' 有留出事件的用户太少，未计入差距。",
    "debias.note.few_groups": "'{attribute}' 中有足够用户具有留出事件的群组不足两个：不测量差距。",
    "protocol.trainings": "每种训练次数",
    "protocol.attribute": "属性",
    "protocol.groups": "比较的群组",
    "protocol.valid_users": "验证用户数",
    "protocol.attacked": "攻击者，至多",
}
