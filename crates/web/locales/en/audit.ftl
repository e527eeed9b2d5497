## What administrators and operators did

audit-title = Administration log
audit-hint = Who changed accounts, keys, webhooks, the place or the secret, and what was erased on schedule. Nothing here can be changed; the place says how long it is kept.
audit-none = Nothing yet.
audit-when = When
audit-who = Who
audit-what = What
audit-subject = To what
audit-operator = Operator (command line)
audit-system = Whistle itself
admin-act-account_added = Account added
admin-act-account_disabled = Account disabled
admin-act-account_enabled = Account may sign in again
admin-act-account_signed_out = Account signed out
admin-act-password_reset = Password reset
admin-act-password_changed = Own password changed
admin-act-second_factor_added = Own second factor added
admin-act-second_factor_removed = Own second factor removed
admin-act-second_factor_reset = Second factor reset
admin-act-account_linked = Account linked at the sign-in provider
admin-act-account_unlinked = Account unlinked at the sign-in provider
admin-act-passkey_added = Passkey added
admin-act-passkey_removed = Passkey removed
admin-act-key_added = API key added
admin-act-key_revoked = API key revoked
admin-act-webhook_added = Webhook added
admin-act-webhook_paused = Webhook paused
admin-act-webhook_resumed = Webhook goes on
admin-act-webhook_removed = Webhook removed
admin-act-push_switched_on = Notices on devices switched on
admin-act-push_switched_off = Notices on devices switched off
admin-act-place_applied = Place version in force
admin-act-secret_rotated = Secret key rotated
admin-act-secret_forgotten = Earlier secret keys given up
admin-act-secret_adopted = Another secret key in place of a lost one
admin-act-retention_done = Erased on schedule

## Classes of access

flag-access = access: { $x }
