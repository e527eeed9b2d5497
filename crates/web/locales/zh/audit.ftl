## 管理操作记录

audit-title = 管理日志
audit-hint = 谁变更过账号、接口密钥、推送、辖区配置或系统密钥，以及按期删除了什么。记录不可更改，保存期限由辖区设定。
audit-none = 暂无记录。
audit-when = 时间
audit-who = 操作者
audit-what = 操作
audit-subject = 对象
audit-operator = 运维人员（命令行）
audit-system = 系统自动
admin-act-account_added = 新增账号
admin-act-account_disabled = 停用账号
admin-act-account_enabled = 恢复账号
admin-act-account_signed_out = 强制退出登录
admin-act-password_reset = 重置密码
admin-act-password_changed = 本人修改密码
admin-act-second_factor_added = 本人启用二次验证
admin-act-second_factor_removed = 本人停用二次验证
admin-act-second_factor_reset = 重置二次验证
admin-act-account_linked = 关联统一认证
admin-act-account_unlinked = 解除统一认证关联
admin-act-passkey_added = 新增通行密钥
admin-act-passkey_removed = 删除通行密钥
admin-act-key_added = 新增接口密钥
admin-act-key_revoked = 撤销接口密钥
admin-act-webhook_added = 新增推送
admin-act-webhook_paused = 暂停推送
admin-act-webhook_resumed = 恢复推送
admin-act-webhook_removed = 删除推送
admin-act-push_switched_on = 启用设备通知
admin-act-push_switched_off = 停用设备通知
admin-act-place_applied = 辖区配置生效
admin-act-secret_rotated = 更换系统密钥
admin-act-secret_forgotten = 弃用旧系统密钥
admin-act-secret_adopted = 原系统密钥遗失，改用新密钥
admin-act-retention_done = 按期删除

## 可见级别

flag-access = 可见级别：{ $x }
