# The words of the pages

## The frame of every page

skip = Skip to the content
nav-label = Main
nav-report = Report
nav-follow = Follow
nav-cases = Cases
nav-queue = Queue
nav-search = Search
nav-take-report = Take a report
nav-about = About
nav-privacy = Privacy
nav-feed = Feed
nav-staff = Staff
acting-as = Acting as
change-post = Change
sign-out = Sign out
optional = (optional)
choose = Choose
send = Send
search = Search
wrong-label = Error:
title-wrong = Error:
summary-title = There is a problem
next-page = Next page
first-page = Back to the first page
pages-label = Pages
number-short = No. { $x }
case-number = Case { $x }
whole-of = All of { $x }
until-date = until { $x }
post-of-unit = { $post }, { $unit }
with-aside = { $text } ({ $aside })

## Home

home-title = See a problem, get it fixed
home-lead = A dark lamp, a broken cover, dumped rubbish: tell us. The unit in charge fixes it, and somebody else checks before the case is closed. No account needed.
home-report = Report a problem
home-follow = Follow your report
home-newest = Newest public cases
home-open = Open now
home-closed = Closed in 30 days
home-all = All public cases
list-empty = There are no such cases.

## Reporting

report-step-1 = Step 1: what is it about
report-step-2 = Step 2: where and what
report-step-3 = Step 3: already reported?
report-other-service = choose something else
services-title = What is the problem?
services-search = Search
services-search-hint = Such as lamp, water, noise
services-none = Nothing was found for “{ $x }”.
services-all = See everything
where-legend = Where is it?
where-hint = Fill in at least one. The more exact, the sooner it is found.
where-address = Address or landmark
where-address-hint = Such as: outside 15 Mill Road; third lamp south of the school
where-area = Area
where-area-none = I do not know
where-point = Enter coordinates
where-point-hint = WGS84, in decimal degrees, such as { $x }.
where-lat = Latitude
where-lon = Longitude
wrong-point = These are no coordinates. Write both as decimal degrees.
what-legend = What is wrong?
what-description = Describe it
what-description-hint = Leave out names, telephone numbers and the like: what you write may be public.
photos-label = Photos
photos-hint = Up to 6, at most 10 MB each, JPEG, PNG or WebP. Hidden details such as the position are removed.
photos-public = The photos may be public (no faces or number plates in them)
photos-kept = { $n ->
        [one] { $n } photo is already here; no need to choose it again.
       *[other] { $n } photos are already here; no need to choose them again.
    }
photo-too-many = At most { $n } photos at once.
photo-none = Choose a photo.
photo-before = Photo before the work
photo-after = Photo after the work
contact-legend = How to reach you (optional)
contact-hint = Only those who must answer for the case can see it, each look is logged, and it is erased some time after the case is closed.
contact-legend-desk = How to reach the reporter (optional)
contact-name = Name
contact-email = E-mail
contact-phone = Telephone
service-public = Such cases are public: what, where, the text (with telephone numbers and the like masked) and what is done.
service-not-public = Such cases are not public. Only those who handle them see them.
report-send = Send the report
desk-legend = For the desk
desk-channel = How it came
desk-standard = Standard
desk-standard-open = Not sure; the dispatcher decides
desk-fixed = Fixed on the spot
desk-done = What was done
desk-done-hint = Only when it was fixed on the spot.
answer-needed = Answer this: { $x }
answer-number = Write a number: { $x }
answer-datetime = Write a date and time: { $x }
answer-choice = Choose one of the values: { $x }
answer-too-long = The answer is too long; at most 1000 letters fit: { $x }
near-title = Is it one of these?
near-lead = Somebody has reported something like it nearby. If it is the same, join it: you get a code of your own, and nothing is done twice.
near-metres = { $n } m away
near-join = Me too, join this case
near-none-title = None of these?
near-anyway = Send mine as a new report
near-edit = Change what I wrote
join-title = I have the same problem
join-lead = You get a code of your own with which to follow the case and rate the result.
join-text = What you would add
join-text-hint = Optional; only those who handle the case read it.

## Receipt and following

