# Indicators, the pages of figures, and open data.

figures-title = Figures
figures-title-of = Figures of { $x }
nav-figures = Figures
home-figures = How this place is doing, in figures
figures-year = { $n }
figures-quarter = Quarter { $n } of { $year }
figures-week = Week { $n } of { $year }
figures-short-month = { $n ->
    [1] Jan
    [2] Feb
    [3] Mar
    [4] Apr
    [5] May
    [6] Jun
    [7] Jul
    [8] Aug
    [9] Sep
    [10] Oct
    [11] Nov
   *[12] Dec
}
figures-from = { $from } to { $to }
figures-years = Years
figures-quarters = Quarters
figures-months = Months
figures-chosen = Chosen
figures-period = Period
figures-show = Show
figures-other-days = Other days
figures-first-day = From
figures-last-day = To
figures-goes-on = not over yet, counted up to now
figures-as-of = Counted at { $x }
figures-lag = some { $n } s behind the cases
figures-wait-title = Being counted
figures-wait = The service has just been started and counts all figures anew from the log of cases. That takes some seconds, or some minutes where there are many. Work on cases goes on meanwhile.
figures-wait-again = Look again
figures-many = How many
figures-fast = How fast
figures-content = How well, and how content people are
figures-course = Reported and closed over time
figures-on-time = Handled on time, and content, over time
figures-what = What is reported
figures-channels = How it is reported
figures-where = Where
figures-units = Units
figures-units-hint = Those with the most due come first. Counted are units and areas, never persons.
figures-station-area = The area of this station
figures-time = When
figures-area = Area
figures-unit = Unit
figures-group = Group of services
figures-channel = Channel
figures-indicator = Indicator
figures-cases = Cases
figures-now = Now
figures-before = Period before
figures-last-year = A year before
figures-change = Change
figures-formula = What is counted
figures-what-it-is = What is counted
figures-table = The numbers as a table
figures-none = There is nothing to count in this period.
figures-masked-hint = Numbers that stand for fewer than five cases are not shown, and mostly one beside them is not either, so that nobody can compute it from the sum. “—” means that there was nothing to count: neither nought nor a hundred per cent.
figures-as-public = Your post is for some of the cases only; these are the figures that everybody sees.
figures-all-indicators = All indicators, and what they count
figures-all-hint = The formulas are made from the declarations themselves, so they say what is counted.
figures-by = Told apart by
figures-by-nothing = Nothing
figures-by-unit = Unit
figures-by-service = Service
figures-by-group = Group of services
figures-by-standard = Standard
figures-by-channel = Channel
figures-by-hour = Weekday and hour
figures-by-day = Day
figures-by-week = Week
figures-by-month = Month
figures-by-quarter = Quarter
figures-by-year = Year
figures-others = Others, with what is not public
figures-nowhere = In none of these
figures-no-number = none, or not shown
figures-version = version { $n } of the formula
figures-place-version = version { $n } of the place
figures-rows-staff = The rows behind it (for staff)
figures-api = As JSON
figures-chart = Chart: { $x }. The table below has all numbers.
figures-heat-chart = Heat map: cases by weekday and hour, the darker the more. The table below has all numbers.
figures-and = {", "}
figures-weekday = Weekday
figures-weekday-1 = Mon
figures-weekday-2 = Tue
figures-weekday-3 = Wed
figures-weekday-4 = Thu
figures-weekday-5 = Fri
figures-weekday-6 = Sat
figures-weekday-7 = Sun
figures-points = { $x } points
figures-to-do = To be done now
figures-open-units = What units have to do
figures-open-where = Where the open cases are
figures-ages = How long open cases have been open
figures-come = How far the cases of this period have come
figures-heat = When cases are reported
figures-rows-total = { $n ->
    [one] One row.
   *[other] { $n } rows.
}
figures-rows-hidden = { $n ->
    [one] One more is counted that your post may not see.
   *[other] { $n } more are counted that your post may not see.
}
figures-part-numerator = These are the ones that are counted.
figures-part-denominator = These are the ones out of which they are counted.
figures-other-numerator = Out of which?
figures-other-denominator = Which are counted?
figures-files = All rows as a file:

open-title = Open data
open-lead = For everybody to take and use. Public cases only, without anything that somebody wrote, without addresses and photos, and never how to reach anybody.
open-licence = Licence: { $x }
open-no-licence = This place has not said under what licence; ask it before you use them.
open-file-cases-csv = Public cases as CSV.
open-file-cases-parquet = Public cases as Parquet, for analysis.
open-file-indicators-csv = Indicators by month of the last three years, and by town of this year and the last. Numbers of fewer than five cases are left out.
open-made = Made { $at }, { $kilobytes } kB.
open-not-made = Not made yet: ask for it, and come again in a moment.
open-fresh = The files are made anew every night. Positions are those of the public list of cases.
open-columns-cases = Columns of cases
open-columns-indicators = Columns of indicators
open-formulas = What each indicator counts:
open-column = Column
open-kind = Kind
open-what = What it holds
open-kind-text = text
open-kind-int = whole number
open-kind-float = number
open-kind-bool = yes or no
open-kind-time = time (UTC)
open-kind-date = date
open-case-service_request_id = Number of the case
open-case-requested_datetime = When it was reported
open-case-updated_datetime = When something last happened
open-case-closed_date = When it was closed
open-case-status_description = open or closed
open-case-source = By which channel it was told
open-case-service_name = Name of the service
open-case-service_subtype = Name of the standard
open-case-agency_responsible = Name of the unit that leads
open-case-lat = Latitude (WGS 84)
open-case-long = Longitude (WGS 84)
open-case-step = How far it has come
open-case-outcome = How it ended
open-case-service_code = Code of the service
open-case-service_group = Code of its group
open-case-standard_code = Code of the standard
open-case-cell_code = Code of the cell
open-case-community_code = Code of the community
open-case-town_code = Code of the town
open-case-city_code = Code of the city
open-case-lead_unit = Code of the unit that leads
open-case-accepted_at = When it was accepted
open-case-assigned_at = When a unit got it
open-case-signed_at = When the unit signed for it
open-case-reported_in_at = When the unit was there
open-case-handled_at = When the work was handed in
open-case-due_at = When the work is due
open-case-on_time = Whether it was handled in time; empty while time is left
open-case-reports = How many reports it has
open-case-returned = How often it was returned
open-case-reworked = How often the work was done again
open-case-reopened = How often it was reopened
open-case-extended = How often its limit was extended
open-case-parked_until = Until when it waits
open-case-was_parked = Whether it ever waited
open-case-verification = Who verifies
open-case-on_the_spot = Whether it was fixed on the spot
open-case-rating = How content the reporter is
open-case-duplicate_of = Of a duplicate: the case that it was merged into
open-indicator-indicator = Code of the indicator
open-indicator-version = Version of its formula; rises when it comes to count something else
open-indicator-label = Its name
open-indicator-unit = count, percent, per_thousand, duration (seconds), distance (metres), number
open-indicator-period = A month or a year
open-indicator-area = Code of the town; empty for the whole place, - for cases in none
open-indicator-numerator = What is counted; of a length of time how many were measured
open-indicator-denominator = Out of how many
open-indicator-value = What it comes to; empty where the denominator is nought
open-indicator-masked = Whether it is left out because it stands for so few
