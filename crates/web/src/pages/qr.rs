//! QR codes, as the addresses of images: the policy for contents lets nothing be drawn inline.

use qrcode::{QrCode, render::svg};

use super::fault::Fault;

/// A QR code of a text, in black on white, as the address of an image.
pub(crate) fn picture(text: &str) -> Result<String, Fault> {
    let code = QrCode::new(text).map_err(|error| {
        tracing::error!(%error, "a QR code was not drawn");
        Fault::Broken
    })?;
    let svg = code.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    let escaped: String = form_urlencoded::byte_serialize(svg.as_bytes()).collect();
    Ok(format!("data:image/svg+xml,{}", escaped.replace('+', "%20")))
}