receipt-title = We have your report
receipt-joined = You have joined this case
receipt-keep = Write this down, photograph or print it.
receipt-why = With number and code you follow the case, rate the result or ask to reopen it. The code is shown only here; when lost, it cannot be found again.
receipt-where = Follow it at
receipt-next-title = What happens next
receipt-next = The desk passes it to the unit in charge, which has a time limit. When the work is done, somebody else checks it before the case is closed.
receipt-follow = Follow this case
receipt-another = Report something else
receipt-read-out = Read both to the caller. The code is shown this once only.
receipt-open-case = Open the case
follow-title = Follow a report
follow-lead = Enter the number and the code from your receipt.
follow-number = Case number
follow-code = Pick-up code
follow-code-hint = Ten letters and digits; capitals or not.
follow-open = Open
follow-wrong = This number and code do not belong together. Compare them with your receipt.
follow-hidden = This case is not public. Only you and those who handle it see it.
leave = Forget this case on this device
leave-hint = On a shared computer, do this before you go. After an hour it happens by itself.
ask-fixed = Is it fixed?
ask-fixed-lead = The unit says that the work is done. Please say whether it is.
answer-fixed = Yes, it is fixed
answer-not-fixed = No, it is not
answer-missing = What is still wrong?
rate-title = How content are you with the result?
rate-given = Your answer: { $x }. You may change it.
rate-text = Anything to add
reopen-title = Ask to reopen the case
reopen-text = Why should it be reopened?
reopen-send = Ask to reopen
comment-title = Add a remark
comment-text = Remark
comment-hint = Only those who handle the case read it.
add-photo-title = Add photos
withdraw-title = Take the report back
withdraw-lead = The case is closed then.
withdraw-text = Why
withdraw-send = Take it back
need-rating-first = Choose one of the answers.

## Cases

cases-title = Public cases
filter-state = State
filter-all = All
filter-open = Open
filter-closed = Closed
filter-service = Service
filter-area = Area
filter-unit = Unit
filter-stage = Stage
filter-apply = Show
matter-title = The matter
result-title = What was done
timeline-title = What happened
steps-label = Steps
step-done = (done)
fact-where = Where
fact-reported = Reported
fact-unit = Unit in charge
fact-reports = Reports
fact-standard = Standard
fact-closing = Closed when
fact-rating = The reporter's rating
duplicate-of = The same as:
promise-triage = It will be passed on by { $x }.
promise-sign = The unit will take it on by { $x }.
promise-report_in = The unit will be there by { $x }.
promise-resolve = It is to be fixed by { $x }.
promise-verify = The work will be checked by { $x }.
promise-parked = It has to wait until { $x }.
promise-overdue = This is overdue.
case-join = I have the same problem
case-yours = Is this your report?
status-closed = Closed: { $x }
stage-with-outcome = { $stage } ({ $outcome })

## Staff

sign-in-title = Staff sign-in
sign-in-login = Name
sign-in-password = Password
sign-in = Sign in
sign-in-hint = Lost the password? The administrator sets a new one.
tabs-label = Queues
tab-mine = My unit
tab-triage = To triage
tab-assign = To assign
tab-verify = To verify
tab-reopen = Reopen requests
tab-open = All open
queue-empty = Nothing here.
col-case = Case
col-where = Where and who
col-status = Status
col-due = Due
no-clock = No running limit
done-and-gone = Done. Case { $x } is no longer with you.
search-title = Search cases
no-description = (no text)
no-unit = none yet
public-page = See the public page
contacts-title = How to reach the reporter
contacts-hint = That you looked is logged.
contacts-show = Show
contacts-none = No reporter left any.
clocks-title = Clocks
clock-met = met in time
clock-met-late = met late
clock-standing = standing still
clock-extended = extension { $n }: { $why }
clock-paused = stood still from { $from } to { $to }
clock-paused-since = stands still since { $x }
clock-line = { $name } · { $state } · due { $at }
clock-step = { $at } ({ $mark }): { $who }, { $level } · { $state }
step-taken = told { $x }
step-next = next
step-later = to come
step-nobody = nobody there
ladder-title = Who is told when
escalated-to = { $clock }: { $who }, { $level }
flag-escalated = escalated: { $x }
tier-unit = unit
tier-parent_unit = unit above
tier-community = community
tier-town = town
tier-city = city
acts-title = What you can do
acts-none = Nothing, for your post, at this stage.
not-done = That was not done
see-below = Please mend the form below.
meanwhile = Meanwhile this happened:
unit-suggested = { $x } (suggested)
field-unit = Unit
field-right_unit = Whose is it
field-outcome = Outcome
field-original = Number of the original case
field-until = Until
field-public = The public may read it
field-kind = What it shows
said-public = public
said-inside = inside
supervised-on = watched over
supervised-off = no longer watched over
shown-public = shown
shown-hidden = hidden
actor-reporter = Reporter { $n }
actor-client = Other system (key { $n })
actor-public = The public
actor-system = Whistle
flag-parked = parked until { $x }
flag-supervised = supervised
flag-on-the-spot = fixed on the spot
flag-recheck = drawn for a re-check
flag-hidden = not public
flag-returned = { $n ->
        [one] returned once
       *[other] returned { $n } times
    }
