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
judge-photos = To send photos with it, use the number and your code:

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
