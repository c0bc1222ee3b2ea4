//! stub
use super::{Component, ContentError, Record, Target, line};
pub(super) fn read(root: Component) -> Component {
    root
}
pub(super) fn from_plain(_body: &[u8], _charset: Option<&str>) -> Result<Record, ContentError> {
    Err(ContentError::Unsupported)
}
pub(super) fn to_plain(_record: &Record, _target: &Target<'_>) -> Vec<u8> {
    Vec::new()
}
pub(super) fn write(_record: &Record, _target: &Target<'_>, _out: &mut line::Writer) {}
pub(super) fn title(_root: &Component) -> String {
    String::new()
}
