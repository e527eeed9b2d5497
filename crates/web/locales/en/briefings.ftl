# Briefings: the list, one, what changed between two, and writing a new one.

briefing-title = Briefings
briefing-lead = Reports on a period. Every number is counted by the system and leads to how it was counted; what somebody typed is marked †. What was issued is never changed.
briefing-none = None has been issued yet.
briefing-issue = Issue
briefing-number = Issue { $n }
briefing-language = Language
briefing-in-zh = Chinese
briefing-in-en = English
briefing-issued = Issued
briefing-by-operator = the operator
briefing-for = Readers
briefing-for-all = everybody
briefing-for-staff = staff only
briefing-older = Older ones
briefing-files = Also as
briefing-hash = Hash (BLAKE3) of the JSON file:
briefing-since = What changed since
briefing-compare = Compare
briefing-changes = What changed between two briefings
briefing-changes-hint = Numbers that are in both and differ, and those that are in one of them only (·). Two briefings share the numbers of the same indicator, area and days.
briefing-no-changes = All numbers are the same.
briefing-figure = Figure
briefing-of = Of
briefing-all = Issues
briefing-new = A new briefing
briefing-new-hint = It is written first, to be read; nobody else sees it until it is issued.
briefing-public = For everybody: figures that stand for fewer than five cases are not shown in it, and anybody may read it
briefing-write = Write it
briefing-wrong-day = Enter a day, as 2027-06-30.
briefing-wrong-language = Choose one of the languages.
briefing-draft = A draft, not issued
briefing-anew = The draft that you read is not kept here any more, so it was written anew and not issued. Read it once more.
briefing-numbers = { $n ->
    [one] 1 number, counted
   *[other] { $n } numbers, all counted
}
briefing-marked = { $n ->
    [0] none of them differs from an earlier issue
    [one] 1 of them differs from an earlier issue, and says so
   *[other] { $n } of them differ from an earlier issue, and say so
}
briefing-typed = { $n ->
    [0] no number was typed by hand
    [one] 1 number was typed by hand, and is marked
   *[other] { $n } numbers were typed by hand, and are marked
}
briefing-left-out = { $n ->
    [0] no part was left out
    [one] 1 part was left out, since its data is not there
   *[other] { $n } parts were left out, since their data is not there
}
briefing-issue-hint = It is issued as you read it, and kept for good, with its hash.
briefing-issue-it = Issue it
briefing-may-not-issue = Your post reads briefings and does not issue them.
briefing-wrong-order = The last day is before the first; name a later one.
briefing-too-long = That is more than ten years; name fewer days.
briefing-failed = It cannot be written from the template of the place: { $x }
