# The map.

nav-map = Map
home-map = See them on the map
map-title = Map of cases
map-label = Map of public cases
map-keys = Map: arrow keys move it, plus and minus zoom; the same cases are in the list beside it
map-period = Reported
map-always = At any time
map-lately = Lately
map-years = By year
map-days = Last { $n } days
map-year = In { $n }
map-all-states = All states
map-whole-group = All of { $x }
map-view = Show as
map-view-cases = Cases
map-view-heat = Heat map
map-month = Month:
map-whole-year = whole year
map-near = Near me
map-near-here = You are here
map-near-denied = Your position is not known. Allow it in your browser, or choose an area instead.
map-near-outside = You are outside this place.
map-hide = Hide the map
map-show = Show the map
map-print = Print
map-to-list = Skip to the list
map-zoom-in = Zoom in
map-zoom-out = Zoom out
map-attribution = Sources of the map
map-broken = This browser cannot draw the map. The list has exactly the same cases.
map-list-broken = The list could not be renewed; check your connection and try again.
map-open-case = Open the case
map-close = Close
map-cluster = { "{n}" } cases here
map-cluster-open = { "{n}" } of them open
map-marker = Marker
map-reported = Reported { "{x}" }
map-number = Case { "{x}" }
map-legend-open = Open
map-legend-old = Open, reported more than 30 days ago
map-legend-closed = Closed
map-legend-many = Several close together, and how many
map-no-script = The map needs JavaScript. The list below has the same cases.
map-not-built = This program was built without the map. The list below has the same cases.
map-list-title = The same cases as a list
map-count = { $n ->
    [one] One case
   *[other] { $n } cases
  }, the newest first.
map-count-here = { $n ->
    [one] One case
   *[other] { $n } cases
  } on this part of the map, the newest first.
map-left-out = There are too many cases: the oldest { $n } are not on the map.
map-no-point = Cases without a point are not on the map.
map-whole = Show the whole place
