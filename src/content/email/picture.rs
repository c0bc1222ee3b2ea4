//! Pictures, made small for a display.
//!
//! What decodes a picture is bounded: its sides, and the memory that it takes.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageReader, Limits};

/// Pixels of the longest side of a picture that is read.
const MAX_SIDE: u32 = 10_000;
/// Octets of memory for a picture that is read.
const MAX_MEMORY: u64 = 96 << 20;
/// Octets of a picture's file.
pub(super) const MAX_FILE: usize = 16 << 20;
const QUALITY: u8 = 70;

/// A picture as a JPEG whose longest side has so many pixels at most; `None` if it cannot be read.
pub(super) fn scaled(file: &[u8], side: u16) -> Option<Vec<u8>> {
    if file.len() > MAX_FILE || side == 0 {
        return None;
    }
    let mut reader = ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let picture = reader.decode().ok()?;
    let side = u32::from(side);
    let picture = if picture.width() > side || picture.height() > side {
        picture.thumbnail(side, side)
    } else {
        picture
    };
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, QUALITY)
        .encode_image(&picture.into_rgb8())
        .ok()?;
    Some(out)
}
