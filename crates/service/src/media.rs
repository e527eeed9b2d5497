//! Photos: decoded, turned upright, re-encoded without anything but the picture, kept in an object store by hash. Those that no case names within a day are removed again.

use std::{
    error::Error as StdError,
    io::{self, Cursor},
    iter,
    path::Path,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, codecs::jpeg::JpegEncoder,
    imageops::FilterType,
};
use jiff::SignedDuration;
use object_store::{
    ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig, aws::AmazonS3Builder,
    local::LocalFileSystem, path::Path as ObjectPath, prefix::PrefixStore,
};
use whistle_domain::case::{Photo, PhotoKind};
use whistle_store::{lease, photo as stored};

use crate::{
    Bucket, Site, Whistle,
    error::{Error, Result},
    lease::InCharge,
    place::Here,
};

/// The most bytes of one photo as it is sent.
pub const MAX_PHOTO_BYTES: usize = 10 * 1024 * 1024;

/// The most photos of one request.
pub const MAX_PHOTOS_AT_ONCE: usize = 6;

/// The longest side of a picture that is decoded at all; guards against pictures that unpack to gigabytes.
const MAX_SIDE: u32 = 12_000;

/// The most pixels of a picture that is decoded: the largest cameras' pictures fit.
const MAX_PIXELS: u64 = 64_000_000;

/// The most memory that decoding may take, in bytes: four for each pixel.
const MAX_DECODED_BYTES: u64 = 4 * MAX_PIXELS;

/// The longest side of a photo as it is kept.
const KEPT_SIDE: u32 = 1_600;

/// The longest side of a thumbnail.
const THUMBNAIL_SIDE: u32 = 320;

/// The quality of JPEG, of 100.
const QUALITY: u8 = 82;

/// How long a photo waits for the report or the act that names it: a form that is filled in over a night.
pub(crate) const UNUSED_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Photos removed at a time: few enough that reports are not kept waiting.
const ROUND: usize = 100;

/// Why what was sent as a photo cannot be kept, or put into a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPhoto {
    /// Too many bytes.
    #[error("it has more than {} MB; send a smaller one", MAX_PHOTO_BYTES >> 20)]
    TooManyBytes,
    /// No picture of a kind that we read.
    #[error("this is no picture that can be read; send JPEG, PNG or WebP")]
    NoPicture,
    /// A picture that would unpack to too much.
    #[error("it has too many pixels; at most {MAX_SIDE} a side and {} million in all fit", MAX_PIXELS / 1_000_000)]
    TooManyPixels,
    /// A picture that breaks off or is broken.
    #[error("it is damaged or did not arrive whole; send it again")]
    Damaged,
    /// One that was kept, and is removed since no case came.
    #[error("one waited too long for its case and was removed; send it again")]
    Gone,
}

impl BadPhoto {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::TooManyBytes,
        Self::NoPicture,
        Self::TooManyPixels,
        Self::Damaged,
        Self::Gone,
    ];

    /// The word in the message catalogue.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooManyBytes => "too_many_bytes",
            Self::NoPicture => "no_picture",
            Self::TooManyPixels => "too_many_pixels",
            Self::Damaged => "damaged",
            Self::Gone => "gone",
        }
    }
}

impl From<BadPhoto> for Error {
    fn from(bad: BadPhoto) -> Self {
        Self::BadPhoto(bad)
    }
}

/// A photo that is kept and waits for its case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPhoto {
    /// By which a case will name it; anybody who sees the case may know it.
    pub id: String,
    /// By which its sender names it, and nobody else can.
    pub ticket: String,
}

impl KeptPhoto {
    /// As a case has it.
    pub fn shown(&self, kind: PhotoKind, public: bool) -> Photo {
        let id = self.id.clone();
        Photo { id, kind, public }
    }
}

/// How long a store that does not answer is asked again; a browser waits longer than that.
const ASKED_AGAIN: Duration = Duration::from_secs(8);

/// When who met a store that does not answer should come again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Which size of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// As it is kept.
    Full,
    /// For lists.
    Thumbnail,
}

/// Where photos are kept.
pub(crate) struct Media {
    objects: Arc<dyn ObjectStore>,
    mode: PutMode,
    is_remote: bool,
}

impl Media {
    pub(crate) fn open(site: &Site) -> Result<Self> {
        match &site.media {
            Some(bucket) => Self::in_bucket(bucket),
            None => Self::in_dir(&site.dir),
        }
    }

