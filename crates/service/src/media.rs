//! Photos: decoded, turned upright, re-encoded without anything but the picture, kept in an object store by hash.

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
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, codecs::jpeg::JpegEncoder, imageops::FilterType,
};
use object_store::{
    ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig, aws::AmazonS3Builder,
    local::LocalFileSystem, path::Path as ObjectPath, prefix::PrefixStore,
};
use whistle_domain::case::{Photo, PhotoKind};

use crate::{
    Bucket, Site, Whistle,
    error::{Error, Result},
};

/// The most bytes of one photo as it is sent.
pub const MAX_PHOTO_BYTES: usize = 10 * 1024 * 1024;

/// The most photos of one request.
pub const MAX_PHOTOS_AT_ONCE: usize = 6;

/// The longest side of a picture that is decoded at all; guards against pictures that unpack to gigabytes.
const MAX_SIDE: u32 = 12_000;

/// The most memory that decoding may take, in bytes.
const MAX_DECODED_BYTES: u64 = 256 * 1024 * 1024;

/// The longest side of a photo as it is kept.
const KEPT_SIDE: u32 = 1_600;

/// The longest side of a thumbnail.
const THUMBNAIL_SIDE: u32 = 320;

/// The quality of JPEG, of 100.
const QUALITY: u8 = 82;

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

/// Whether a failure comes from a disk without room.
fn is_full(error: &object_store::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
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
    /// Takes in a photo as it was sent and keeps it without its metadata. Answers how a case refers to it.
    pub async fn keep_photo(&self, sent: Bytes, kind: PhotoKind, public: bool) -> Result<Photo> {
        if sent.len() > MAX_PHOTO_BYTES {
            return Err(Error::invalid(
                "photo",
                format!("a photo has at most {} MB", MAX_PHOTO_BYTES >> 20),
            ));
        }
        let _turn = self
            .decoding
            .acquire()
            .await
            .map_err(|_| Error::Busy(std::time::Duration::from_secs(1)))?;
        let drawn = tokio::task::spawn_blocking(move || redraw(&sent)).await;
        let (full, thumbnail) =
            drawn.map_err(|_| Error::invalid("photo", "this picture cannot be read"))??;
        let id = blake3::hash(&full).to_hex().to_string();
        self.put(&id, Size::Thumbnail, thumbnail).await?;
        self.put(&id, Size::Full, full).await?;
        Ok(Photo { id, kind, public })
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
    let unreadable = |_| {
        Error::invalid(
            "photo",
            "this is no picture that can be read; send JPEG, PNG or WebP",
        )
    };
    let mut reader = ImageReader::new(Cursor::new(sent))
        .with_guessed_format()
        .map_err(|_| {
            Error::invalid(
                "photo",
                "this is no picture that can be read; send JPEG, PNG or WebP",
            )
        })?;
    if !matches!(
        reader.format(),
        Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)
    ) {
        return Err(Error::invalid("photo", "send a picture as JPEG, PNG or WebP"));
    }
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let orientation = decoder.orientation().map_err(unreadable)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    picture.apply_orientation(orientation);
    let kept = shrink(&picture, KEPT_SIDE);
    let thumbnail = shrink(&kept, THUMBNAIL_SIDE);
    Ok((encode(&kept)?, encode(&thumbnail)?))
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
        .map_err(|_| Error::invalid("photo", "this picture cannot be kept"))?;
    Ok(bytes)
}
