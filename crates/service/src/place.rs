//! Places: planned, applied, and held in memory in the version in force.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use whistle_briefing::template::{Known, Template};
use whistle_domain::{
    case::Actor,
    place::Place,
    rights,
    words::{
        AccessClass, CaseNumber, JurisdictionCode, JurisdictionId, Lang, ServiceCode, UnitCode, WhistleNumber,
    },
};
use whistle_figures::indicator::Book;
use whistle_notices::{
    Notice,
    template::{Templates, Words},
    view::View,
};
use whistle_place::{
    Change, Compiled, Fault, Faults, Folder, LinkFault, Severity, UnclearedFault, difference,
};
use whistle_store::{
    admin::{self, Deed, Doer},
    place as stored,
};

use crate::{
    Whistle,
    account::SignedIn,
    admin::doer,
    elsewhere,
    error::{Error, Result, allowed},
};

/// A jurisdiction as a use case meets it: its key and its place in the version in force.
#[derive(Debug, Clone)]
pub struct Here {
    /// Its key in the store.
    pub id: JurisdictionId,
    /// Its place.
    pub place: Arc<Place>,
    /// Its words for notices.
    pub notices: Arc<Templates>,
    /// Its indicators.
    pub indicators: Arc<Book>,
    /// The template of its briefings.
    pub briefing: Arc<Template>,
}

/// All jurisdictions of an install, shared by pointer swap.
#[derive(Debug, Default)]
pub struct Places {
    all: Vec<Here>,
    by_code: HashMap<JurisdictionCode, usize>,
    by_host: HashMap<String, usize>,
}

impl Places {
    fn new(all: Vec<Here>) -> Self {
        let mut by_host = HashMap::new();
        let mut by_code = HashMap::new();
        for (i, here) in all.iter().enumerate() {
            by_code.insert(here.place.jurisdiction.code.clone(), i);
            for host in &here.place.jurisdiction.hosts {
                by_host.insert(host.to_lowercase(), i);
            }
        }
        Self {
            all,
            by_code,
            by_host,
        }
    }

    /// All of them, the first applied first.
    pub fn all(&self) -> &[Here] {
        &self.all
    }

    /// The one with a code.
    pub fn by_code(&self, code: &str) -> Option<&Here> {
        self.by_code.get(code).map(|i| &self.all[*i])
    }

    /// The one that a host name leads to; the first one when no place claims the name.
    pub fn by_host(&self, host: &str) -> Option<&Here> {
        let name = host
            .rsplit_once(':')
            .map_or(host, |(name, _)| name)
            .to_lowercase();
        self.by_host
            .get(&name)
            .map(|i| &self.all[*i])
            .or_else(|| self.all.first())
    }

    /// The one that an API request names; the only one when it names none.
    pub fn named(&self, code: Option<&str>) -> Result<&Here> {
        match code.filter(|c| !c.is_empty()) {
            Some(code) => self
                .by_code(code)
                .ok_or_else(|| Error::not_found("jurisdiction", code)),
            None if self.all.len() == 1 => Ok(&self.all[0]),
            None if self.all.is_empty() => Err(Error::not_found("jurisdiction", "")),
            None => Err(Error::WhichJurisdiction(
                self.all
                    .iter()
                    .map(|h| h.place.jurisdiction.code.to_string())
                    .collect(),
            )),
        }
    }
}

pub use whistle_place::MAX_FILE_BYTES;
pub use whistle_store::place::Version;

/// How long files that were sent, and neither put in force nor dropped, wait for whoever sent them: the place goes on without them, and
/// after a month nobody knows any more what they were to change.
pub(crate) const DRAFTS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Versions on a page.
pub const VERSIONS_AT_ONCE: usize = 50;

/// Files that an account sent, and what they would change.
#[derive(Debug)]
pub struct Drafted {
    /// The files' paths.
    pub paths: Vec<String>,
    /// The hash of the folder with them.
    pub hash: String,
    /// What they would change.
    pub plan: Plan,
    /// Whether who sent them may put them in force: see [`rights::may_put_in_force`].
    pub may_apply: bool,
}