    fn in_bucket(bucket: &Bucket) -> Result<Self> {
        // Whoever was first has set the same: one library of cryptography for all.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let retry = RetryConfig {
            retry_timeout: ASKED_AGAIN,
            ..RetryConfig::default()
        };
        let objects = AmazonS3Builder::from_env()
            .with_bucket_name(&bucket.name)
            .with_retry(retry)
            .build()
            .map_err(|error| Error::invalid("media", error.to_string()))?;
        Ok(Self {
            objects: Arc::new(PrefixStore::new(objects, bucket.prefix.as_str())),
            // Not every such store knows how to keep what is there. What is there is the same anyway.
            mode: PutMode::Overwrite,
            is_remote: true,
        })
    }

    fn in_dir(dir: &Path) -> Result<Self> {
        let dir = dir.join("media");
        std::fs::create_dir_all(&dir).map_err(Error::io(dir.display().to_string()))?;
        let files = LocalFileSystem::new_with_prefix(&dir)
            .map_err(|error| Error::io(dir.display().to_string())(io::Error::other(error)))?;
        Ok(Self {
            objects: Arc::new(files.with_fsync(true)),
            mode: PutMode::Create,
            is_remote: false,
        })
    }

    /// What a failure of the store means to who asked.
    fn fault(&self, what: &str, error: object_store::Error) -> Error {
        if is_full(&error) {
            tracing::error!(%error, "there is no room for photos");
            return Error::Full;
        }
        if self.is_remote {
            tracing::error!(%error, what, "the store of photos failed");
            return Error::Busy(RETRY_AFTER);
        }
        Error::io(what)(io::Error::other(error))
    }
}

/// What S3-compatible stores answer when they have no room: the status of RFC 4918, and the codes of MinIO and Ceph. The library
/// keeps them in its message alone.
const NO_ROOM: [&str; 3] = ["507 Insufficient Storage", "XMinioStorageFull", "QuotaExceeded"];

