## 隐私页：数据库字段清单里每种用途一条

privacy-title = 隐私说明
privacy-lead = 本系统衡量的是服务，不是居民，也不是某个工作人员。
privacy-made-of = 本页由数据库的字段清单自动生成。这里没有写的，系统就没有保存。
privacy-not = 不收集民族、宗教、政治面貌、健康状况和身份证号码；不为任何人建立档案，不同的上报之间没有关联。查询码由系统计算得出，不存入数据库。
privacy-rounds = 不记录任何人的行踪。巡查时看过某处，只记哪一天、哪个单位、结果如何，不记几点几分，也不记岗位；满 { $n } 天后，每处只留最近一次。
privacy-about-reporter = 关于上报人
privacy-about-staff = 关于在岗人员
privacy-why = 用途
privacy-how-long = 保存多久
privacy-who = 谁能看到
privacy-columns = 数据库字段
privacy-cookies-title = 浏览器中的信息
privacy-cookies = 只有必要的 Cookie：所选语言、查询案件时的凭证（一小时）、工作人员的登录状态，以及工作人员开启设备通知后用以辨认该设备的随机编号。没有统计、广告或第三方内容。三步上报时填写的内容和照片，在提交前只保存在您的浏览器里（不含联系方式），提交后即清除，未提交的在一天后再次打开上报页时清除；照片在上传前已去掉拍摄地点。系统用公开的已结案件学习类别建议，只记数字，不记原文，也不回答文字。工作人员的外勤应用把本班要用的巡查点、本单位的案件（不含限定知悉范围的）和未发送的内容保存在该手机上，退出登录时清除本班内容。
privacy-ask-title = 联系我们

privacy-what-matter = 您上报的类别、地点、时间、描述和回答，以及之后的留言和评价。
privacy-why-matter = 派人前往处理，并检验服务做得如何。
privacy-what-photos = 您上传的照片。照片会重新编码，拍摄地点、时间、设备等信息一律清除；未随上报提交的照片一天后删除。
privacy-why-photos = 便于找到问题、核对结果。照片从不强制上传。
privacy-what-contact = 您自愿填写的称呼、邮箱、电话，以及您阅读的语言和通知设置，与案件分开，加密保存，密钥不在数据库中。向外部人员询问时所留的邮箱同样保存，询问结束即删除。
privacy-why-contact = 向您了解情况，并告知处理结果。
privacy-what-views = 哪个岗位、用哪个账号、在什么时间查看过联系方式。
privacy-why-views = 让每次查看都有据可查。记录在案件经过里，也显示在您自己的页面上。
privacy-what-notices = 与您的上报有关的通知：内容、时间、邮件或短信、是否送达。不保存地址；邮件服务器拒收时的答复中可能含有地址。退信的邮箱只存不可还原的摘要，以便不再发送。
privacy-why-notices = 告知办理进展，每件事只通知一次；通知未送达时可以查明原因。
privacy-what-opt_outs = 某个邮箱不愿接收邮件及其时间；邮箱只保存带密钥的哈希值。
privacy-why-opt_outs = 不再向不愿接收邮件的人发送邮件。
privacy-what-retries = 上报请求的哈希值，无法还原出内容。
privacy-why-retries = 同一次上报重复发送时，不会重复立案。
privacy-what-origin = 案件在原系统中的编号（仅限导入的案件）。
privacy-why-origin = 同一批数据重复导入时，不会重复添加。
privacy-what-deeds = 哪个岗位、用哪个账号、在什么时间对案件或吹哨做了什么、写了什么；每个巡查点最后一次由哪个岗位、在什么时间看过。
privacy-why-deeds = 让每一步都有人负责，且办理人不能核查自己的工作。不据此对任何个人排名。
privacy-what-handovers = 留给下一位任岗人员的交接说明、书写的账号和时间。
privacy-why-handovers = 岗位交接时不遗漏事项。
privacy-what-lists = 工作人员以名称保存的待办筛选条件、是否共享给同岗位，以及登录后默认使用哪一个。
privacy-why-lists = 不必每天重新设置同样的筛选。
privacy-what-accounts = 登录名、无法还原的密码哈希值，以及账号所任岗位。
privacy-why-accounts = 让在岗人员登录。
privacy-what-second_factors = 账号登录时除密码外是否还需验证码、何时启用、上次使用的验证码的时间；密钥加密保存，恢复码只保存带密钥的哈希值。
privacy-why-second_factors = 只知道密码的人无法登录。
privacy-what-links = 账号持有人在统一认证平台的名称（一般为电子邮箱）及其唯一编号、关联时间和最近使用时间。
privacy-why-links = 通过统一认证平台登录。
privacy-what-passkeys = 账号通行密钥的公钥、持有人所起的名称、添加时间和最近使用时间。
privacy-why-passkeys = 使用通行密钥登录。
privacy-what-devices = 账号在哪些设备上接收通知：持有人所起的名称、语言、开启时间和最近通知时间；推送地址加密保存，密钥不在数据库中。推送服务只能得知有一条通知，无法得知内容。
privacy-why-devices = 让在岗人员及时得知单位的通知。退出登录、停用账号或不再任岗，即予删除。
privacy-what-sessions = 账号以哪个岗位登录、起止时间和最近使用时间；登录凭证只保存哈希值。
privacy-why-sessions = 保持登录状态。
privacy-what-tries = 登录失败的次数，登录名和网络地址只保存哈希值；正在进行的登录所待核对的信息。
privacy-why-tries = 防止猜测密码，防止同一回复重复使用。
privacy-what-acts = 哪个账号、以哪个岗位、在什么时间变更过账号、密钥、网络回调、二次验证或辖区配置；运维人员的操作不记姓名。
privacy-why-acts = 便于查明谁变更过什么。

