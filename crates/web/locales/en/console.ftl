# What the staff's pages say while one looks on, and by the keyboard.

live-show = Show
live-close = Not now
live-over = You are signed out. What you see is no longer kept up to date.
live-away = The server does not answer; this page may be out of date.
live-changed = { "{at}" } · { "{what}" }
live-changed-by = { "{who}" } · { "{at}" } · { "{what}" }
live-more = and { "{n}" } more changes
live-unsent = You wrote this, and it was not sent. That step is no longer possible:
queue-news = { "{n}" } new
queue-gone = { "{n}" } no longer in this list
queue-row-gone = No longer in this list
queue-fresh = The list is up to date.
shortcuts-title = Keyboard
shortcuts-move = next case, previous case
shortcuts-open = open the case
shortcuts-pick = select the case
shortcuts-seek = to the search, else to the filter
shortcuts-help = this list
shortcuts-close = close
shortcuts-use = Keys of one letter are on
shortcuts-use-hint = Switch them off if you dictate, or if they get in your way. This browser remembers it.
shortcuts-done = Close
queue-filter = Filter and views
queue-unfiltered = Without the filter
filter-post = What a post sees
filter-due = Due
filter-due-overdue = Overdue
filter-due-today = By the end of today
filter-due-3d = Within three days
filter-parked = Waiting until a date
filter-parked-yes = Waiting
filter-parked-no = Not waiting
filter-order = Order
filter-order-due = Due first
filter-order-newest = Reported last
filter-order-updated = Longest without a change
views-label = Views
view-keep = Keep this as a view
view-name = Name of the view
view-shared = For all who hold this post
view-keep-button = Keep
view-is-shared = of the post
view-is-first = first
view-change = Change this view
view-rename = Rename
view-first = Begin with it after signing in
view-not-first = Begin without it
view-remove = Remove
invalid-view = A view needs a name of at most 40 letters, and a filter that is not too long.
invalid-views = 20 views are enough; remove one first.
bulk-title = Selected cases
bulk-column = Select
bulk-pick = Select case { $x }
bulk-all = Select all on this page
bulk-act = Act on selected cases
bulk-cases = The cases
bulk-back = Back to the queue
bulk-none = There is no step that all of them allow. Select fewer, or cases of one stage.
bulk-hint = Each case is changed by itself; one that somebody changed meanwhile is left as it is.
bulk-came = What came of it
bulk-is-done = Done
bulk-is-refused = Not done
bulk-not-tried = Not tried: the server did not answer.
bulk-again = Act on those that were not done
bulk-picked = { $n ->
    [0] No case is selected. Go back and tick the ones you mean.
    [one] One case is selected.
   *[other] { $n } cases are selected.
}
bulk-done = { $n ->
    [one] Done with one case
   *[other] Done with { $n } cases
}
bulk-refused = { $n ->
    [one] one was not done
   *[other] { $n } were not done
}
nav-board = Board
board-title = Dispatch board
board-next = Due next
board-units = By unit
board-most = The board has the { $n } cases that are due first.
board-count = { $n ->
    [one] one case
   *[other] { $n } cases
}
board-overdue = { $n } overdue
board-called = { $n } not reported in to

stations-title = Stations
stations-hint = What is open now; what was reported, closed and sent back in the last { $n } days, in the area of the station and all below it.
station = Station
station-open = Open
station-filed = Reported
station-closed = Closed
station-returned = Sent back
station-posts = Posts
station-vacant = vacant
station-vacant-n = { $n } vacant
station-no-posts = It has no posts of its own.
station-units = Units that work here
station-no-units = Routing leads to no unit here.
station-services = { $n ->
    [one] leads one standard
   *[other] leads { $n } standards
}
station-below = Stations below
station-and = {", "}
role-patrol = Patrol
role-call_taker = Call taker
role-dispatcher = Dispatcher
role-handler = Handler
role-lead = Lead
role-auditor = Auditor
role-administrator = Administrator