/// What applying a folder would change.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// The jurisdiction's code.
    pub jurisdiction: JurisdictionCode,
    /// The version that it would get; the one in force when nothing changes.
    pub version: u32,
    /// What would change, line by line.
    pub changes: Vec<Change>,
    /// What is odd, but no error.
    pub warnings: Vec<Fault>,
    /// Services that nobody leads somewhere.
    pub open_links: Vec<LinkFault>,
    /// Services whose cases no post may see.
    pub unseen_services: Vec<ServiceCode>,
    /// Work on cases of a class of access that nobody who may see them does.
    pub uncleared: Vec<UnclearedFault>,
    /// Units that are told nothing by mail, for want of an address.
    #[serde(skip)]
    pub unreached: Vec<UnitCode>,
}

/// What was applied.
#[derive(Debug, Serialize)]
pub struct Applied {
    /// What changed.
    #[serde(flatten)]
    pub plan: Plan,
    /// How many open cases had their clocks computed anew.
    pub reckoned: u64,
}

/// A folder, read: the place and its texts.
struct Read {
    compiled: Compiled,
    notices: Templates,
    briefing: Arc<Template>,
}

/// The place of a folder, its words for notices and its briefing, or all that is wrong with any of them.
fn compile(folder: &Folder, version: u32) -> Result<Read> {
    compile_as(folder, version, true)
}

/// The same of what was put in force once. A briefing that asks for an indicator which is not there any more fails when it is
/// written; the place goes on.
fn compile_kept(folder: &Folder, version: u32) -> Result<Read> {
    compile_as(folder, version, false)
}

fn compile_as(folder: &Folder, version: u32, is_new: bool) -> Result<Read> {
    let files = || {
        let files = folder.files().iter();
        files.map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    };
    let fault = |file, line, what, mend| Fault {
        file,
        line,
        severity: Severity::Error,
        what,
        mend,
    };
    let notices = Templates::read(files());
    let compiled = whistle_place::compile(folder, version);
    // A place that is no place has no indicators that a briefing could ask for; then only its own faults are told.
    let codes: Option<Vec<&str>> = compiled.as_ref().ok().map(|compiled| {
        let all = compiled.indicators.all().iter();
        all.map(|indicator| indicator.code.as_str()).collect()
    });
    let known = codes.as_ref().filter(|_| is_new).map(|codes| Known {
        indicators: codes,
        needs: &crate::briefing::COUNTED,
    });
    let briefing = Template::of_place(files(), known);
    match (compiled, notices, briefing) {
        (Ok(compiled), Ok(notices), Ok(briefing)) => Ok(Read {
            compiled,
            notices,
            briefing,
        }),
        (compiled, notices, briefing) => {
            let mut faults: Vec<Fault> = match compiled {
                Ok(compiled) => compiled.warnings.into_iter().collect(),
                Err(faults) => faults.into_list(),
            };
            let wrongs = notices.err().unwrap_or_default().into_iter();
            faults.extend(wrongs.map(|it| fault(it.file, it.line, it.what, it.mend)));
            let wrongs = briefing.err().unwrap_or_default().into_iter();
            faults.extend(wrongs.map(|it| fault(it.file, it.line, it.what, it.mend)));
            Err(Error::Faults(faults.into_iter().collect()))
        }
    }
}

/// Refuses a place in which cases of an install would be out of everybody's sight: no post names their class of access.
fn refuse_hidden(place: &Place, classes: Vec<(AccessClass, u64)>) -> Result<()> {
    let is_named = |class: &AccessClass| {
        let mut clearances = place.posts().map(|post| &post.narrowed.clearance);
        clearances.any(|clearance| clearance.classes.contains(class))
    };
    let hidden = classes.into_iter().filter(|(class, _)| !is_named(class));
    let faults: Faults = hidden
        .map(|(class, n)| {
            let cases = if n == 1 { "case has" } else { "cases have" };
            Fault {
                file: "posts.csv".to_owned(),
                line: None,
                severity: Severity::Error,
                what: format!(
                    "{n} {cases} the class of access {:?}, and no post would see them any more",
                    class.as_str()
                ),
                mend: format!(
                    "name {class} in the column access of a post, and in access_classes of jurisdiction.toml where no service \
                     has it; or reclassify the cases first"
                ),
            }
        })
        .collect();
    if faults.has_errors() {
        return Err(Error::Faults(faults));
    }
    Ok(())
}

/// The services of a place whose cases no post may see; none where there is no post yet.
pub fn unseen_services(place: &Place) -> Vec<ServiceCode> {
    if place.posts().next().is_none() {
        return Vec::new();
    }
    place
        .unseen_services()
        .map(|service| service.code.clone())
        .collect()
}

