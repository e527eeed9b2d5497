## 读者对通知的选择

choice-title = 通知设置
choice-kinds = 接收哪些邮件
choice-reporter-all = 全部：每一步进展和说明
choice-reporter-milestones = 仅主要节点：立案、处置、结案
choice-reporter-answers = 仅与我有关的答复和询问：说明、提问、处理决定
choice-unit-all = 全部
choice-unit-answers = 仅紧急事项：时限将到、退回、返工、应哨、待审批、已答复
choice-unit-milestones = 除仅供参考者外的全部
choice-pace = 何时接收
choice-pace-at_once = 随时
choice-pace-daily = 每天一次，次日早晨汇总为一封；提问和即将超时的事项随时发送
choice-lang = 语言
choice-send = 保存设置
choice-done = 已保存。
choice-unit-title = { $x }的通知
choice-unit-hint = 通知发送至单位邮箱，由单位负责人统一设置。哨单不受此设置影响，一律即时通知。
mine-link = 查看留存的信息，设置接收哪些邮件

## 核查页面

judge-over = 已有答复，或已无需答复。感谢您。

## 询问对象

field-respondent-email = 询问对象的电子邮箱
field-respondent-email-hint = 用于外部人员：答复链接将发送至该邮箱。邮箱单独加密保存，询问结束即删除。上报人留有邮箱的，自动发送，无须填写。

## 退信邮箱

contact-failing = 邮件被退回，已停止发送

## 通知

notice-asked = 询问
notice-whistle_asked = 哨单待审批
notice-whistle_approved = 哨单已批准
notice-whistle_refused = 哨单未批准
notice-whistle_raised = 哨单提级

## 设备通知

devices-title = 设备通知
devices-link = 在手机或电脑上接收单位的通知
devices-hint = 开启后，您所任岗位的单位收到的通知会同时显示在这台设备上，接收哪些、何时接收与单位的通知设置一致。
devices-shown = 设备上只显示通知的种类、编号和所在网格，不显示内容；点开后登录查看。退出登录即停止。
devices-off = 本系统未启用设备通知。
device-name = 设备名称
device-name-hint = 便于您辨认，例如“值班手机”，可不填。
device-name-wrong = 名称最多 64 个字。
device-unnamed = 设备 { $n }
device-since = 开启时间
device-told = 最近通知
device-untold = 尚无
device-this = 本设备
device-add = 开启本设备
device-on = 开启通知
device-remove = 关闭
device-script = 开启设备通知需要浏览器启用 JavaScript。
device-missing = 此浏览器不支持通知。
device-denied = 未能开启：浏览器未允许通知，或无法连接推送服务。
device-refused = 浏览器给出的推送服务地址无法使用。
device-too-many = 已有 { $n } 台设备，请先关闭一台。
told-device = 设备通知

## 网络回调

webhooks-title = 网络回调
webhooks-hint = 以带签名的请求把事件告知其他系统。签名的验证方法见运维手册。
webhooks-none = 暂无。
webhook-url = 地址
webhook-url-hint = 例如 https://example.org/whistle
webhook-events = 事件
webhook-events-hint = 事件代码，以逗号分隔：reported, assigned, verified, whistle.blown。不填表示全部事件。
webhook-hears = 告知范围
webhook-public = 公开内容
webhook-all = 全部，含不公开案件和哨单
webhook-all-hint = 同时告知不公开的内容：不公开案件、内部意见、哨单。任何情况下都不含上报人联系方式。
webhook-told = 启用
webhook-paused = 已暂停
webhook-add = 添加回调
webhook-secret = 签名密钥
webhook-secret-hint = 请求以此密钥签名。请立即复制到接收系统，仅显示这一次。
webhook-added = 添加时间
webhook-test = 发送测试
webhook-done-test = 测试已送达。
webhook-test-failed = 测试未送达
webhook-pause = 暂停
webhook-done-pause = 已暂停，恢复前不再告知。
webhook-resume = 恢复
webhook-done-resume = 已恢复，此后的事件将予告知。
webhook-pause-hint = 暂停或移除时，待发送的内容作废；其间的事件不再补发。
webhook-remove = 移除
webhook-remove-sure = 签名密钥将一并作废，无法找回。
webhook-sent = 发送记录
webhook-sent-none = 暂无记录。
webhook-when = 最近一次
webhook-about = 关于
webhook-event = 事件
webhook-tries = 次数
webhook-why = 未送达原因
webhook-wrong-url = 请填写公网地址，例如 https://example.org/whistle，不含用户名和密码。
webhook-wrong-events = 请填写以逗号分隔的事件代码，不填表示全部。手机短信由运维人员添加。
webhook-too-many = 已有 20 个，请先移除一个。
about-case = 案件
about-whistle = 哨单
