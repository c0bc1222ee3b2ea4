//! Large objects: joining the chunks that come (Sync Protocol 1.1 section 2.10).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::apply::octets;
use super::state::Incoming;
use super::turn::Turn;
use crate::syncml::{Alert, Code, Command, Item, Location, Meta};

/// What an item's Data amounts to.
pub(super) enum Whole<'m> {
    /// A whole body, with its media type.
    Body {
        data: Cow<'m, [u8]>,
        media: Option<String>,
    },
    /// A chunk that was kept; more will come.
    Part,
    /// The Status for what is wrong with it.
    Refused(Code),
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
                }
            }
        };
        let mut joined = STANDARD.decode(&incoming.data).unwrap_or_default();
        joined.extend_from_slice(&data);
        if joined.len() as u64 > limit {
            return Whole::Refused(Code::REQUESTED_SIZE_TOO_BIG);
        }
        if item.more_data {
            incoming.data = STANDARD.encode(&joined);
            self.state.incoming = Some(incoming);
            return Whole::Part;
        }
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
        Whole::Body {
            data: Cow::Owned(joined),
            media: media.map(ToOwned::to_owned).or(incoming.kind),
        }
    }

    /// The client's package ended within a large object.
    pub(super) fn close_incoming(&mut self, client_last: bool) {
        if client_last && let Some(begun) = self.state.incoming.take() {
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
        // If it does not fit, the missing Status for the last chunk says as much.
        let _ = self.reply.push(Command::Alert(alert));
    }
}