/// What of the work on cases of a class of access nobody does who may see them; of services that no post sees at all, which is
/// said by itself, none.
pub fn uncleared(place: &Place) -> Vec<UnclearedFault> {
    let unseen = unseen_services(place);
    let mut found = whistle_place::uncleared(place);
    found.retain(|fault| unseen.iter().all(|service| service.as_str() != fault.service));
    found
}

/// What applying a folder to an install that is still empty would change.
pub fn plan_first(dir: &Path) -> Result<Plan> {
    let folder = read(dir)?;
    let Compiled { place, warnings, .. } = compile(&folder, 1)?.compiled;
    Ok(Plan {
        jurisdiction: place.jurisdiction.code.clone(),
        version: 1,
        changes: difference(None, &folder),
        warnings,
        open_links: whistle_place::check(&place),
        unseen_services: unseen_services(&place),
        uncleared: uncleared(&place),
        unreached: whistle_place::unreached(&place),
    })
}

/// A notice of a folder that need not be applied, with made-up values; in the place's first language unless another is named.
pub fn preview(dir: &Path, notice: Notice, lang: Option<Lang>) -> Result<Words> {
    let folder = read(dir)?;
    let read = compile(&folder, 1)?;
    previewed(&read.compiled.place, &read.notices, notice, lang)
}

fn previewed(place: &Place, templates: &Templates, notice: Notice, lang: Option<Lang>) -> Result<Words> {
    let own = place.jurisdiction.languages.first().copied();
    let lang = lang.or(own).unwrap_or_default();
    let words = templates.render(notice, lang, &View::example(lang));
    words.map_err(|what| Error::invalid("template", what))
}

fn read(dir: &Path) -> Result<Folder> {
    Folder::read(dir).map_err(Error::Faults)
}

fn may_keep(here: &Here, by: &Actor) -> Result<()> {
    allowed(rights::may_keep_place(by, &here.place))
}

impl Whistle {
    /// A notice of the place in force, with made-up values; in its first language unless another is named.
    pub fn preview(&self, here: &Here, notice: Notice, lang: Option<Lang>) -> Result<Words> {
        previewed(&here.place, &here.notices, notice, lang)
    }

    /// What `whistle apply` would change. Faults of the folder are the error, all of them.
    pub fn plan(&self, dir: &Path) -> Result<Plan> {
        Ok(self.compare(read(dir)?)?.plan)
    }

    /// Puts a folder in force as a new version, in one transaction, and computes the clocks of open cases anew when
    /// its calendar or its ladders are others. Nothing is applied when the folder has an error or changes nothing.
    pub fn apply(&self, dir: &Path) -> Result<Applied> {
        self.put_in_force(self.compare(read(dir)?)?, Doer::Operator)
    }

    fn put_in_force(&self, compared: Compared, by: Doer) -> Result<Applied> {
        let Compared {
            plan,
            folder,
            seen,
            times_changed,
            ..
        } = compared;
        if plan.changes.is_empty() && seen > 0 {
            return Ok(Applied { plan, reckoned: 0 });
        }
        let (code, now) = (plan.jurisdiction.clone(), self.clock.now());
        let hash = folder.hash().into_bytes();
        let files: stored::Files = folder.files().clone();
        let detail = format!("changes={}", plan.changes.len());
        self.store.write_blocking(move |tx| -> whistle_store::Result<_> {
            let (id, version) = stored::apply(tx, &code, seen, &files, &hash, now)?;
            if let Doer::Post { account, .. } = &by {
                stored::drop_draft(tx, id, *account)?;
            }
            let deed = Deed::PlaceApplied;
            admin::note(tx, id, &by, deed, &version.to_string(), &detail, now)
        })?;
        self.reload_places()?;
        let reckoned = if times_changed {
            self.reckon_clocks(plan.jurisdiction.as_str())?
        } else {
            0
        };
        Ok(Applied { plan, reckoned })
    }

    /// Versions of the place before one, the newest first, for who keeps it.
    pub async fn versions(
        &self,
        here: &Here,
        by: &Actor,
        before: Option<u32>,
    ) -> Result<Vec<stored::Version>> {
        may_keep(here, by)?;
        let (id, before) = (here.id, before.unwrap_or(i32::MAX as u32));
        let versions = self
            .store
            .look_up(move |conn| stored::versions(conn, id, before, VERSIONS_AT_ONCE + 1));
        Ok(versions.await?)
    }

