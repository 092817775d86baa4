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
    "debias.sentence.pick": "{pick} 在{cares}上明显优于基础模型，且在所测各项上均无明显变差。",
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
    "debias.found.bias.better": "流行度偏差从 {before} 缩小到 {after}{within}。",
    "debias.found.bias.worse": "{method} 使流行度偏差变大：从 {before} 到 {after}{within}。",
    "debias.found.bias.unclear": "流行度偏差从 {before} 变为 {after}；无法证明有差异{within}。",
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
    "debias.measure.leakage": "{attribute} 的泄露",
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

PHRASES: Final[dict[str, str]] = {
    # How far a twin is from its log
    r"events of taste per user": "每个用户的偏好事件数",
    r"events of taste per item": "每个物品的偏好事件数",
    r"events of taste per user with (.+) = (.+)": "{} = {} 的每个用户的偏好事件数",
    r"Gini index of events per item": "每个物品事件数的基尼系数",
    r"share of events on the most popular tenth of items": "最流行的十分之一物品所占事件比例",
    r"share of events on an item the user had before": "落在用户已有物品上的事件比例",
    r"how often two successions of items agree, in times of chance \(logarithm\)": "物品相继顺序一致的频"
    "率，以偶然的倍数计（对数）",
    r"days with an event, per user": "每个用户有事件的天数",
    r"days between one active day of a user and the next": "用户两个活跃日之间的天数",
    r"when events happen, as a share of the log's span": "事件发生的时间，占日志跨度的比例",
    r"impressions per item": "每个物品的展示次数",
    r"places of a slate": "展示列表的长度",
    r"clicks per impression at place (\d+)": "第 {} 位每次展示的点击数",
    r"log-likelihood per event that taste adds to activity and popularity, on events held out": "偏好在活"
    "跃度和流行度之外为每个留出事件增加的对数似然",
    r"area under the ROC curve of a classifier that tells the twin's users from the log's": "区分孪生用户"
    "与日志用户的分类器的 ROC 曲线下面积",
    r"Whether users do as much as in the log\.": "用户的活动量是否与日志相同。",
    r"Whether items are taken as unevenly as in the log\.": "物品被选取的不均程度是否与日志相同。",
    r"Whether attention is as concentrated\.": "关注是否同样集中。",
    r"Whether the hits are as big\.": "热门物品是否同样热门。",
    r"Whether users come back to items\.": "用户是否回到同一物品。",
    r"Whether what comes next can be told from what came last\.": "能否由前一项得知后一项。",
    r"A twin's users have no memory: what follows goes by taste and popularity alone\.": "孪生用户没有记"
    "忆：后续只取决于偏好和流行度。",
    r"Whether users come as often\.": "用户是否同样常来。",
    r"Whether users come as regularly\.": "用户是否同样有规律地来。",
    r"Whether busy times are the same\.": "繁忙时段是否相同。",
    r"Whether the logger shows items as unevenly\.": "日志策略展示物品的不均程度是否相同。",
    r"Whether slates are as long\.": "展示列表是否同样长。",
    r"Whether this place is looked at and liked as much\.": "该位置是否同样被看到和喜欢。",
    r"Whether the group does as much as in the log\.": "该群组的活动量是否与日志相同。",
    r"Whether taste can be told from the past as well as in the log; 0 is not at all\.": "能否像在日志中"
    "一样由过去得知偏好；0 为完全不能。",
    r"0\.5: nothing tells them apart by how much, how popular, how varied and what kind of items; 1: "
    r"everything does\.": "0.5：数量、流行度、多样性和物品种类都无法区分二者；1：完全可区分。",
    r"(\d+) of (\d+) users have no event of taste on these items and were left out\.": "{1} 个用户中有 {0"
    "} 个在这些物品上没有偏好事件，已略去。",
    # What corrections warn of
    r"The class '(.+)' of '(.+)' has (\d+) users, too few to say whether it can still be read\.": "“{1}"
    "”的类别“{0}”只有 {2} 个用户，不足以判断能否仍被读出。",
    r"Of ([\d,]+) users '(.+)' is not known: no adversary looks at them, and the filter treats them "
    r"by the map that needs no label\.": "有 {0} 个用户的“{1}”未知：没有对手模型读取他们，过滤器以无"
    "需标签的映射处理他们。",
    r"The weights average to ([^ ]+); the model's regularisation counts as much less or more\.": "权重均值"
    "为 {0}；模型的正则化相应地变弱或变强。",
    r"The log has no propensities: they are guessed from the popularity of the items\.": "日志没有"
    "倾向得分：由物品的流行度猜测。",
    r"([\d,]+) weighted events are worth ([\d,]+) equally weighted ones \((.+)\): training is "
    r"noisy\.": "{0} 个加权事件仅相当于 {1} 个等权事件（{2}）：训练噪声很大。",
    r"The heaviest hundredth of the events carries (.+) of all weight; the largest weight is (.+) "
    r"times the mean\.": "最重的百分之一事件占全部权重的 {0}；最大权重为均值的 {1} 倍。",
    r"(.+) of the weights were cut, which leaves bias\.": "{0} 的权重被截断，因而留有偏差。",
    r"([\d,]+) events of taste have no propensity and keep weight 1\.": "{0} "
    "个偏好事件没有倾向得分，权重保持为 1。",
    r"The weights average to ([^ ]+) where right propensities give 1: the propensities are "
    r"wrong\.": "权重均值为 {0}，而正确的倾向得分应得 1：倾向得分有误。",
    r"The log's propensities and those of places are multiplied: where the former are of an item at "
    r"its place, they spread every item over all places by themselves, and the latter only add "
    r"noise\.": "日志的倾向得分与位置的倾向得分相乘：若前者已是物品在其位置上的倾向得分，它们自身已"
    "把每个物品均摊到所有位置，后者只增加噪声。",
    r"Examination had not come to rest after (\d+) steps\.": "查看概率在 {0} 步之后仍未收敛。",
    r"What relevance depends on explains (.+) of the places: examination is told from relevance by "
    r"the form of the model alone\.": "决定相关性的因素解释了 {0} 的位置：只靠模型形式才能区分查看与相关性。",
    r"Some place is looked at more than place 1, and counts as much as that\.": "有的位置比第 1 "
    "位更常被查看，按第 1 位计。",
    r"Popularity is counted by what was taken, and gamma is 1 or more: what all users like is taken "
    r"away with what all were shown\.": "流行度按被选取的计，且 gamma 不小于 1：人人喜欢的与人人看到"
    "的一并被扣除。",
    r"With one period there is nothing to forecast popularity from\.": "只有一个时期，无从预测流行度。",
    r"The sample is worth ([\d,]+) equally weighted events, of ([\d,]+): lower the strength\.": "样本相当"
    "于 {0} 个等权事件（共 {1} 个）：请降低强度。",
    r"([\d,]+) of ([\d,]+) users are trained on no event any more\.": "{1} 个用户中有 {0} 个不再有训练事件。",
    r"([\d,]+) of ([\d,]+) cells would need their events more than (.+) times, and stay below what "
    r"is due to them\.": "{1} 个单元中有 {0} 个需要把事件用上 {2} 次以上，因而仍低于应得份额。",
    r"There was no model to measure, so the weights balance the events alone; what a model makes of "
    r"them was not measured, and the target is declared, not reached\.": "没有可测量的模型，因此权重"
    "只平衡事件本身；模型由此得到什么没有测量，目标只是声明，并未达到。",
    r"The disparity of (.+) without weights is no more than chance may make of so few users \((.+) "
    r"at 95 %\): weights follow the noise\.": "不加权时的差异 {0} 不超过如此少用户的偶然波动（95 % "
    "为 {1}）：权重在追随噪声。",
    r"The disparity of (.+) was not brought to (.+): it is (.+), and was (.+) without weights "
    r"\((\d+) rounds\)\.": "{0} 的差异没有降到 {1}：现为 {2}，不加权时为 {3}（{4} 轮）。",
    r"No weights that were tried made it smaller, so that none are set\.": "试过的权重都未能使其变小"
    "，因此没有设置权重。",
    r"The weights are as far apart as they may be \((.+) times\): they explode\.": "权重之间"
    "的差距已达上限（{0} 倍）：权重失控。",
    r"The weighted events are worth ([\d,]+) equally weighted ones, of ([\d,]+): what is learned "
    r"from them is noisier\.": "加权事件相当于 {0} 个等权事件（共 {1} 个）：由此学到的噪声更大。",
    r"(\d+) cells have no event, so that no weight can help them: (.+)\.": "{0} "
    "个单元没有事件，任何权重都无济于事：{1}。",
    r"The detector of (.+) could not look: (.+)": "{0} 的检测器无法检查：{1}",
    r"(.+) of all rows were found, which is hardly noise: look at them before they go\.": "检出了全"
    "部行的 {0}，这不大可能是噪声：删除之前请先查看。",
    r"The pools hold (.+) items for lists of (\d+); below (\d+) there is little to choose from\.": "候选池有"
    " {0} 个物品，列表长 {1}；少于 {2} 个时几乎没有选择余地。",
    r"The pools hold (.+) items for lists of (\d+): what is in a list cannot change, its order "
    r"can\.": "候选池有 {0} 个物品，列表长 {1}：列表的内容无法改变，只能改变次序。",
    r"Raise `pool` if this is the last correction of the lists\.": "若这是最后一个改动列表的校正，请"
    "调高 `pool`。",
    r"Raise `pool`\.": "请调高 `pool`。",
    r"Left alone, for fewer than (\d+) of their users have held-out events: (.+)\.": "未作改动"
    "，因有留出事件的用户不足 {0} 个：{1}。",
    r"There are not two groups with enough held-out users, so nothing was changed\.": "有足够留"
    "出用户的群组不足两个，因此没有任何改动。",
    r"The gap on held-out events cannot be told from none \(its 95 % interval covers 0\): what was "
    r"corrected may be chance\.": "留出事件上的差距与没有差距无法区分（其 95 % 区间包含 "
    "0）：所校正的可能只是偶然。",
    r"The gap on held-out events is still (.+) of the quality, above the (.+) asked for: better "
    r"lists did not suffice, and levelling down is not allowed\.": "留出事件上的差距仍为质量的 "
    "{0}，高于所要求的 {1}：改善列表还不够，而又不允许拉低。",
    r"The gap on held-out events is still (.+) of the quality, above the (.+) asked for: better "
    r"lists did not suffice, and at most (.+) of the quality may be given up\.": "留出事件"
    "上的差距仍为质量的 {0}，高于所要求的 {1}：改善列表还不够，而质量至多可放弃 {2}。",
    r"Levelled down: the lists of (.+) were made worse to close the gap\.": "拉低：{0} "
    "的列表被变差以缩小差距。",
    r"(.+): (\d+) held-out events are fewer than (\d+), so that everyone's curve is used\.": "{0}："
    "留出事件 {1} 个，少于 {2} 个，因此使用所有人的曲线。",
    r"(.+): the error of calibration rose from (.+) to (.+) on users that the curves were not "
    r"fitted on\.": "{0}：在未用于拟合曲线的用户上，校准误差从 {1} 升至 {2}。",
    r"No pool holds an item of (.+), so they get no exposure whatever the prices\.": "没有候选"
    "池含有 {0} 的物品，因此无论价格如何都得不到曝光。",
    r"For lists of (\d+) the table asks for nothing: a fair list may well hold no item of "
    r"'(.+)'\.": "对长度 {0} 的列表，该表没有任何要求：公平的列表也完全可能不含“{1}”的物品。",
    r"No pool holds an item of '(.+)', so no list could change\.": "没有候选池含有“{0}”的物品，因此"
    "列表都无法改变。",
    r"(\d+) of (\d+) lists still have too few items of '(.+)', because their pools hold no more\.": "{1} "
    "个列表中有 {0} 个“{2}”的物品仍然太少，因为候选池中没有更多。",
    r"It failed with (\w+): (.+)": "它因 {0} 失败：{1}",
}
