//! Large objects: joining the chunks that come (Sync Protocol 1.1 section 2.10).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;

use super::state::{Doubt, Finished, Incoming, Phase};
use super::turn::Turn;
use crate::syncml::{Alert, Code, Data, Item, Location, Meta};

/// What an item's Data amounts to.
pub(super) enum Whole<'m> {
    /// A whole body, with its media type.
    Body {
        data: Cow<'m, [u8]>,
        media: Option<String>,
    },
    /// A chunk that was kept; more will come.
    Part,
    /// The last chunk of an object that was complete before the session was resumed, with the Status of then.
    Repeated(Code),
    /// The Status for what is wrong with it.
    Refused(Code),
}

/// Resumes of one object after which a chunk may have come again; of more the first count.
const MAX_DOUBTS: usize = 16;

impl Incoming {
    /// Adds a chunk. After a resume the client may say from where on (an EMI of Synthesis clients), begin anew, or
    /// repeat the chunk before, whose Status it may not have seen.
    fn join(&mut self, joined: &mut Vec<u8>, data: &[u8], metas: [Option<&Meta<'_>>; 2]) {
        if std::mem::take(&mut self.resumed) {
            let begin = joined.len().saturating_sub(self.newest);
            let newest = &joined[begin..];
            let position = metas.iter().flatten().find_map(|meta| data_position(meta));
            let says_size = metas
                .iter()
                .flatten()
                .any(|meta| meta.size == Some(self.size));
            if let Some(position) = position {
                joined.truncate(position);
                self.doubtful
                    .retain(|doubt| doubt.begin + doubt.length <= position);
            } else if says_size && (joined.starts_with(data) || data.starts_with(joined)) {
                joined.clear();
                self.doubtful.clear();
            } else if !newest.is_empty() && self.doubtful.len() < MAX_DOUBTS {
                self.doubtful.push(Doubt {
                    begin,
                    length: newest.len(),
                    alike: data.starts_with(newest) || newest.starts_with(data),
                });
            }
        }
        joined.extend_from_slice(data);
        self.newest = data.len();
    }

    /// Octets that may be there twice.
    fn doubted(&self) -> usize {
        self.doubtful.iter().map(|doubt| doubt.length).sum()
    }

    /// The size tells which chunks came twice; of each the octets that came last count.
    fn mend(&self, joined: &mut Vec<u8>) {
        let Some(excess) = usize::try_from(self.size)
            .ok()
            .and_then(|size| joined.len().checked_sub(size))
            .filter(|excess| *excess > 0)
        else {
            return;
        };
        let mut doubts = self.doubtful.clone();
        // Those first that looked so.
        doubts.sort_by_key(|doubt| (!doubt.alike, doubt.begin));
        let Some(mut twice) = that_make(excess, &doubts) else {
            return;
        };
        twice.sort_by_key(|doubt| doubt.begin);
        for doubt in twice.into_iter().rev() {
            let end = (doubt.begin + doubt.length).min(joined.len());
            joined.drain(doubt.begin.min(end)..end);
        }
    }
}

/// Doubts whose lengths make a sum, the first ones if there are several.
fn that_make(sum: usize, doubts: &[Doubt]) -> Option<Vec<Doubt>> {
    if sum == 0 {
        return Some(Vec::new());
    }
    let (first, rest) = doubts.split_first()?;
    let with = sum
        .checked_sub(first.length)
        .and_then(|left| that_make(left, rest));
    match with {
        Some(mut with) => {
            with.push(*first);
            Some(with)
        }
        None => that_make(sum, rest),
    }
}

/// What is kept of a chunk, to know it again.
fn mark(chunk: &[u8]) -> String {
    STANDARD.encode(sha2::Sha256::digest(chunk))
}

/// `datapos=NUMBER` in an EMI.
fn data_position(meta: &Meta<'_>) -> Option<usize> {
    let text = meta
        .emi
        .iter()
        .find_map(|emi| emi.trim().strip_prefix("datapos="))?;
    text.trim().parse().ok()
}

impl Turn<'_> {
    /// Joins an item's Data with the chunks before it.
    pub(super) fn whole<'m>(
        &mut self,
        link: usize,
        luid: &str,
        item: &'m Item<'m>,
        metas: [Option<&Meta<'_>>; 2],
        media: Option<&str>,
    ) -> Whole<'m> {
        let data = octets(&item.data).unwrap_or_default();
        let begun = self.state.incoming.take();
        let continues = begun
            .as_ref()
            .is_some_and(|begun| begun.link == link && begun.luid == luid);
        let begun = match begun {
            Some(begun) if continues => Some(begun),
            Some(begun) => {
                self.end_of_data_missing(&begun);
                None
            }
            None => None,
        };
        let before = self
            .state
            .finished
            .as_ref()
            .filter(|of| of.link == link && of.luid == luid && self.state.links[link].resumed);
        if let Some(before) = before
            && begun.is_none()
            && !item.more_data
            && before.chunk == mark(&data)
        {
            return Whole::Repeated(before.code);
        }
        if begun.is_none() && !item.more_data {
            return Whole::Body {
                data,
                media: media.map(ToOwned::to_owned),
            };
        }
        let limit = self.context.settings.max_object;
        let mut incoming = match begun {
            Some(begun) => begun,
            None => {
                // Some phones write 0 for "I do not know" on small items; a chunked one has to say.
                let Some(size) = metas
                    .iter()
                    .flatten()
                    .find_map(|meta| meta.size)
                    .filter(|size| *size > 0)
                else {
                    return Whole::Refused(Code::SIZE_REQUIRED);
                };
                if size > limit {
                    return Whole::Refused(Code::REQUESTED_SIZE_TOO_BIG);
                }
                Incoming {
                    link,
                    luid: luid.to_owned(),
                    size,
                    kind: media.map(ToOwned::to_owned),
                    data: String::new(),
                    newest: 0,
                    resumed: false,
                    doubtful: Vec::new(),
                }
            }
        };
        let mut joined = STANDARD.decode(&incoming.data).unwrap_or_default();
        incoming.join(&mut joined, &data, metas);
        if joined.len().saturating_sub(incoming.doubted()) as u64 > limit {
            return Whole::Refused(Code::REQUESTED_SIZE_TOO_BIG);
        }
        if item.more_data {
            incoming.data = STANDARD.encode(&joined);
            self.state.incoming = Some(incoming);
            return Whole::Part;
        }
        incoming.mend(&mut joined);
        if joined.len() as u64 != incoming.size {
            let view = self.state.links[link].view;
            let text = format!(
                "a large object of {} octets was announced with {}",
                joined.len(),
                incoming.size
            );
            self.note(Some(view), Some(luid), text);
            return Whole::Refused(Code::SIZE_MISMATCH);
        }
        self.state.finished = Some(Finished {
            link,
            luid: luid.to_owned(),
            chunk: mark(&data),
            code: Code::OK,
        });
        Whole::Body {
            data: Cow::Owned(joined),
            media: media.map(ToOwned::to_owned).or(incoming.kind),
        }
    }

    /// The client's package ended within a large object.
    pub(super) fn close_incoming(&mut self, client_last: bool) {
        // One that is resumed goes on in the next package.
        let opens = self.state.phase == Phase::Initialising;
        let goes_on = |begun: &mut Incoming| opens && begun.resumed;
        if client_last && let Some(begun) = self.state.incoming.take_if(|begun| !goes_on(begun)) {
            self.end_of_data_missing(&begun);
        }
    }

    /// Alert 223: the rest of an object did not come.
    fn end_of_data_missing(&mut self, begun: &Incoming) {
        let Some(of) = self.state.links.get(begun.link) else {
            return;
        };
        let (view, local) = (of.view, of.local.clone());
        self.note(
            Some(view),
            Some(&begun.luid),
            "the end of a large object did not come",
        );
        let alert = Alert {
            code: Some(223),
            items: vec![Item {
                target: Some(Location::new(local)),
                source: Some(Location::new(begun.luid.clone())),
                ..Item::default()
            }],
            ..Alert::default()
        };
        self.alerts.push(alert);
    }
}