    /// Keeps files that would take the place of those of the version in force, until they are put in force, dropped, or others
    /// are sent. The other files stay as they are.
    ///
    /// Refuses what is no file of a place, and what is larger than a file of it may be.
    pub async fn draft(&self, here: &Here, by: &SignedIn, files: stored::Files) -> Result<()> {
        may_keep(here, &by.actor)?;
        if files.is_empty() {
            return Err(Error::invalid("files", "choose the files that change"));
        }
        let known = Folder::from_files(files.clone()).map_err(Error::Faults)?;
        if let Some(stranger) = files.keys().find(|path| known.file(path).is_none()) {
            let what = format!("{stranger:?} is no file of a place; rename it, or leave it out");
            return Err(Error::invalid("files", what));
        }
        let (id, account, now) = (here.id, by.account, self.clock.now());
        let kept = self
            .store
            .write(move |tx| stored::keep_draft(tx, id, account, &files, now));
        Ok(kept.await?)
    }

    /// Drops the files that an account sent.
    pub async fn drop_draft(&self, here: &Here, by: &SignedIn) -> Result<()> {
        may_keep(here, &by.actor)?;
        let (id, account) = (here.id, by.account);
        let dropped = self.store.write(move |tx| stored::drop_draft(tx, id, account));
        Ok(dropped.await?)
    }

    /// What the files that an account sent would change; none where it sent none. Faults of them are the error, all of them.
    pub async fn drafted(&self, here: &Here, by: &SignedIn) -> Result<Option<Drafted>> {
        may_keep(here, &by.actor)?;
        let (whistle, here, by) = (self.clone(), here.clone(), by.clone());
        elsewhere(move || {
            let draft = whistle
                .store
                .read_blocking(|conn| stored::draft(conn, here.id, by.account))?;
            let Some(draft) = draft else { return Ok(None) };
            let paths = draft.keys().cloned().collect();
            let compared = whistle.compare_draft(&here, draft)?;
            Ok(Some(Drafted {
                paths,
                hash: compared.folder.hash(),
                may_apply: rights::may_put_in_force(&by.actor, &here.place, &compared.candidate),
                plan: compared.plan,
            }))
        })
        .await?
    }

    /// Puts the files that an account sent in force, if they make the folder with the hash that was looked at.
    pub async fn apply_draft(&self, here: &Here, by: &SignedIn, hash: String) -> Result<Applied> {
        may_keep(here, &by.actor)?;
        let (whistle, here, by) = (self.clone(), here.clone(), by.clone());
        elsewhere(move || {
            let draft = whistle
                .store
                .read_blocking(|conn| stored::draft(conn, here.id, by.account))?
                .ok_or_else(|| Error::not_found("draft", ""))?;
            let compared = whistle.compare_draft(&here, draft)?;
            if compared.folder.hash() != hash {
                return Err(Error::invalid(
                    "files",
                    "what was sent, or the place itself, changed meanwhile; look at it once more",
                ));
            }
            if !rights::may_put_in_force(&by.actor, &here.place, &compared.candidate) {
                return Err(Error::Forbidden);
            }
            whistle.put_in_force(compared, doer(&by.actor))
        })
        .await?
    }

    /// The folder in force with some files in place of its own, compared with it.
    fn compare_draft(&self, here: &Here, draft: stored::Files) -> Result<Compared> {
        let mut files = self
            .store
            .read_blocking(|conn| stored::files(conn, here.id, here.place.version))?;
        files.extend(draft);
        let compared = self.compare(Folder::from_files(files).map_err(Error::Faults)?)?;
        if compared.plan.jurisdiction == here.place.jurisdiction.code {
            Ok(compared)
        } else {
            let what = "the code of the jurisdiction cannot change: that would be another place";
            Err(Error::invalid("files", what))
        }
    }

