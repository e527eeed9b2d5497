//! From a file to text in UTF-8 with known line numbers: byte order marks, GBK, bounds on one record.

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
    rc::Rc,
};

use encoding_rs::{Decoder, Encoding, GB18030, UTF_8};

use crate::error::{Error, Result};

/// The most bytes of one record. A quotation mark or tag that is never closed swallows the rest of a file; this stops it.
const MAX_RECORD: u64 = 1 << 20;

/// How much of the beginning is looked at to tell what the file is.
const HEAD: usize = 64 << 10;

/// Where reading has come to; shared with whoever reads on top.
#[derive(Debug, Default)]
pub(super) struct Position {
    /// Lines that were passed.
    lines: Cell<u64>,
    /// Bytes of text that were passed.
    bytes: Cell<u64>,
    /// Where the current record began.
    record: Cell<u64>,
    /// The last byte that was passed and ends no line.
    last: Cell<u8>,
}

impl Position {
    pub fn line(&self) -> u64 {
        self.lines.get() + 1
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Whether a record that was read up to `byte`, and ends with a cell of several lines, took the rest of the file for
    /// want of a quotation mark: a cell that is closed ends with one.
    pub fn swallowed(&self, byte: u64) -> bool {
        byte == self.bytes.get() && self.last.get() != b'"'
    }

    /// A new record begins here.
    pub fn begin_record(&self) {
        self.record.set(self.bytes.get());
    }
}

/// An opened file.
pub(super) struct Opened {
    /// Its text.
    pub text: Counted,
    /// Its first letters, to tell what it is.
    pub head: String,
    /// How it was encoded.
    pub encoding: &'static str,
    /// How many bytes it has.
    pub bytes: u64,
}

/// Opens a file: UTF-8 with or without a byte order mark, UTF-16 with one, what an XML declaration names, else GB18030
/// (and so GBK); or the encoding that `label` names.
pub(super) fn open(path: &Path, label: Option<&str>) -> Result<Opened> {
    let what = || format!("reading {}", path.display());
    let mut file = File::open(path).map_err(Error::io(what()))?;
    let bytes = file.metadata().map_err(Error::io(what()))?.len();
    let mut head = Vec::with_capacity(HEAD);
    (&mut file)
        .take(HEAD as u64)
        .read_to_end(&mut head)
        .map_err(Error::io(what()))?;
    let (encoding, mark) = match (Encoding::for_bom(&head), label) {
        (_, Some(label)) => {
            let named = Encoding::for_label(label.as_bytes()).ok_or_else(|| {
                Error::invalid(
                    "encoding",
                    format!("{label:?} is no encoding; write utf-8, gbk, gb18030, big5, windows-1252, …"),
                )
            })?;
            let mark = Encoding::for_bom(&head).map_or(0, |(_, length)| length);
            (named, mark)
        }
        (Some((encoding, mark)), None) => (encoding, mark),
        (None, None) => {
            file.seek(SeekFrom::Start(0)).map_err(Error::io(what()))?;
            let encoding = if is_utf8(&mut file).map_err(Error::io(what()))? {
                UTF_8
            } else {
                declared(&head).unwrap_or(GB18030)
            };
            (encoding, 0)
        }
    };
    file.seek(SeekFrom::Start(mark as u64))
        .map_err(Error::io(what()))?;
    let (head, _) = encoding.decode_without_bom_handling(&head[mark..]);
    let head = head.into_owned();
    let plain: Box<dyn Read> = if encoding == UTF_8 && label.is_none() {
        Box::new(file)
    } else {
        Box::new(Decoded::new(file, encoding))
    };
    Ok(Opened {
        text: Counted {
            inner: BufReader::with_capacity(128 << 10, plain),
            position: Rc::default(),
        },
        head,
        encoding: encoding.name(),
        bytes,
    })
}

/// Whether the rest of a file is UTF-8 throughout. A second pass over the file, much faster than reading it.
fn is_utf8(file: &mut File) -> io::Result<bool> {
    let mut block = vec![0; 1 << 20];
    let mut kept = 0;
    loop {
        let read = file.read(&mut block[kept..])?;
        if read == 0 {
            return Ok(kept == 0);
        }
        let end = kept + read;
        match std::str::from_utf8(&block[..end]) {
            Ok(_) => kept = 0,
            Err(error) if error.error_len().is_none() => {
                block.copy_within(error.valid_up_to()..end, 0);
                kept = end - error.valid_up_to();
            }
            Err(_) => return Ok(false),
        }
    }
}

/// The encoding that an XML declaration names.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let line = head.strip_prefix(b"<?xml")?;
    let line = String::from_utf8_lossy(&line[..line.len().min(200)]);
    let (declaration, _) = line.split_once("?>")?;
    let (_, after) = declaration.split_once("encoding")?;
    let name = after.trim_start_matches([' ', '=', '"', '\'']);
    let name = name.split(['"', '\'']).next()?;
    Encoding::for_label(name.as_bytes())
}

/// A reader that decodes to UTF-8.
struct Decoded {
    inner: File,
    decoder: Decoder,
    raw: Vec<u8>,
    unread: std::ops::Range<usize>,
    ended: bool,
    done: bool,
}

impl Decoded {
    fn new(inner: File, encoding: &'static Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: vec![0; 64 << 10],
            unread: 0..0,
            ended: false,
            done: false,
        }
    }
}

impl Read for Decoded {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while !self.done {
            if self.unread.is_empty() && !self.ended {
                let read = self.inner.read(&mut self.raw)?;
                self.unread = 0..read;
                self.ended = read == 0;
            }
            let from = &self.raw[self.unread.clone()];
            let (result, read, written, _) = self.decoder.decode_to_utf8(from, to, self.ended);
            self.unread.start += read;
            self.done = self.ended && result == encoding_rs::CoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

/// A reader that counts lines and refuses a record without end.
pub(super) struct Counted {
    inner: BufReader<Box<dyn Read>>,
    position: Rc<Position>,
}

impl Counted {
    pub fn position(&self) -> Rc<Position> {
        Rc::clone(&self.position)
    }
}

impl BufRead for Counted {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let read = self.position.bytes.get() - self.position.record.get();
        if read > MAX_RECORD {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "one record has more than {MAX_RECORD} bytes; perhaps a quotation mark or tag is not closed"
                ),
            ));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        let passed = &self.inner.buffer()[..amount];
        #[expect(
            clippy::naive_bytecount,
            reason = "the compiler makes vectors of it; no crate for one line"
        )]
        let lines = passed.iter().filter(|b| **b == b'\n').count() as u64;
        if let Some(last) = passed.iter().rfind(|b| !matches!(b, b'\n' | b'\r')) {
            self.position.last.set(*last);
        }
        self.position.lines.set(self.position.lines.get() + lines);
        self.position.bytes.set(self.position.bytes.get() + amount as u64);
        self.inner.consume(amount);
    }
}

impl Read for Counted {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let buffer = self.fill_buf()?;
        let length = buffer.len().min(to.len());
        to[..length].copy_from_slice(&buffer[..length]);
        self.consume(length);
        Ok(length)
    }
}
