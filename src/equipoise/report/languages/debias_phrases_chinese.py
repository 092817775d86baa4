"""Chinese of what corrections and twins write in English: warnings, reasons, names of measures."""

from typing import Final

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
    # What corrections warn of, and why they cannot act
    r"no attribute of users is named, and the data has no sensitive column\.": "没有指定用户属性，数据"
    "也没有敏感列。",
    r"the data names no sensitive column, and `attribute` is not set\.": "数据没有标明敏感列，且未设置 "
    "`attribute`。",
    r"there is no users table to read '(.+)' from\.": "没有可读取“{0}”的用户表。",
    r"there is no items table to read '(.+)' from\.": "没有可读取“{0}”的物品表。",
    r"there is no items table, so no column '(.+)' to group items by\.": "没有物品表，因此没有可用来给"
    "物品分组的“{0}”列。",
    r"the (?:users|items) have no column '(.+)'.*": "表中没有“{0}”列。",
    r"all items are alike in '(.+)'\.": "所有物品的“{0}”都相同。",
    r"all (?:users|items) have one value of '(.+)' \((.+)\)\.": "所有行的“{0}”只有一个值（{1}）。",
    r"a group of '(.+)' has no event in training, so that no weight can help it: (.+)\. Join rare "
    r"groups, or set their '.+' to null\.": "“{0}”的某个群组没有训练事件，任何权重都无济于事：{1}。请合"
    "并罕见群组，或将其设为空值。",
    r"the users of the training events have the single value '(.+)' in '(.+)'\.": "训练事件的用户在“{1}"
    "”上只有一个值“{0}”。",
    r"the users of the training events have no value in '(.+)'\.": "训练事件的用户没有“{0}”的值。",
    r"The gap on held-out events cannot be told from none \(p = (.+)\), so nothing was changed\.": "留出"
    "事件上的差距与没有差距无法区分（p = {0}），因此没有任何改动。",
    r"The gap on held-out events cannot be told from none \(p = (.+)\): what was corrected may be "
    r"chance\.": "留出事件上的差距与没有差距无法区分（p = {0}）：所校正的可能只是偶然。",
    r"On users not chosen by, the gap changes by (.+) \(95 % interval (.+) to (.+)\): that it is "
    r"smaller on the users chosen by may be chance\.": "在未据以选择的用户上，差距变化 {0}（95 % 区间 "
    "{1} 至 {2}）：在据以选择的用户上变小可能只是偶然。",
    r"A group has too few users to judge the weights on others than they were searched on, so "
    r"that the disparity after them is too low\.": "有的群组用户太少，只能在搜索权重所用的用户上评判，"
    "因此加权后的差异偏低。",
    r"The disparity of (.+) is below the target, but of so few users chance may make (.+): it may "
    r"be as large as (.+) \(at 95 %\)\.": "差异 {0} 低于目标，但如此少的用户偶然即可造成 {1}：它可能大"
    "至 {2}（95 %）。",
    r"Users whom the weights were not searched on are not served more equally under them "
    r"\(disparity (.+), (.+) without\), so that none are set\.": "在未用于搜索权重的用户上，加权并未使"
    "服务更平等（差异 {0}，不加权 {1}），因此没有设置权重。",
    r"Of ([\d,]+) users '(.+)' is not known: no adversary looks at them, so that they are "
    r"protected only as far as they are like the others\.": "有 {0} 个用户的“{1}”未知：没有对手模型读取"
    "他们，因此只有在与其他用户相似的程度上才受保护。",
    r"Of ([\d,]+) users '(.+)' is not known: they are not protected, and .+ without a filter\.": "有 "
    "{0} 个用户的“{1}”未知：他们不受保护，可像没有过滤器时一样被读出。",
    r"Of ([\d,]+) users '(.+)' is not known: their vectors go through the same filter, and are "
    r"protected against linear readers only\.": "有 {0} 个用户的“{1}”未知：他们的向量经过同一过滤器，只"
    "对线性读取者受保护。",
    r"`means` would protect them\.": "`means` 可保护他们。",
    r"`covariances` protects the users whose attribute was given\.": "`covariances` 保护给出了属性的用户。",
    r"New users and strangers are protected against linear readers only, and equal moments do not "
    r"stop every reader: ask fresh attackers\.": "新用户和陌生用户只对线性读取者受保护；矩相等也挡不住"
    "所有读取者：请用新训练的攻击者检验。",
    r"Equal means stop linear readers; neighbours, trees and networks may still read: ask fresh "
    r"attackers\.": "均值相等能挡住线性读取者；近邻、树和网络仍可能读出：请用新训练的攻击者检验。",
    r"([\d,]+) of ([\d,]+) events are of users whose group is unknown: they are not balanced, and "
    r"keep weight 1\.": "{1} 个事件中有 {0} 个属于群组未知的用户：不作平衡，权重保持为 1。",
    r"([\d,]+) of ([\d,]+) users have no event; they count as users who could have had some\.": "{1} 个"
    "用户中有 {0} 个没有事件；他们按本可有事件的用户计。",
    r"Leave out those who could not\.": "请略去本不可能有事件的用户。",
    r"The weights average to ([^ ]+) where right propensities give 1: the propensities are wrong, "
    r"or the tables hold users or items that the log is not about\.": "权重均值为 {0}，而正确的倾向得分"
    "应得 1：倾向得分有误，或表中含有与日志无关的用户或物品。",
    r"All times are the same\.": "所有时间都相同。",
    r"Times are told in whole (.+)\.": "时间以整 {0} 记录。",
    r"The detector of (.+) could not look: All times are the same\.": "{0} 的检测器无法检查：所有时间都"
    "相同。",
    r"The detector of (.+) could not look: Times are told in whole (.+)\.": "{0} 的检测器无法检查：时间"
    "以整 {1} 记录。",
    r"The regularity of gaps below (.+) times that was not judged\.": "小于其 {0} 倍的间隔是否规律，没"
    "有评判。",
    r"A burst within (.+) days cannot be told\.": "{0} 天内的突发无法分辨。",
    r"A repeat within (.+) seconds cannot be told from a return\.": "{0} 秒内的重复与再次到访无法区分。",
    r"the model '(.+)' takes no weights\.": "模型“{0}”不接受权重。",
    r"the log has no propensities; choose another propensity model\.": "日志没有倾向得分；请选择其他倾"
    "向得分模型。",
    r"the model '(.+)' cannot add popularity to its scores while it is trained\.": "模型“{0}”在训练时无"
    "法把流行度加入得分。",
    r"popularity multiplies chances; a loss of ratings has none\.": "流行度乘在概率上；评分损失没有概率。",
    r"the model '(.+)' has no pointwise loss; choose 'mf'\.": "模型“{0}”没有逐点损失；请选择“mf”。",
    r"it learns what is relevant from what was taken; a loss of ratings learns values\.": "它由被选取的物品学习"
    "相关性；评分损失学习的是数值。",
    r"it takes the place of matrix factorisation; '(.+)' is no model of that kind\.": "它取代矩阵分解；“{0}”不"
    "是这类模型。",
    r"it explains what was taken; a loss of ratings learns values\.": "它解释被选取的物品；评分损失学习的是数值。",
    r"it has no factors for attributes, and the model reads some\.": "它没有属性的因子，而模型读取了属性。",
    r"it needs two halves of the factors, and there are (\d+)\.": "它需要把因子分成两半，而因子数为 {0}。",
    r"the log has no events '(.+)', and it needs all that was shown, clicked and bought\.": "日志没有“{0}”事件，"
    "而它需要所有展示、点击和购买。",
    r"The log has no impressions, so that popularity is counted by events: what all users like is taken away "
    r"with what all were shown\.": "日志没有展示，流行度按事件计：所有用户都喜欢的与向所有人展示的会一并去除。",
    r"No held-out event is new to a known user, of a known item: the reference is the average match\.": (
        "没有一个留出事件是已知用户对其未接触过的已知物品：以平均匹配度为参照。"
    ),
    r"the model '(.+)' is a correction itself, or has taken the place of yours already; one model cannot be both\.": (
        "模型“{0}”本身就是一种校正，或已取代了您的模型；一个模型不能兼作两者。"
    ),
    r"There are no held-out events: the reference is the average match\.": "没有留出事件：以平均匹配度为参照。",
    r"Only (\d+) purchases follow an impression: what they teach is mostly chance\.": "展示之后只有 {0} 次购买："
    "从中学到的多为偶然。",
    r"(\d+) of (\d+) purchases follow no impression and are left out\.": "{1} 次购买中有 {0} 次之前没有展示，已略去。",
    r"The weights say that (.+) of all pairs are relevant, which is no share: θ is too small\.": "按权重，所有用"
    "户物品对中相关的比例为 {0}，这不可能：θ 过小。",
    r"the log has no impressions to count\.": "日志没有可计数的展示。",
    r"nothing can be taken out of the vectors of '(.+)' while it learns; it is not trained by "
    r"gradient descent, as mf and sequence are\.": "“{0}”学习时无法从其向量中去除任何东西；它不像 mf 和"
    " sequence 那样以梯度下降训练。",
    r"the attributes (.+) have (.+) combinations of classes, and a filter serves at most (.+); "
    r"join classes, or name fewer attributes\.": "属性 {0} 有 {1} 种类别组合，而过滤器至多支持 {2} 种；"
    "请合并类别或减少属性。",
    r"it corrects squared errors of ratings, and the model '(.+)' is not trained on them\.": "它校正评"
    "分的平方误差，而模型“{0}”并非以此训练。",
    r"it needs a rating for every event of taste\.": "它需要每个偏好事件都有评分。",
    r"it needs a propensity for every rating, and (\d+) of (\d+) have none\.": "它需要每个评分都有倾向"
    "得分，而 {1} 个中有 {0} 个没有。",
    r"it needs slates, and the log has no column '(.+)'\.": "它需要展示列表，而日志没有“{0}”列。",
    r"it needs slates, and the log has no column '(.+)' \(method \"regression_em\" can do "
    r"without\)\.": "它需要展示列表，而日志没有“{0}”列（方法 regression_em 不需要）。",
    r"the log has no clicks with a place in a slate\.": "日志没有带列表位置的点击。",
    r"the log has no impressions with a place in a slate\.": "日志没有带列表位置的展示。",
    r"popularity is to be counted by impressions, and the log has none\.": "流行度要按展示计，而日志没"
    "有展示。",
    r"no detector is chosen\.": "没有选择检测器。",
    r"the items have no column of texts that many of them share, and `category` is not set\.": "物品没"
    "有多数共享的文本列，且未设置 `category`。",
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
    r"No mixture of rankings out of the pools brings the shares of these lists as near as (.+): the "
    r"nearest was taken, which is off by up to (\d\.\d+)\.": "用候选池中的物品，没有哪种排序的混合能使这些列表的曝光"
    "份额接近到 {0} 以内：已取最接近的一种，最多相差 {1}。",
    r"No mixture of rankings out of the pools brings the shares of (\d+) of (\d+) lists as near as "
    r"(.+): the nearest was taken, which is off by up to (\d\.\d+)\.": "用候选池中的物品，{1} 个列表中有 {0} 个没有"
    "哪种排序的混合能使其曝光份额接近到 {2} 以内：已取最接近的一种，最多相差 {3}。",
    r"Not solved to the end: lists with these shares may have a score up to (.+) standard "
    r"deviations higher\.": "未求解到底：具有这些份额的列表，其分数最多还可高出 {0} 个标准差。",
    r"Raise `iterations`\.": "请调高 `iterations`。",
    r"The model gives no probabilities, so none were calibrated\.": "模型不给出概率，因此没有校准任何概率。",
    r"Nothing was moved: the evidence of (\d+) held-out users did not show any error beyond its band\.": "没有任何"
    "移动：{0} 个留出用户的证据未显示任何超出容许范围的误差。",
    r"(\w+) of (.+) moved from (\S+) to (\S+): error (\S+) over (\d+) slates \(p = (.+)\); the bound is "
    r"reached, so the target may be out of reach\.": "{1} 的 {0} 从 {2} 移至 {3}：{5} 个列表上的误差为 {4}（p = "
    "{6}）；已到界限，因此目标可能无法达到。",
    r"(\w+) of (.+) stays at (\S+): error (\S+) over (\d+) slates \(p = (.+)\); the bound is reached, so the "
    r"target may be out of reach\.": "{1} 的 {0} 停在 {2}：{4} 个列表上的误差为 {3}（p = {5}）；已到界限，因此目标可能"
    "无法达到。",
    # Made users, copies and twins
    r"No group has fewer than the others by a profile, so that none was made\.": "没有群组比其他群组少一个以上的"
    "画像，因此没有生成。",
    r"No group has fewer than the others, so that nobody was copied\.": "没有群组少于其他群组，因此没有复制任何人。",
    r"No group has fewer than the others, so that nobody got a twin\.": "没有群组少于其他群组，因此没有孪生用户。",
    r"(.+): fewer than (\d+) people took something, too few to judge made profiles by, so that none was "
    r"made\.": "{0}：选取过物品的不足 {1} 人，不足以评判生成的画像，因此没有生成。",
    r"A classifier still tells made profiles from real ones \(area under the ROC curve (.+), 95 % interval (.+) to "
    r"(.+)\): a model may learn what nobody does\.": "分类器仍能区分生成的画像与真实画像（ROC 曲线下面积 {0}，95 % "
    "区间 {1} 至 {2}）：模型可能学到无人所为的东西。",
    r"A classifier takes made profiles for real ones and real ones for made \(area under the ROC curve (.+), 95 % "
    r"interval (.+) to (.+)\), which speaks of copies\.": "分类器把生成的画像当作真实的，把真实的当作生成的（ROC 曲线"
    "下面积 {0}，95 % 区间 {1} 至 {2}），这表明有复制。",
    r"Only (\d+) real profiles of these groups were there to compare with: that a classifier cannot tell means "
    r"little\.": "这些群组只有 {0} 个真实画像可供比较：分类器无法区分说明不了什么。",
    r"(.+) of the made profiles are nearer to one that was learned from than (.+) of the people withheld are: the "
    r"generator copies\.": "{0} 的生成画像与某个学习样本的接近程度超过了 {1} 的留出用户：生成器在复制。",
    r"(.+): what is lacking is more than (.+) made profiles per real one, and is not made in full\.": "{0}：所缺超"
    "过每个真实画像 {1} 个生成画像，没有全部生成。",
    r"The log holds made users already\.": "日志中已有生成的用户。",
    r"They are no model for others and count for nothing here, so that a group that was filled up before is filled up "
    r"once more\.": "他们不作为其他用户的样本，也不计入，因此先前补足过的群组会再次补足。",
    r"Copies with the attribute changed are no counterfactuals: what the attribute causes is as it was\.": "改变属性的"
    "副本不是反事实：属性所导致的一切保持原样。",
    r"A model that does not read the attribute learns nothing new of any group from them\.": "不读取该属性的模型不会从"
    "中学到任何群组的新东西。",
    r"The data contradict the graph in (\d+) of (\d+) independences that it implies, most of all that of (.+) and "
    r"(.+): an arrow or a common cause is missing\.": "图所蕴含的 {1} 个独立性中有 {0} 个与数据矛盾，最甚者为 {2} 与 "
    "{3}：缺少箭头或共同原因。",
    r"The drawn profiles miss what was asked for of (.+) by more than (.+) standard deviations on average in some "
    r"group: there are too few items that would fit\.": "在某个群组中，抽取的画像在 {0} 上平均偏离要求 {1} 个标准差以"
    "上：合适的物品太少。",
    r"([\d,]+) users have no value of something that the graph names, and got no twin\.": "{0} 个用户缺少图中所列的某"
    "个值，没有孪生用户。",
    r"(.+): whole numbers, read as numbers, so that twice the value has twice the effect\.": "{0}：整数按数值读取，数"
    "值加倍则效应加倍。",
    r"If they are codes of categories, give them as text\.": "若它们是类别代码，请以文本给出。",
    # Corrections while a model learns
    r"The (\d+) attributes read predict nothing of what was shown on users held out: what was shown is accounted for "
    r"as it is logged, hidden confounding is not\.": "所读取的 {0} 个属性对留出用户看到的展示毫无预测力：已按日志计入"
    "展示，但未计入隐藏混杂。",
    r"The (\d+) attributes read predict nothing of what was taken on users held out: taste and exposure cannot be told "
    r"apart, and the model is a plain autoencoder that corrects nothing\.": "所读取的 {0} 个属性对留出用户选取的物品"
    "毫无预测力：无法区分偏好与曝光，模型只是不作任何校正的普通自编码器。",
    r"The users have no attributes to read: what was shown is accounted for as it is logged, hidden confounding is "
    r"not\.": "用户没有可读取的属性：已按日志计入展示，但未计入隐藏混杂。",
    r"The users have no attributes to read: taste and exposure cannot be told apart, and the model is a plain "
    r"autoencoder that corrects nothing\.": "用户没有可读取的属性：无法区分偏好与曝光，模型只是不作任何校正的普通自编"
    "码器。",
    r"What was shown is not logged: what the attributes predict of what was taken is put down to exposure\.": "日志没有"
    "记录展示：属性所能预测的选取都归因于曝光。",
    r"If they go with taste as well, that taste is lost\.": "若属性也与偏好相关，这部分偏好便会丢失。",
    r"Labels of '(.+)' go with users and items no more than labels dealt out at random\.": "“{0}”的标签与用户和物品的"
    "关联不强于随机分配的标签。",
    r"It was left out\.": "它已略去。",
    r"It was learned, since it was named, and may do harm\.": "因已指定，仍学习了它，可能有害。",
    r"How often labels of sentiment are wrong is not known: too few reviews have a rating beside them, or the ratings "
    r"have no low end to tell high from low by\.": "情感标签的错误率未知：附有评分的评论太少，或评分没有可区分高低的"
    "低端。",
    r"Labels of sentiment are made by counting words; beside ratings, (.+) of the low ones are called praise and (.+) "
    r"of the high ones complaint \(below and above the middle between the lowest and the highest given\)\.": "情感标"
    "签由词语计数得出；与评分对照，低评分中有 {0} 被判为赞扬，高评分中有 {1} 被判为抱怨"
    "（以最低与最高评分的中点为界）。",
    r"Labels of entities are names found in texts; how often they are wrong is not known\.": "实体标签是文本中找到的名"
    "称；错误率未知。",
    r"Labels of entities are names found in texts; beside the columns that the names come from, (.+) are missed and "
    r"(.+) of those found are not the item's own\.": "实体标签是文本中找到的名称；与名称所出的列对照，漏掉 {0}，找到"
    "的中有 {1} 不属于该物品。",
    r"The group '(.+)' has (\d+) users: its means are mostly chance\.": "群组“{0}”有 {1} 个用户：其均值多为偶然。",
    r"Lists are nearly the same for all: (.+) of all places go to the (\d+) commonest items\.": "所有人的列表几乎相"
    "同：{0} 的位置给了最常见的 {1} 个物品。",
    r"Groups fare alike where everybody gets the same list; that is no fairness\.": "人人得到同一列表时各群组境遇相同；"
    "这不是公平。",
    r"Environments were found by the model, which splits events by noise as readily as by circumstances; name a column "
    r"of circumstances where the log has one\.": "环境由模型找出，而它按噪声划分事件与按情境划分同样容易；若日志有情"
    "境列，请指定。",
    r"it takes the place of matrix factorisation, and not of '(.+)'\.": "它取代矩阵分解，而不取代“{0}”。",
    r"it learns ratings, or by the softmax, and not by '(.+)'\.": "它学习评分，或以 softmax 学习，而不用“{0}”。",
    r"the model '(.+)' takes no further losses\.": "模型“{0}”不接受附加损失。",
    r"the term '(.+)' is of ratings, and '(.+)' is not trained on them; use 'loss'\.": "项“{0}”针对评分，而“{1}”不"
    "以评分训练；请用“loss”。",
    r"the term 'loss' is of choices, and the model is trained on ratings; use 'value'\.": "项“loss”针对选择，而模型以评"
    "分训练；请用“value”。",
    r"the model '(.+)' cannot learn a second task; it is not trained by gradient descent, as mf and sequence "
    r"are\.": "模型“{0}”无法学习第二个任务；它不像 mf 和 sequence 那样以梯度下降训练。",
    r"it learns what is taken; a loss of ratings is about something else\.": "它学习被选取的物品；评分损失是另一回事。",
    r"the log has no impressions, and the users have no attribute that could tell of exposure: taste and exposure "
    r"cannot be told apart\.": "日志没有展示，用户也没有可反映曝光的属性：无法区分偏好与曝光。",
    r"It failed with (\w+): (.+)": "它因 {0} 失败：{1}",
}
