//! Webhooks: added, tried, paused, removed, by the operator or by who administers the whole place.

use jiff::Timestamp;
use whistle_domain::{
    case::{self, Actor},
    rights, whistle,
};
use whistle_notices::{
    Why,
    webhook::{self, Call, Hooks, SMS},
};
use whistle_store::{
    Tx,
    admin::{self, Deed, Doer},
    notice::{self as stored, Delivery, Webhook},
};

use crate::{
    Whistle,
    error::{Error, Result, allowed},
    place::Here,
};

/// The most webhooks of a place: each event is written down for each.
const MAX_WEBHOOKS: usize = 20;

/// Deliveries of each state that are shown of a webhook.
const SHOWN: usize = 20;

/// A webhook to be.
#[derive(Debug, Clone, Default)]
pub struct NewWebhook {
    /// Where requests go.
    pub url: String,
    /// Words of events, with `whistle.` before those of whistles; `*` for all that happens to either, `sms` for texts to
    /// telephones.
    pub events: Vec<String>,
    /// Whether it is told of what the public does not see.
    pub all: bool,
    /// Whether it may lead to this machine or its network.
    pub private: bool,
}

/// A webhook without its secret.
#[derive(Debug, Clone)]
pub struct KnownWebhook {
    /// Its number.
    pub id: i64,
    /// Where requests go.
    pub url: String,
    /// Words of events, or `*`.
    pub events: Vec<String>,
    /// Whether it is told of what the public does not see.
    pub all: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when it is told nothing; none while it is told.
    pub paused_at: Option<Timestamp>,
}

impl From<Webhook> for KnownWebhook {
    fn from(hook: Webhook) -> Self {
        Self {
            id: hook.id,
            url: hook.url,
            events: hook.events,
            all: hook.all,
            created_at: hook.created_at,
            paused_at: hook.paused_at,
        }
    }
}

/// What is done to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookChange {
    /// It is told nothing from now on; what waits for it is dropped.
    Pause,
    /// It is told what happens from now on.
    Resume,
    /// It is gone; what waits for it is dropped.
    Remove,
}

impl WebhookChange {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pause, Self::Resume, Self::Remove];

    /// The word in addresses and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Remove => "remove",
        }
    }
}