flag-reworked = { $n ->
        [one] reworked once
       *[other] reworked { $n } times
    }
flag-reopened = { $n ->
        [one] reopened once
       *[other] reopened { $n } times
    }
flag-extended = { $n ->
        [one] extended once
       *[other] extended { $n } times
    }

## Time

due-minutes = in { $n } min
due-hours = in { $n } h
due-days = { $n ->
        [one] in { $n } day
       *[other] in { $n } days
    }
overdue-minutes = overdue by { $n } min
overdue-hours = overdue by { $n } h
overdue-days = { $n ->
        [one] overdue by { $n } day
       *[other] overdue by { $n } days
    }

## Words of cases

stage-reported = Reported
stage-accepted = Accepted
stage-assigned = Assigned
stage-in_progress = In progress
stage-handled = Handled
stage-closed = Closed
stage-reopen_requested = Reopening asked for
outcome-resolved = resolved
outcome-partly_resolved = partly resolved
outcome-explained = explained
outcome-declined = declined
outcome-duplicate = duplicate
outcome-referred = referred
outcome-withdrawn = withdrawn
outcome-unfounded = nothing found
step-received = Received
step-assigned = Assigned
step-in_progress = In progress
step-checking = Being checked
step-closed = Closed
rating-good = Content
rating-fair = So so
rating-poor = Not content
channel-web = Web
channel-phone = Telephone
channel-counter = Counter
channel-patrol = Patrol
channel-open311 = Open311
channel-api = API
channel-import = Import
clock-triage = Triage
clock-sign = Sign
clock-report_in = Report in
clock-resolve = Resolve
clock-verify = Verify
event-reported = Reported
event-joined = Reported again
event-accepted = Accepted
event-declined = Declined
event-merged = Merged into another case
event-referred = Referred elsewhere
event-withdrawn = Withdrawn by the reporter
event-assigned = Assigned
event-signed = The unit has seen it and takes it
event-reported_in = The unit reported in
event-returned = Returned
event-handled = Handled
event-verified = Verified and closed
event-reworked = Not done; back to work
event-settled = Closed as in the former system
event-reopen_requested = Reopening asked for
event-reopened = Reopened
event-reopen_refused = Stays closed
event-parked = Parked
event-resumed = Resumed
event-extended = Extended
event-reclassified = Reclassified
event-relocated = Relocated
event-commented = Remark
event-photo_added = Photo added
event-rated = Rated by the reporter
event-supervised = Supervision
event-shown = Visibility
event-reckoned = Clocks computed anew
event-escalated = Escalated
verb-accept = Accept
hint-accept = It is ours to handle, under this standard.
text-of-accept = Remark
done-accept = Accepted.
verb-decline = Decline
hint-decline = Closes the case. The reporter reads why.
text-of-decline = Why
done-decline = Declined and closed.
verb-merge = Merge
hint-merge = Closes it as a duplicate; the other case goes on.
text-of-merge = Remark
done-merge = Merged.
verb-refer = Refer elsewhere
hint-refer = It is for somebody outside. Say for whom; closes the case.
text-of-refer = To whom and why
done-refer = Referred and closed.
verb-withdraw = Withdraw
hint-withdraw = The reporter takes it back.
text-of-withdraw = Why
done-withdraw = Withdrawn.
verb-assign = Assign
hint-assign = The unit's clock starts now.
text-of-assign = Word to the unit
done-assign = Assigned.
verb-sign = Sign
hint-sign = Says that your unit has seen it and takes it. Reporting in signs too.
text-of-sign = Remark
done-sign = Signed.
verb-report_in = Report in
hint-report_in = Says that your unit is there.
text-of-report_in = Remark
done-report_in = Reported in.
verb-return = Return
hint-return = Not yours? Say whose it is.
text-of-return = Why
done-return = Returned.
verb-handle = Hand in the work
hint-handle = Say what was done. Somebody else will check it.
text-of-handle = What was done
done-handle = Handed in; it waits for the check.
verb-fix_on_the_spot = Fix on the spot
hint-fix_on_the_spot = Found and mended in one step, told with the report.
text-of-fix_on_the_spot = What was done
done-fix_on_the_spot = Noted.
verb-verify = Verify
hint-verify = The work is done; closes the case.
text-of-verify = Remark
done-verify = Verified and closed.
verb-rework = Send back to work
hint-rework = Say what is missing; it goes back to the unit.
text-of-rework = What is missing
done-rework = Back to work.
verb-settle = Settle
hint-settle = For imports only.
text-of-settle = Remark
done-settle = Closed.
verb-request_reopen = Ask to reopen
hint-request_reopen = When there is new proof, or it is not fixed after all.
text-of-request_reopen = Why
done-request_reopen = Your request was sent.
verb-reopen = Reopen
hint-reopen = The case goes on; its clock starts anew.
text-of-reopen = Why
done-reopen = Reopened.
verb-refuse_reopen = Refuse to reopen
hint-refuse_reopen = It stays closed; who asked reads why.
text-of-refuse_reopen = Why
done-refuse_reopen = It stays closed.
verb-park = Park
hint-park = Once per case; its clocks stand.
text-of-park = Why
done-park = Parked.
verb-resume = Resume
hint-resume = Its clocks run on.
text-of-resume = Remark
done-resume = Resumed.
verb-extend = Extend
hint-extend = Adds the limit once more; only before it is over.
text-of-extend = Why
done-extend = Extended.
verb-reclassify = Reclassify
hint-reclassify = When it is something else.
text-of-reclassify = Remark
done-reclassify = Reclassified.
verb-relocate = Relocate
hint-relocate = When it is elsewhere.
text-of-relocate = Remark
done-relocate = Relocated.
verb-join = Another report
hint-join = Somebody else reports the same; they get a code of their own.
text-of-join = What they said
done-join = Noted.
verb-comment = Add a remark
hint-comment = Read inside only, unless you say otherwise.
text-of-comment = Remark
done-comment = Noted.
verb-add_photo = Add photos
hint-add_photo = Of the spot, before or after the work.
text-of-add_photo = Remark
done-add_photo = Photo added.
verb-rate = Rate
hint-rate = The reporter's word.
text-of-rate = Anything to add
done-rate = Thank you for your answer.
verb-supervise = Watch over it
hint-supervise = Marks the case as watched over.
text-of-supervise = Why
done-supervise = Supervision changed.
verb-show = Show to the public
hint-show = Anyone can see the case then.
text-of-show = Why
done-show = Visibility changed.
verb-reckon = Reckon
hint-reckon = Done by Whistle itself.
text-of-reckon = Remark
done-reckon = Computed anew.
verb-escalate = Escalate
hint-escalate = Done by Whistle itself.
text-of-escalate = Remark
done-escalate = Escalated.
verb-supervise_off = Stop watching over it
hint-supervise_off = Takes the mark away.
verb-show_off = Hide from the public
hint-show_off = Nobody outside sees the case then.
need-text = a few words
need-unit = a unit
need-right_unit = the right unit
need-outcome = an outcome
need-original = the original's number
need-until = a date
need-service = a service
need-location = a place
need-rating = a rating
need-not_fixer = somebody who did not do the work
need-lead_after_returns = the station's lead
need-window = a case that was closed lately
need-parked = a parked case
need-not_parked = a case that is not parked
need-returns_left = a case that was not returned too often
need-not_signed = a case that its unit has not signed
need-never_parked = a case that was never parked
need-extensions_left = an extension that is left
need-not_overdue = a limit that still runs
need-reporter_first = the reporter, who is asked first; another post can verify when the limit is over
need-only_report = a case that nobody else has joined
need-photos_left = room for another photo
need-at_report = to be done with the report itself

