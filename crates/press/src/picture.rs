//! A chart as PNG, for formats that take no SVG.

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree},
};

use crate::{Error, Fonts};

/// Dots for one pixel of a page: as sharp as an office printer.
const SCALE: f32 = 2.5;

/// The most dots across and down: a chart is 720 pixels wide, and the tallest some thousands high.
const MAX_DOTS: f32 = 20_000.0;

/// A picture and its size in pixels of a page.
pub(crate) struct Picture {
    pub(crate) png: Vec<u8>,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

pub(crate) fn png(svg: &str, fonts: &Fonts) -> Result<Picture, Error> {
    let failed = |what: &dyn std::fmt::Display| Error::Picture(what.to_string());
    let options = Options {
        fontdb: fonts.drawn.clone(),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).map_err(|error| failed(&error))?;
    let size = tree.size();
    let (across, down) = (size.width() * SCALE, size.height() * SCALE);
    if across > MAX_DOTS || down > MAX_DOTS {
        return Err(failed(&"it is too large"));
    }
    let mut dots =
        Pixmap::new(across.ceil() as u32, down.ceil() as u32).ok_or_else(|| failed(&"it is empty"))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut dots.as_mut());
    Ok(Picture {
        png: dots.encode_png().map_err(|error| failed(&error))?,
        width: size.width().ceil() as u32,
        height: size.height().ceil() as u32,
    })
}
