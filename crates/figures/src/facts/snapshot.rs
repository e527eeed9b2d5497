//! Facts in a file, so that a start need not read the whole log: what was kept, and up to which place of the log.
//!
//! The columns as they lie in memory, cut into frames, each compressed by zstd and hashed; after them what the frames are, the
//! codes and the place of the log, hashed too; last where that begins. A file that was torn, is of another install, or was written by
//! a program that folds otherwise is found out and is worth nothing: facts are then made anew from the log.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::Mutex,
    thread,
};

use serde::{Deserialize, Serialize};
use whistle_domain::place::AreaPath;

use super::{Dictionary, Facts};

/// What a file begins with and ends with.
const MAGIC: [u8; 8] = *b"whfacts\x1a";

/// Counted up when a column or the way in which a log folds changes, by which all older files are worth nothing. The byte order is in
/// it, so that a file from a machine of the other one is foreign.
const VERSION: u32 = 1;

/// Bytes of a column in one frame: enough to compress well, few enough that two cores share the work of a small install, too.
const FRAME: usize = 4 << 20;

/// What the end of a file is made of: the length of the contents, their hash, and the magic.
const TAIL: usize = 8 + 32 + MAGIC.len();

/// The longest contents that are read: those of ten million cases have some hundred kilobytes, of a place with very many codes some
/// megabytes.
const MAX_CONTENTS: u64 = 256 << 20;

/// The lowest level: higher ones save a tenth and take several times as long.
const LEVEL: i32 = 1;

/// Threads that compress or read; more are held up by the disk.
const THREADS: usize = 8;

/// Up to where a log was read: of each of those who write to it, the number of the last commit. Who it is and what the numbers
/// mean, the store knows.
pub type LogPlace = BTreeMap<String, i64>;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is torn, damaged or not ours.
    #[error("it is {0}")]
    Unusable(&'static str),
}

use SnapshotError::Unusable;

#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
    /// Whether the bytes of a number go from small to great.
    little_endian: bool,
    /// Of which install and jurisdiction.
    of: String,
    read: LogPlace,
    cases: u32,
    runs: u32,
    areas: Vec<String>,
    paths: Vec<AreaPath>,
    services: Vec<String>,
    standards: Vec<String>,
    units: Vec<String>,
    frames: Vec<Frame>,
}

/// A piece of a column.
#[derive(Serialize, Deserialize)]
struct Frame {
    column: String,
    /// Bytes in the file.
    size: u64,
    /// Of those bytes.
    hash: [u8; 32],
}

impl Facts {
    /// Writes the facts and up to where the log was read for them. `of` names the install and jurisdiction. Answers how many bytes.
    pub fn save(&self, to: &mut impl Write, of: &str, read: &LogPlace) -> io::Result<u64> {
        let columns = self.cases.raw().into_iter().chain(self.runs.raw());
        let pieces: Vec<(&str, &[u8])> = columns
            .flat_map(|(column, bytes)| bytes.chunks(FRAME).map(move |piece| (column, piece)))
            .collect();
        to.write_all(&MAGIC)?;
        let mut written = MAGIC.len() as u64;
        let mut frames = Vec::with_capacity(pieces.len());
        for round in pieces.chunks(threads()) {
            let compressed: Vec<io::Result<Vec<u8>>> = thread::scope(|scope| {
                let work = round
                    .iter()
                    .map(|(_, piece)| scope.spawn(|| zstd::bulk::compress(piece, LEVEL)));
                let work: Vec<_> = work.collect();
                work.into_iter().map(joined).collect()
            });
            for ((column, _), frame) in round.iter().zip(compressed) {
                let frame = frame?;
                to.write_all(&frame)?;
                written += frame.len() as u64;
                frames.push(Frame {
                    column: (*column).to_owned(),
                    size: frame.len() as u64,
                    hash: *blake3::hash(&frame).as_bytes(),
                });
            }
        }
        let codes = |dictionary: &Dictionary| dictionary.codes().map(str::to_owned).collect();
        let contents = Contents {
            version: VERSION,
            little_endian: cfg!(target_endian = "little"),
            of: of.to_owned(),
            read: read.clone(),
            cases: self.cases.number.len() as u32,
            runs: self.runs.case.len() as u32,
            areas: codes(&self.areas),
            paths: self.paths.clone(),
            services: codes(&self.services),
            standards: codes(&self.standards),
            units: codes(&self.units),
            frames,
        };
        let contents = serde_json::to_vec(&contents)?;
        to.write_all(&contents)?;
        to.write_all(&(contents.len() as u64).to_le_bytes())?;
        to.write_all(blake3::hash(&contents).as_bytes())?;
        to.write_all(&MAGIC)?;
        to.flush()?;
        Ok(written + (contents.len() + TAIL) as u64)
    }