## Why something was refused

refusal-wrong_stage = The case is at “{ $stage }”; “{ $verb }” is not possible now.
refusal-not_allowed = Your post may not do this here: { $x }.
refusal-missing = This is missing: { $x }.
refusal-fixer_cannot_verify = Whoever fixed it cannot verify it. The reporter or another unit's post must.
refusal-lead_must_decide = { $n ->
        [one] It was returned once; the lead of the station must decide now.
       *[other] It was returned { $n } times; the lead of the station must decide now.
    }
refusal-no_more_returns = { $n ->
        [one] It was returned once and the station has decided; it cannot be returned again.
       *[other] It was returned { $n } times and the station has decided; it cannot be returned again.
    }
refusal-parked_before = It was parked before; a case is parked once only.
refusal-park_date = Choose a date from tomorrow to { $x }.
refusal-no_more_extensions = { $n ->
        [one] It was extended once; no more is allowed.
       *[other] It was extended { $n } times; no more is allowed.
    }
refusal-overdue = The limit is over already; only a running one can be extended.
refusal-window_over = { $n ->
        [one] More than { $n } day has passed since it was closed. Please make a new report.
       *[other] More than { $n } days have passed since it was closed. Please make a new report.
    }
refusal-unknown_service = There is no such service here ({ $x }).
refusal-is_group = { $x } is a group; choose a service in it.
refusal-not_public = This service ({ $x }) is not open to the public.
refusal-unknown_standard = There is no such standard for this service ({ $x }).
refusal-unknown_unit = Choose another unit; { $x } will not do.
refusal-no_lead = Routing names no unit here; choose one.
refusal-unknown_area = There is no such area here ({ $x }).
refusal-outside_place = This point lies outside the place.
refusal-no_location = Say where it is: an address, an area or coordinates.
refusal-text_too_long = This has { $n } letters; at most 4000 fit.
refusal-no_description = Describe it in a few words, or add a photo.
refusal-too_many_photos = A case holds at most 20 photos.
refusal-bad_answer = The answer to “{ $x }” does not fit.
refusal-not_an_outcome_of_work = Work cannot end as “{ $x }”.
refusal-merged_into_itself = A case is no duplicate of itself; write the other one's number.
refusal-may_not_report = Your post does not report. A patrol, call taker, dispatcher, handler or lead does.
refusal-may_not_name_standard = Your post does not choose the standard there; whoever accepts the case does: a call taker, a dispatcher or the station's lead.
refusal-only_posts_fix = Only a post can fix something on the spot.
refusal-stale = Something else happened to this case meanwhile. Look at it, then decide again.

