//! Large objects: joining the chunks that come (Sync Protocol 1.1 section 2.10).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;

use super::state::{Finished, Incoming, Phase};
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

impl Incoming {
    /// Adds a chunk. After a resume the client may say from where on (an EMI of Synthesis clients), begin anew, or
    /// repeat the chunk before, whose Status it may not have seen.
    fn join(&mut self, joined: &mut Vec<u8>, data: &[u8], metas: [Option<&Meta<'_>>; 2]) {
        let first = self.resumed_at == Some(joined.len()) && self.cut.is_none();
        if first {
            let kept = joined.len().saturating_sub(self.overlap);
            let newest = &joined[kept..];
            let position = metas.iter().flatten().find_map(|meta| data_position(meta));
            if let Some(position) = position {
                joined.truncate(position);
                self.resumed_at = None;
            } else if metas
                .iter()
                .flatten()
                .any(|meta| meta.size == Some(self.size))
                && (joined.starts_with(data) || data.starts_with(joined))
            {
                joined.clear();
                self.resumed_at = None;
            } else if !newest.is_empty() && (data.starts_with(newest) || newest.starts_with(data)) {
                self.cut = Some(STANDARD.encode(newest));
                joined.truncate(kept);
            }
        }
        joined.extend_from_slice(data);
        self.newest = data.len();
    }

    /// The size tells whether a chunk came twice after a resume.
    fn mend(&self, joined: &mut Vec<u8>) {
        let Some(at) = self.resumed_at.filter(|at| *at >= self.overlap) else {
            return;
        };
        let repeated = at - self.overlap..at;
        let (length, size) = (joined.len() as u64, self.size);
        let chunk = self.overlap as u64;
        match &self.cut {
            Some(cut) if length + chunk == size => {
                // It only looked as the one before.
                let cut = STANDARD.decode(cut).unwrap_or_default();
                joined.splice(repeated.start..repeated.start, cut);
            }
            None if length == size + chunk && joined.len() >= repeated.end => {
                joined.drain(repeated);
            }
            _ => {}
        }
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
                    resumed_at: None,
                    overlap: 0,
                    cut: None,
                }
            }
        };
        let mut joined = STANDARD.decode(&incoming.data).unwrap_or_default();
        incoming.join(&mut joined, &data, metas);
        if joined.len() as u64 > limit {
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
        let resumed = |begun: &mut Incoming| opens && begun.resumed_at == Some(begun.octets());
        if client_last && let Some(begun) = self.state.incoming.take_if(|begun| !resumed(begun)) {
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

    /// What a whole comes to whose first chunks came before the session broke, and the others after.
    fn joined(whole: &[u8], before: &[&[u8]], after: &[(&[u8], Option<&str>)]) -> Vec<u8> {
        let mut incoming = Incoming {
            link: 0,
            luid: "1".into(),
            size: whole.len() as u64,
            kind: None,
            data: String::new(),
            newest: 0,
            resumed_at: None,
            overlap: 0,
            cut: None,
        };
        let mut octets = Vec::new();
        for chunk in before {
            incoming.join(&mut octets, chunk, [None, None]);
        }
        incoming.resumed_at = Some(octets.len());
        incoming.overlap = incoming.newest;
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
    fn a_chunk_of_another_shape_is_cut_by_its_size() {
        let whole = b"abcdefghij";
        let after: &[(&[u8], Option<&str>)] = &[(b"dXfghij", None)];
        // The client changed it meanwhile: the octets that hold are those that came last.
        assert_eq!(joined(whole, &[b"abc", b"def"], after), b"abcdXfghij");
    }
}