    /// Reads what [`Facts::save`] wrote of the same install and jurisdiction.
    pub fn load(path: &Path, of: &str) -> Result<(Self, LogPlace), SnapshotError> {
        let mut file = File::open(path)?;
        let contents = contents(&mut file)?;
        if contents.version != VERSION || contents.little_endian != cfg!(target_endian = "little") {
            return Err(Unusable(
                "of another version of this program, or of another kind of machine",
            ));
        }
        if contents.of != of {
            return Err(Unusable("of another install"));
        }
        let mut facts = Self {
            areas: dictionary(&contents.areas, true),
            paths: contents.paths,
            services: dictionary(&contents.services, false),
            standards: dictionary(&contents.standards, false),
            units: dictionary(&contents.units, false),
            ..Self::default()
        };
        facts.cases.resize(contents.cases as usize);
        facts.runs.resize(contents.runs as usize);
        let columns = facts.cases.raw_mut().into_iter().chain(facts.runs.raw_mut());
        let pieces: Vec<(&str, &mut [u8])> = columns
            .flat_map(|(column, bytes)| bytes.chunks_mut(FRAME).map(move |piece| (column, piece)))
            .collect();
        if pieces.len() != contents.frames.len() {
            return Err(Unusable("damaged: its frames are not those of its columns"));
        }
        let mut begin = MAGIC.len() as u64;
        let mut jobs = Vec::with_capacity(pieces.len());
        for (frame, (column, piece)) in contents.frames.iter().zip(pieces) {
            if frame.column != column || frame.size > zstd::zstd_safe::compress_bound(FRAME) as u64 {
                return Err(Unusable("damaged: its frames are not those of its columns"));
            }
            jobs.push((begin, frame, piece));
            begin += frame.size;
        }
        // The largest first would be no faster: all are of one size but the last of each column.
        let jobs = Mutex::new(jobs);
        thread::scope(|scope| {
            let readers: Vec<_> = (0..threads())
                .map(|_| scope.spawn(|| read_frames(path, &jobs)))
                .collect();
            readers.into_iter().try_for_each(joined)
        })?;
        facts.index_all();
        Ok((facts, contents.read))
    }
}

/// Reads frames into their columns until none is left.
fn read_frames(path: &Path, jobs: &Mutex<Vec<(u64, &Frame, &mut [u8])>>) -> Result<(), SnapshotError> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    let next = || {
        jobs.lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .pop()
    };
    while let Some((begin, frame, piece)) = next() {
        bytes.resize(frame.size as usize, 0);
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(&mut bytes)?;
        if blake3::hash(&bytes) != frame.hash {
            return Err(Unusable("damaged: a frame is not what was written"));
        }
        let wanted = piece.len();
        if zstd::bulk::decompress_to_buffer(&bytes, piece)? != wanted {
            return Err(Unusable("damaged: a frame has another length"));
        }
    }
    Ok(())
}

/// What is in a file, by its end.
fn contents(file: &mut File) -> Result<Contents, SnapshotError> {
    let torn = Unusable("torn: it has no end");
    let length = file.seek(SeekFrom::End(0))?;
    if length < (MAGIC.len() + TAIL) as u64 {
        return Err(torn);
    }
    let mut tail = [0; TAIL];
    file.seek(SeekFrom::End(-(TAIL as i64)))?;
    file.read_exact(&mut tail)?;
    let (size, rest) = tail.split_at(8);
    let (hash, magic) = rest.split_at(32);
    let size = u64::from_le_bytes(size.try_into().unwrap_or_default());
    if magic != MAGIC || size > MAX_CONTENTS || size + ((MAGIC.len() + TAIL) as u64) > length {
        return Err(torn);
    }
    let mut contents = vec![0; size as usize];
    file.seek(SeekFrom::Start(length - TAIL as u64 - size))?;
    file.read_exact(&mut contents)?;
    if *blake3::hash(&contents).as_bytes() != hash {
        return Err(torn);
    }
    serde_json::from_slice(&contents).map_err(|_| Unusable("of another version of this program"))
}

fn dictionary(codes: &[String], may_repeat: bool) -> Dictionary {
    let mut dictionary = Dictionary::default();
    for code in codes {
        if may_repeat {
            dictionary.once_more(code);
        } else {
            dictionary.number(code);
        }
    }
    dictionary
}

fn threads() -> usize {
    thread::available_parallelism()
        .map_or(1, usize::from)
        .min(THREADS)
}

fn joined<T>(work: thread::ScopedJoinHandle<'_, T>) -> T {
    work.join()
        .unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}