/// Whether a failure comes from a disk, or a bucket, without room.
fn is_full(error: &object_store::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let said = error.to_string();
    if NO_ROOM.iter().any(|word| said.contains(word)) {
        return true;
    }
    let first: Option<&(dyn StdError + 'static)> = Some(error);
    iter::successors(first, |error: &&(dyn StdError + 'static)| (*error).source()).any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|cause| matches!(cause.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    })
}

fn object_path(id: &str, size: Size) -> ObjectPath {
    let name = match size {
        Size::Full => format!("{id}.jpg"),
        Size::Thumbnail => format!("{id}.thumbnail.jpg"),
    };
    ObjectPath::from_iter(["photos", &id[..2], &name])
}

impl Whistle {
    /// Takes in a photo as it was sent and keeps it without its metadata, until a case names it or a day is over.
    pub async fn keep_photo(&self, here: &Here, sent: Bytes) -> Result<KeptPhoto> {
        if sent.len() > MAX_PHOTO_BYTES {
            return Err(BadPhoto::TooManyBytes.into());
        }
        let _turn = self
            .decoding
            .acquire()
            .await
            .map_err(|_| Error::Busy(std::time::Duration::from_secs(1)))?;
        let drawn = tokio::task::spawn_blocking(move || redraw(&sent)).await;
        let (full, thumbnail) = drawn.map_err(|_| BadPhoto::Damaged)??;
        let (jurisdiction, now) = (here.id, self.clock.now());
        let id = self.secret.photo_id(jurisdiction, &full);
        let row = id.clone();
        self.store
            .write(move |tx| stored::receive(tx, jurisdiction, &row, now))
            .await?;
        self.put(&id, Size::Thumbnail, thumbnail).await?;
        self.put(&id, Size::Full, full).await?;
        let ticket = self.secret.photo_ticket(jurisdiction, &id);
        Ok(KeptPhoto { id, ticket })
    }

    /// The photo that a ticket is for, if it was given out here and the photo is there to be named by a case.
    pub async fn kept_photo(&self, here: &Here, ticket: &str) -> Result<KeptPhoto> {
        let unknown = || Error::not_found("photo", ticket);
        let id = self.secret.photo_of_ticket(here.id, ticket).ok_or_else(unknown)?;
        // One that is being removed may still have its files.
        let (jurisdiction, row) = (here.id, id.to_owned());
        if self
            .store
            .look_up(move |conn| stored::is_leaving(conn, jurisdiction, &row))
            .await?
        {
            return Err(unknown());
        }
        match self.media.objects.head(&object_path(id, Size::Full)).await {
            Ok(_) => Ok(KeptPhoto {
                id: id.to_owned(),
                ticket: ticket.to_owned(),
            }),
            Err(object_store::Error::NotFound { .. }) => Err(unknown()),
            Err(error) => Err(self.media.fault("looking for a photo", error)),
        }
    }

    /// Removes the photos that no case named in time, and those that no case names any more. Broken off anywhere, the next time goes on with it: a row stays
    /// until its files are gone, and from the moment they may be none can name it.
    pub(crate) fn remove_unused_photos(&self, charge: &InCharge, here: &Here) -> Result<u64> {
        let (jurisdiction, held, before) = (here.id, charge.held, self.clock.now() - UNUSED_KEPT);
        let left = self
            .store
            .examine(|conn| stored::left(conn, jurisdiction, ROUND))?;
        for (id, is_named) in left {
            self.store.write_blocking(move |tx| -> Result<()> {
                lease::hold(tx, &held)?;
                Ok(stored::settle_left(tx, jurisdiction, &id, is_named, before)?)
            })?;
        }
        let mut removed = 0;
        loop {
            let leaving = self.store.write_blocking(move |tx| {
                lease::hold(tx, &held)?;
                stored::leave(tx, jurisdiction, before, ROUND)
            })?;
            let count = leaving.len();
            if count > 0 {
                self.remove_files(&held, &leaving)?;
                self.store.write_blocking(move |tx| {
                    lease::hold(tx, &held)?;
                    stored::forget(tx, jurisdiction, &leaving)
                })?;
            }
            removed += count as u64;
            if count < ROUND {
                return Ok(removed);
            }
        }
    }

    /// Shows before each photo that the duty is still this process's: who took it over may have given the name away again.
    fn remove_files(&self, held: &lease::Held, ids: &[String]) -> Result<()> {
        let failed = Error::io("removing photos");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        for id in ids {
            let held = *held;
            self.store.write_blocking(move |tx| lease::hold(tx, &held))?;
            runtime.block_on(async {
                for size in [Size::Full, Size::Thumbnail] {
                    match self.media.objects.delete(&object_path(id, size)).await {
                        Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                        Err(error) => return Err(self.media.fault("removing a photo", error)),
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    async fn put(&self, id: &str, size: Size, bytes: Vec<u8>) -> Result<()> {
        let options = PutOptions {
            mode: self.media.mode.clone(),
            ..PutOptions::default()
        };
        match self
            .media
            .objects
            .put_opts(&object_path(id, size), bytes.into(), options)
            .await
        {
            // The name is the hash of the content: what is there is the same.
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(self.media.fault("keeping a photo", error)),
        }
    }

    /// The bytes of a photo, JPEG.
    pub async fn photo(&self, id: &str, size: Size) -> Result<Bytes> {
        let is_id = id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_id {
            return Err(Error::not_found("photo", id));
        }
        match self.media.objects.get(&object_path(id, size)).await {
            Ok(found) => found
                .bytes()
                .await
                .map_err(|error| self.media.fault("reading a photo", error)),
            Err(object_store::Error::NotFound { .. }) => Err(Error::not_found("photo", id)),
            Err(error) => Err(self.media.fault("reading a photo", error)),
        }
    }
}

/// Decodes, turns upright, scales down and encodes anew: nothing of the sent file but its picture is left.
fn redraw(sent: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let reader = ImageReader::new(Cursor::new(sent)).with_guessed_format();
    let mut reader = reader.map_err(|_| BadPhoto::NoPicture)?;
    if !matches!(
        reader.format(),
        Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)
    ) {
        return Err(BadPhoto::NoPicture.into());
    }
    if reader.format() == Some(ImageFormat::Jpeg) && breaks_off(sent) {
        return Err(BadPhoto::Damaged.into());
    }
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(bad_photo)?;
    // The limits of the decoder are on what it needs itself, not on the picture that it makes.
    if decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(BadPhoto::TooManyPixels.into());
    }
    let orientation = decoder.orientation().map_err(bad_photo)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(bad_photo)?;
    picture.apply_orientation(orientation);
    let kept = shrink(&picture, KEPT_SIDE);
    let thumbnail = shrink(&kept, THUMBNAIL_SIDE);
    Ok((encode(&kept)?, encode(&thumbnail)?))
}

/// Whether a JPEG has no end: its decoder says nothing of that and paints grey what is missing. Walks the segments of the
/// head, since the small picture in one of them has an end of its own; a head that is odd is for the decoder to judge.
fn breaks_off(jpeg: &[u8]) -> bool {
    let mut rest = jpeg.get(2..).unwrap_or_default();
    loop {
        match rest {
            [0xff, 0xda, picture @ ..] => return !picture.windows(2).any(|pair| pair == [0xff, 0xd9]),
            [0xff, 0xff, ..] => rest = &rest[1..],
            [0xff, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest = rest.get(2 + length..).unwrap_or_default();
            }
            _ => return false,
        }
    }
}

/// What a decoder's error says of the photo.
fn bad_photo(error: ImageError) -> BadPhoto {
    match error {
        ImageError::Limits(_) => BadPhoto::TooManyPixels,
        _ => BadPhoto::Damaged,
    }
}

fn shrink(picture: &DynamicImage, side: u32) -> DynamicImage {
    if picture.width().max(picture.height()) <= side {
        return picture.clone();
    }
    picture.resize(side, side, FilterType::Triangle)
}

fn encode(picture: &DynamicImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    picture
        .to_rgb8()
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))
        .map_err(|_| BadPhoto::Damaged)?;
    Ok(bytes)
}
