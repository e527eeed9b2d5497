//! Photos that no case names are removed, and never one that a case names; what is no picture is refused by its fault.

use std::{
    fs,
    io::Cursor,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use whistle_domain::{
    case::{Actor, Channel, PhotoKind},
    command::{NewReport, Whereabouts},
    geometry::Point,
};
use whistle_service::{
    Error, Here, Whistle,
    case::{Receipt, With},
    media::{BadPhoto, KeptPhoto, Size},
    time::{Chance, Clock},
};
use whistle_store::Store;

/// A clock that the test moves on.
#[derive(Clone)]
struct Moved(Arc<AtomicI64>);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

impl Moved {
    fn hours_pass(&self, hours: i64) {
        self.0.fetch_add(hours * 3600, Ordering::Relaxed);
    }
}

struct Install {
    dir: TempDir,
    clock: Moved,
    runtime: Runtime,
    whistle: Whistle,
    here: Here,
}

fn open(dir: &Path, clock: &Moved) -> (Whistle, Here) {
    let whistle = Whistle::open_with(dir, Box::new(clock.clone()), Chance::from_seed(1)).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
    whistle.apply(&folder).unwrap();
    let here = whistle.places().all()[0].clone();
    (whistle, here)
}

impl Install {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let begin: Timestamp = "2026-05-07T01:00:00Z".parse().unwrap();
        let clock = Moved(Arc::new(AtomicI64::new(begin.as_second())));
        let (whistle, here) = open(dir.path(), &clock);
        Self {
            dir,
            clock,
            runtime: tokio::runtime::Builder::new_multi_thread().build().unwrap(),
            whistle,
            here,
        }
    }

    /// Stops it where it stands, does something to its store, and starts it again.
    fn crash(self, meanwhile: impl FnOnce(&Store, &Here)) -> Self {
        let Self {
            dir,
            clock,
            runtime,
            whistle,
            here,
        } = self;
        whistle.close();
        drop(whistle);
        let store = Store::open(dir.path(), clock.now()).unwrap();
        meanwhile(&store, &here);
        store.close();
        drop(store);
        let (whistle, here) = open(dir.path(), &clock);
        Self {
            dir,
            clock,
            runtime,
            whistle,
            here,
        }
    }

    fn send(&self, sent: Vec<u8>) -> Result<KeptPhoto, Error> {
        self.runtime
            .block_on(self.whistle.keep_photo(&self.here, Bytes::from(sent)))
    }

    /// Reports with a photo, as a client does that holds its ticket.
    fn report(&self, ticket: &str) -> Result<Receipt, Error> {
        let kept = self.whistle.kept_photo(&self.here, ticket);
        let photo = self.runtime.block_on(kept)?;
        self.report_with(&photo)
    }

    /// Reports with a photo whose ticket was looked at before.
    fn report_with(&self, photo: &KeptPhoto) -> Result<Receipt, Error> {
        self.runtime.block_on(async {
            let new = NewReport {
                service: "RD-HOLE".parse().unwrap(),
                standard: None,
                whereabouts: Whereabouts {
                    point: Some(Point::new(131.81, 46.21).unwrap()),
                    ..Whereabouts::default()
                },
                description: "a hole".to_owned(),
                answers: vec![],
                channel: Channel::Web,
                photos: vec![photo.shown(PhotoKind::Before, true)],
                fixed: None,
            };
            self.whistle
                .report(&self.here, new, Actor::Public, With::default())
                .await
        })
    }

    fn is_there(&self, photo: &KeptPhoto) -> bool {
        let look = |size| self.runtime.block_on(self.whistle.photo(&photo.id, size)).is_ok();
        let (full, thumbnail) = (look(Size::Full), look(Size::Thumbnail));
        assert_eq!(full, thumbnail, "both files or none");
        full
    }

    fn removed(&self) -> u64 {
        self.whistle.do_duties().unwrap().removed
    }
}

/// A picture in one colour.
fn picture(red: u8, width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::from_pixel(width, height, Rgb([red, 0, 0])))
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

fn png(red: u8) -> Vec<u8> {
    picture(red, 2, 2, ImageFormat::Png)
}

