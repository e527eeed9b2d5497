//! What a form sent: its fields, in bounds, and its photos, kept as they arrive. And what is wrong with it.

use axum::{
    Form,
    extract::{FromRequest, Multipart, Request, multipart::Field},
    http::{StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use whistle_domain::case::{Photo, PhotoKind};
use whistle_service::{
    Error,
    media::{BadPhoto, KeptPhoto, MAX_PHOTO_BYTES, MAX_PHOTOS_AT_ONCE},
};

use super::{fault::Fault, page::Page};
use crate::App;

/// The most fields of a form.
const MAX_FIELDS: usize = 200;

/// The most bytes of one field: the longest text in any script.
const MAX_FIELD: usize = 4 * whistle_domain::case::MAX_TEXT + 1024;

/// What was entered, in order; empty fields are left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entered(Vec<(String, String)>);

impl Entered {
    pub(crate) fn new(fields: Vec<(String, String)>) -> Self {
        let mut fields = fields;
        fields.retain(|(_, value)| !value.trim().is_empty());
        fields.truncate(MAX_FIELDS);
        Self(fields)
    }

    /// The value of a field; empty when nothing was entered.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// The value of a field, if one was entered.
    pub(crate) fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name).trim()).filter(|value| !value.is_empty())
    }

    /// All values of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a field has a value.
    pub(crate) fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|v| v == value)
    }

    /// Sets a field to one value.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(n, _)| n != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// All fields but some, for hidden inputs.
    pub(crate) fn carried(&self, but: &[&str]) -> Vec<(String, String)> {
        self.0
            .iter()
            .filter(|(name, _)| !but.contains(&name.as_str()))
            .cloned()
            .collect()
    }
}

/// Something wrong with a field.
#[derive(Debug, Clone)]
pub(crate) struct Wrong {
    /// The id of the field on the page.
    pub(crate) field: String,
    /// What is wrong, in the reader's language.
    pub(crate) message: String,
}

/// All that is wrong with a form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wrongs(pub(crate) Vec<Wrong>);

impl Wrongs {
    pub(crate) fn add(&mut self, field: impl Into<String>, message: String) {
        self.0.push(Wrong {
            field: field.into(),
            message,
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with a field.
    pub(crate) fn at(&self, field: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|w| w.field == field)
            .map(|w| w.message.as_str())
    }
}

/// A form as it was posted, urlencoded or multipart.
#[derive(Debug, Default)]
pub(crate) struct Posted {
    /// Its fields.
    pub(crate) fields: Entered,
    /// The photos: sent now and kept, or kept before and carried along.
    pub(crate) photos: Vec<KeptPhoto>,
    /// What is wrong with the photos.
    pub(crate) wrong_photos: Vec<String>,
}

impl Posted {
    /// The photos as a case has them.
    pub(crate) fn photos(&self, kind: PhotoKind, public: bool) -> Vec<Photo> {
        self.photos
            .iter()
            .map(|photo| photo.shown(kind, public))
            .collect()
    }

    async fn read(app: &App, page: &Page, mut parts: Multipart) -> Result<Self, Fault> {
        let mut fields = Vec::new();
        let mut posted = Self::default();
        let mut sent = 0;
        while let Some(field) = parts.next_field().await.map_err(|e| unreadable(e.status()))? {
            let name = field.name().unwrap_or_default().to_owned();
            if field.file_name().is_none() {
                let value = whole(field, MAX_FIELD).await?.ok_or(Fault::TooLarge)?;
                fields.push((name, String::from_utf8_lossy(&value).replace("\r\n", "\n")));
                if fields.len() > MAX_FIELDS {
                    return Err(Fault::Garbled);
                }
                continue;
            }
            if name != "photos" {
                return Err(Fault::Garbled);
            }
            let Some(bytes) = whole(field, MAX_PHOTO_BYTES).await? else {
                posted
                    .wrong_photos
                    .push(page.words.error(&BadPhoto::TooManyBytes.into()));
                continue;
            };
            if bytes.is_empty() {
                continue;
            }
            sent += 1;
            if sent > MAX_PHOTOS_AT_ONCE {
                posted
                    .wrong_photos
                    .push(page.words.n("photo-too-many", MAX_PHOTOS_AT_ONCE as i64));
                continue;
            }
            match app.whistle.keep_photo(&page.here, bytes).await {
                Ok(photo) if posted.photos.contains(&photo) => {}
                Ok(photo) => posted.photos.push(photo),
                Err(error @ Error::BadPhoto(_)) => posted.wrong_photos.push(page.words.error(&error)),
                Err(error) => return Err(error.into()),
            }
        }
        posted.fields = Entered::new(fields);
        Ok(posted)
    }

    /// Takes over the photos that were kept before; their tickets came along in hidden fields.
    async fn take_over(&mut self, app: &App, page: &Page) -> Result<(), Fault> {
        for ticket in self.fields.all("photo").take(MAX_PHOTOS_AT_ONCE) {
            let photo = match app.whistle.kept_photo(&page.here, ticket).await {
                Ok(photo) => photo,
                Err(Error::NotFound { .. }) => {
                    self.wrong_photos.push(page.words.error(&BadPhoto::Gone.into()));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if self.photos.len() < MAX_PHOTOS_AT_ONCE && !self.photos.contains(&photo) {
                self.photos.push(photo);
            }
        }
        Ok(())
    }
}

impl FromRequest<App> for Posted {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        let page = request.extensions().get::<Page>().cloned().ok_or(Fault::Broken)?;
        let kind = request.headers().get(header::CONTENT_TYPE);
        let multipart = kind.is_some_and(|k| k.as_bytes().starts_with(b"multipart/form-data"));
        let mut posted = if multipart {
            let parts = Multipart::from_request(request, app)
                .await
                .map_err(|e| unreadable(e.status()))?;
            Self::read(app, &page, parts).await?
        } else {
            let Form(fields) = Form::from_request(request, app)
                .await
                .map_err(|e| unreadable(e.status()))?;
            Self {
                fields: Entered::new(fields),
                ..Self::default()
            }
        };
        posted.take_over(app, &page).await?;
        Ok(posted)
    }
}

pub(crate) fn unreadable(status: StatusCode) -> Fault {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        Fault::TooLarge
    } else {
        Fault::Garbled
    }
}

/// A field's bytes; none when there are more than allowed, which are read and dropped so that the browser gets an
/// answer and not a broken connection.
pub(crate) async fn whole(mut field: Field<'_>, most: usize) -> Result<Option<Bytes>, Fault> {
    let mut bytes = BytesMut::new();
    let mut fits = true;
    while let Some(chunk) = field.chunk().await.map_err(|e| unreadable(e.status()))? {
        fits &= bytes.len() + chunk.len() <= most;
        if fits {
            bytes.extend_from_slice(&chunk);
        } else {
            bytes = BytesMut::new();
        }
    }
    Ok(fits.then(|| bytes.freeze()))
}

/// A path with a query.
pub(crate) fn with_query(path: &str, pairs: &[(String, String)]) -> String {
    let mut address = path.to_owned();
    for (i, (name, value)) in pairs.iter().enumerate() {
        address.push(if i == 0 { '?' } else { '&' });
        encode(name, &mut address);
        address.push('=');
        encode(value, &mut address);
    }
    address
}

fn encode(text: &str, into: &mut String) {
    use std::fmt::Write;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            into.push(byte as char);
        } else {
            let _ = write!(into, "%{byte:02X}");
        }
    }
}
