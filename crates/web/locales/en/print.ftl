# Paper: the case sheet, the day's round, posters for notice boards.

sheet-title = Case sheet
sheet-print = Print the case sheet
sheet-hint = Print it with your browser (Ctrl+P), on A4.
sheet-scan = Scan to open the case (sign-in needed)
sheet-reports = { $n ->
    [one] one report
   *[other] { $n } reports
  }
sheet-record = Record on site
sheet-found = What was found
sheet-done = What was done
sheet-who = Done by (signature)
sheet-when = Time
sheet-checked = Checked by (signature)
sheet-earlier = { $n ->
    [one] One earlier entry is
   *[other] { $n } earlier entries are
  } in the system.
sheet-printed = Printed { $x }
sheet-no-contacts = How reporters are reached is not printed; look in the system
round-title = Today's round
round-unit = Today's round: { $x }
round-area = Today's round: all open cases of the area
round-of-unit = Only my unit's
round-of-area = All of the area
round-count = { $n ->
    [one] One case
   *[other] { $n } cases
  }, in the order of their places
round-more = (only those due first; the others are in the queue)
round-none = There is no open case today.
round-nowhere = No area known
round-tick = Seen
round-note = Notes
poster-title = Posters to report by
poster-lead = Put them up on notice boards, lamp posts and the like. Who scans the code has the form open at that place.
poster-of-area = For an area
poster-each = One for each area right inside it
poster-of-thing = For a thing at a spot
poster-label = Name
poster-label-hint = For example: notice board, Zhongshan Road
poster-code = Code of the thing
poster-code-hint = Letters, digits and - _ . / #; may be left empty
poster-bad-code = The code may have letters, digits and - _ . / # only, 64 at most
poster-make = Make
poster-count = { $n ->
    [one] One poster
   *[other] { $n } posters
  }
poster-left-out = At most 100 at once; { $n } more are not shown, make them town by town.
poster-scan = Scan to report here
poster-qr = QR code:
poster-how = Something wrong here? Scan with your phone: a photo, the place, a few words. One minute, no account.
