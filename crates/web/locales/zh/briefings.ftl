# 工作简报：目录、正文、两期对比、撰写。

briefing-title = 工作简报
briefing-lead = 按期汇总的工作报告。除标“†”的手工数字外，均由系统统计得出，点击即可查看统计口径。已发布的简报不再修改。
briefing-none = 尚未发布简报。
briefing-issue = 期号
briefing-number = 第 { $n } 期
briefing-language = 语言
briefing-in-zh = 中文
briefing-in-en = 英文
briefing-issued = 发布时间
briefing-by-operator = 系统运维
briefing-for = 查看范围
briefing-for-all = 公开
briefing-for-staff = 内部
briefing-older = 更早的简报
briefing-files = 下载：
briefing-hash = JSON 文件的校验值（BLAKE3）：
briefing-since = 与哪一期对比
briefing-compare = 对比
briefing-changes = 两期简报的变化
briefing-changes-hint = 列出两期都有而数值不同的数字，以及只见于其中一期的数字（另一期标“·”）。指标、区域和日期都相同的，视为同一个数字。
briefing-no-changes = 全部数字一致。
briefing-figure = 指标
briefing-of = 对象
briefing-all = 已发布的简报
briefing-new = 撰写新简报
briefing-new-hint = 先生成草稿供审阅；发布前其他人看不到。
briefing-public = 公开：少于 5 件的数字不显示，任何人都可以查看
briefing-write = 生成草稿
briefing-wrong-day = 请填写日期，如 2027-06-30。
briefing-wrong-language = 请选择语言。
briefing-draft = 草稿，尚未发布
briefing-anew = 您审阅的草稿已不在本机保存，现已重新生成，尚未发布。请再看一遍。
briefing-numbers = 共 { $n } 个数字，全部由系统统计
briefing-marked = { $n ->
    [0] 没有与往期不一致的数字
   *[other] 其中 { $n } 个与往期不一致，已在文中标明
}
briefing-typed = { $n ->
    [0] 没有手工填写的数字
   *[other] { $n } 个数字为手工填写，已在文中标明
}
briefing-left-out = { $n ->
    [0] 没有略去的部分
   *[other] { $n } 个部分因尚无数据而略去
}
briefing-issue-hint = 按您所审阅的内容发布，永久保存，并附校验值。
briefing-issue-it = 发布
briefing-may-not-issue = 您的岗位可以查看简报，不能发布。
briefing-wrong-order = 最后一天早于第一天，请重新填写。
briefing-too-long = 超过十年，请缩短时段。
briefing-failed = 无法按本地模板生成：{ $x }