#[test]
fn a_photo_that_no_case_names_is_removed_after_a_day_and_one_that_a_case_names_never() {
    let install = Install::new();
    let [used, abandoned, late] = [10, 90, 170].map(|red| install.send(png(red)).unwrap());
    let receipt = install.report(&used.ticket).unwrap();
    install.clock.hours_pass(23);
    assert_eq!(install.removed(), 0);
    assert_eq!(
        install.send(png(170)).unwrap(),
        late,
        "sent again it is the same, and waits anew"
    );
    install.clock.hours_pass(2);
    assert_eq!(install.removed(), 1);
    assert!(!install.is_there(&abandoned));
    assert!(install.is_there(&late));
    assert!(matches!(
        install.report(&abandoned.ticket),
        Err(Error::NotFound { what: "photo", .. })
    ));
    // Somebody sends the used picture again and goes away: the case keeps it.
    install.send(png(10)).unwrap();
    install.clock.hours_pass(24 * 400);
    assert_eq!(install.removed(), 1);
    assert!(install.is_there(&used) && !install.is_there(&late));
    let case = install
        .runtime
        .block_on(install.whistle.case(&install.here, receipt.number));
    assert_eq!(case.unwrap().photos[0].id, used.id);
    // What was removed may come anew.
    let anew = install.send(png(90)).unwrap();
    assert_eq!(anew, abandoned);
    install.report(&anew.ticket).unwrap();
}

#[test]
fn a_removal_that_a_crash_broke_off_is_finished_and_no_case_gets_such_a_photo() {
    let install = Install::new();
    let half = install.send(png(10)).unwrap();
    install.clock.hours_pass(30);
    let install = install.crash(|store, here| {
        let (id, now) = (here.id, "2026-05-08T06:00:00Z".parse().unwrap());
        let leaving = store.write_blocking(move |tx| whistle_store::photo::leave(tx, id, now, 10));
        let leaving: Vec<String> = leaving.unwrap();
        assert_eq!(leaving.len(), 1);
    });
    // Its files are still there, and it is refused by the name that its sender knows.
    let early = install
        .runtime
        .block_on(install.whistle.kept_photo(&install.here, &half.ticket));
    assert!(
        matches!(&early, Err(Error::NotFound { what: "photo", id }) if *id == half.ticket),
        "{early:?}"
    );
    // Whoever looked a moment before learns it when the case is written.
    let late = install.report_with(&half).map(|receipt| receipt.number);
    assert!(matches!(late, Err(Error::BadPhoto(BadPhoto::Gone))), "{late:?}");
    // One of its two files is gone already.
    let file = format!("media/photos/{}/{}.thumbnail.jpg", &half.id[..2], half.id);
    fs::remove_file(install.dir.path().join(file)).unwrap();
    assert!(matches!(
        install.report(&half.ticket),
        Err(Error::NotFound { what: "photo", .. })
    ));
    assert!(
        matches!(install.send(png(10)), Err(Error::Busy(_))),
        "its files would go with it"
    );
    assert_eq!(install.removed(), 1);
    assert!(!install.is_there(&half));
    let anew = install.send(png(10)).unwrap();
    assert!(install.is_there(&anew));
    install.report(&anew.ticket).unwrap();
}

#[test]
fn who_knows_a_photos_id_but_not_its_ticket_cannot_put_it_into_a_case() {
    let install = Install::new();
    let photo = install.send(png(10)).unwrap();
    assert!(install.report(&photo.id).is_err());
    let forged = format!("{}-{}", photo.id, "0".repeat(32));
    assert!(install.report(&forged).is_err());
    install.report(&photo.ticket).unwrap();
}

#[test]
fn what_is_no_photo_is_refused_by_its_fault() {
    let install = Install::new();
    let jpeg = picture(10, 400, 300, ImageFormat::Jpeg);
    let wide = picture(10, 12_001, 1, ImageFormat::Png);
    // The head of a picture of 60,000 × 60,000, and nothing behind it.
    let mut bomb = png(10);
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let crc = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.to_be_bytes());
    for (name, sent, why) in [
        ("a text", b"Dear city, look at this".to_vec(), BadPhoto::NoPicture),
        (
            "a GIF",
            b"GIF89a\x01\x00\x01\x00\x80\x00\x00".to_vec(),
            BadPhoto::NoPicture,
        ),
        ("nothing", Vec::new(), BadPhoto::NoPicture),
        (
            "a JPEG that breaks off in its head",
            jpeg[..100].to_vec(),
            BadPhoto::Damaged,
        ),
        (
            "a JPEG that breaks off in its picture",
            jpeg[..jpeg.len() * 2 / 3].to_vec(),
            BadPhoto::Damaged,
        ),
        ("a PNG that breaks off", png(10)[..40].to_vec(), BadPhoto::Damaged),
        ("a bomb", bomb, BadPhoto::TooManyPixels),
        ("too wide", wide, BadPhoto::TooManyPixels),
        ("too many bytes", vec![0; 11 << 20], BadPhoto::TooManyBytes),
    ] {
        match install.send(sent) {
            Err(Error::BadPhoto(fault)) => assert_eq!(fault, why, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// The check of a PNG's chunk.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}