privacy-kept-with_case = 与案件一同长期保存。案件是公共服务的记录，其中没有上报人的身份信息；上报人写的内容可提前删除。
privacy-kept-texts_after_closing = 文字在结案 { $n } 天后删除；其余内容作为公共服务记录与案件一同保存。
privacy-kept-after_closing = 结案 { $n } 天后删除；已并入其他案件的，从后者结案起算。
privacy-kept-with_account = 办理记录会引用账号编号，因此账号只停用，不删除。
privacy-kept-session = 最多 { $n } 小时。
privacy-kept-retries = { $n } 天。
privacy-kept-tries = { $n } 分钟。
privacy-kept-notices = 发送成功或放弃发送后最多 { $n } 天。
privacy-kept-handovers = { $n } 天。
privacy-kept-until_taken_back = 直到取消为止。
privacy-kept-acts = { $n } 天。

privacy-seen-public = 公开案件任何人都能看到：文字中的电话、邮箱、证件号、车牌自动隐去，照片经您同意才公开。办理单位和所在网格的服务站能看到全部内容。
privacy-seen-case_staff = 办理单位和所在网格的服务站；只显示岗位，不显示姓名。
privacy-seen-answering = 只有负责答复您的岗位，每次查看都有记录。
privacy-seen-post = 任该岗位的人员。
privacy-seen-operator = 本系统的运维人员。
privacy-seen-nobody = 任何人都看不到，只供程序识别。

## 上报人查看自己的信息

privacy-mine = 凭案件编号和查询码，您可以查看和下载与您有关的全部信息，更正联系方式，也可以将其删除。
mine-title = 与我有关的信息
mine-lead = 以下是本系统保存的与您有关的全部信息。您的其他上报与此没有关联。
mine-download = 下载（JSON 文件）
mine-said-title = 您填写的内容
mine-looks-title = 谁查看过您的联系方式
mine-looks-none = 目前没有人查看过。
mine-told-title = 发给您的通知
mine-told-none = 目前没有通知。
mine-contact-title = 更正联系方式
mine-contact-send = 保存
mine-corrected = 已保存。留空的项目不再保存。
mine-erase-title = 删除
mine-erase-lead = 将删除您的联系方式、您写的全部文字（包括地址描述和对问题的回答）、您的照片和发给您的通知记录。案件继续办理：类别、地图上的位置和所在网格、办理经过会保留，工作人员会看到这些内容已按您的意愿删除。
mine-erase-sure = 删除后无法恢复；没有您的描述，办理可能会更困难。
mine-erase-send = 永久删除
mine-erase-nothing = 已没有可删除的内容。
mine-erased = 已删除。

## 案件经过

contact-viewed = 查看了联系方式
event-erased = 上报人信息已删除
erased-contact = 联系方式
erased-texts = { $n } 段文字
erased-photos = { $n } 张照片
verb-erase = 删除
hint-erase = 删除上报人写的文字和照片。
text-of-erase = 备注
done-erase = 已删除。
list-comma = 、