    fn compare(&self, folder: Folder) -> Result<Compared> {
        let Compiled {
            place: candidate,
            warnings,
            ..
        } = compile(&folder, 0)?.compiled;
        let code = candidate.jurisdiction.code.clone();
        let current = self
            .store
            .read_blocking(stored::all)?
            .into_iter()
            .find(|current| current.code == code);
        if let Some(id) = current.as_ref().map(|c| c.id) {
            let classes = self
                .store
                .read_blocking(|conn| whistle_store::case::of_classes(conn, id))?;
            refuse_hidden(&candidate, classes)?;
        }
        let old = current
            .as_ref()
            .map(|c| self.folder_of(c.id, c.version))
            .transpose()?;
        let changes = difference(old.as_ref(), &folder);
        let seen = current.as_ref().map_or(0, |c| c.version);
        let old_place = self
            .places()
            .by_code(code.as_str())
            .map(|here| Arc::clone(&here.place));
        if let Some(old) = &old_place
            && old.calendar.rules().zone != candidate.calendar.rules().zone
        {
            return Err(Error::invalid(
                "time_zone",
                "the time zone of a place in use cannot change: every day it has counted would be another",
            ));
        }
        let times_changed =
            old_place.is_some_and(|old| old.calendar != candidate.calendar || !old.climbs_like(&candidate));
        let version = if changes.is_empty() { seen.max(1) } else { seen + 1 };
        let open_links = whistle_place::check(&candidate);
        let unseen_services = unseen_services(&candidate);
        let plan = Plan {
            jurisdiction: code,
            version,
            changes,
            warnings,
            open_links,
            unseen_services,
            uncleared: uncleared(&candidate),
            unreached: whistle_place::unreached(&candidate),
        };
        Ok(Compared {
            plan,
            candidate,
            folder,
            seen,
            times_changed,
        })
    }

    fn folder_of(&self, id: JurisdictionId, version: u32) -> Result<Folder> {
        let files = self
            .store
            .read_blocking(|conn| stored::files(conn, id, version))?;
        Folder::from_files(files).map_err(Error::Faults)
    }

    /// A version of a place that was in force once.
    pub(crate) fn place_of_version(&self, id: JurisdictionId, version: u32) -> Result<Place> {
        let Compiled { place, .. } = compile_kept(&self.folder_of(id, version)?, version)?.compiled;
        Ok(place)
    }

    /// The jurisdictions in the versions in force.
    pub fn places(&self) -> Arc<Places> {
        self.places.load_full()
    }

    /// When the version was applied by which we answer; a newer one may wait in the store for a moment.
    pub async fn applied_at(&self, here: &Here) -> Result<Option<Timestamp>> {
        let (id, version) = (here.id, here.place.version);
        Ok(self
            .store
            .look_up(move |conn| stored::applied_at(conn, id, version))
            .await?)
    }

    /// Takes over versions that were put in force since, here or by another process. Answers whether any was.
    pub fn reload_places(&self) -> Result<bool> {
        let _turn = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.places();
        let current = self.store.read_blocking(stored::all)?;
        let unchanged = known.all.len() == current.len()
            && current.iter().all(|c| {
                known
                    .all
                    .iter()
                    .any(|h| h.id == c.id && h.place.version == c.version)
            });
        if unchanged {
            return Ok(false);
        }
        let mut all = Vec::with_capacity(current.len());
        for one in current {
            let held = known
                .all
                .iter()
                .find(|h| h.id == one.id && h.place.version == one.version);
            let here = if let Some(here) = held {
                here.clone()
            } else {
                let folder = self.folder_of(one.id, one.version)?;
                let Read {
                    compiled,
                    notices,
                    briefing,
                } = compile_kept(&folder, one.version)?;
                Here {
                    id: one.id,
                    place: Arc::new(compiled.place),
                    notices: Arc::new(notices),
                    indicators: Arc::new(compiled.indicators),
                    briefing,
                }
            };
            all.push(here);
        }
        self.places.store(Arc::new(Places::new(all)));
        Ok(true)
    }

    /// Computes the clocks of every open case and whistle anew; each that changes says so in its log. Answers how many
    /// cases did.
    fn reckon_clocks(&self, code: &str) -> Result<u64> {
        /// Cases of one round: few enough that memory does not grow with their number.
        const ROUND: usize = 500;
        let places = self.places();
        let here = places.named(Some(code))?;
        let (mut after, mut changed) = (Some(CaseNumber(0)), 0);
        while let Some(number) = after {
            let (more, last) = self.reckon_after(here, number, ROUND, None)?;
            (after, changed) = (last, changed + more);
        }
        let mut after = Some(WhistleNumber(0));
        while let Some(number) = after {
            after = self.reckon_whistles_after(here, number, None)?;
        }
        Ok(changed)
    }
}

struct Compared {
    plan: Plan,
    candidate: Place,
    folder: Folder,
    seen: u32,
    /// Whether the clocks of open cases may be due at other times, or their steps.
    times_changed: bool,
}
