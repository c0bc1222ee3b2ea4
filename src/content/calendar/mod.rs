//! Events and tasks.

use super::{Component, ContentError, Format, Kind, ReadHint, Record, Target, Warning, line};

pub(super) fn read(
    _root: Component,
    _format: Format,
    _hint: &ReadHint<'_>,
) -> Result<(Kind, Component, Vec<Warning>), ContentError> {
    Err(ContentError::Unsupported)
}

pub(super) fn write(_record: &Record, _target: &Target<'_>, _out: &mut line::Writer) {}

pub(super) fn match_key_text(_record: &Record) -> String {
    String::new()
}
