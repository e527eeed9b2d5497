## The page: one entry for each purpose in the store's list of columns

privacy-title = Privacy
privacy-lead = This service measures the service itself, never the residents and never individual workers.
privacy-made-of = This page is made from the list of everything that the database has a field for. What is not on it is not stored.
privacy-not = Never ethnicity, religion, political view, health or identity numbers. Nobody has a profile, and your reports are not linked to each other. A pick-up code is computed and stored in no database.
privacy-rounds = Nobody's way is tracked. Of a look at a place on a round only the day, the unit and what was found are kept, never the time of day or the post; after { $n ->
        [one] { $n } day
       *[other] { $n } days
    } only the last look at each place is left.
privacy-about-reporter = Of those who report
privacy-about-staff = Of those who hold a post
privacy-why = What for
privacy-how-long = How long
privacy-who = Who sees it
privacy-columns = Fields in the database
privacy-cookies-title = Cookies
privacy-cookies = Only those that are needed: the language you chose, the case you follow (for an hour), the session of staff, and, where staff get notices on a device, a random number by which that is known. No statistics, no advertising, nothing from third parties. What you enter in the three steps, photos included, is kept in your browser until it is sent (not how you can be reached), and removed then; what is never sent, a day later, when the page of reports is opened again; photos leave your device without where they were taken. Suggestions of the kind of problem are learnt from closed cases that are public; what is kept of them is counts, not words, and they answer with nothing but kinds of problems. The field app of the staff keeps on their phone what a shift needs: places to look at, the unit's cases (none of a class of access), and what is not sent yet; what the shift needs goes when they sign out.
privacy-ask-title = Questions

privacy-what-matter = What you report: its kind, place and time, the text, your answers, and what you say or rate later.
privacy-why-matter = So that somebody comes, and so that it can be seen how well the service works.
privacy-what-photos = Your photos, redrawn so that position, time and device are gone. One that no report names is removed after a day.
privacy-why-photos = To find the matter and to see that it is mended. They are never required.
privacy-what-contact = Name, e-mail and telephone if you choose to give them, with the language you read and which notices you want; apart from the case, encrypted with a key that is not in the database. The e-mail of somebody outside who is asked a question is kept likewise, until the question is over.
privacy-why-contact = To ask you back, and to tell you how it ends.
privacy-what-views = Which post looked at how you can be reached, under which account, and when.
privacy-why-views = So that nobody looks unseen. It is in the history of the case, and on your own page.
privacy-what-notices = Which notices your report is sent, when, by mail or text message, and whether they arrived; never the address, but for what the mail server says when it takes none. From which addresses mail came back, by a hash that nobody can read, so that no more is sent there.
privacy-why-notices = To tell you how it goes, each thing once, and to find out why a notice did not arrive.
privacy-what-opt_outs = That an address wants no mail, and since when; of the address only a keyed hash.
privacy-why-opt_outs = So that who wants no mail gets none.
privacy-what-retries = Hashes of what was sent with a report, from which nothing can be read.
privacy-why-retries = So that a report that is sent again makes no second case.
privacy-what-origin = The number that the matter has in the system it was imported from.
privacy-why-origin = So that the same import adds nothing twice.
privacy-what-deeds = Which post did and wrote what to a case or a whistle, under which account, and when; which post saw each place of a round last, and when.
privacy-why-deeds = So that what is done is answered for, and nobody checks their own work. No person is ranked by it.
privacy-what-handovers = The note for the next holder of a post, with the account that wrote it, and when.
privacy-why-handovers = So that nothing is forgotten when a post changes hands.
privacy-what-lists = Filters of the queue that somebody kept under a name, whether they are shared with their post, and with which one they begin.
privacy-why-lists = So that nobody sets the same filter every morning.
privacy-what-accounts = The name to sign in with, the password as a hash that cannot be turned back, and which posts the account holds.
privacy-why-accounts = To let in who holds a post.
privacy-what-second_factors = That an account shows a code besides its password, since when, and the last code's time; the secret encrypted, recovery codes only as keyed hashes.
privacy-why-second_factors = So that a password alone lets nobody in.
privacy-what-links = What the provider of sign-ins calls an account's holder, mostly an e-mail address, and by which number it knows them; since when, and last used when.
privacy-why-links = To sign in by that provider.
privacy-what-passkeys = Public keys of the account's passkeys, with the names that their holder gave them; since when, and last used when.
privacy-why-passkeys = To sign in by a passkey.
privacy-what-devices = On which devices an account gets notices: the name that its holder gave, the language, since when, and when the last came; where it is reached is sealed with a key that is not in the database. The push service learns that there is a notice, and nothing of what it says.
privacy-why-devices = To tell those who hold a post in time what their unit is told. Removed when they sign out, when the account is disabled, and when it holds no post any more.
privacy-what-sessions = That an account is signed in, for which post, since when, last used when, and until when; of its token only a hash.
privacy-why-sessions = To stay signed in.
privacy-what-tries = How often a sign-in failed; of name and address only a hash. What a sign-in that was begun waits for.
privacy-why-tries = So that nobody guesses passwords, and no answer counts twice.
privacy-what-acts = Which account, for which post, changed accounts, keys, webhooks, second factors or the place, and when; what operators did there carries no name.
privacy-why-acts = So that it can be found out who changed what.

