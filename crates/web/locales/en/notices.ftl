## What readers choose of their notices

choice-title = What you are told
choice-kinds = Which mails
choice-reporter-all = All: each step, and what is said
choice-reporter-milestones = Only where it stands: accepted, handled, closed
choice-reporter-answers = Only what answers me or asks me something: comments, questions, decisions
choice-unit-all = All
choice-unit-answers = Only what cannot wait: time runs out, sent back, found not done, called by a whistle, asked for or answered
choice-unit-milestones = All but what is only for information
choice-pace = When
choice-pace-at_once = When something happens
choice-pace-daily = Once a day, in one mail in the morning; questions and what is about to run out at once
choice-lang = In which language
choice-send = Keep this choice
choice-done = Kept.
choice-unit-title = Notices to { $x }
choice-unit-hint = They go to the address of the unit; its leads choose for all who read it. Whistles are told at once, whatever is chosen.
mine-link = What is stored of me, and which mails I get

## The page on which the work is judged

judge-over = This was answered, or it is no longer to be answered. Thank you.

## Who is asked

field-respondent-email = E-mail of who is asked
field-respondent-email-hint = For somebody outside: the link is mailed there. The address is kept apart and encrypted, and erased when the question is over. A reporter who gave an address is mailed without this.

## Addresses from which mail comes back

contact-failing = mail comes back; no more is sent there

## Notices

notice-asked = a question
notice-whistle_asked = a whistle to approve
notice-whistle_approved = whistle approved
notice-whistle_refused = whistle not approved
notice-whistle_raised = whistle raised

## Notices on devices

devices-title = Notices on devices
devices-link = Get the notices to your unit on your telephone or computer
devices-hint = This device then shows what the units of your posts are told: the same notices, at the same pace, as those units have chosen.
devices-shown = It shows what kind of notice it is, its number and its area, never what was written; to read that, open it and sign in. When you sign out, it ends.
devices-off = Notices on devices are not set up here.
device-name = Name of the device
device-name-hint = So that you know it again, such as "telephone on duty". May be left empty.
device-name-wrong = A name has at most 64 letters.
device-unnamed = Device { $n }
device-since = Since
device-told = Last notice
device-untold = none yet
device-this = this one
device-add = This device
device-on = Switch notices on
device-remove = Switch off
device-script = To get notices here, JavaScript must be on in your browser.
device-missing = This browser cannot show notices.
device-denied = That did not work: the browser was not allowed to show notices, or reaches no push service.
device-refused = The push service that the browser names cannot be used.
device-too-many = There are { $n } devices already. Switch one off first.
told-device = on a device

## Webhooks

webhooks-title = Webhooks
webhooks-hint = Systems that are told by signed requests what happens. How to check the signature is in the manual for operators.
webhooks-none = There is none.
webhook-url = Address
webhook-url-hint = Such as https://example.org/whistle
webhook-events = Events
webhook-events-hint = Words with commas between them: reported, assigned, verified, whistle.blown. All that happens when left empty.
webhook-hears = Hears
webhook-public = what the public sees
webhook-all = all, hidden cases and whistles too
webhook-all-hint = Tell it also what the public does not see: hidden cases, inner words, whistles. Never how a reporter can be reached.
webhook-told = told
webhook-paused = paused
webhook-add = Add a webhook
webhook-secret = Its secret
webhook-secret-hint = Requests are signed with it. Copy it now to the system that receives them: it is shown this once only.
webhook-added = Added
webhook-test = Send a test
webhook-done-test = The test arrived.
webhook-test-failed = The test did not arrive
webhook-pause = Pause
webhook-done-pause = It is told nothing until you resume it.
webhook-resume = Resume
webhook-done-resume = It is told what happens from now on.
webhook-pause-hint = What waits when it is paused or removed is dropped, and what happens meanwhile it is not told.
webhook-remove = Remove
webhook-remove-sure = Its secret is gone for good.
webhook-sent = What was sent
webhook-sent-none = Nothing so far.
webhook-when = Last try
webhook-about = About
webhook-event = Event
webhook-tries = Tries
webhook-why = Why not
webhook-wrong-url = Write an address of the open internet, such as https://example.org/whistle, without name and password.
webhook-wrong-events = Write words of events with commas between them, or leave it empty for all. Texts to telephones are added by the operator.
webhook-too-many = There are 20 already; remove one first.
about-case = Case
about-whistle = Whistle
