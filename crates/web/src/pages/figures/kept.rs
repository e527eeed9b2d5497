//! Pages of figures that are the same for every reader of a language: made once for what they are made of, not once for each reader.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;

/// Pages that are kept. Each has some hundred kilobytes at most.
const PAGES: usize = 64;

/// Pages by their addresses, each with the mark of what it was made of.
#[derive(Default)]
pub(crate) struct KeptPages(Mutex<HashMap<String, (String, Bytes)>>);

impl KeptPages {
    /// The page of an address, if it was made of that.
    pub(crate) fn get(&self, address: &str, mark: &str) -> Option<Bytes> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, text) = pages.get(address)?;
        (of == mark).then(|| text.clone())
    }

    /// Keeps one.
    pub(crate) fn keep(&self, address: String, mark: String, text: Bytes) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= PAGES && !pages.contains_key(&address) {
            pages.clear();
        }
        pages.insert(address, (mark, text));
    }
}
