//! Large objects: joining the chunks that come (Sync Protocol 1.1 section 2.10).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;

use super::apply::octets;
use super::state::{Finished, Incoming, Phase};
use super::turn::Turn;
use crate::syncml::{Alert, Code, Item, Location, Meta};

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
        let first = self.resumed_at == Some(joined.len()) && !self.cut;
        if first {
            let newest = &joined[joined.len().saturating_sub(self.newest)..];
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
            } else if !newest.is_empty() && data.starts_with(newest) {
                joined.truncate(joined.len() - self.newest);
                self.cut = true;
            }
        }
        joined.extend_from_slice(data);
        if self.resumed_at.is_none() {
            self.newest = data.len();
        }
    }

    /// The size tells whether a chunk came twice after a resume.
    fn mend(&self, joined: &mut Vec<u8>) {
        let Some(at) = self.resumed_at.filter(|at| *at >= self.newest) else {
            return;
        };
        let repeated = at - self.newest..at;
        let (length, size) = (joined.len() as u64, self.size);
        let chunk = self.newest as u64;
        if self.cut && length + chunk == size {
            // It only looked as the one before.
            let same = joined[repeated.clone()].to_vec();
            joined.splice(repeated.start..repeated.start, same);
        } else if !self.cut && length == size + chunk && joined.len() >= repeated.end {
            joined.drain(repeated);
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
                    cut: false,
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