privacy-kept-with_case = As long as the case, which stays as a record of the service. It does not say who reported it, and what its reporter wrote can be erased before.
privacy-kept-texts_after_closing = { $n ->
        [one] The texts until { $n } day after the case is closed; the rest as long as the case, which stays as a record of the service.
       *[other] The texts until { $n } days after the case is closed; the rest as long as the case, which stays as a record of the service.
    }
privacy-kept-after_closing = { $n ->
        [one] Until { $n } day after the case is closed; if it was merged into another, after that one is closed.
       *[other] Until { $n } days after the case is closed; if it was merged into another, after that one is closed.
    }
privacy-kept-with_account = As long as the log names the account by its number; an account is closed, not removed.
privacy-kept-session = { $n ->
        [one] At most { $n } hour.
       *[other] At most { $n } hours.
    }
privacy-kept-retries = { $n ->
        [one] { $n } day.
       *[other] { $n } days.
    }
privacy-kept-tries = { $n ->
        [one] { $n } minute.
       *[other] { $n } minutes.
    }
privacy-kept-notices = { $n ->
        [one] At most { $n } day after it was sent or given up.
       *[other] At most { $n } days after it was sent or given up.
    }
privacy-kept-handovers = { $n ->
        [one] { $n } day.
       *[other] { $n } days.
    }
privacy-kept-until_taken_back = Until it is taken back.
privacy-kept-acts = { $n ->
        [one] { $n } day.
       *[other] { $n } days.
    }

privacy-seen-public = Everybody, where the case is public: texts with telephone numbers, addresses, identity numbers and plates masked, photos only if you agree. The unit that has the case and the stations of its areas see all of it.
privacy-seen-case_staff = The unit that has the case and the stations of its areas; by post, never by name.
privacy-seen-answering = Only posts that must answer you. Each look is noted.
privacy-seen-post = Whoever holds the post.
privacy-seen-operator = Those who run this install.
privacy-seen-nobody = Nobody; it only lets the program know something again.

## What is stored of a reporter, for themselves

privacy-mine = With number and pick-up code you see all that is stored of you, load it down, correct how you can be reached, and erase it.
mine-title = What is stored of you
mine-lead = All that this service keeps of you. Other reports of yours are not linked to it.
mine-download = Load down as a file (JSON)
mine-said-title = What you said
mine-looks-title = Who looked at how you can be reached
mine-looks-none = Nobody so far.
mine-told-title = What you were told
mine-told-none = Nothing so far.
mine-contact-title = Correct how you can be reached
mine-contact-send = Keep this
mine-corrected = Kept. What you left empty is not stored.
mine-erase-title = Erase
mine-erase-lead = Erased are how you can be reached, all that you wrote, the address as you described it and your answers to questions among it, your photos, and what you were told. The case goes on: its kind, its point and area on the map and what was done stay, and staff see that it was erased as you wished.
mine-erase-sure = This cannot be undone, and without your words it may be harder to help.
mine-erase-send = Erase for good
mine-erase-nothing = There is nothing left to erase.
mine-erased = Erased.

## In the history of a case

contact-viewed = Contact data looked at
event-erased = Reporter's data erased
erased-contact = contact data
erased-texts = { $n ->
        [one] { $n } text
       *[other] { $n } texts
    }
erased-photos = { $n ->
        [one] { $n } photo
       *[other] { $n } photos
    }
verb-erase = Erase
hint-erase = Erases what the reporter wrote and sent.
text-of-erase = Remark
done-erase = Erased.
list-comma = {", "}