/// One webhook that is being added: in one transaction, since its secret is sealed for its number.
type Adding = Box<dyn Fn(&mut Tx<'_>) -> Result<i64> + Send>;

impl Whistle {
    /// Adds a webhook, and answers its number and the secret that its requests are signed with, which is shown this once only.
    pub fn add_webhook(&self, here: &Here, new: &NewWebhook) -> Result<(i64, String)> {
        let (adding, secret) = self.adding(here, Doer::Operator, new)?;
        Ok((self.store.write_blocking(adding)?, secret))
    }

    /// The same, by a post. One that gets telephone numbers only the operator adds: it alone is told how reporters are reached.
    pub async fn add_webhook_as(&self, here: &Here, by: &Actor, new: &NewWebhook) -> Result<(i64, String)> {
        may_keep(here, by)?;
        if new.events.iter().any(|event| event.trim() == SMS) {
            let why = "texts to telephones hold numbers of reporters; the operator adds that one: whistle webhook add";
            return Err(Error::invalid("events", why));
        }
        let (adding, secret) = self.adding(here, crate::admin::doer(by), new)?;
        Ok((self.store.write(adding).await?, secret))
    }

    fn adding(&self, here: &Here, by: Doer, new: &NewWebhook) -> Result<(Adding, String)> {
        let events = checked_events(&new.events)?;
        let url = webhook::check(&new.url, new.private).map_err(|what| Error::invalid("url", what))?;
        let (secret, id, now) = (self.chance.bytes::<32>(), here.id, self.clock.now());
        let (whistle, all) = (self.clone(), new.all);
        let adding = move |tx: &mut Tx<'_>| -> Result<i64> {
            if stored::webhooks(tx, id)?.len() >= MAX_WEBHOOKS {
                let what = format!("at most {MAX_WEBHOOKS} fit; remove one first");
                return Err(Error::invalid("webhook", what));
            }
            let number = stored::next_webhook(tx, id)?;
            let new = Webhook {
                id: number,
                url: url.to_string(),
                events: events.clone(),
                all,
                sealed: whistle
                    .secret
                    .seal_webhook(&secret, (id, number), &whistle.chance),
                created_at: now,
                paused_at: None,
            };
            stored::add_webhook(tx, id, &new)?;
            let scope = if new.all { "all" } else { "public" };
            let detail = format!("{} ({scope}): {}", new.url, new.events.join(" "));
            admin::note(tx, id, &by, Deed::WebhookAdded, &number.to_string(), &detail, now)?;
            Ok(number)
        };
        Ok((Box::new(adding), webhook::shown_secret(&secret)))
    }

    /// All webhooks.
    pub fn webhooks(&self, here: &Here) -> Result<Vec<KnownWebhook>> {
        let found = self.store.read_blocking(|conn| stored::webhooks(conn, here.id))?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// The same, for a post.
    pub async fn webhooks_as(&self, here: &Here, by: &Actor) -> Result<Vec<KnownWebhook>> {
        may_keep(here, by)?;
        let id = here.id;
        let found = self.store.look_up(move |conn| stored::webhooks(conn, id)).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// A webhook, and what was last sent to it or waits for it, the newest first; for a post.
    pub async fn webhook_as(
        &self,
        here: &Here,
        by: &Actor,
        webhook: i64,
    ) -> Result<(KnownWebhook, Vec<Delivery>)> {
        may_keep(here, by)?;
        let id = here.id;
        let (hooks, deliveries) = self
            .store
            .read(move |conn| -> Result<_> {
                let hooks = stored::webhooks(conn, id)?;
                Ok((hooks, stored::of_webhook(conn, id, webhook, SHOWN)?))
            })
            .await?;
        let known = hooks.into_iter().find(|hook| hook.id == webhook);
        let known = known.ok_or_else(|| Error::not_found("webhook", webhook))?;
        Ok((known.into(), deliveries))
    }

    /// Pauses or removes a webhook, or lets it go on.
    pub fn change_webhook(&self, here: &Here, webhook: i64, change: WebhookChange) -> Result<()> {
        let (id, now) = (here.id, self.clock.now());
        let known = self
            .store
            .write_blocking(move |tx| changed(tx, id, &Doer::Operator, (webhook, change), now))?;
        is_known(known, webhook)
    }

    /// The same, by a post.
    pub async fn change_webhook_as(
        &self,
        here: &Here,
        by: &Actor,
        webhook: i64,
        change: WebhookChange,
    ) -> Result<()> {
        may_keep(here, by)?;
        let (id, doer, now) = (here.id, crate::admin::doer(by), self.clock.now());
        let known = self
            .store
            .write(move |tx| changed(tx, id, &doer, (webhook, change), now))
            .await?;
        is_known(known, webhook)
    }

    /// Sends a webhook a request that says only that it is a test, also while it is paused. Answers why it did not arrive;
    /// nothing when it did. It is not tried again.
    pub async fn test_webhook_as(
        &self,
        here: &Here,
        by: &Actor,
        webhook: i64,
        private: bool,
    ) -> Result<Option<String>> {
        may_keep(here, by)?;
        self.test_webhook(here, webhook, private).await
    }

    /// The same, by the operator.
    pub async fn test_webhook(&self, here: &Here, webhook: i64, private: bool) -> Result<Option<String>> {
        let (id, now) = (here.id, self.clock.now());
        let found = self.store.look_up(move |conn| stored::webhooks(conn, id)).await?;
        let hook = found.into_iter().find(|hook| hook.id == webhook);
        let hook = hook.ok_or_else(|| Error::not_found("webhook", webhook))?;
        let Some(secret) = self.secret.open_webhook(&hook.sealed, (id, hook.id)) else {
            return Ok(Some(Why::OtherKey.as_str().to_owned()));
        };
        let hooks = Hooks::open(private).map_err(|what| Error::invalid("webhook", what))?;
        let call = Call {
            url: hook.url,
            secret,
            id: format!("{}-test-{}", id.0, now.as_millisecond()),
            at: now,
            body: webhook::test(&here.place.jurisdiction.code, now),
        };
        Ok(hooks.send(&call).await.err().map(|failed| failed.to_string()))
    }
}

fn may_keep(here: &Here, by: &Actor) -> Result<()> {
    allowed(rights::may_keep_webhooks(by, &here.place))
}

fn changed(
    tx: &mut Tx<'_>,
    id: whistle_domain::words::JurisdictionId,
    by: &Doer,
    (webhook, change): (i64, WebhookChange),
    now: Timestamp,
) -> Result<bool> {
    let (known, deed) = match change {
        WebhookChange::Pause => (
            stored::pause_webhook(tx, id, webhook, Some(now))?,
            Deed::WebhookPaused,
        ),
        WebhookChange::Resume => (
            stored::pause_webhook(tx, id, webhook, None)?,
            Deed::WebhookResumed,
        ),
        WebhookChange::Remove => (stored::remove_webhook(tx, id, webhook)?, Deed::WebhookRemoved),
    };
    if known {
        admin::note(tx, id, by, deed, &webhook.to_string(), "", now)?;
    }
    Ok(known)
}

fn is_known(known: bool, webhook: i64) -> Result<()> {
    if known {
        Ok(())
    } else {
        Err(Error::not_found("webhook that this would change", webhook))
    }
}

fn checked_events(events: &[String]) -> Result<Vec<String>> {
    let mut checked: Vec<String> = Vec::new();
    for word in events
        .iter()
        .map(|word| word.trim())
        .filter(|word| !word.is_empty())
    {
        let known = match word.strip_prefix(webhook::WHISTLE) {
            Some(of_whistle) => whistle::Body::WORDS.contains(&of_whistle),
            None => word == "*" || word == SMS || case::Body::WORDS.contains(&word),
        };
        if !known {
            let (cases, whistles) = (case::Body::WORDS.join(", "), whistle::Body::WORDS.join(", "));
            let what = format!(
                "{word:?} is no event; it is *, sms, one of {cases}, or {} and one of {whistles}",
                webhook::WHISTLE
            );
            return Err(Error::invalid("events", what));
        }
        if !checked.iter().any(|known| known == word) {
            checked.push(word.to_owned());
        }
    }
    if checked.is_empty() {
        return Err(Error::invalid(
            "events",
            "name some, or * for all that happens to cases and whistles",
        ));
    }
    Ok(checked)
}
