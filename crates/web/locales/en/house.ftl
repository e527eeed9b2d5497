# What an administrator keeps: the way to it, keys, the words of notices, the place.

house-title = Administration
house-accounts = Who works here, with which posts; passwords, second factors, sessions.
house-place = What changed in the grid, units, posts, services and standards, and what a new version would change.
house-templates = What reporters, units and stations read, with made-up values.
house-keys = What other systems may do here.
house-webhooks = Systems that are told what happens.
house-acts = Who changed what of all this, and when.

keys-title = API keys
keys-hint = A system shows its key with each request. Without a key it reads what the public reads.
keys-none = There is none.
key-name = System
key-name-hint = Which system uses it
key-may = May
key-may-report = file and join reports, send photos
key-may-update = say what happened to a case
key-made = Made
key-ends = Ends
key-never = never
key-last-day = Last day
key-last-day-hint = It is good until the end of this day; always when left empty.
key-good = good
key-over = over
key-revoked = revoked
key-revoke = Revoke
key-add = Add a key
key-added = The new key
key-added-hint = Copy it now to the system that uses it: it is shown this once only.
key-wrong-name = Say in 1 to 100 letters which system uses it.
key-wrong-scopes = Say what it may do.
key-wrong-expires = Name a day to come.

templates-title = Words of notices
templates-hint = As they are sent, with made-up values. A place writes its own in files of its folder; what may be named in them is in the manual.
templates-notice = Notice
templates-language = Language
templates-show = Show
templates-own = These are the place's own words, from { $x }.
templates-shipped = These words are shipped with Whistle. The place's own would be in { $x }.

place-title = The place
place-hint = The place is a folder of files. Send those that change: nothing is in force before you have seen what they do and said so.
place-draft = What version { $n } would change
place-draft-files = Files sent:
place-draft-faulty = What you sent has faults
place-changes = Changes
place-no-changes = Nothing changes.
place-warnings = Odd, but no error
place-open-links = Services that nobody would handle somewhere
place-uncleared = Work that nobody may do
place-unseen = Services whose cases no post sees
place-unreached = Units that no mail reaches
place-faults = Faults
place-more = { $n ->
    [one] and one more
   *[other] and { $n } more
}
place-apply = Put version { $n } in force
place-may-not-apply = It lets a post see more than yours may: the operator puts it in force, with whistle apply.
place-drop = Drop what I sent
place-send = Change the place
place-files = Files that change
place-files-hint = With the names that they have in the folder, such as units.csv; texts of notices with their path. Others stay as they are. Up to 16 MB each; larger ones, and removing a file, with whistle apply.
place-look = See what would change
place-wrong-files = It was not kept: { $x }
place-not-applied = It was not put in force: { $x }
place-applied = Version { $n } is in force.
place-versions = Versions
place-version = Version
place-applied-at = In force from
place-in-force = in force