## Errors

error-not_found = There is no such thing here. The number may be wrong, or the case is not public.
error-which_jurisdiction = Name the place.
error-bad_key = The key is not good.
error-signed_out = Sign in first.
error-bad_password = This name and password do not fit together.
error-forbidden = Your post may not see that.
error-invalid = Something entered does not fit.
error-key_reused = This form was sent once already. To send it as another report, send it again.
error-faults = The place folder has faults.
error-too_many_tries = There were too many tries to sign in with this name. Try again in ten minutes.
error-full = There is no room left on the server, so nothing was kept. Please tell the operator.
error-busy = Too much is going on at once. Try again in a moment.
error-internal = Something went wrong here. Try again later.
bad-photo-too_many_bytes = A photo is larger than 10 MB. Send a smaller one.
bad-photo-no_picture = This file is no picture that can be read. Send JPEG, PNG or WebP.
bad-photo-too_many_pixels = A photo has too many pixels. Send a smaller one, of at most 64 million.
bad-photo-gone = A photo waited too long and was removed. Choose it again.
bad-photo-damaged = A photo is damaged or did not arrive whole. Send it again.
invalid-email = Write an address such as name@example.org.
invalid-name = The name is too long.
invalid-phone = The telephone number is too long.
invalid-after = This is no place in the list; begin at the first page.
invalid-page = That is too far down; narrow the search.
invalid-password = Choose a password of 10 to 200 letters.
invalid-other = { $x } does not fit.
fault-title-not-found = Page not found
fault-title-broken = Something went wrong
fault-title-refused = That did not work
fault-no-page = Check the address, or begin at the first page.
fault-forged = The form has expired or does not come from this site. Go back, reload the page and send it again.
fault-garbled = The form could not be read. Go back and fill it in again.
fault-too-large = That is too large. Send fewer or smaller photos; a text has at most 4000 letters.
fault-too-many-tries = Too many tries. Wait a moment and try again.
fault-broken = Something went wrong here; it has been noted.
fault-refused = That did not work.
fault-id = Tell the operator this number:
fault-home = To the first page

## About

about-title = About
about-lead = Residents, patrols and call takers report what is wrong. The grid finds who must come, and somebody else checks the work.
about-way-title = The way of a case
about-way-1 = Report: say where and what, and get a number and a code.
about-way-2 = Triage: the desk passes it to the unit in charge; the clock starts then.
about-way-3 = Work: the unit reports in, fixes it and says what was done.
about-way-4 = Check: the reporter or another post verifies it, never the one who fixed it.
about-way-5 = { $n ->
        [one] Close: within { $n } day you may ask to reopen it.
       *[other] Close: within { $n } days you may ask to reopen it.
    }
about-measure-title = What is measured
about-measure = How quickly and how well units and areas work. No person is scored or ranked.
about-machine-title = For machines
about-machine = Public cases can be read through open interfaces:
feed-title = Newest public cases