/// The body of a Data element.
fn octets<'m>(data: &'m Data<'m>) -> Option<Cow<'m, [u8]>> {
    match data {
        Data::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
        Data::None => None,
        Data::Meta(_) | Data::DevInf(_) | Data::Properties(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of which nothing has come.
    fn begun(whole: &[u8]) -> Incoming {
        Incoming {
            link: 0,
            luid: "1".into(),
            size: whole.len() as u64,
            kind: None,
            data: String::new(),
            newest: 0,
            resumed: false,
            doubtful: Vec::new(),
        }
    }

    /// What a whole comes to whose first chunks came before the session broke, and the others after.
    fn joined(whole: &[u8], before: &[&[u8]], after: &[(&[u8], Option<&str>)]) -> Vec<u8> {
        let mut incoming = begun(whole);
        let mut octets = Vec::new();
        for chunk in before {
            incoming.join(&mut octets, chunk, [None, None]);
        }
        incoming.resumed = true;
        for (chunk, emi) in after {
            let meta = Meta {
                emi: emi.iter().map(|emi| Cow::Borrowed(*emi)).collect(),
                ..Meta::default()
            };
            incoming.join(&mut octets, chunk, [Some(&meta), None]);
        }
        incoming.mend(&mut octets);
        octets
    }

    #[test]
    fn a_chunk_that_comes_again_after_a_resume_counts_once() {
        let whole = b"abcdefghijkl";
        for after in [
            // Behind what came.
            &[(&b"ghi"[..], None), (&b"jkl"[..], None)][..],
            // The newest chunk again, as it was, longer, shorter.
            &[(b"def", None), (b"ghijkl", None)],
            &[(b"defghi", None), (b"jkl", None)],
            &[(b"de", None), (b"fghijkl", None)],
            // From where the client says.
            &[(b"efghijkl", Some("datapos=4"))],
        ] {
            assert_eq!(joined(whole, &[b"abc", b"def"], after), whole, "{after:?}");
        }
    }

    #[test]
    fn what_only_looks_as_the_chunk_before_is_not_cut() {
        let whole = b"abababababXY";
        let after: &[(&[u8], Option<&str>)] = &[(b"abab", None), (b"XY", None)];
        assert_eq!(joined(whole, &[b"abab", b"ab"], after), whole);
        // Repeated in truth.
        let whole = b"ababababXY";
        let after: &[(&[u8], Option<&str>)] = &[(b"abab", None), (b"XY", None)];
        assert_eq!(joined(whole, &[b"abab", b"ab"], after), b"ababababXY");
    }

    #[test]
    fn a_session_that_breaks_again_and_again_loses_nothing() {
        let whole = [b'x'; 100];
        // Each row: octets of a chunk, and whether the session breaks behind it.
        for (rows, twice) in [
            (&[(30, true), (20, true), (10, true), (40, false)][..], 0),
            (
                &[(30, true), (30, true), (20, true), (20, true), (50, false)],
                50,
            ),
            (&[(30, true), (20, true), (20, true), (50, false)], 20),
        ] {
            let mut incoming = begun(&whole);
            let mut octets = Vec::new();
            for (length, breaks) in rows {
                incoming.join(&mut octets, &whole[..*length], [None, None]);
                incoming.resumed = *breaks;
            }
            assert_eq!(octets.len(), 100 + twice);
            incoming.mend(&mut octets);
            assert_eq!(octets, whole, "{rows:?}");
        }
    }

    #[test]
    fn a_chunk_of_another_shape_is_cut_by_its_size() {
        let whole = b"abcdefghij";
        let after: &[(&[u8], Option<&str>)] = &[(b"dXfghij", None)];
        // The client changed it meanwhile: the octets that hold are those that came last.
        assert_eq!(joined(whole, &[b"abc", b"def"], after), b"abcdXfghij");
    }
}
