//! Pages and API of figures on a small place.
#[test]
fn nothing() {}
